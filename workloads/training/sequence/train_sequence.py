"""Trains the sequence model: the documents of a stack, on what the base models say about each page.

A logistic stacking of the base models' outputs scores every page; a recurrent network over the stack, which starts as
"change nothing", adds to the scores; and a chain decodes classes, boundaries and lengths of the whole stack together.
Training pages come with the base models' out-of-fold predictions, so all of it learns how good they are on pages that
they never saw. Several networks, each validated on its own share of the training stacks, make up the model, and what it
does on stacks that they did not learn from decides how much the networks count.

Channel: `dataframe` (dataframe.csv).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy

from common import checkpoint, fitting, hyperparameters, judgement, output
from common.arrays import Floats, Integers
from common.chain import batches_of_lengths
from common.chain_loss import TARGETS, chain_loss, loss_and_gradient
from common.combiner import Combiner, Evidence, decode
from common.container import Container, run
from common.data import Table, read_table, rows_by_stack
from common.documents import TEST, TRAIN
from common.errors import DataError, HyperparameterError
from common.fitting import HeldOut, Truth
from common.judgement import Answered, Case
from common.network import Epochs, Trained, prepare_keras, save_network, seed_of, start_over, train_epochs
from common.structure import Document, Structure, documents_of, structure_of

SCHEMA = hyperparameters.schema_of("sequence")
#: Share of the drawn sequences that are a part of a stack.
PART_SHARE = 0.5
#: How much of the networks' residual is added: validation chooses.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def members_of(mode: str, table: Table) -> list[str]:
    """Which members' outputs are inputs: `both` is every member of the table, else a list of names with commas."""
    if mode == "both":
        return table.members
    chosen = [name.strip() for name in mode.split(",")]
    for name in chosen:
        if name not in table.members:
            raise HyperparameterError(
                f"mode: '{name}' has no predictions in dataframe.csv; "
                f"expected both, or names of {', '.join(table.members)}"
            )
    return [name for name in table.members if name in chosen]


def learning_rate_of(epoch: int, parameters: dict[str, Any]) -> float:
    """learning_rate times lr_schedule_factor after every lr_schedule_epoch epochs; epochs count from 0."""
    falls = epoch // parameters["lr_schedule_epoch"]
    return float(parameters["learning_rate"] * parameters["lr_schedule_factor"] ** falls)


@dataclass(frozen=True)
class Stack:
    """Rows of a stack's pages in their order, and its true documents."""

    rows: Integers
    documents: Sequence[Document]


@dataclass(frozen=True)
class Problem:
    """The merged table as the sequence model reads it."""

    parameters: dict[str, Any]
    table: Table
    members: list[str]

    @cached_property
    def columns(self) -> list[int]:
        return [self.table.members.index(name) for name in self.members]

    @cached_property
    def begins_members(self) -> list[str]:
        """The members that say of every page whether a document begins there."""
        says = numpy.asarray(numpy.isfinite(self.table.begins).all(axis=0))
        return [name for name in self.members if says[self.table.members.index(name)]]

    @cached_property
    def training(self) -> list[Stack]:
        return self._stacks(TRAIN)

    @cached_property
    def testing(self) -> list[Stack]:
        return self._stacks(TEST)

    def _stacks(self, split: str) -> list[Stack]:
        numbers, begins = self.table.class_numbers, self.table.begin_marks
        return [
            Stack(numpy.array(rows), documents_of(numbers[rows], begins[rows]))
            for rows in rows_by_stack(self.table.pages, split).values()
        ]

    @cached_property
    def evidence(self) -> Evidence:
        begins = [self.table.members.index(name) for name in self.begins_members]
        rows = [stack.rows for stack in [*self.training, *self.testing]]
        return Evidence(self.table.probabilities[:, self.columns], self.table.begins[:, begins], rows)

    @cached_property
    def truth(self) -> Truth:
        documents = [stack.documents for stack in self.training]
        begins = self.table.begin_marks.astype(int)
        return Truth(self.table.class_numbers, begins, documents, len(self.table.classes))

    @cached_property
    def folds(self) -> list[list[Stack]]:
        """The training stacks in as many shares as there are networks: each validates one network, and is learnt by
        the others.
        """
        order = numpy.random.default_rng(seed_of(self.parameters["seed"], 1)).permutation(len(self.training))
        count = min(self.parameters["networks"], len(self.training))
        return [[self.training[place] for place in sorted(order[share::count])] for share in range(count)]


