"""predict: what is served equals what the training predicted, and nothing changed or foreign is loaded."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

import pipeline
import predict
from common import published, text_model
from common.combiner import Decoded
from common.errors import DataError
from common.structure import Document


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
        json.dumps({"format": 2, "kind": "text", "file": "model.bin", "classes": ["x", "y"], **description})
    )
    return folder


class Executed(Exception):
    """A program in a model was run."""


class Program:
    """What a pickle can hold: its reading raises `Executed`."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Executed, ()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    models = {
        "text": stub(folder / "models" / "text"),
        "image": stub(folder / "models" / "image" / "fold-0", kind="image").parent,
        "sequence": stub(folder / "models" / "sequence", kind="sequence", members=["text", "image"]),
    }
    publish(models, folder / "whole")
    return folder / "whole"


def edited(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def described(folder: Path, member: str, **changes: object) -> None:
    """Changes a member's model.json, and the manifest with it."""
    path = folder / member / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edited(folder, lambda manifest: manifest["members"][member]["files"].update({"model.json": digest}))


def linked(folder: Path, path: str) -> None:
    target = folder.parent / "elsewhere"
    (folder / path).rename(target)
    (folder / path).symlink_to(target)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "content": (
        lambda out: (out / "text" / "model.bin").write_bytes(pickle.dumps(Program())),
        "text/model.bin: content differs from what was published",
    ),
    "missing file": (lambda out: (out / "text" / "model.bin").unlink(), "text/model.bin: missing"),
    "missing manifest": (
        lambda out: (out / "manifest.json").unlink(),
        "manifest.json: missing; expected a folder that the publish step has finished",
    ),
    "no JSON": (lambda out: (out / "manifest.json").write_text("{"), "manifest.json: not JSON"),
    "another format": (
        lambda out: (out / "manifest.json").write_text('{"format": 2}'),
        "manifest.json: format is 2, this program reads 1",
    ),
    "path outside": (
        lambda out: edited(out, lambda manifest: manifest["members"]["text"].update(path="../text")),
        "manifest.json: path of text is '../text', expected the name of a folder",
    ),
    "no files": (
        lambda out: edited(out, lambda manifest: manifest["members"]["text"].pop("files")),
        "manifest.json: text has no files",
    ),
    "unlisted": (
        lambda out: edited(out, lambda manifest: manifest["members"]["text"]["files"].pop("model.bin")),
        "text/model.bin: not a file that the manifest names",
    ),
    "no hash": (
        lambda out: edited(out, lambda manifest: manifest["members"]["text"]["files"].update({"model.bin": "x"})),
        "text/model.bin: not a file that the manifest names with its SHA-256",
    ),
    "file outside": (
        lambda out: described(out, "text", file="../../outside.bin"),
        "text/model.json: file is '../../outside.bin', expected the name of a file beside it",
    ),
    "absolute file": (lambda out: described(out, "text", file="/etc/hostname"), "text/model.json: file is"),
    "another kind": (
        lambda out: described(out, "text", kind="image"),
        "text/model.json: kind is 'image', expected text",
    ),
    "declared kind": (
        lambda out: edited(out, lambda manifest: manifest["members"]["text"].update(kind="image")),
        "text/model.json: kind is 'text', expected the kind that the manifest names",
    ),
    "combiner as member": (
        lambda out: described(out, "text", kind="sequence"),
        "text/model.json: kind is 'sequence', expected text",
    ),
    "old format": (lambda out: described(out, "text", format=1), "text/model.json: format is 1, this program reads 2"),
    "linked file": (lambda out: linked(out, "text/model.bin"), "text/model.bin: is a link"),
    "linked folder": (lambda out: linked(out, "text"), "text/model.json: is a link"),
    "no classes": (lambda out: described(out, "text", classes=[]), "text/model.json: expected a list of classes"),
    "odd name": (
        lambda out: edited(out, lambda manifest: manifest["members"].update({"../x": {}})),
        "manifest.json: member '../x': expected a plain name",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_from_the_manifest_is_never_loaded(whole: Path, tmp_path: Path, change: str) -> None:
    out = tmp_path / "changed"
    shutil.copytree(whole, out)
    apply, message = CHANGES[change]
    apply(out)
    with pytest.raises(DataError) as raised:
        published.read_published(out)
    assert message in str(raised.value)


def test_what_the_manifest_does_not_name_is_not_opened(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "more"
    shutil.copytree(whole, out)
    stub(out / "image" / "fold-9", kind="text")
    (out / "image" / "fold-9" / "model.bin").write_bytes(pickle.dumps(Program()))
    found = published.read_published(out)
    assert [model.place for model in found.members["image"]] == ["image/fold-0"]
    with pytest.raises(DataError, match="no combiner"):
        predict.Ensemble(found)


def test_a_pickle_in_a_models_place_is_refused_unread(tmp_path: Path) -> None:
    for content in (pickle.dumps(Program()), b"", b"PK", _archive_with_objects()):
        with pytest.raises(DataError, match="text: no text model"):
            text_model.load_content(content, ["x", "y"], "text")


def _archive_with_objects() -> bytes:
    import io

    content = io.BytesIO()
    numpy.savez(content, analyzer=numpy.array([Program()], object))
    return content.getvalue()


def test_stacks_with_gaps_or_odd_names_are_refused(documents: Path, tmp_path: Path) -> None:
    (tmp_path / "text" / "s").mkdir(parents=True)
    for page in ("001", "003"):
        (tmp_path / "text" / "s" / f"{page}.txt").write_text("")
    with pytest.raises(DataError, match=r"text/s/003\.txt: stack s goes on with page 3, expected page 2"):
        predict.read_stacks(tmp_path, ["text"], None)
    with pytest.raises(DataError, match=r"no stack \.\./s; there are s"):
        predict.read_stacks(tmp_path, ["text"], ["../s"])
    (tmp_path / "text" / "a b").mkdir()
    (tmp_path / "text" / "a b" / "001.txt").write_text("")
    with pytest.raises(DataError, match=r'text/a b/001\.txt: stack is "a b", expected 1 to 64 letters'):
        predict.read_stacks(tmp_path, ["text"], None)
    stacks = predict.read_stacks(documents, ["text", "images"], ["stack-0001"])
    assert [page.page for page in stacks["stack-0001"]][:2] == [1, 2]


def test_improbable_documents_are_marked_for_review_or_unknown() -> None:
    documents = [Document(1, 0, 2), Document(0, 2, 3)]
    decoded = Decoded(
        documents, numpy.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3]]), numpy.array([1, 0.1, 0.9]), [0.8, 0.4]
    )
    answer = predict.answer_of("s", ["x", "y"], decoded, predict.Limits(review=0.9, unknown=0.5))
    assert answer["segments"] == [
        {"first_page": 1, "last_page": 2, "class": "y", "probability": 0.8, "review": True},
        {"first_page": 3, "last_page": 3, "class": "unknown", "probability": 0.4, "review": True},
    ]
    assert [page["probability"] for page in answer["pages"]] == [0.9, 0.8, 0.7]
    assert "review" not in predict.answer_of("s", ["x", "y"], decoded, predict.Limits())["segments"][0]


