"""Trains the sequence model: a recurrent network over the pages of a stack, on what the base models say about each page.

It has two answers per page: the page's class, and whether a document begins there. Training pages come with the base
models' out-of-fold predictions, so it learns how good they are on pages that they never saw.

Channel: `dataframe` (dataframe.csv).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import checkpoint, hyperparameters, metrics, output  # noqa: E402
from common.container import Container, run  # noqa: E402
from common.data import TEST, TRAIN, Page, Table, read_table  # noqa: E402
from common.errors import DataError, HyperparameterError  # noqa: E402
from common.features import SMALLEST_PROBABILITY, features_of, padded_inputs  # noqa: E402
from common.network import prepare_keras, seed_of, train_epochs  # noqa: E402

SCHEMA: hyperparameters.Schema = {
    "epochs": hyperparameters.Integer(20, 1, 10_000),
    "epoch_seq": hyperparameters.Integer(10_000, 1, 10_000_000),
    "val_seq": hyperparameters.Integer(3000, 1, 10_000_000),
    "batch_size": hyperparameters.Integer(64, 1, 4096),
    "dropout": hyperparameters.Number(0.0, 0, 1, exclusive_maximum=True),
    "learning_rate": hyperparameters.Number(0.001, 0, 10, exclusive_minimum=True),
    "lr_schedule_epoch": hyperparameters.Integer(1, 1, 10_000),
    "lr_schedule_factor": hyperparameters.Number(0.5, 0, 1, exclusive_minimum=True),
    "mode": hyperparameters.Text("both"),
    "net_layers": hyperparameters.Integer(2, 1, 16),
    "net_width": hyperparameters.Integer(300, 1, 4096),
    "optimizer": hyperparameters.Choice("rmsprop", ("rmsprop", "adam", "sgd")),
    "rnn_type": hyperparameters.Choice("gru", ("gru", "lstm")),
    "seed": hyperparameters.Integer(1, 0, 2**31 - 1),
}
#: Share of the training stacks that is only validated on.
VALIDATION_SHARE = 0.1


def members_of(mode: str, table: Table) -> list[str]:
    """Which members' outputs are inputs: `both` is every member of the table, else a list of names with commas."""
    if mode == "both":
        return table.members
    chosen = [name.strip() for name in mode.split(",")]
    for name in chosen:
        if name not in table.members:
            raise HyperparameterError(
                f"mode: '{name}' has no predictions in dataframe.csv; expected both, or names of {', '.join(table.members)}"
            )
    return [name for name in table.members if name in chosen]


