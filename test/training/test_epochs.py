"""Training epoch by epoch: the best one is kept, and what diverges ends."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy
import pytest

from common.container import Container
from common.errors import HyperparameterError
from common.network import Epochs, train_epochs


class Variable:
    """What train_epochs needs of a Keras variable."""

    def __init__(self) -> None:
        self.value = numpy.zeros(1)
        self.shape = self.value.shape

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return numpy.array(self.value, dtype)

    def assign(self, value: Any) -> None:
        self.value = numpy.array(value)


class Model:
    def __init__(self) -> None:
        self.variables = [Variable()]


def epochs_of(folder: Path, losses: list[float], model: Model, **more: Any) -> tuple[Epochs, list[int]]:
    """A training whose epoch n sets the weight to n + 1 and has the n-th validation loss; and the epochs that ran."""
    ran: list[int] = []

    def run(epoch: int) -> dict[str, float]:
        ran.append(epoch)
        model.variables[0].assign([epoch + 1.0])
        return {"loss": losses[epoch], "val_loss": losses[epoch], "learning_rate": 0.25}

    container = Container(folder, ["algo-1"], "algo-1", "job")
    path = folder / "fold-0" / "state.npz"
    return Epochs(container, model, Model(), len(losses), path, "a", run=run, **more), ran


def weight(model: Model) -> float:
    return float(model.variables[0].value[0])


def test_best_epoch_is_kept_and_training_ends_when_nothing_improves(tmp_path: Path) -> None:
    model = Model()
    epochs, ran = epochs_of(tmp_path, [0.9, 0.5, 0.7, 0.6, 0.1], model, patience=2)
    trained = train_epochs(epochs)
    assert ran == [0, 1, 2, 3] and trained.best_epoch == 2 and weight(model) == 2
    assert [epoch["val_loss"] for epoch in trained.history] == [0.9, 0.5, 0.7, 0.6]


def test_a_network_that_training_makes_worse_stays_as_it_was_built(tmp_path: Path) -> None:
    model = Model()
    epochs, ran = epochs_of(tmp_path, [0.9, 0.8, 0.8], model, patience=2, untrained=0.3)
    assert train_epochs(epochs).best_epoch == 0 and ran == [0, 1] and weight(model) == 0


def test_without_patience_the_last_epoch_is_kept(tmp_path: Path) -> None:
    model = Model()
    epochs, _ = epochs_of(tmp_path, [0.1, 0.9], model)
    assert train_epochs(epochs).best_epoch == 2 and weight(model) == 2


def test_a_resumed_training_knows_the_best_epoch_of_the_one_before(tmp_path: Path) -> None:
    losses = [0.9, 0.2, 0.7, 0.6, 0.8]
    epochs, _ = epochs_of(tmp_path, losses[:3], Model(), patience=3)
    train_epochs(epochs)
    model = Model()
    epochs, ran = epochs_of(tmp_path, losses, model, patience=3)
    assert train_epochs(epochs).best_epoch == 2 and ran == [3, 4] and weight(model) == 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_training_and_is_not_resumed(tmp_path: Path, value: float) -> None:
    epochs, ran = epochs_of(tmp_path, [0.9, value, 0.1], Model(), fold=3, rate="max_lr")
    with pytest.raises(HyperparameterError) as raised:
        train_epochs(epochs)
    assert str(raised.value) == (
        f"loss is {value} in epoch 2 of fold 3 at learning rate 0.25: "
        "the training diverged and is not resumed; lower max_lr"
    )
    assert ran == [0, 1]
    assert [path.name for path in (tmp_path / "fold-0").iterdir()] == ["state.npz.diverged"]
    again, ran = epochs_of(tmp_path, [0.9, 0.1], Model())
    train_epochs(again)
    assert ran == [0, 1]
