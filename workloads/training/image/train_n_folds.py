"""Trains the image model: K convolutional networks, one per fold of the training stacks.

Host i of n trains the folds k with k mod n = i, and everything it writes lies under fold-<k>/, so that SageMaker can put
the hosts' outputs together. Every fold writes the out-of-fold predictions of the pages that it held out and this
network's predictions of the test pages, of which the merger takes the mean over the folds.

Channels: `labels` (labels.csv), `images` (<stack>/<page>.png), `folds` (folds.json).
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import checkpoint, hyperparameters, metrics, output  # noqa: E402
from common.container import Container, run  # noqa: E402
from common.data import TEST, TRAIN, Page, classes_of, read_folds, read_images, read_labels  # noqa: E402
from common.errors import HyperparameterError  # noqa: E402
from common.network import prepare_keras, seed_of, train_epochs  # noqa: E402

SCHEMA: hyperparameters.Schema = {
    "epochs": hyperparameters.Integer(80, 1, 10_000),
    "batch_size": hyperparameters.Integer(128, 1, 4096),
    "conv_block_length": hyperparameters.Integer(2, 1, 8),
    "cycle_length": hyperparameters.Integer(10, 1, 10_000),
    "depth": hyperparameters.Integer(5, 1, 8),
    "dropout": hyperparameters.Number(0.5, 0, 1, exclusive_maximum=True),
    "max_lr": hyperparameters.Number(0.1, 0, 10, exclusive_minimum=True),
    "min_lr": hyperparameters.Number(0.0001, 0, 10),
    "start_filter": hyperparameters.Integer(4, 1, 256),
    "worker": hyperparameters.Integer(4, 1, 64),
    "image_width": hyperparameters.Integer(192, 8, 2048),
    "image_height": hyperparameters.Integer(256, 8, 2048),
    "seed": hyperparameters.Integer(1, 0, 2**31 - 1),
}
MOMENTUM = 0.9
#: Training pages are moved by up to this share of their size, as scanners do.
SHIFT = 0.04


def cyclic_rate(position: float, cycle_length: int, min_lr: float, max_lr: float) -> float:
    """Cosine from max_lr down to min_lr over `cycle_length` epochs, then again from max_lr; `position` in epochs from 0."""
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
    return keras.Model(page, layers.Dense(classes, activation="softmax", kernel_initializer=initial())(x))


def shifted(pixels: Any, seed: int) -> Any:
    """Every page moved a little, by its own draw; what moves in is white."""
    import numpy

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


def loader(keras: Any, pixels: Any, targets: Any, batch_size: int, workers: int, seed: int) -> Any:
    """The batches of one epoch in an order drawn from `seed`; `workers` threads prepare them ahead."""
    import numpy

    order = numpy.random.default_rng(seed).permutation(len(targets))

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return math.ceil(len(order) / batch_size)

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            rows = order[index * batch_size : (index + 1) * batch_size]
            return shifted(pixels[rows], seed_of(seed, index)), targets[rows]

    return Batches(workers=workers, use_multiprocessing=False, max_queue_size=2 * workers)


def check_sizes(parameters: dict[str, Any]) -> None:
    smallest = 2 ** parameters["depth"]
    problems = [
        f"{name}: {parameters[name]} is too small for depth {parameters['depth']}, expected at least {smallest}"
        for name in ("image_width", "image_height")
        if parameters[name] < smallest
    ]
    if parameters["min_lr"] > parameters["max_lr"]:
        problems.append(f"min_lr: {parameters['min_lr']:g} is above max_lr {parameters['max_lr']:g}")
    if problems:
        raise HyperparameterError("; ".join(problems))


def train(container: Container) -> None:
    parameters, job = hyperparameters.read(
        SCHEMA, hyperparameters.arguments_of(sys.argv[1:], container.hyperparameters_file())
    )
    check_sizes(parameters)
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
    written: list[Path] = []
    for fold in own:
        keras.backend.clear_session()
        written += train_fold(container, keras, parameters, pages, classes, folds, fold, pixels)
    output.copy_logs(container, job, written)


def train_fold(
    container: Container,
    keras: Any,
    parameters: dict[str, Any],
    pages: list[Page],
    classes: list[str],
    folds: dict[str, int],
    fold: int,
    pixels: Any,
) -> list[Path]:
    import numpy

    kept = [row for row, page in enumerate(pages) if page.split == TRAIN and folds[page.stack] != fold]
    held_out = [row for row, page in enumerate(pages) if page.split == TRAIN and folds[page.stack] == fold]
    testing = [row for row, page in enumerate(pages) if page.split == TEST]
    targets = numpy.array([classes.index(page.class_name) for page in pages])
    seed = seed_of(parameters["seed"], fold)
    keras.utils.set_random_seed(seed)
    model = build(keras, parameters, len(classes), seed)
    optimizer = keras.optimizers.SGD(parameters["max_lr"], momentum=MOMENTUM, nesterov=True)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    optimizer.build(model.trainable_variables)
    batches = math.ceil(len(kept) / parameters["batch_size"])
    training_pixels, training_targets = pixels[kept], targets[kept]
    epoch_now = 0

    class CyclicRate(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            optimizer.learning_rate = cyclic_rate(
                epoch_now + batch / batches, parameters["cycle_length"], parameters["min_lr"], parameters["max_lr"]
            )

    def data_of(epoch: int) -> dict[str, Any]:
        nonlocal epoch_now
        epoch_now = epoch
        return {
            "x": loader(
                keras,
                training_pixels,
                training_targets,
                parameters["batch_size"],
                parameters["worker"],
                seed_of(seed, 1, epoch),
            ),
            "validation_data": (pixels[held_out], targets[held_out]),
            "validation_batch_size": parameters["batch_size"],
            "callbacks": [CyclicRate()],
        }

    def values_of(epoch: int, logs: dict[str, float]) -> dict[str, float]:
        return {name: logs[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")} | {
            "learning_rate": cyclic_rate(epoch, parameters["cycle_length"], parameters["min_lr"], parameters["max_lr"]),
        }

    learned = {name: value for name, value in parameters.items() if name != "worker"}
    library = output.versions("keras", "tensorflow", "tensorflow-cpu", "numpy", "pillow")
    identity = checkpoint.fingerprint(learned, fold, folds, [vars(page) for page in pages], pixels.tobytes(), library)
    path = container.checkpoint_dir / f"fold-{fold}" / "state.npz"
    history = train_epochs(container, keras, model, parameters["epochs"], path, identity, data_of, values_of, fold)
    container.check_stop()

    predicted = model.predict(pixels[held_out + testing], batch_size=parameters["batch_size"], verbose=0)
    rows = held_out + testing
    names = [classes[best] for best in predicted.argmax(axis=1)]
    model_dir, data_dir = container.model_dir / f"fold-{fold}", container.data_dir / f"fold-{fold}"
    model_dir.mkdir(parents=True, exist_ok=True)
    model.save(model_dir / "model.keras", include_optimizer=False)
    output.write_json(
        model_dir / "model.json",
        {
            "format": output.MODEL_FORMAT,
            "kind": "image",
            "file": "model.keras",
            "classes": classes,
            "fold": fold,
            "hyperparameters": learned,
            "preprocessing": {
                "mode": "grey",
                "width": parameters["image_width"],
                "height": parameters["image_height"],
                "white": 0,
                "black": 1,
            },
            "versions": library,
        },
    )
    output.write_predictions(
        data_dir / "predictions.jsonl",
        [
            output.prediction(pages[row], fold, classes, probabilities)
            for row, probabilities in zip(rows, predicted, strict=True)
        ],
    )
    oof = metrics.summary([pages[row] for row in held_out], names[: len(held_out)], classes)
    tested = metrics.summary([pages[row] for row in testing], names[len(held_out) :], classes)
    output.write_json(
        data_dir / "metrics.json",
        {
            "page_accuracy": tested["page_accuracy"],
            "macro_f1": tested["macro_f1"],
            "segment_f1": tested["segment_f1"],
            "fold": fold,
            "classes": classes,
            "test": tested,
            "out_of_fold": oof,
        },
    )
    output.write_json(data_dir / "history.json", {"fold": fold, "epochs": history})
    print(
        f"fold {fold} held-out accuracy={oof['page_accuracy']:.4f} test accuracy={tested['page_accuracy']:.4f}",
        flush=True,
    )
    return [data_dir / "metrics.json", data_dir / "history.json"]


if __name__ == "__main__":
    run(train)
