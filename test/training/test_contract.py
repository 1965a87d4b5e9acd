"""The trainings as processes under the container contract: outputs, failure line, hosts, logs."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

import pipeline

TEXT = {"k_folds": 2, "calibration_folds": 2, "analyzer": "word", "ngram_max": 1}
IMAGE = {
    "epochs": 1,
    "depth": 3,
    "conv_block_length": 1,
    "image_width": 16,
    "image_height": 24,
    "batch_size": 32,
    "worker": 1,
    "max_lr": 0.01,
}
SEQUENCE = {"epochs": 1, "epoch_seq": 64, "val_seq": 8, "net_layers": 1, "net_width": 8, "networks": 2}


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def failure_of(base: Path, model: str, arguments: list[str] | None = None) -> str:
    """The one line of a failed training; it is in output/failure and the last one of standard error."""
    code, _, error = pipeline.run(model, base, arguments)
    line = (base / "output" / "failure").read_text()
    assert code == 1 and "\n" not in line and error.splitlines()[-1] == line
    return line


def test_text_writes_one_prediction_a_page_and_the_model_and_equal_seeds_give_equal_ones(
    documents: Path, tmp_path: Path
) -> None:
    channels = {"labels": documents, "text": documents / "text"}
    out = pipeline.train("text", tmp_path, channels, TEXT | {"bucket": "logs", "s3_log_folder": "x"})
    assert "logs: not copied, there are no credentials here" in out
    pipeline.train("text", tmp_path / "again", channels, TEXT)
    content = (tmp_path / "output" / "data" / "predictions.jsonl").read_bytes()
    assert content == (tmp_path / "again" / "output" / "data" / "predictions.jsonl").read_bytes()
    labels = {(row["stack"], int(row["page"])): row for row in pipeline.read_labels(documents)}
    predictions = lines_of(tmp_path / "output" / "data" / "predictions.jsonl")
    assert [(line["stack"], line["page"]) for line in predictions] == sorted(labels)
    folds: dict[str, set[int]] = {}
    for line in predictions:
        row = labels[line["stack"], line["page"]]
        assert line["split"] == row["split"] and (line["fold"] is None) == (row["split"] == "test")
        assert sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        folds.setdefault(line["stack"], set()).add(line["fold"])
    assert all(len(own) == 1 for own in folds.values()), "a stack is held out as a whole"
    metrics = json.loads((tmp_path / "output" / "data" / "metrics.json").read_text())
    assert metrics["page_accuracy"] > 0.25 and len(metrics["test"]["confusion"]) == len(metrics["classes"]) == 9
    model = json.loads((tmp_path / "model" / "model.json").read_text())
    assert model["kind"] == "text" and model["file"] == "model.npz"
    assert (tmp_path / "model" / "model.npz").read_bytes() == (tmp_path / "again" / "model" / "model.npz").read_bytes()
    assert all(0 <= line["begins_document"] <= 1 for line in predictions) and metrics["begins_accuracy"] > 0.6
    assert not (tmp_path / "output" / "failure").exists()


def test_hosts_train_their_folds_and_share_no_file(documents: Path, folds: Path, tmp_path: Path) -> None:
    channels = {"labels": documents, "images": documents / "images", "folds": folds}
    written = {}
    for host in ("algo-1", "algo-2"):
        pipeline.train("image", tmp_path / host, channels, IMAGE, hosts=["algo-1", "algo-2"], current=host)
        written[host] = {
            path.relative_to(tmp_path / host).as_posix()
            for folder in ("model", "output/data", "checkpoints")
            for path in (tmp_path / host / folder).rglob("*")
            if path.is_file()
        }
    assert written["algo-1"] == {name.replace("fold-1", "fold-0") for name in written["algo-2"]}
    assert all("fold-0/" in name for name in written["algo-1"]) and all("fold-1/" in name for name in written["algo-2"])
    fold_of = json.loads((folds / "folds.json").read_text())["folds"]
    labels = pipeline.read_labels(documents)
    for fold, host in enumerate(("algo-1", "algo-2")):
        predictions = lines_of(tmp_path / host / "output" / "data" / f"fold-{fold}" / "predictions.jsonl")
        wanted = {
            (row["stack"], int(row["page"]))
            for row in labels
            if row["split"] == "test" or fold_of[row["stack"]] == fold
        }
        assert {(line["stack"], line["page"]) for line in predictions} == wanted and len(predictions) == len(wanted)
        assert {line["fold"] for line in predictions} == {fold}


def test_sequence_reads_and_writes_what_its_neighbours_do(documents: Path, table: Path, tmp_path: Path) -> None:
    out = pipeline.train("sequence", tmp_path, {"dataframe": table}, SEQUENCE | {"mode": "image"})
    assert "members image" in out and out.count("epoch 1/1 ") == 2
    predictions = lines_of(tmp_path / "output" / "data" / "predictions.jsonl")
    tested = {(row["stack"], int(row["page"])) for row in pipeline.read_labels(documents) if row["split"] == "test"}
    assert {(line["stack"], line["page"]) for line in predictions} == tested
    for line in predictions:
        assert 0 <= line["begins_document"] <= 1 and 0 <= line["document_probability"] <= 1
        assert line["class"] in line["probabilities"] and isinstance(line["begins"], bool)
        assert line["begins"] or line["page"] > 1
    model = json.loads((tmp_path / "model" / "model.json").read_text())
    assert model["members"] == ["image"] and model["combiner"]["begins_members"] == []
    again = tmp_path / "again"
    pipeline.train("sequence", again, {"dataframe": table}, SEQUENCE | {"mode": "image"})
    for path in ("model/model.keras", "model/model.json", "output/data/predictions.jsonl", "output/data/metrics.json"):
        assert (again / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_combiner_is_judged_beside_its_members_and_simple_baselines(table: Path, tmp_path: Path) -> None:
    pipeline.train("sequence", tmp_path, {"dataframe": table}, SEQUENCE)
    judged = json.loads((tmp_path / "output" / "data" / "metrics.json").read_text())
    comparison = judged["comparison"]
    assert set(comparison["members"]) == {"text", "image"} and comparison["best_member"] in comparison["members"]
    assert set(comparison["baselines"]) == {"logistic_stacking", "decoded_stacking"}
    for own in [*comparison["members"].values(), *comparison["baselines"].values()]:
        for metric in ("page_accuracy", "segment_f1"):
            assert own[metric]["value"] + own[metric]["gain"] == pytest.approx(judged[metric])
            assert own[metric]["low"] <= own[metric]["gain"] <= own[metric]["high"] and own[metric]["noise"] > 0
    best = comparison["members"][comparison["best_member"]]
    assert judged["gain"] == best["page_accuracy"]["gain"] and judged["gain_low"] == best["page_accuracy"]["low"]
    assert 0 <= judged["expected_calibration_error"] <= 1
    assert [row["precision"] for row in judged["review"]] == [0.99, 0.98, 0.95]
    assert set(judged["test"]["per_class"]) == set(judged["classes"])


def test_page_that_labels_name_and_nobody_has_fails_with_its_line(documents: Path, tmp_path: Path) -> None:
    rows = pipeline.read_labels(documents)
    rows[-1] = rows[-1] | {"page": str(int(rows[-1]["page"]) + 1), "begins_document": "false"}
    extra = [*pipeline.read_labels(documents), rows[-1]]
    pipeline.write_labels(tmp_path / "labels", extra)
    pipeline.prepare(tmp_path / "job", {"labels": tmp_path / "labels", "text": documents / "text"}, TEXT)
    assert failure_of(tmp_path / "job", "text").startswith(
        f"DataError: labels.csv:{len(extra) + 1}: text/{extra[-1]['stack']}/{int(extra[-1]['page']):03d}.txt is missing"
    )


def test_page_image_that_is_no_image_fails_with_its_name(documents: Path, folds: Path, tmp_path: Path) -> None:
    images = shutil.copytree(documents / "images", tmp_path / "images")
    (images / "stack-0003" / "002.png").write_text("no image")
    pipeline.prepare(tmp_path / "job", {"labels": documents, "images": images, "folds": folds}, IMAGE)
    assert failure_of(tmp_path / "job", "image").startswith("DataError: images/stack-0003/002.png: is not a PNG image")


def test_class_with_fewer_stacks_than_folds_fails(documents: Path, tmp_path: Path) -> None:
    pipeline.prepare(tmp_path, {"labels": documents, "text": documents / "text"}, TEXT | {"k_folds": 20})
    assert "training stacks, expected at least 20, one for each fold" in failure_of(tmp_path, "text")


@pytest.mark.parametrize(
    ("model", "arguments", "line"),
    [
        (
            "text",
            None,
            "DataError: channel 'labels' is missing: expected the folder input/data/labels; name it in InputDataConfig",
        ),
        ("image", ["--epoch", "3"], "HyperparameterError: epoch: unknown, did you mean epochs?"),
        ("sequence", ["--net_width", "0"], "HyperparameterError: net_width: expected 1 to 4096, got 0"),
    ],
)
def test_wrong_call_fails_with_one_line_before_anything_is_loaded(
    tmp_path: Path, model: str, arguments: list[str] | None, line: str
) -> None:
    started = time.monotonic()
    assert failure_of(tmp_path, model, arguments) == line
    assert time.monotonic() - started < 5


def test_mode_of_a_member_that_is_not_there_fails(table: Path, tmp_path: Path) -> None:
    pipeline.prepare(tmp_path, {"dataframe": table}, {"mode": "layout"})
    assert failure_of(tmp_path, "sequence").startswith("HyperparameterError: mode: 'layout' has no predictions")


def test_fault_of_the_program_names_type_and_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from common import container

    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    previous = signal.getsignal(signal.SIGTERM)

    def broken(_container: container.Container) -> None:
        raise KeyError("first\nsecond")

    def full(_container: container.Container) -> None:
        raise OSError(28, "No space left on device", "model.keras")

    try:
        for program, begin in (
            (broken, "UnexpectedError: KeyError at test_contract.py:"),
            (full, "StorageError: No space left on device (model.keras)"),
        ):
            with pytest.raises(SystemExit) as ended:
                container.run(program)
            line = (tmp_path / "output" / "failure").read_text()
            assert ended.value.code == 1 and line.startswith(begin) and "\n" not in line
            assert capsys.readouterr().err.splitlines()[-1] == line
    finally:
        signal.signal(signal.SIGTERM, previous)


def test_executable_of_the_image_reads_plain_strings(documents: Path, tmp_path: Path) -> None:
    import os
    import subprocess

    pipeline.prepare(tmp_path, {"labels": documents, "text": documents / "text"}, TEXT | {"c": "-1"})
    program = pipeline.TRAINING / "text" / "train"
    assert os.access(program, os.X_OK)
    ended = subprocess.run(
        [pipeline.sys.executable, str(program), "train"],
        env=pipeline.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        ended.returncode == 1
        and ended.stderr.splitlines()[-1] == "HyperparameterError: c: expected above 0 to 10000, got -1"
    )


def test_image_has_a_subset_of_the_pinned_packages_with_all_that_they_need() -> None:
    import re
    from importlib import metadata

    def pins(path: Path) -> dict[str, str]:
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", line) for line in lines), path
        return {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower(): line.split("==")[1] for line in lines}

    everything, image = pins(pipeline.ROOT / "requirements.txt"), pins(pipeline.TRAINING / "text" / "requirements.txt")
    assert image.items() <= everything.items()
    for name in image:
        for need in metadata.requires(name) or []:
            if "extra ==" not in need:
                assert re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9_.-]+", need)[0]).lower() in image, (
                    f"{name} needs {need}"
                )
    for name, version in everything.items():
        assert metadata.version(name) == version
