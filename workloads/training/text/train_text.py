"""Trains the text model: TF-IDF and a linear support vector machine with calibrated probabilities.

Beside the class it learns, from the page's words and its surroundings, whether a document begins on the page. Writes
out-of-fold predictions of every training page (its own K folds, stratified by class, grouped by stack) and the
predictions of the model that is refitted on all training pages for the test pages.

Channels: `labels` (labels.csv), `text` (<stack>/<page>.txt).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy

from common import checkpoint, hyperparameters, metrics, output, text_model
from common.arrays import Floats, Integers
from common.container import Container, run
from common.data import (
    check_class_stacks,
    classes_of,
    read_labels,
    read_texts,
    rows_by_stack,
)
from common.documents import TEST, TRAIN, Page
from common.errors import DataError
from common.surroundings import similarities, surroundings_of
from common.text_model import BeginsRegression, Calibration, Terms, TextModel

SCHEMA = hyperparameters.schema_of("text")
#: What varies less is constant: it is not standardised.
SMALLEST_SCALE = 1e-9


@dataclass(frozen=True)
class Corpus:
    """The pages of labels.csv with their texts; n-grams are counted once for all folds."""

    pages: Sequence[Page]
    texts: Sequence[str]
    classes: Sequence[str]
    parameters: dict[str, Any]

    @cached_property
    def training(self) -> list[int]:
        return [row for row, page in enumerate(self.pages) if page.split == TRAIN]

    @cached_property
    def testing(self) -> list[int]:
        return [row for row, page in enumerate(self.pages) if page.split == TEST]

    @cached_property
    def class_numbers(self) -> Integers:
        return numpy.array([self.classes.index(page.class_name) for page in self.pages])

    @cached_property
    def begins(self) -> Integers:
        return numpy.array([int(page.begins_document) for page in self.pages])

    @cached_property
    def counts(self) -> tuple[Any, Any]:
        """Counts (page, n-gram) of every n-gram that a training page has, and the n-grams."""
        counter = text_model.counter(self.parameters["analyzer"], self.parameters["ngram_max"])
        try:
            counter.fit([self.texts[row] for row in self.training])
        except ValueError:
            raise DataError(
                "text: no training page has a word of two letters or more; is this what OCR read on the pages?"
            ) from None
        return counter.transform(self.texts), counter.get_feature_names_out()

    def stacks(self, rows: Sequence[int]) -> list[list[int]]:
        """Positions in `rows` of each stack's pages."""
        return list(rows_by_stack([self.pages[row] for row in rows]).values())


def terms_of(corpus: Corpus, rows: Sequence[int]) -> tuple[Terms, Integers]:
    """The n-grams that at least `min_df` of the rows' pages have, the most frequent ones, and their columns in the
    counts.
    """
    counts, names = corpus.counts
    kept = counts[rows]
    pages_with = numpy.bincount(kept.indices, minlength=kept.shape[1])
    columns = numpy.flatnonzero(pages_with >= corpus.parameters["min_df"])
    if not len(columns):
        raise DataError(
            f"text: no n-gram is on {corpus.parameters['min_df']} of {len(rows)} training pages; "
            "lower min_df, add pages"
        )
    most = corpus.parameters["max_features"]
    if len(columns) > most:
        frequencies = numpy.asarray(kept.sum(axis=0)).ravel()[columns]
        columns = numpy.sort(columns[numpy.argsort(-frequencies, kind="stable")[:most]])
    weights = numpy.log((1 + len(rows)) / (1 + pages_with[columns])) + 1
    terms = Terms(corpus.parameters["analyzer"], corpus.parameters["ngram_max"], names[columns].tolist(), weights)
    return terms, columns


@dataclass(frozen=True)
class Fitted:
    """A model, and the columns of the corpus' counts that it reads."""

    model: TextModel
    columns: Integers

    def predict(self, corpus: Corpus, rows: Sequence[int]) -> Floats:
        """(page, class + 1): probabilities in the corpus' order of classes, 0 for a class that the model never saw;
        then begins.
        """
        result = numpy.zeros((len(rows), len(corpus.classes) + 1))
        if not rows:
            return result
        vectors = vectors_of(corpus, rows, self.model.terms, self.columns)
        own = [corpus.classes.index(name) for name in self.model.classes]
        result[:, own] = self.model.class_probabilities(vectors)
        texts = [corpus.texts[row] for row in rows]
        result[:, -1] = self.model.begins_probabilities(vectors, texts, corpus.stacks(rows))
        return result


