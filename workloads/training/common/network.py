"""What the trainings of Keras networks share: setting up Keras, checkpointed training epoch by epoch, storing
networks.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy

from . import checkpoint
from .container import Container
from .errors import HyperparameterError
from .output import write_atomically
from .progress import epoch_line

#: An epoch is better than the best one before when its validation loss is lower by this.
SMALLEST_IMPROVEMENT = 1e-4
#: What a stored network's entries say of their time; equal runs give equal bytes.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_NO_DATE = "1980-01-01@00:00:00"


def prepare_keras(seed: int) -> Any:
    """Imports Keras (seconds; so only after the input was checked) with equal results for equal seeds on a CPU."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        # its warnings are of how Keras calls it: nothing that a user can change
        tensorflow.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(seed)
    return keras


def seed_of(*parts: int) -> int:
    """A seed for one purpose: equal parts give equal seeds, whatever was drawn before."""
    return int(numpy.random.SeedSequence(parts).generate_state(1)[0] & 0x7FFFFFFF)


def start_over(model: Any, optimizer: Any, fresh: Any) -> None:
    """Gives a network the weights of a fresh one of the same form, and its optimizer no past.

    What is traced once serves all folds: tracing takes longer than a small network's epochs.
    """
    for variable, new in zip(model.variables, fresh.variables, strict=True):
        variable.assign(new)
    rate = float(numpy.asarray(optimizer.learning_rate))
    for variable in optimizer.variables:
        variable.assign(numpy.zeros(variable.shape, variable.dtype))
    optimizer.learning_rate = rate


@dataclass(frozen=True)
class Epochs:
    """A training of one network, epoch by epoch, that can be stopped at any time and goes on from its checkpoint."""

    container: Container
    model: Any
    optimizer: Any
    count: int
    path: Path
    identity: str
    #: Trains one epoch (from 0; its data is drawn from seed and epoch, so a resumed training sees what a whole one
    #: sees) and gives what to log: loss, learning_rate, and more.
    run: Callable[[int], dict[str, float]]
    fold: int | None = None
    #: Epochs without improvement of `val_loss` after which training ends, with the best epoch's weights; None: the last
    #: epoch's.
    patience: int | None = None
    #: With `patience`: the `val_loss` of the network as it was built, which it stays if no epoch is better.
    untrained: float = math.inf
    #: The name of the hyperparameter to lower when the loss is no number any more.
    rate: str = "learning_rate"


@dataclass
class _Progress:
    history: list[dict[str, float]] = field(default_factory=list)
    #: Epoch (from 1; 0: the network as it was built) and loss of the best validation.
    best_epoch: int = 0
    best_loss: float = math.inf

    @property
    def done(self) -> int:
        return len(self.history)


@dataclass(frozen=True)
class Trained:
    """The learning curve, and the epoch (from 1; 0: untrained) whose weights the network has now."""

    history: list[dict[str, float]]
    best_epoch: int


def train_epochs(epochs: Epochs) -> Trained:
    """Trains until all epochs are done or nothing improves any more, going on from the checkpoint if there is one.

    The checkpoint is replaced after every epoch. After SIGTERM the running batch is finished, and the epoch is repeated
    at the next start.

    @raises HyperparameterError where the loss is no finite number; the checkpoint is set aside then.
    """
    variables = checkpoint.variables_of(epochs.model, epochs.optimizer)
    weights = checkpoint.variables_of(epochs.model)
    keeps_best = epochs.patience is not None
    best = checkpoint.snapshot(weights, "b") if keeps_best else {}
    progress = _Progress(best_loss=epochs.untrained)
    saved = _resume(epochs, variables, best)
    if saved is not None:
        progress, best = saved
    while progress.done < epochs.count and not _is_over(epochs, progress):
        epochs.container.check_stop()
        started = time.monotonic()
        values = epochs.run(progress.done)
        _check_finite(epochs, progress.done, values)
        progress.history.append({"epoch": progress.done + 1, **values})
        if keeps_best and values["val_loss"] < progress.best_loss - SMALLEST_IMPROVEMENT:
            progress.best_epoch, progress.best_loss = progress.done, values["val_loss"]
            best = checkpoint.snapshot(weights, "b")
        checkpoint.save(epochs.path, epochs.identity, vars(progress), checkpoint.snapshot(variables) | best)
        seconds = {"seconds": time.monotonic() - started}
        print(epoch_line(progress.done, epochs.count, values | seconds, epochs.fold), flush=True)
    if keeps_best:
        checkpoint.restore(weights, best, "b")
    return Trained(progress.history, progress.best_epoch if keeps_best else progress.done)


def _is_over(epochs: Epochs, progress: _Progress) -> bool:
    """Whether nothing has improved for too long."""
    return epochs.patience is not None and progress.done - progress.best_epoch >= epochs.patience


def _resume(epochs: Epochs, variables: list[Any], best: Mapping[str, Any]) -> tuple[_Progress, dict[str, Any]] | None:
    shapes = {f"v{index:04d}": tuple(variable.shape) for index, variable in enumerate(variables)}
    shapes |= {name: array.shape for name, array in best.items()}
    saved = checkpoint.load(epochs.path, epochs.identity, shapes)
    if saved is None:
        return None
    checkpoint.restore(variables, saved.arrays)
    progress = _Progress(**saved.state)
    place = "" if epochs.fold is None else f" of fold {epochs.fold}"
    print(f"resumed{place}: {progress.done} of {epochs.count} epochs were done", flush=True)
    return progress, {name: saved.arrays[name] for name in best}


def _check_finite(epochs: Epochs, epoch: int, values: Mapping[str, float]) -> None:
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if not wrong:
        return
    if epochs.path.exists():
        checkpoint.set_aside(epochs.path, "diverged")
    place = "" if epochs.fold is None else f" of fold {epochs.fold}"
    raise HyperparameterError(
        f"{wrong[0]} is {values[wrong[0]]} in epoch {epoch + 1}{place} at learning rate {values['learning_rate']:g}: "
        f"the training diverged and is not resumed; lower {epochs.rate}"
    )


def save_network(model: Any, path: Path) -> None:
    """Writes Keras' own format, less the time of day and the addresses in memory that it notes: equal networks give
    equal bytes.
    """
    written = path.with_name(f"writing-{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(written, include_optimizer=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps(json.loads(content) | {"date_saved": _NO_DATE}, sort_keys=True).encode()
            if name == "config.json":
                content = _numbered(content.decode()).encode()
            target.writestr(zipfile.ZipInfo(name, _NO_TIME), content)
    written.unlink()
    write_atomically(path, buffer.getvalue())


def _numbered(config: str) -> str:
    """A network's configuration with shared objects numbered in the order in which they occur."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"{match[1]}{numbers.setdefault(match[2], len(numbers))}"

    return re.sub(r'("shared_object_id": )(\d+)', number, config)
