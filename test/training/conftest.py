"""Paths of the trainings, and a small set of documents that most tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
for folder in (
    "workloads/training",
    "workloads/training/text",
    "workloads/training/image",
    "workloads/training/sequence",
    "workloads/training/predict",
    "local/documents",
    "test/training",
):
    sys.path.insert(0, str(ROOT / folder))


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 stacks of the sample."""
    import generate

    folder = tmp_path_factory.mktemp("documents")
    generate.generate(folder, seed=5, stacks=24)
    return folder


@pytest.fixture(scope="session")
def folds(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """folds.json with two folds."""
    import pipeline

    folder = tmp_path_factory.mktemp("folds")
    pipeline.split(documents, folder, 2, 1)
    return folder


@pytest.fixture(scope="session")
def table(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dataframe.csv in which text knows words and image knows layouts, both with mistakes, as far as a class name
    tells.
    """
    import random

    import pipeline

    labels = pipeline.read_labels(documents)
    classes = sorted({row["class"] for row in labels})
    rng = random.Random(3)

    def member() -> dict[tuple[str, int], dict[str, float]]:
        answers = {}
        for row in labels:
            weights = {name: rng.random() * 0.5 for name in classes}
            if row["begins_document"] == "true" or rng.random() < 0.5:
                weights[row["class"]] += 2
            total = sum(weights.values())
            answers[row["stack"], int(row["page"])] = {name: weight / total for name, weight in weights.items()}
        return answers

    folder = tmp_path_factory.mktemp("table")
    pipeline.merge(labels, {"text": member(), "image": member()}, folder)
    return folder