def vectors_of(corpus: Corpus, rows: Sequence[int], terms: Terms, columns: Integers) -> Any:
    """What `Terms.vectors` gives for the rows' texts, without counting them again."""
    return text_model.weighted(corpus.counts[0][rows][:, columns], terms.weights)


def fit(corpus: Corpus, rows: Sequence[int]) -> Fitted:
    """A fitted model; `rows` are only training pages."""
    terms, columns = terms_of(corpus, rows)
    vectors = vectors_of(corpus, rows, terms, columns)
    numbers = corpus.class_numbers[rows]
    known = sorted(set(numbers.tolist()))
    machine, calibration = fit_classes(corpus, rows, vectors, numbers)
    begins = fit_begins(corpus, rows, vectors)
    classes = [corpus.classes[number] for number in known]
    model = TextModel(classes, terms, machine.coef_, machine.intercept_, calibration, begins)
    return Fitted(model, columns)


def fit_classes(corpus: Corpus, rows: Sequence[int], vectors: Any, numbers: Integers) -> tuple[Any, Calibration]:
    """The support vector machines, and the curves that make their decisions probabilities (folds grouped by stack)."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.svm import LinearSVC

    parameters = corpus.parameters
    machine = LinearSVC(C=parameters["c"], max_iter=parameters["max_iter"], random_state=parameters["seed"])
    method = parameters["calibration"]
    if method != "none":
        groups = [corpus.pages[row].stack for row in rows]
        splitter = StratifiedGroupKFold(parameters["calibration_folds"], shuffle=True, random_state=parameters["seed"])
        try:
            splits = list(splitter.split(vectors, numbers, groups))
        except ValueError:
            splits = []
        everything = set(numbers.tolist())
        if splits and all(set(numbers[kept].tolist()) == everything for kept, _ in splits):
            fitted = CalibratedClassifierCV(machine, method=method, cv=splits, ensemble=False).fit(vectors, numbers)
            (only,) = fitted.calibrated_classifiers_
            return only.estimator, calibration_of(method, only.calibrators)
        print("calibration: too few stacks of some class for its folds, using uncalibrated probabilities", flush=True)
    return machine.fit(vectors, numbers), Calibration("none", numpy.zeros((0, 2)))


def calibration_of(method: str, curves: Sequence[Any]) -> Calibration:
    """scikit-learn's curves as arrays."""
    if method == "sigmoid":
        return Calibration(method, numpy.array([(curve.a_, curve.b_) for curve in curves]))
    points = [numpy.stack([curve.X_thresholds_, curve.y_thresholds_], axis=1) for curve in curves]
    bounds = numpy.cumsum([0, *(len(own) for own in points)])
    return Calibration(method, numpy.concatenate(points), [int(bound) for bound in bounds])


