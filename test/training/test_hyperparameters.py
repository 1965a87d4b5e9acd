"""Hyperparameters: read from arguments and from the file, checked, and each does what its name says."""

from __future__ import annotations

import re
from typing import Any

import numpy
import pytest

import train_n_folds as image
import train_sequence as sequence
import train_text as text
from common import hyperparameters
from common.documents import Page
from common.errors import HyperparameterError
from common.progress import METRIC_DEFINITIONS, epoch_line
from common.structure import Document

SCHEMAS = {"text": text.SCHEMA, "image": image.SCHEMA, "sequence": sequence.SCHEMA}
TALK = {
    "image": {
        "epochs": 80,
        "conv_block_length": 2,
        "cycle_length": 10,
        "depth": 5,
        "dropout": 0.5,
        "max_lr": 0.1,
        "min_lr": 0.0001,
        "start_filter": 4,
        "worker": 4,
    },
    "sequence": {
        "epochs": 20,
        "epoch_seq": 10000,
        "val_seq": 3000,
        "dropout": 0,
        "learning_rate": 0.001,
        "lr_schedule_epoch": 1,
        "lr_schedule_factor": 0.5,
        "mode": "both",
        "net_layers": 2,
        "net_width": 300,
        "optimizer": "rmsprop",
        "rnn_type": "gru",
    },
}


def parameters_of(model: str, **values: Any) -> dict[str, Any]:
    return hyperparameters.read(SCHEMAS[model], {name: str(value) for name, value in values.items()})[0]


@pytest.mark.parametrize("model", ["image", "sequence"])
def test_defaults_are_the_talks(model: str) -> None:
    defaults = parameters_of(model)
    assert {name: defaults[name] for name in TALK[model]} == TALK[model]


def test_reduced_values_are_valid_hyperparameters() -> None:
    import pipeline

    reduced = pipeline.reduced()
    for model, values in reduced.items():
        assert parameters_of(model, **values).items() >= values.items()


#: Beside which values of the others the largest value of a hyperparameter fits.
SUITING = {"depth": {"image_width": 256, "image_height": 256}, "min_lr": {"max_lr": 10}}


@pytest.mark.parametrize("model", SCHEMAS)
def test_every_bound_is_enforced_and_the_bound_itself_is_read(model: str) -> None:
    for name, rule in SCHEMAS[model].items():
        if isinstance(rule, hyperparameters.Integer | hyperparameters.Number):
            for bad in (str(rule.minimum - 1), str(rule.maximum + 1), "many", "nan", "inf", ""):
                with pytest.raises(HyperparameterError, match=rf"^{name}: expected"):
                    hyperparameters.read(SCHEMAS[model], {name: bad})
            if not getattr(rule, "exclusive_maximum", False):
                others = SUITING.get(name, {})
                assert parameters_of(model, **others, **{name: rule.maximum})[name] == rule.maximum
        if isinstance(rule, hyperparameters.Choice):
            with pytest.raises(HyperparameterError, match=rf"^{name}: expected one of .*, got 'other'"):
                hyperparameters.read(SCHEMAS[model], {name: "other"})


def test_all_problems_come_at_once_with_the_nearest_name() -> None:
    with pytest.raises(HyperparameterError) as caught:
        hyperparameters.read(image.SCHEMA, {"epoch": "3", "depth": "2.5", "dropout": "1"})
    assert str(caught.value) == (
        "epoch: unknown, did you mean epochs?; depth: expected a whole number from 1 to 8, got '2.5'; "
        "dropout: expected 0 to below 1, got 1"
    )


def test_job_level_and_toolkit_values_are_no_models() -> None:
    values, job = hyperparameters.read(
        text.SCHEMA,
        {
            "bucket": "b",
            "s3_log_folder": "logs/sagemaker",
            "job_name": "j",
            "sagemaker_container_log_level": "20",
            "sagemaker_program": "x.py",
        },
    )
    assert values == parameters_of("text")
    assert (job.bucket, job.s3_log_folder, job.job_name) == ("b", "logs/sagemaker", "j")