@dataclass(frozen=True)
class Prior:
    """What a network starts from: the stacking, and the chain's weights; all of it would serve without a network."""

    combiner: Combiner
    #: (page, class + 1) weighted scores; of training pages by a stacking that did not learn from them
    scores: Floats
    #: Of each share of the training stacks, counted on the others.
    structures: list[Structure]

    @property
    def structure(self) -> Structure:
        return self._weighted(self.combiner.structure)

    def _weighted(self, structure: Structure) -> Structure:
        weights = self.combiner.weights
        return structure.scaled(weights.length, weights.order)

    def held_out(self, problem: Problem, scores: Floats) -> list[HeldOut]:
        """The training stacks with these weighted scores (page, class + 1), share by share."""
        return shares_of(problem, scores, [self._weighted(structure) for structure in self.structures])


def fit_prior(problem: Problem) -> Prior:
    evidence, truth = problem.evidence, problem.truth
    folds = [numpy.concatenate([stack.rows for stack in share]) for share in problem.folds]
    everything = numpy.concatenate(folds)
    strengths = fitting.choose_strengths(evidence, truth, folds)
    stacking = fitting.fit_stacking(evidence, truth, numpy.sort(everything), strengths)
    scores = stacking.scores(evidence)
    for held_out in folds:
        own = fitting.fit_stacking(evidence, truth, numpy.setdiff1d(everything, held_out), strengths)
        scores[held_out] = own.scores(evidence)[held_out]
    structures = [
        structure_of(
            [stack.documents for other in problem.folds if other is not share for stack in other], truth.classes
        )
        for share in problem.folds
    ]
    weights = fitting.fit_weights(shares_of(problem, scores, structures))
    structure = structure_of(truth.documents, truth.classes)
    combiner = Combiner(
        problem.table.classes, problem.members, problem.begins_members, stacking, weights, structure, 0.0, 1.0
    )
    return Prior(combiner, weights.of_pages(scores), structures)


def shares_of(problem: Problem, scores: Floats, structures: Sequence[Structure]) -> list[HeldOut]:
    return [
        HeldOut([scores[stack.rows] for stack in share], structure, [stack.documents for stack in share])
        for share, structure in zip(problem.folds, structures, strict=True)
    ]


def draw(stacks: Sequence[Stack], count: int, longest: int, seed: int) -> list[Integers]:
    """`count` sequences of pages, with replacement: a stack, or (in every other draw) documents of it that follow
    each other.

    Of more than `longest` pages it is as many documents as fit, or the beginning of one that does not.
    """
    random = numpy.random.default_rng(seed)
    sequences = []
    for _ in range(count):
        stack = stacks[int(random.integers(len(stacks)))]
        last = len(stack.documents) - 1
        first = 0
        if random.random() < PART_SHARE:
            first = int(random.integers(last + 1))
            last = int(random.integers(first, last + 1))
        start, end = stack.documents[first].start, stack.documents[last].end
        if end - start > longest:
            start, end = _window(stack.documents[first : last + 1], longest, random)
        sequences.append(stack.rows[start:end])
    return sequences


def _window(documents: Sequence[Document], longest: int, random: numpy.random.Generator) -> tuple[int, int]:
    """From where some document begins, at most `longest` pages."""
    start = documents[int(random.integers(len(documents)))].start
    ends = [document.end for document in documents if start < document.end <= start + longest]
    return start, max(ends, default=start + longest)


def batches(sequences: Sequence[Integers], size: int) -> list[list[Integers]]:
    """Sequences of about equal length go together, so that a long one makes only its own batch long."""
    ordered = sorted(sequences, key=len)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


