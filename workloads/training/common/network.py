"""What the trainings of Keras networks share: setting up Keras, and checkpointed training epoch by epoch."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Callable

from . import checkpoint
from .container import Container
from .progress import epoch_line


def prepare_keras(seed: int) -> Any:
    """Imports Keras (seconds; so only after the input was checked) with equal results for equal seeds on a CPU."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.get_logger().setLevel(
            "ERROR"
        )  # its warnings are of how Keras calls it: nothing that a user can change
    keras.utils.set_random_seed(seed)
    return keras


def seed_of(*parts: int) -> int:
    """A seed for one purpose: equal parts give equal seeds, whatever was drawn before."""
    import numpy

    return int(numpy.random.SeedSequence(parts).generate_state(1)[0] & 0x7FFFFFFF)


def train_epochs(
    container: Container,
    keras: Any,
    model: Any,
    epochs: int,
    path: Path,
    identity: str,
    data_of: Callable[[int], Any],
    values_of: Callable[[int, dict[str, float]], dict[str, float]],
    fold: int | None = None,
) -> list[dict[str, float]]:
    """Trains until `epochs` epochs are done, going on from the checkpoint if there is one; returns the learning curve.

    `data_of(epoch)` gives the arguments of `fit` for one epoch (drawn from seed and epoch, so that a resumed training sees
    what an uninterrupted one sees); `values_of(epoch, logs)` what to log. The checkpoint is replaced after every epoch.
    After SIGTERM the running batch is finished, and the epoch is repeated at the next start.
    """
    variables = checkpoint.variables_of(model, model.optimizer)
    saved = checkpoint.load(path, identity)
    done, history = 0, []
    place = "" if fold is None else f" of fold {fold}"
    if saved:
        state, arrays = saved
        checkpoint.restore(variables, arrays)
        done, history = state["epochs"], state["history"]
        print(f"resumed{place}: {done} of {epochs} epochs were done", flush=True)

    class StopOnRequest(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            container.check_stop()

    for epoch in range(done, epochs):
        container.check_stop()
        started = time.monotonic()
        arguments = data_of(epoch)
        callbacks = [StopOnRequest(), *arguments.pop("callbacks", [])]
        logs = model.fit(**arguments, epochs=1, verbose=0, shuffle=False, callbacks=callbacks).history
        values = values_of(epoch, {name: float(value[-1]) for name, value in logs.items()})
        history.append({"epoch": epoch + 1, **values})
        checkpoint.save(path, identity, {"epochs": epoch + 1, "history": history}, checkpoint.snapshot(variables))
        print(epoch_line(epoch + 1, epochs, {**values, "seconds": time.monotonic() - started}, fold), flush=True)
    return history
