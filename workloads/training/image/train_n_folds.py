"""Trains the image model: K convolutional networks, one per fold of the training stacks.

Host i of n trains the folds k with k mod n = i, and everything it writes lies under fold-<k>/, so that SageMaker can
put the hosts' outputs together. Every fold writes the out-of-fold predictions of the pages that it held out and this
network's predictions of the test pages, of which the merger takes the mean over the folds.

Channels: `labels` (labels.csv), `images` (<stack>/<page>.png), `folds` (folds.json).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy

from common import checkpoint, hyperparameters, metrics, output
from common.arrays import Floats, Integers
from common.container import Container, run
from common.data import classes_of, read_folds, read_images, read_labels
from common.documents import TEST, TRAIN, Page
from common.network import Epochs, prepare_keras, save_network, seed_of, start_over, train_epochs

SCHEMA = hyperparameters.schema_of("image")
MOMENTUM = 0.9
#: What an epoch's line says, by Keras' names.
LOGGED = {"loss": "loss", "accuracy": "class_accuracy", "val_loss": "val_loss", "val_accuracy": "val_class_accuracy"}
#: Training pages are moved by up to this share of their size, as scanners do.
SHIFT = 0.04


def cyclic_rate(position: float, cycle_length: int, min_lr: float, max_lr: float) -> float:
    """Cosine from max_lr down to min_lr over `cycle_length` epochs, then again from max_lr; `position` in epochs from
    0.
    """
    return min_lr + (max_lr - min_lr) * 0.5 * (1 + math.cos(math.pi * (position % cycle_length) / cycle_length))


def build(keras: Any, parameters: dict[str, Any], classes: int, seed: int) -> Any:
    """`depth` blocks of `conv_block_length` convolutions; filters double and the page halves from block to block."""
    layers = keras.layers
    initializer = 0

    def initial() -> Any:
        nonlocal initializer
        initializer += 1
        return keras.initializers.HeNormal(seed=seed_of(seed, initializer))

    page = keras.Input((parameters["image_height"], parameters["image_width"], 1), name="page")
    x = page
    for block in range(parameters["depth"]):
        for _ in range(parameters["conv_block_length"]):
            x = layers.Conv2D(
                parameters["start_filter"] * 2**block, 3, padding="same", use_bias=False, kernel_initializer=initial()
            )(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(parameters["dropout"], seed=seed_of(seed, 0))(x)
    class_head = layers.Dense(classes, activation="softmax", name="class", kernel_initializer=initial())(x)
    # It reads what the class's layers see and does not move them: the classes are learnt as if it were not there.
    seen = keras.ops.stop_gradient(x)
    begin_head = layers.Dense(1, activation="sigmoid", name="begins", kernel_initializer=initial())(seen)
    return keras.Model(page, {"class": class_head, "begins": begin_head})


def shifted(pixels: Floats, seed: int) -> Floats:
    """Every page moved a little, by its own draw; what moves in is white."""
    random = numpy.random.default_rng(seed)
    height, width = pixels.shape[1:3]
    most_y, most_x = round(height * SHIFT), round(width * SHIFT)
    padded = numpy.pad(pixels, ((0, 0), (most_y, most_y), (most_x, most_x), (0, 0)))
    result = numpy.empty(pixels.shape, numpy.float32)
    offsets = zip(
        random.integers(0, 2 * most_y + 1, len(pixels)), random.integers(0, 2 * most_x + 1, len(pixels)), strict=True
    )
    for index, (y, x) in enumerate(offsets):
        result[index] = padded[index, y : y + height, x : x + width]
    return result


@dataclass(frozen=True)
class Task:
    """What all folds share: the pages, their pixels and answers, and how to learn them."""

    parameters: dict[str, Any]
    pages: Sequence[Page]
    classes: Sequence[str]
    #: Fold by training stack, of `count`.
    folds: dict[str, int]
    count: int
    #: (page, height, width, 1)
    pixels: Floats

    @cached_property
    def targets(self) -> dict[str, Any]:
        """By output of the network: (page,) class numbers, (page, 1) begin marks."""
        numbers = numpy.array([self.classes.index(page.class_name) for page in self.pages])
        begins = numpy.array([[float(page.begins_document)] for page in self.pages])
        return {"class": numbers, "begins": begins}

    def rows(self, fold: int) -> tuple[list[int], list[int], list[int]]:
        """What a fold's network learns from, what it holds out, and the test pages."""
        training = [row for row, page in enumerate(self.pages) if page.split == TRAIN]
        held_out = [row for row in training if self.folds[self.pages[row].stack] == fold]
        kept = [row for row in training if self.folds[self.pages[row].stack] != fold]
        return kept, held_out, [row for row, page in enumerate(self.pages) if page.split == TEST]

    @property
    def learned(self) -> dict[str, Any]:
        """The hyperparameters that a network depends on."""
        return {name: value for name, value in self.parameters.items() if name != "worker"}