@dataclass(frozen=True)
class Feed:
    """What a network reads and answers, as arrays (sequence, page, ...)."""

    problem: Problem
    prior: Prior

    def inputs(self, sequences: Sequence[Integers]) -> list[Floats]:
        """Features, and the scores that the network adds to."""
        return [_padded(sequences, self.problem.evidence.features), _padded(sequences, self.prior.scores)]

    def targets(self, sequences: Sequence[Integers]) -> Floats:
        """(sequence, page, 3) as `chain_loss` reads them."""
        table = self.problem.table
        all_ = numpy.stack([table.class_numbers, table.begin_marks, numpy.ones(len(table.pages))], axis=1)
        return _padded(sequences, all_[:, :TARGETS])

    def epoch(self, stacks: Sequence[Stack], seed: int) -> list[list[Integers]]:
        """The batches of an epoch; equal seeds draw equal ones."""
        parameters = self.problem.parameters
        drawn = draw(stacks, parameters["epoch_seq"], parameters["max_pages"], seed)
        parts = batches(drawn, parameters["batch_size"])
        return [parts[place] for place in numpy.random.default_rng(seed).permutation(len(parts))]


def _padded(sequences: Sequence[Integers], values: Floats) -> Floats:
    result = numpy.zeros((len(sequences), max(map(len, sequences)), values.shape[1]), numpy.float32)
    for index, rows in enumerate(sequences):
        result[index, : len(rows)] = values[rows]
    return result


def build(keras: Any, parameters: dict[str, Any], width: int, classes: int, seed: int) -> Any:
    """`net_layers` recurrent layers that read the stack in both directions, `net_width` units in each.

    Its answer is added to the pages' scores; its last layer starts at 0, so an untrained network changes nothing.
    """
    layers = keras.layers
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
    x = layers.Dropout(parameters["dropout"], seed=seed_of(seed, 99))(x)
    residual = layers.Dense(classes + 1, kernel_initializer="zeros", name="residual")(x)
    return keras.Model(stack, residual)


