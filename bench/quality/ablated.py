"""The training of the sequence model without one of its parts, named by ABLATED: what that part is worth.

best_epoch: the last epoch is kept, and all are trained. residual: the networks start from nothing, not from what the
stacking says. begins: the members do not say where documents begin. weight_decay: none.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workloads" / "training" / "sequence"))

import numpy

import train_sequence
from common import hyperparameters
from common.container import run
from common.data import Table, read_table
from common.network import Epochs, Trained, train_epochs


def keep_last_epoch(epochs: Epochs) -> Trained:
    return train_epochs(dataclasses.replace(epochs, patience=None))


def prior_of_nothing(problem: train_sequence.Problem) -> train_sequence.Prior:
    prior = FIT_PRIOR(problem)
    return dataclasses.replace(prior, scores=numpy.zeros_like(prior.scores))


def without_begins(path: Path) -> Table:
    table = read_table(path)
    return dataclasses.replace(table, begins=numpy.full_like(table.begins, numpy.nan))


def without_weight_decay(schema: Any, arguments: Any) -> Any:
    parameters, job = READ(schema, arguments)
    return {**parameters, "weight_decay": 0.0}, job


FIT_PRIOR, READ = train_sequence.fit_prior, hyperparameters.read
#: By part: the name in the training, and what stands there instead.
PARTS: dict[str, tuple[Any, str, Any]] = {
    "best_epoch": (train_sequence, "train_epochs", keep_last_epoch),
    "residual": (train_sequence, "fit_prior", prior_of_nothing),
    "begins": (train_sequence, "read_table", without_begins),
    "weight_decay": (hyperparameters, "read", without_weight_decay),
}

if __name__ == "__main__":
    place, name, instead = PARTS[os.environ["ABLATED"]]
    setattr(place, name, instead)
    run(train_sequence.train)