def test_arguments_and_file_mean_the_same() -> None:
    wanted = {"epochs": "3", "mode": "text", "learning_rate": "0.01"}
    assert hyperparameters.arguments_of(["--epochs", "3", "--mode=text", "--learning_rate", "0.01"], {}) == wanted
    assert hyperparameters.arguments_of([], {"epochs": "3", "mode": '"text"', "learning_rate": "0.01"}) == wanted
    assert hyperparameters.arguments_of(["--epochs", "-3"], {}) == {"epochs": "-3"}
    with pytest.raises(HyperparameterError, match="epochs: no value"):
        hyperparameters.arguments_of(["--epochs"], {})


def test_learning_rate_of_the_image_model_is_cyclic_between_its_bounds() -> None:
    rates = [image.cyclic_rate(position / 10, 10, 0.001, 0.1) for position in range(201)]
    assert rates[0] == rates[100] == pytest.approx(0.1)
    assert rates[50] == pytest.approx((0.1 + 0.001) / 2)
    assert 0.001 < rates[99] < 0.0012
    assert rates[:100] == sorted(rates[:100], reverse=True)


def test_learning_rate_of_the_sequence_model_falls_by_schedule() -> None:
    parameters = parameters_of("sequence", learning_rate=0.8, lr_schedule_epoch=2, lr_schedule_factor=0.5)
    assert [sequence.learning_rate_of(epoch, parameters) for epoch in range(5)] == [0.8, 0.8, 0.4, 0.4, 0.2]


def test_sizes_that_do_not_fit_the_depth_are_refused() -> None:
    with pytest.raises(HyperparameterError, match="image_width: 31 is too small for depth 5, expected at least 32"):
        parameters_of("image", image_width=31)
    with pytest.raises(HyperparameterError, match=r"min_lr: 0\.5 is above max_lr 0.1"):
        parameters_of("image", min_lr=0.5)


def test_image_network_is_built_as_named() -> None:
    from common.network import prepare_keras

    keras = prepare_keras(1)
    model = image.build(
        keras,
        parameters_of(
            "image", depth=3, conv_block_length=2, start_filter=5, dropout=0.3, image_width=32, image_height=40
        ),
        7,
        1,
    )
    convolutions = [layer.filters for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert convolutions == [5, 5, 10, 10, 20, 20]
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.3]
    assert model.input_shape == (None, 40, 32, 1)
    assert {name: answer.shape for name, answer in model.output.items()} == {"class": (None, 7), "begins": (None, 1)}


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_sequence_network_is_built_as_named(kind: str) -> None:
    from common.network import prepare_keras

    keras = prepare_keras(1)
    parameters = parameters_of("sequence", rnn_type=kind, net_layers=3, net_width=6, dropout=0.25)
    recurrent = [
        layer.forward_layer
        for layer in sequence.build(keras, parameters, 5, 4, 1).layers
        if isinstance(layer, keras.layers.Bidirectional)
    ]
    assert [type(layer).__name__.lower() for layer in recurrent] == [kind] * 3
    assert [(layer.units, layer.dropout) for layer in recurrent] == [(6, 0.25)] * 3


def test_untrained_sequence_network_changes_nothing() -> None:
    from common.network import prepare_keras

    keras = prepare_keras(1)
    network = sequence.build(keras, parameters_of("sequence", net_width=6, net_layers=1), 5, 4, 1)
    features = numpy.random.default_rng(1).random((2, 3, 5)).astype(numpy.float32)
    assert (numpy.asarray(network(features)) == 0).all() and network.output_shape == (None, None, 5)


def image_task(pages: int, **parameters: Any) -> image.Task:
    own = [Page(f"s{number}", 1, "xy"[number % 2], True, "train", number) for number in range(pages)]
    pixels = numpy.random.default_rng(1).random((pages, 20, 16, 1)).astype(numpy.float16)
    folds = {page.stack: 0 for page in own}
    return image.Task(parameters_of("image", **parameters), own, ["x", "y"], folds, 2, pixels)


