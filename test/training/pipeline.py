"""Runs the trainings one after the other as SageMaker would, with the split and merge that lie between them."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TRAINING = ROOT / "workloads" / "training"
PROGRAMS = {
    "text": TRAINING / "text" / "train_text.py",
    "image": TRAINING / "image" / "train_n_folds.py",
    "sequence": TRAINING / "sequence" / "train_sequence.py",
}


def prepare(
    base: Path,
    channels: Mapping[str, Path],
    parameters: Mapping[str, Any],
    hosts: list[str] | None = None,
    current: str | None = None,
) -> None:
    """Lays out a base directory as a container finds it; channels are links to folders."""
    config = base / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "hyperparameters.json").write_text(json.dumps({name: str(value) for name, value in parameters.items()}))
    names = hosts or ["algo-1"]
    (config / "resourceconfig.json").write_text(
        json.dumps({"hosts": names, "current_host": current or names[0], "network_interface_name": "lo"})
    )
    (config / "inputdataconfig.json").write_text(json.dumps({name: {"TrainingInputMode": "File"} for name in channels}))
    (base / "input" / "data").mkdir(exist_ok=True)
    for name, source in channels.items():
        link = base / "input" / "data" / name
        if not link.exists():
            link.symlink_to(source)


def environment(base: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SM_"))}
    threads = {"TF_NUM_INTRAOP_THREADS": "2", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "2"}
    return threads | kept | {"SAGEMAKER_BASE_DIR": str(base)} | more


def start(model: str, base: Path, arguments: list[str] | None = None, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAMS[model]), *(arguments or [])],
        env=environment(base, **more),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(model: str, base: Path, arguments: list[str] | None = None, **more: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = start(model, base, arguments, **more)
    out, error = process.communicate()
    return process.returncode, out, error


def train(model: str, base: Path, channels: Mapping[str, Path], parameters: Mapping[str, Any], **more: Any) -> str:
    prepare(base, channels, parameters, **more)
    code, out, error = run(model, base)
    assert code == 0, f"{model}: {error[-2000:]}"
    return out


def reduced() -> dict[str, dict[str, Any]]:
    """The hyperparameters that a local run makes smaller, by model."""
    bounds = json.loads((ROOT / "local" / "hyperparameters.json").read_text(encoding="utf-8"))
    return {model: {name: bound["atMost"] for name, bound in own.items()} for model, own in bounds.items()}


def read_labels(documents: Path) -> list[dict[str, str]]:
    with open(documents / "labels.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_labels(folder: Path, rows: list[dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "labels.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["stack", "page", "class", "begins_document", "split"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def split(documents: Path, out: Path, k: int, seed: int) -> None:
    """Folds of the training stacks; each stack goes where the fewest of its classes' pages are."""
    stacks: dict[str, list[str]] = {}
    for row in read_labels(documents):
        if row["split"] == "train":
            stacks.setdefault(row["stack"], []).append(row["class"])
    names = sorted(stacks)
    random.Random(seed).shuffle(names)
    counts: list[dict[str, int]] = [{} for _ in range(k)]
    folds = {}
    for name in sorted(names, key=lambda stack: -len(stacks[stack])):
        best = min(
            range(k),
            key=lambda fold: (
                sum(counts[fold].get(kind, 0) for kind in stacks[name]),
                sum(counts[fold].values()),
                fold,
            ),
        )
        folds[name] = best
        for kind in stacks[name]:
            counts[best][kind] = counts[best].get(kind, 0) + 1
    out.mkdir(parents=True, exist_ok=True)
    (out / "folds.json").write_text(json.dumps({"k": k, "seed": seed, "folds": folds}))


#: Of a page: probabilities by class, and under BEGINS that a document begins there.
Answer = dict[str, float]
BEGINS = ":begins_document"


def predictions_of(*files: Path) -> dict[tuple[str, int], Answer]:
    """Answers by page; the mean where several networks predict a test page."""
    found: dict[tuple[str, int], list[Answer]] = {}
    for path in files:
        for text in path.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            answer = line["probabilities"] | {BEGINS: line["begins_document"]}
            found.setdefault((line["stack"], line["page"]), []).append(answer)
    return {
        page: {name: sum(one[name] for one in all_) / len(all_) for name in all_[0]} for page, all_ in found.items()
    }


def merge(labels: list[dict[str, str]], members: Mapping[str, dict[tuple[str, int], Answer]], out: Path) -> None:
    """The merged table; with a member's begins where it says them."""
    outputs = {member: sorted(next(iter(own.values()))) for member, own in members.items()}
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "dataframe.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            [
                "stack",
                "page",
                "class",
                "begins_document",
                "split",
                *(f"{member}:{name}" for member, own in outputs.items() for name in own),
            ]
        )
        for row in sorted(labels, key=lambda row: (row["stack"], int(row["page"]))):
            page = (row["stack"], int(row["page"]))
            writer.writerow(
                [
                    *row.values(),
                    *(f"{members[member][page][name]:.6f}" for member in members for name in outputs[member]),
                ]
            )


def ensemble(
    documents: Path, work: Path, parameters: Mapping[str, Mapping[str, Any]], labels: Path | None = None, folds: int = 4
) -> dict[str, Any]:
    """Trains all three models; returns, per model, the predicted probabilities of the test pages, and the true
    labels.
    """
    labels = labels or documents
    split(labels, work / "split", folds, 1)
    train("text", work / "text", {"labels": labels, "text": documents / "text"}, parameters["text"])
    train(
        "image",
        work / "image",
        {"labels": labels, "images": documents / "images", "folds": work / "split"},
        parameters["image"],
    )
    members = {
        "text": predictions_of(work / "text" / "output" / "data" / "predictions.jsonl"),
        "image": predictions_of(*sorted((work / "image" / "output" / "data").glob("fold-*/predictions.jsonl"))),
    }
    merge(read_labels(labels), members, work / "dataframe")
    train("sequence", work / "sequence", {"dataframe": work / "dataframe"}, parameters["sequence"])
    members["sequence"] = predictions_of(work / "sequence" / "output" / "data" / "predictions.jsonl")
    truth = {(row["stack"], int(row["page"])): row["class"] for row in read_labels(labels) if row["split"] == "test"}
    return {"truth": truth, **{name: {page: own[page] for page in truth} for name, own in members.items()}}


def right_by_page(result: Mapping[str, Any], model: str) -> dict[tuple[str, int], bool]:
    def best(answer: Answer) -> str:
        return max(sorted(set(answer) - {BEGINS}), key=answer.__getitem__)

    return {page: best(own) == result["truth"][page] for page, own in result[model].items()}
