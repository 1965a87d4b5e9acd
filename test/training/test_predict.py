"""predict: what is served equals what the training predicted, and nothing changed or foreign is loaded."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pipeline
import predict
import pytest
from common.errors import DataError


def publish(models: dict[str, Path], out: Path) -> None:
    """A folder as the publish step writes it."""
    entries = {}
    for name, source in models.items():
        shutil.copytree(source, out / name)
        files = {
            path.relative_to(source).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in source.rglob("*")
            if path.is_file()
        }
        entries[name] = {"path": f"{name}/", "files": files}
    combiner = {"name": "sequence", **entries.pop("sequence")}
    (out / "manifest.json").write_text(json.dumps({"format": 1, "members": entries, "combiner": combiner}))


def stub(folder: Path, **description: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"model")
    (folder / "model.json").write_text(
        json.dumps({"format": 1, "kind": "text", "file": "model.bin", "classes": ["x", "y"], **description})
    )
    return folder


def test_what_differs_from_the_manifest_is_never_loaded(tmp_path: Path) -> None:
    models = {
        "text": stub(tmp_path / "text"),
        "sequence": stub(tmp_path / "sequence", kind="sequence", members=["text", "image"]),
    }
    publish(models, tmp_path / "whole")
    with pytest.raises(DataError, match="the combiner was trained on member image, which is not published"):
        predict.Ensemble(tmp_path / "whole")
    for change, message in (
        (
            lambda out: (out / "text" / "model.bin").write_bytes(b"other"),
            "text/model.bin: content differs from what was published",
        ),
        (lambda out: (out / "text" / "model.bin").unlink(), "text/model.bin: missing"),
        (
            lambda out: (out / "manifest.json").unlink(),
            "manifest.json: missing; expected a folder that the publish step has finished",
        ),
        (lambda out: (out / "manifest.json").write_text("{"), "manifest.json: not JSON"),
        (
            lambda out: (out / "manifest.json").write_text('{"format": 2}'),
            "manifest.json: format is 2, this program reads 1",
        ),
        (
            lambda out: (out / "manifest.json").write_text(
                '{"format": 1, "members": {"a": {"path": "../text"}}, "combiner": {}}'
            ),
            "manifest.json: path of a leads out of the published folder",
        ),
    ):
        out = tmp_path / "changed"
        shutil.copytree(tmp_path / "whole", out)
        change(out)
        with pytest.raises(DataError, match=message):
            predict.Ensemble(out)
        shutil.rmtree(out)


def test_stacks_with_gaps_or_odd_names_are_refused(documents: Path, tmp_path: Path) -> None:
    (tmp_path / "text" / "s").mkdir(parents=True)
    for page in ("001", "003"):
        (tmp_path / "text" / "s" / f"{page}.txt").write_text("")
    with pytest.raises(DataError, match="stack s: expected pages 001, 002, ... without gaps, got 001, 003"):
        predict.pages_of(tmp_path, "s")
    with pytest.raises(DataError, match="stack '../s': expected 1 to 64 letters"):
        predict.pages_of(tmp_path, "../s")
    assert [page.page for page in predict.pages_of(documents, "stack-0001")][:2] == [1, 2]


@pytest.mark.slow
def test_published_ensemble_predicts_what_the_training_did(documents: Path, tmp_path: Path) -> None:
    result = pipeline.ensemble(
        documents,
        tmp_path,
        {
            "text": {"k_folds": 2, "calibration_folds": 2},
            "image": {
                "epochs": 1,
                "depth": 3,
                "conv_block_length": 1,
                "image_width": 24,
                "image_height": 32,
                "max_lr": 0.02,
                "batch_size": 32,
            },
            "sequence": {"epochs": 1, "epoch_seq": 200, "val_seq": 8, "net_layers": 1, "net_width": 16},
        },
        folds=2,
    )
    publish({name: tmp_path / name / "model" for name in ("text", "image", "sequence")}, tmp_path / "published")
    stack = sorted({stack for stack, _ in result["truth"]})[0]
    ended = subprocess.run(
        [
            sys.executable,
            pipeline.TRAINING / "predict" / "predict.py",
            tmp_path / "published",
            "--documents",
            documents,
            "--stack",
            stack,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    answer = json.loads(ended.stdout)
    wanted = {page: own for (name, page), own in result["sequence"].items() if name == stack}
    assert [page["page"] for page in answer["pages"]] == sorted(wanted)
    for page in answer["pages"]:
        # The table between the models has six digits.
        assert page["probability"] == pytest.approx(max(wanted[page["page"]].values()), abs=1e-3)
    covered = [
        number for segment in answer["segments"] for number in range(segment["first_page"], segment["last_page"] + 1)
    ]
    assert covered == sorted(wanted)