def test_batches_hold_every_page_once_and_do_not_depend_on_the_number_of_workers() -> None:
    from common.network import prepare_keras

    keras = prepare_keras(1)
    tasks = [image_task(23, batch_size=8, worker=workers) for workers in (1, 4)]
    one, four = (image.loader(keras, task, range(23), 9) for task in tasks)
    assert len(one) == 3 and four.workers == 4
    drawn = numpy.concatenate([one[index][1]["class"] for index in range(3)])
    assert sorted(drawn) == sorted(tasks[0].targets["class"])
    assert all((one[index][0] == four[index][0]).all() for index in range(3))


def stack_of(first: int, *lengths: int) -> sequence.Stack:
    ends = numpy.cumsum(lengths)
    documents = [Document(0, int(end - length), int(end)) for end, length in zip(ends, lengths, strict=True)]
    return sequence.Stack(numpy.arange(first, first + ends[-1]), documents)


def test_drawn_sequences_are_documents_of_a_stack_that_follow_each_other() -> None:
    stacks = [stack_of(0, 2, 1), stack_of(10, 1, 3)]
    drawn = [rows.tolist() for rows in sequence.draw(stacks, 200, 64, 1)]
    assert len(drawn) == 200 and drawn == [rows.tolist() for rows in sequence.draw(stacks, 200, 64, 1)]
    assert drawn != [rows.tolist() for rows in sequence.draw(stacks, 200, 64, 2)]
    assert {tuple(rows) for rows in drawn} == {(0, 1), (2,), (0, 1, 2), (10,), (11, 12, 13), (10, 11, 12, 13)}


def test_of_a_long_stack_documents_are_drawn_that_fit_and_the_beginning_of_one_that_does_not() -> None:
    drawn = sequence.draw([stack_of(0, 3, 4, 500, 2)], 300, 8, 1)
    assert max(map(len, drawn)) == 8
    firsts = {int(rows[0]) for rows in drawn}
    assert firsts == {0, 3, 7, 507} and all(rows.tolist() == list(range(rows[0], rows[-1] + 1)) for rows in drawn)
    assert {len(rows) for rows in drawn if rows[0] == 3} == {4}


def test_a_long_sequence_makes_only_its_own_batch_long() -> None:
    sequences = [numpy.arange(length) for length in [*([3] * 30), 500, *([4] * 30)]]
    parts = sequence.batches(sequences, 8)
    assert sum(len(part) * max(map(len, part)) for part in parts) < 8 * 500 + 60 * 4
    assert sorted(len(rows) for part in parts for rows in part) == sorted(map(len, sequences))


def test_metric_definitions_read_the_progress_lines() -> None:
    values = {"loss": 0.5, "accuracy": 0.25, "val_loss": 1e-05, "val_accuracy": 0.75, "learning_rate": 0.1}
    line = epoch_line(3, 80, values, 2)
    assert line == "epoch 3/80 fold 2 loss=0.5 accuracy=0.25 val_loss=1e-05 val_accuracy=0.75 learning_rate=0.1"
    for definition in METRIC_DEFINITIONS["image"]:
        found = re.search(definition["Regex"], line)
        assert found and float(found[1]) == values[definition["Name"].removeprefix("image:")]
    values = {"loss": 0.5, "val_loss": 1e-05, "learning_rate": 0.1}
    line = epoch_line(1, 2, values, 0)
    defined = {definition["Name"] for definition in METRIC_DEFINITIONS["sequence"]}
    assert defined == {f"sequence:{name}" for name in values}
    for definition in METRIC_DEFINITIONS["sequence"]:
        found = re.search(definition["Regex"], line)
        assert found and float(found[1]) == values[definition["Name"].removeprefix("sequence:")]
    assert re.search(METRIC_DEFINITIONS["text"][0]["Regex"], "fold 2/4 pages=9 accuracy=0.5000")[1] == "0.5000"