def loader(keras: Any, task: Task, rows: Sequence[int], seed: int) -> Any:
    """The batches of one epoch in an order drawn from `seed`; `worker` threads prepare them ahead."""
    batch_size, workers = task.parameters["batch_size"], task.parameters["worker"]
    order: Integers = numpy.array(rows)[numpy.random.default_rng(seed).permutation(len(rows))]

    class Batches(keras.utils.PyDataset):  # type: ignore[misc] # keras has no types
        def __len__(self) -> int:
            return math.ceil(len(rows) / int(batch_size))

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            own = order[index * batch_size : (index + 1) * batch_size]
            answers = {name: values[own] for name, values in task.targets.items()}
            return shifted(task.pixels[own], seed_of(seed, index)), answers

    return Batches(workers=workers, use_multiprocessing=False, max_queue_size=2 * workers)


def train(container: Container) -> None:
    parameters, job = hyperparameters.read(
        SCHEMA, hyperparameters.arguments_of(sys.argv[1:], container.hyperparameters_file())
    )
    pages = read_labels(container.channel("labels"))
    classes = classes_of(pages)
    count, folds = read_folds(container.channel("folds"), pages)
    own = [fold for fold in range(count) if fold % len(container.hosts) == container.host_index]
    pixels = read_images(
        container.channel("images"), pages, parameters["image_width"], parameters["image_height"], parameters["worker"]
    )
    print(
        f"image: {len(pages)} pages of {len(classes)} classes; folds {own} of {count} on host {container.current_host}",
        flush=True,
    )
    if parameters["epochs"] % parameters["cycle_length"]:
        print(
            f"note: {parameters['epochs']} epochs end in the middle of a cycle of {parameters['cycle_length']}",
            flush=True,
        )
    if not own:
        return
    keras = prepare_keras(parameters["seed"])
    task = Task(parameters, pages, classes, folds, count, pixels)
    model = compiled(keras, task)
    written: list[Path] = []
    for fold in own:
        written += train_fold(container, keras, model, task, fold)
    output.copy_logs(container, job, written)


def compiled(keras: Any, task: Task) -> Any:
    """A network that all folds are trained in, one after the other."""
    model = build(keras, task.parameters, len(task.classes), 0)
    optimizer = keras.optimizers.SGD(task.parameters["max_lr"], momentum=MOMENTUM, nesterov=True)
    model.compile(
        optimizer=optimizer,
        loss={"class": "sparse_categorical_crossentropy", "begins": "binary_crossentropy"},
        metrics={"class": ["accuracy"]},
    )
    optimizer.build(model.trainable_variables)
    return model


def train_fold(container: Container, keras: Any, model: Any, task: Task, fold: int) -> list[Path]:
    parameters = task.parameters
    seed = seed_of(parameters["seed"], fold)
    start_over(model, model.optimizer, build(keras, parameters, len(task.classes), seed))
    _, held_out, testing = task.rows(fold)
    library = output.versions("keras", "tensorflow", "tensorflow-cpu", "numpy", "pillow")
    identity = checkpoint.fingerprint(
        task.learned, fold, task.count, task.folds, [vars(page) for page in task.pages], task.pixels.tobytes(), library
    )
    path = container.checkpoint_dir / f"fold-{fold}" / "state.npz"
    epochs = Epochs(
        container,
        model,
        model.optimizer,
        parameters["epochs"],
        path,
        identity,
        run=runner(container, keras, model, task, fold),
        fold=fold,
        rate="max_lr",
    )
    trained = train_epochs(epochs)
    container.check_stop()
    answers = model.predict(task.pixels[held_out + testing], batch_size=parameters["batch_size"], verbose=0)
    predicted = numpy.hstack([answers["class"], answers["begins"]])
    result = Fold(fold, held_out, testing, predicted, trained.history)
    return write(container, model, task, result, library)