def learning_rate_of(epoch: int, parameters: dict[str, Any]) -> float:
    """learning_rate times lr_schedule_factor after every lr_schedule_epoch epochs; epochs count from 0."""
    return parameters["learning_rate"] * parameters["lr_schedule_factor"] ** (epoch // parameters["lr_schedule_epoch"])


def draw(stacks: Sequence[Sequence[int]], count: int, seed: int) -> list[Sequence[int]]:
    """`count` sub-sequences, with replacement: a stack, then (in three of four draws) a part of it."""
    import numpy

    random = numpy.random.default_rng(seed)
    sequences = []
    for _ in range(count):
        stack = stacks[random.integers(len(stacks))]
        if random.random() < 0.75:
            first = int(random.integers(len(stack)))
            stack = stack[first : int(random.integers(first, len(stack))) + 1]
        sequences.append(stack)
    return sequences


def padded(
    sequences: Sequence[Sequence[int]], length: int, features: Any, classes: Any, begins: Any
) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of equal length; the first page of a drawn part begins a document only if it truly does."""
    import numpy

    class_targets = numpy.zeros((len(sequences), length), numpy.int32)
    begin_targets = numpy.zeros((len(sequences), length, 1), numpy.float32)
    weights = numpy.zeros((len(sequences), length), numpy.float32)
    for index, rows in enumerate(map(list, sequences)):
        class_targets[index, : len(rows)] = classes[rows]
        begin_targets[index, : len(rows), 0] = begins[rows]
        weights[index, : len(rows)] = 1
    inputs = padded_inputs(sequences, length, features)
    return inputs, {"class": class_targets, "begins": begin_targets}, {"class": weights, "begins": weights}


def build(keras: Any, parameters: dict[str, Any], width: int, classes: int) -> Any:
    """`net_layers` recurrent layers that read the stack in both directions, `net_width` units in each."""
    layers = keras.layers
    seed = parameters["seed"]
    cell = {"gru": layers.GRU, "lstm": layers.LSTM}[parameters["rnn_type"]]
    stack = keras.Input((None, width), name="stack")
    x = layers.Masking(0.0)(stack)
    for layer in range(parameters["net_layers"]):
        recurrent = cell(
            parameters["net_width"],
            return_sequences=True,
            dropout=parameters["dropout"],
            seed=seed_of(seed, layer, 0),
            kernel_initializer=keras.initializers.GlorotUniform(seed_of(seed, layer, 1)),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed_of(seed, layer, 2)),
        )
        x = layers.Bidirectional(recurrent)(x)
    class_head = layers.Dense(
        classes,
        activation="softmax",
        name="class",
        kernel_initializer=keras.initializers.GlorotUniform(seed_of(seed, 100)),
    )
    begin_head = layers.Dense(
        1, activation="sigmoid", name="begins", kernel_initializer=keras.initializers.GlorotUniform(seed_of(seed, 101))
    )
    return keras.Model(stack, {"class": class_head(x), "begins": begin_head(x)})


def rows_by_stack(pages: Sequence[Page], split: str) -> dict[str, list[int]]:
    stacks: dict[str, list[int]] = {}
    for row, page in enumerate(pages):
        if page.split == split:
            stacks.setdefault(page.stack, []).append(row)
    return stacks


def train(container: Container) -> None:
    parameters, job = hyperparameters.read(
        SCHEMA, hyperparameters.arguments_of(sys.argv[1:], container.hyperparameters_file())
    )
    table = read_table(container.channel("dataframe"))
    members = members_of(parameters["mode"], table)

    import numpy

    pages, classes = table.pages, table.classes
    features = features_of(table.probabilities[:, [table.members.index(name) for name in members]])
    class_numbers = numpy.array([classes.index(page.class_name) for page in pages])
    begins = numpy.array([page.begins_document for page in pages], numpy.float32)
    training, testing = rows_by_stack(pages, TRAIN), rows_by_stack(pages, TEST)
    if len(training) < 2:
        raise DataError(f"dataframe.csv: {len(training)} training stack(s), expected at least 2: one of them validates")
    order = numpy.random.default_rng(seed_of(parameters["seed"], 1)).permutation(sorted(training))
    validating = sorted(order[: max(1, round(len(order) * VALIDATION_SHARE))])
    learning = sorted(set(training) - set(validating))
    length = max(len(rows) for rows in (training | testing).values())
    print(
        f"sequence: {len(learning)} stacks to learn from, {len(validating)} to validate, {len(testing)} to test; members {', '.join(members)}",
        flush=True,
    )

    keras = prepare_keras(parameters["seed"])
    model = build(keras, parameters, features.shape[1] + 1, len(classes))
    optimizer = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[
        parameters["optimizer"]
    ](
        learning_rate=parameters["learning_rate"],
        clipnorm=1.0,
    )
    model.compile(
        optimizer=optimizer,
        loss={"class": "sparse_categorical_crossentropy", "begins": "binary_crossentropy"},
        weighted_metrics={"class": ["accuracy"], "begins": ["accuracy"]},
    )
    optimizer.build(model.trainable_variables)
    validation = padded(
        draw([training[name] for name in validating], parameters["val_seq"], seed_of(parameters["seed"], 2)),
        length,
        features,
        class_numbers,
        begins,
    )

    def data_of(epoch: int) -> dict[str, Any]:
        sequences = draw(
            [training[name] for name in learning], parameters["epoch_seq"], seed_of(parameters["seed"], 3, epoch)
        )
        x, y, weights = padded(sequences, length, features, class_numbers, begins)
        optimizer.learning_rate = learning_rate_of(epoch, parameters)
        return {
            "x": x,
            "y": y,
            "sample_weight": weights,
            "batch_size": parameters["batch_size"],
            "validation_data": validation,
        }

    def values_of(epoch: int, logs: dict[str, float]) -> dict[str, float]:
        names = {
            "loss": "loss",
            "accuracy": "class_accuracy",
            "begins_accuracy": "begins_accuracy",
            "val_loss": "val_loss",
            "val_accuracy": "val_class_accuracy",
            "val_begins_accuracy": "val_begins_accuracy",
        }
        return {name: logs[key] for name, key in names.items()} | {"learning_rate": learning_rate_of(epoch, parameters)}

    library = output.versions("keras", "tensorflow", "tensorflow-cpu", "numpy")
    identity = checkpoint.fingerprint(parameters, [vars(page) for page in pages], members, features.tobytes(), library)
    path = container.checkpoint_dir / "sequence" / "state.npz"
    history = train_epochs(container, keras, model, parameters["epochs"], path, identity, data_of, values_of)
    container.check_stop()
    write(container, job, model, parameters, library, table, members, features, testing, length, history)


def write(
    container: Container,
    job: hyperparameters.Job,
    model: Any,
    parameters: dict[str, Any],
    library: dict[str, str],
    table: Table,
    members: list[str],
    features: Any,
    testing: dict[str, list[int]],
    length: int,
    history: list[dict[str, float]],
) -> None:
    import numpy

    pages, classes = table.pages, table.classes
    stacks = list(testing.values())
    answers = model.predict(padded_inputs(stacks, length, features), batch_size=parameters["batch_size"], verbose=0)
    rows = [row for own in stacks for row in own]
    class_probabilities = numpy.concatenate([answers["class"][index, : len(own)] for index, own in enumerate(stacks)])
    begin_probabilities = numpy.concatenate(
        [answers["begins"][index, : len(own), 0] for index, own in enumerate(stacks)]
    )
    tested_pages = [pages[row] for row in rows]
    predicted = [classes[best] for best in class_probabilities.argmax(axis=1)]
    votes = [dict(zip(classes, map(float, row), strict=True)) for row in class_probabilities]
    segments = metrics.segments_from_begins(
        tested_pages, predicted, [bool(value >= 0.5) for value in begin_probabilities], votes
    )
    tested = metrics.summary(tested_pages, predicted, classes, segments)
    begins_accuracy = float(
        numpy.mean((begin_probabilities >= 0.5) == numpy.array([page.begins_document for page in tested_pages]))
    )

    model.save(container.model_dir / "model.keras", include_optimizer=False)
    output.write_json(
        container.model_dir / "model.json",
        {
            "format": output.MODEL_FORMAT,
            "kind": "sequence",
            "file": "model.keras",
            "classes": classes,
            "members": members,
            "hyperparameters": parameters,
            "versions": library,
            "preprocessing": {"features": "centred-log", "smallest_probability": SMALLEST_PROBABILITY},
        },
    )
    output.write_predictions(
        container.data_dir / "predictions.jsonl",
        [
            output.prediction(page, None, classes, probabilities, begins_document=round(float(begin), 6))
            for page, probabilities, begin in zip(tested_pages, class_probabilities, begin_probabilities, strict=True)
        ],
    )
    output.write_json(
        container.data_dir / "metrics.json",
        {
            "page_accuracy": tested["page_accuracy"],
            "macro_f1": tested["macro_f1"],
            "segment_f1": tested["segment_f1"],
            "begins_accuracy": begins_accuracy,
            "classes": classes,
            "members": members,
            "test": tested,
        },
    )
    output.write_json(container.data_dir / "history.json", {"epochs": history})
    print(
        f"test accuracy={tested['page_accuracy']:.4f} macro_f1={tested['macro_f1']:.4f} segment_f1={tested['segment_f1']:.4f}",
        flush=True,
    )
    output.copy_logs(container, job, [container.data_dir / "metrics.json", container.data_dir / "history.json"])


if __name__ == "__main__":
    run(train)