@pytest.mark.slow
def test_published_ensemble_predicts_what_the_training_did(documents: Path, tmp_path: Path) -> None:
    pipeline.ensemble(
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
            "sequence": {"epochs": 1, "epoch_seq": 200, "val_seq": 8, "net_layers": 1, "net_width": 16, "networks": 2},
        },
        folds=2,
    )
    publish({name: tmp_path / name / "model" for name in ("text", "image", "sequence")}, tmp_path / "published")
    ended = subprocess.run(
        [
            sys.executable,
            pipeline.TRAINING / "predict" / "predict.py",
            tmp_path / "published",
            "--documents",
            documents,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    answers = {answer["stack"]: answer for answer in map(json.loads, ended.stdout.splitlines())}
    lines = (tmp_path / "sequence" / "output" / "data" / "predictions.jsonl").read_text().splitlines()
    wanted: dict[str, list[Any]] = {}
    for line in map(json.loads, lines):
        wanted.setdefault(line["stack"], []).append(line)
    for stack, own in wanted.items():
        answer = answers[stack]
        # The table between the models has six digits.
        assert [page["class"] for page in answer["pages"]] == [line["class"] for line in own]
        for page, line in zip(answer["pages"], own, strict=True):
            assert page["probability"] == pytest.approx(line["probabilities"][line["class"]], abs=2e-3)
            assert page["begins_document"] == pytest.approx(line["begins_document"], abs=2e-3)
        assert [segment["first_page"] for segment in answer["segments"]] == [
            line["page"] for line in own if line["begins"]
        ]
        probabilities = [line["document_probability"] for line in own if line["begins"]]
        assert [segment["probability"] for segment in answer["segments"]] == pytest.approx(probabilities, abs=2e-3)
    scans = tmp_path / "scans"
    shutil.copytree(documents / "images" / "stack-0001", scans)
    shutil.copytree(documents / "text" / "stack-0001", scans, dirs_exist_ok=True)
    imported = subprocess.run(
        [sys.executable, pipeline.TRAINING / "predict" / "predict.py", tmp_path / "published", "--source", scans],
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stderr[-2000:]
    answer = json.loads(imported.stdout)
    assert answer["segments"] == answers["stack-0001"]["segments"]
    assert [Path(page["file"]).name for page in answer["pages"]][:2] == ["001.png", "002.png"]