def runner(container: Container, keras: Any, model: Any, task: Task, fold: int) -> Callable[[int], dict[str, float]]:
    """Trains one epoch of a fold, and says how good the network is after it on the pages that the fold holds out."""
    parameters = task.parameters
    seed = seed_of(parameters["seed"], fold)
    kept, held_out, _ = task.rows(fold)
    batches = math.ceil(len(kept) / parameters["batch_size"])
    validation = task.pixels[held_out], {name: values[held_out] for name, values in task.targets.items()}

    def rate_at(position: float) -> float:
        return cyclic_rate(position, parameters["cycle_length"], parameters["min_lr"], parameters["max_lr"])

    class EachBatch(keras.callbacks.Callback):  # type: ignore[misc] # keras has no types
        """Moves the learning rate; ends the epoch when the process is to stop, or what follows cannot be a number."""

        epoch = 0

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = rate_at(self.epoch + batch / batches)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            container.check_stop()
            if not math.isfinite(float((logs or {}).get("loss", 0.0))):
                self.model.stop_training = True

    each_batch = EachBatch()

    def run_epoch(epoch: int) -> dict[str, float]:
        each_batch.epoch = epoch
        logs = model.fit(
            loader(keras, task, kept, seed_of(seed, 1, epoch)),
            validation_data=validation,
            validation_batch_size=parameters["batch_size"],
            callbacks=[each_batch],
            epochs=1,
            verbose=0,
            shuffle=False,
        ).history
        values = {name: float(logs[key][-1]) for name, key in LOGGED.items()}
        return values | {"learning_rate": rate_at(epoch)}

    return run_epoch


@dataclass(frozen=True)
class Fold:
    """What a fold's network says of the pages that it held out and of the test pages."""

    fold: int
    held_out: list[int]
    testing: list[int]
    #: (held-out pages then test pages, class + 1), last whether a document begins
    predicted: Floats
    history: list[dict[str, float]]


def write(container: Container, model: Any, task: Task, result: Fold, library: dict[str, str]) -> list[Path]:
    folder = f"fold-{result.fold}"
    model_dir, data_dir = container.model_dir / folder, container.data_dir / folder
    save_network(model, model_dir / "model.keras")
    description = {
        "format": output.MODEL_FORMAT,
        "kind": "image",
        "file": "model.keras",
        "classes": task.classes,
        "fold": result.fold,
        "hyperparameters": task.learned,
        "preprocessing": {
            "mode": "grey",
            "width": task.parameters["image_width"],
            "height": task.parameters["image_height"],
            "white": 0,
            "black": 1,
        },
        "versions": library,
    }
    output.write_json(model_dir / "model.json", description)
    count = len(result.held_out)
    held_out, testing = ([task.pages[row] for row in rows] for rows in (result.held_out, result.testing))
    output.write_predictions(
        data_dir / "predictions.jsonl",
        output.predictions([*held_out, *testing], result.fold, task.classes, result.predicted),
    )
    out_of_fold = metrics.of_member(held_out, task.classes, result.predicted[:count])
    tested = metrics.of_member(testing, task.classes, result.predicted[count:])
    output.write_json(
        data_dir / "metrics.json",
        metrics.headline(tested)
        | {"fold": result.fold, "classes": task.classes, "test": tested, "out_of_fold": out_of_fold},
    )
    output.write_json(data_dir / "history.json", {"fold": result.fold, "epochs": result.history})
    print(
        f"{folder.replace('-', ' ')} held-out accuracy={out_of_fold['page_accuracy']:.4f} "
        f"test accuracy={tested['page_accuracy']:.4f}",
        flush=True,
    )
    return [data_dir / "metrics.json", data_dir / "history.json"]


if __name__ == "__main__":
    run(train)