def fit_begins(corpus: Corpus, rows: Sequence[int], vectors: Any) -> BeginsRegression:
    """Learnt on all pages but stacks' first ones, which begin a document in any case."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    stacks = corpus.stacks(rows)
    around = surroundings_of([corpus.texts[row] for row in rows], stacks, similarities(vectors, stacks))
    learning = [position for own in stacks for position in own[1:]]
    targets = corpus.begins[[rows[position] for position in learning]]
    if len(set(targets.tolist())) < 2:
        return BeginsRegression.constant(vectors.shape[1], int(targets.sum()), len(targets))
    means, scales = around[learning].mean(axis=0), around[learning].std(axis=0)
    scales = numpy.where(scales > SMALLEST_SCALE, scales, 1.0)
    weight = corpus.parameters["begins_surroundings"]
    standard = sparse.csr_matrix((around[learning] - means) / scales * weight)
    inputs = sparse.hstack([vectors[learning], standard]).tocsr()
    regression = LogisticRegression(
        C=corpus.parameters["begins_c"],
        solver="liblinear",
        dual=True,
        max_iter=corpus.parameters["max_iter"],
        random_state=corpus.parameters["seed"],
    ).fit(inputs, targets)
    terms, rest = regression.coef_[0][: vectors.shape[1]], regression.coef_[0][vectors.shape[1] :]
    return BeginsRegression(terms, rest * weight, float(regression.intercept_[0]), means, scales)


def read_corpus(container: Container, parameters: dict[str, Any]) -> Corpus:
    pages = read_labels(container.channel("labels"))
    classes = classes_of(pages)
    check_class_stacks([page for page in pages if page.split == TRAIN], parameters["k_folds"])
    corpus = Corpus(pages, read_texts(container.channel("text"), pages), classes, parameters)
    if not any(corpus.texts[row].strip() for row in corpus.training):
        raise DataError("text: every training page's text is empty")
    return corpus


@dataclass(frozen=True)
class OutOfFold:
    """(training page, class + 1) predictions, each page's fold, and how good each fold's were."""

    predictions: Floats
    folds: Integers
    history: list[dict[str, Any]]


def out_of_fold(container: Container, corpus: Corpus, identity: str) -> OutOfFold:
    """Predictions of each training page by a model that saw no page of its stack; a finished fold has a checkpoint."""
    from sklearn.model_selection import StratifiedGroupKFold

    training, count = corpus.training, corpus.parameters["k_folds"]
    numbers = corpus.class_numbers[training]
    groups = [corpus.pages[row].stack for row in training]
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=corpus.parameters["seed"])
    result = OutOfFold(numpy.zeros((len(training), len(corpus.classes) + 1)), numpy.full(len(training), -1), [])
    for fold, (kept, held_out) in enumerate(splitter.split(training, numbers, groups)):
        container.check_stop()
        path = container.checkpoint_dir / f"fold-{fold}" / "state.npz"
        saved = checkpoint.load(path, identity, {"predictions": (len(held_out), len(corpus.classes) + 1)})
        if saved:
            predictions = saved.arrays["predictions"]
            print(f"fold {fold + 1}/{count} taken from its checkpoint", flush=True)
        else:
            fitted = fit(corpus, [training[row] for row in kept])
            predictions = fitted.predict(corpus, [training[row] for row in held_out])
            checkpoint.save(path, identity, {"fold": fold}, {"predictions": predictions})
        result.predictions[held_out] = predictions
        result.folds[held_out] = fold
        accuracy = float(numpy.mean(predictions[:, :-1].argmax(axis=1) == numbers[held_out]))
        result.history.append({"fold": fold, "pages": len(held_out), "accuracy": accuracy})
        print(f"fold {fold + 1}/{count} pages={len(held_out)} accuracy={accuracy:.4f}", flush=True)
    return result


def train(container: Container) -> None:
    arguments = hyperparameters.arguments_of(
        [argument for argument in sys.argv[1:] if argument != "train"], container.hyperparameters_file()
    )
    parameters, job = hyperparameters.read(SCHEMA, arguments)
    corpus = read_corpus(container, parameters)
    print(
        f"text: {len(corpus.training)} training pages, {len(corpus.testing)} test pages, {len(corpus.classes)} classes",
        flush=True,
    )
    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("once", ConvergenceWarning)
    library = output.versions("scikit-learn", "numpy", "scipy")
    identity = checkpoint.fingerprint(parameters, [vars(page) for page in corpus.pages], corpus.texts, library)
    held_out = out_of_fold(container, corpus, identity)
    container.check_stop()
    write(container, corpus, fit(corpus, corpus.training), held_out, library)
    output.copy_logs(container, job, [container.data_dir / "metrics.json", container.data_dir / "history.json"])


def write(container: Container, corpus: Corpus, fitted: Fitted, held_out: OutOfFold, library: dict[str, str]) -> None:
    text_model.save(container.model_dir / "model.npz", fitted.model)
    description = {
        "format": output.MODEL_FORMAT,
        "kind": "text",
        "file": "model.npz",
        "classes": fitted.model.classes,
        "hyperparameters": corpus.parameters,
        "preprocessing": {"encoding": "utf-8"},
        "versions": library,
    }
    output.write_json(container.model_dir / "model.json", description)
    tested = fitted.predict(corpus, corpus.testing)
    training, testing = ([corpus.pages[row] for row in rows] for rows in (corpus.training, corpus.testing))
    folds = [int(fold) for fold in held_out.folds]
    lines = output.predictions(training, folds, corpus.classes, held_out.predictions)
    lines += output.predictions(testing, None, corpus.classes, tested)
    output.write_predictions(container.data_dir / "predictions.jsonl", lines)
    judged = metrics.of_member(testing, corpus.classes, tested)
    output.write_json(
        container.data_dir / "metrics.json",
        metrics.headline(judged)
        | {
            "classes": corpus.classes,
            "test": judged,
            "out_of_fold": metrics.of_member(training, corpus.classes, held_out.predictions),
        },
    )
    output.write_json(container.data_dir / "history.json", {"folds": held_out.history})
    print(f"test {metrics.in_words(judged)}", flush=True)


if __name__ == "__main__":
    run(train)