class Network:
    """A recurrent network that is trained again and again: what is traced once serves all of the model's networks."""

    def __init__(self, keras: Any, feed: Feed) -> None:
        import tensorflow

        problem = feed.problem
        parameters, width, outputs = problem.parameters, problem.evidence.features.shape[1], problem.truth.classes + 1
        self.keras, self._problem = keras, problem
        self.model = self.fresh(0)
        kinds = {"rmsprop": keras.optimizers.RMSprop, "adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
        self.optimizer = kinds[parameters["optimizer"]](
            learning_rate=parameters["learning_rate"], weight_decay=parameters["weight_decay"] or None, clipnorm=1.0
        )
        self.optimizer.build(self.model.trainable_variables)
        loss = chain_loss(feed.prior.structure)
        features, scores, targets = (tensorflow.TensorSpec((None, None, size)) for size in (width, outputs, TARGETS))

        @tensorflow.function(input_signature=[features, scores, targets], autograph=False)  # type: ignore[untyped-decorator]
        def step(features: Any, scores: Any, targets: Any) -> Any:
            variables = self.model.trainable_variables
            with tensorflow.GradientTape() as tape:
                value = loss(targets, scores + self.model(features, training=True))
            self.optimizer.apply(tape.gradient(value, variables), variables)
            return value

        @tensorflow.function(input_signature=[features], autograph=False)  # type: ignore[untyped-decorator]
        def answer(features: Any) -> Any:
            return self.model(features, training=False)

        self._step, self._answer = step, answer

    def fresh(self, seed: int) -> Any:
        """A network as it is before training."""
        problem = self._problem
        return build(self.keras, problem.parameters, problem.evidence.features.shape[1], problem.truth.classes, seed)

    def start_over(self, seed: int) -> None:
        start_over(self.model, self.optimizer, self.fresh(seed))

    def step(self, features: Floats, scores: Floats, targets: Floats) -> float:
        """Learns from a batch; arrays are (sequence, page, ...). Returns the mean loss before it."""
        return float(self._step(features, scores, targets))

    def answer(self, features: Floats) -> Floats:
        """(sequence, page, class + 1): what is added to the pages' scores."""
        return numpy.asarray(self._answer(features))


@dataclass(frozen=True)
class Networks:
    """The trained networks' weights, what they answer, and how their trainings went."""

    #: Of each network, in its layers' order.
    weights: list[list[Any]]
    #: (page, class + 1): of a training page by the network that did not learn from it, of a test page the mean of all
    residual: Floats
    trained: list[Trained]


def train_networks(container: Container, keras: Any, feed: Feed, identity: str) -> Networks:
    """One network for each share of the training stacks, which validates it."""
    problem = feed.problem
    network = Network(keras, feed)
    result = Networks([], numpy.zeros_like(feed.prior.scores), [])
    for number, validating in enumerate(problem.folds):
        training = Training(container, feed, network, number)
        network.start_over(training.seed)
        result.trained.append(train_epochs(training.epochs(identity)))
        result.weights.append(network.model.get_weights())
        for stacks, share in ((validating, 1.0), (problem.testing, 1 / len(problem.folds))):
            for stack, answer in zip(stacks, residuals_of(network, feed, stacks), strict=True):
                result.residual[stack.rows] += share * answer
    return result


@dataclass(frozen=True)
class Training:
    """How the network of one share of the stacks is trained: on the other shares, validated on this one."""

    container: Container
    feed: Feed
    network: Network
    number: int

    @property
    def seed(self) -> int:
        return seed_of(self.feed.problem.parameters["seed"], 5, self.number)

    @property
    def learning(self) -> list[Stack]:
        shares = self.feed.problem.folds
        return [stack for number, share in enumerate(shares) if number != self.number for stack in share]

    @cached_property
    def validating(self) -> list[tuple[list[Integers], Floats]]:
        """Batches of drawn sequences, each once, and how often it was drawn."""
        parameters = self.feed.problem.parameters
        stacks = self.feed.problem.folds[self.number]
        drawn = draw(stacks, parameters["val_seq"], parameters["max_pages"], seed_of(self.seed, 2))
        counts: dict[bytes, int] = {}
        for rows in drawn:
            counts[rows.tobytes()] = counts.get(rows.tobytes(), 0) + 1
        different = {rows.tobytes(): rows for rows in drawn}
        return [
            (own, numpy.array([counts[rows.tobytes()] for rows in own]))
            for own in batches(list(different.values()), parameters["batch_size"])
        ]

    def validation_loss(self) -> float:
        """Per page."""
        total = pages = 0.0
        for own, counts in self.validating:
            features, scores = self.feed.inputs(own)
            answers = scores + self.network.answer(features)
            losses, _ = loss_and_gradient(self.feed.targets(own), answers, self.feed.prior.structure)
            weights = counts * numpy.array([len(rows) for rows in own])
            total += float((losses * weights).sum())
            pages += float(weights.sum())
        return total / pages

    def run(self, epoch: int) -> dict[str, float]:
        parameters = self.feed.problem.parameters
        self.network.optimizer.learning_rate = learning_rate_of(epoch, parameters)
        losses = []
        for own in self.feed.epoch(self.learning, seed_of(self.seed, 3, epoch)):
            self.container.check_stop()
            features, scores = self.feed.inputs(own)
            losses.append(self.network.step(features, scores, self.feed.targets(own)))
            if not numpy.isfinite(losses[-1]):
                break
        values = {"loss": float(numpy.mean(losses)), "val_loss": self.validation_loss()}
        return values | {"learning_rate": learning_rate_of(epoch, parameters)}

    def epochs(self, identity: str) -> Epochs:
        parameters = self.feed.problem.parameters
        return Epochs(
            self.container,
            self.network.model,
            self.network.optimizer,
            parameters["epochs"],
            self.container.checkpoint_dir / f"network-{self.number}" / "state.npz",
            checkpoint.fingerprint(identity, self.number),
            run=self.run,
            fold=self.number,
            patience=parameters["patience"],
            untrained=self.validation_loss(),
        )


def residuals_of(network: Network, feed: Feed, stacks: Sequence[Stack]) -> list[Floats]:
    """(page, class + 1) of each stack, as the network answers."""
    answers: dict[int, Floats] = {}
    for places in batches_of_lengths([len(stack.rows) for stack in stacks]):
        rows = [stacks[place].rows for place in places]
        answer = network.answer(_padded(rows, feed.problem.evidence.features))
        answers |= {place: answer[index, : len(rows[index])] for index, place in enumerate(places)}
    return [answers[place] for place in range(len(stacks))]


def finish(problem: Problem, prior: Prior, networks: Networks) -> Combiner:
    """How much the networks count, and how sure the whole is: what makes the training stacks' documents most
    probable.
    """

    def at(share: float) -> list[HeldOut]:
        return prior.held_out(problem, prior.scores + share * networks.residual)

    share = fitting.best_of(SHARES, lambda value: sum(own.loss() for own in at(value)))
    temperature = fitting.fit_temperature(at(share))
    known = vars(prior.combiner) | {"network_share": share, "temperature": temperature}
    return Combiner(**known)


def mean_network(keras: Any, problem: Problem, networks: Networks) -> Any:
    """One network whose answer is the mean of all."""
    parts = []
    for number, weights in enumerate(networks.weights):
        part = build(keras, problem.parameters, problem.evidence.features.shape[1], len(problem.table.classes), number)
        part.set_weights(weights)
        part.name = f"network_{number}"
        parts.append(part)
    stack = keras.Input((None, problem.evidence.features.shape[1]), name="stack")
    answers = [part(stack) for part in parts]
    mean = keras.layers.Average()(answers) if len(answers) > 1 else answers[0]
    return keras.Model(stack, mean)


def train(container: Container) -> None:
    parameters, job = hyperparameters.read(
        SCHEMA, hyperparameters.arguments_of(sys.argv[1:], container.hyperparameters_file())
    )
    table = read_table(container.channel("dataframe"))
    problem = Problem(parameters, table, members_of(parameters["mode"], table))
    if len(problem.training) < 2:
        raise DataError(
            f"dataframe.csv: {len(problem.training)} training stack(s), expected at least 2: one of them validates"
        )
    print(
        f"sequence: {len(problem.training)} stacks to learn from, {len(problem.testing)} to test; "
        f"members {', '.join(problem.members)}",
        flush=True,
    )
    prior = fit_prior(problem)
    keras = prepare_keras(parameters["seed"])
    library = output.versions("keras", "tensorflow", "tensorflow-cpu", "numpy", "scipy", "scikit-learn")
    identity = checkpoint.fingerprint(
        parameters,
        [vars(page) for page in table.pages],
        problem.members,
        problem.evidence.features.tobytes(),
        library,
    )
    feed = Feed(problem, prior)
    networks = train_networks(container, keras, feed, identity)
    container.check_stop()
    combiner = finish(problem, prior, networks)
    write(container, keras, feed, networks, combiner, library)
    output.copy_logs(container, job, [container.data_dir / "metrics.json", *history_files(container, networks)])


def case_of(problem: Problem, prior: Prior, networks: Networks, combiner: Combiner) -> Case:
    """The test stacks as the model decodes them; the training stacks as networks do that did not learn from them."""

    def tested(scores: Floats) -> Answered:
        rows = [stack.rows for stack in problem.testing]
        return Answered(rows, decode([scores[own] for own in rows], prior.structure, combiner.temperature))

    total = prior.scores + combiner.network_share * networks.residual
    training = [
        one
        for share in prior.held_out(problem, total)
        for one in decode(share.scores, share.structure, combiner.temperature)
    ]
    return Case(
        problem.table,
        problem.members,
        Answered([stack.rows for share in problem.folds for stack in share], training),
        tested(total),
        tested(prior.scores),
        combiner.stacking.scores(problem.evidence)[:, :-1],
        seed_of(problem.parameters["seed"], 7),
    )


def history_files(container: Container, networks: Networks) -> list[Path]:
    return [container.data_dir / f"network-{number}" / "history.json" for number in range(len(networks.trained))]


def write(
    container: Container, keras: Any, feed: Feed, networks: Networks, combiner: Combiner, library: dict[str, str]
) -> None:
    problem, prior = feed.problem, feed.prior
    save_network(mean_network(keras, problem, networks), container.model_dir / "model.keras")
    case = case_of(problem, prior, networks, combiner)
    judged = judgement.judge(case)
    description = {
        "format": output.MODEL_FORMAT,
        "kind": "sequence",
        "file": "model.keras",
        "classes": problem.table.classes,
        "members": problem.members,
        "hyperparameters": problem.parameters,
        "versions": library,
        "combiner": combiner.as_json(),
        "review": [{"precision": row["precision"], "threshold": row["threshold"]} for row in judged["review"]],
    }
    output.write_json(container.model_dir / "model.json", description)
    output.write_predictions(container.data_dir / "predictions.jsonl", judgement.predictions(case))
    output.write_json(container.data_dir / "metrics.json", judged)
    for path, fold, trained in zip(history_files(container, networks), count(), networks.trained, strict=False):
        output.write_json(path, {"fold": fold, "best_epoch": trained.best_epoch, "epochs": trained.history})
    print(judgement.in_words(judged), flush=True)


if __name__ == "__main__":
    run(train)
