"""The text model: n-grams, linear support vector machines with calibrated probabilities, and a regression of begins.

It is stored as arrays and JSON, never as a pickle: what is loaded can compute, and nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from .arrays import Floats
from .errors import DataError
from .output import write_atomically
from .surroundings import NAMES as SURROUNDINGS
from .surroundings import similarities, surroundings_of

#: Between n-grams in the stored vocabulary; no analyzer leaves one inside an n-gram.
_SEPARATOR = "\n"
#: A stack's first page begins a document; not quite 1, so that its logarithm is finite everywhere.
FIRST_PAGE = 0.999999


@dataclass(frozen=True)
class Terms:
    """Which n-grams count, and how much: the columns of a text's vector."""

    analyzer: str
    longest: int
    vocabulary: Sequence[str]
    #: (term,): rare terms count more.
    weights: Floats

    def vectors(self, texts: Sequence[str]) -> Any:
        """Sparse (text, term), rows of length 1."""
        return weighted(counter(self.analyzer, self.longest, self.vocabulary).transform(texts), self.weights)


def counter(analyzer: str, longest: int, vocabulary: Sequence[str] | None = None) -> Any:
    """Counts n-grams of 1 to `longest` words or characters; without a vocabulary it learns one."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(analyzer=analyzer, ngram_range=(1, longest), lowercase=True, vocabulary=vocabulary)


def weighted(counts: Any, weights: Floats) -> Any:
    """TF-IDF with sublinear counts, rows of length 1."""
    from sklearn.preprocessing import normalize

    result = counts.astype(numpy.float64)
    result.data = (1 + numpy.log(result.data)) * weights[result.indices]
    return normalize(result, copy=False)


@dataclass(frozen=True)
class Calibration:
    """How decision values become probabilities, a curve a class: sigmoid, isotonic, or none for the softmax."""

    method: str
    #: sigmoid: (class, 2) slopes and intercepts; isotonic: (points, 2) of all classes; none: empty.
    points: Floats
    #: isotonic: (class + 1,) where a class's points begin.
    bounds: Sequence[int] = ()

    def probabilities(self, decisions: Floats) -> Floats:
        """(page, class) of (page, class) or, of two classes, (page, 1); rows sum to 1."""
        if self.method == "none":
            return _softmax(decisions)
        columns = [self._curve(index, decisions[:, index]) for index in range(decisions.shape[1])]
        if len(columns) == 1:
            return numpy.stack([1 - columns[0], columns[0]], axis=1)
        values = numpy.stack(columns, axis=1)
        total = values.sum(axis=1, keepdims=True)
        return numpy.where(total > 0, values / numpy.where(total > 0, total, 1), 1 / values.shape[1])

    def _curve(self, index: int, decisions: Floats) -> Floats:
        if self.method == "sigmoid":
            slope, intercept = self.points[index]
            return numpy.asarray(logistic(-(slope * decisions + intercept)))
        own = self.points[self.bounds[index] : self.bounds[index + 1]]
        return numpy.asarray(numpy.interp(decisions, own[:, 0], own[:, 1]))


def logistic(values: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return numpy.asarray(0.5 * (1 + numpy.tanh(0.5 * values)))


def _softmax(decisions: Floats) -> Floats:
    both = numpy.hstack([-decisions, decisions]) if decisions.shape[1] == 1 else decisions
    powers = numpy.exp(both - both.max(axis=1, keepdims=True))
    return numpy.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class BeginsRegression:
    """Logistic regression of "a document begins here" on a page's terms and surroundings."""

    terms: Floats
    surroundings: Floats
    intercept: float
    #: (surroundings,): what they are standardised with.
    means: Floats
    scales: Floats

    @staticmethod
    def constant(terms: int, begins: int, pages: int) -> BeginsRegression:
        """Of pages that all begin a document, or of which none does: one probability for all."""
        odds = (begins + 1) / (pages - begins + 1)
        nothing = numpy.zeros(len(SURROUNDINGS))
        return BeginsRegression(numpy.zeros(terms), nothing, float(numpy.log(odds)), nothing, nothing + 1)

    def probabilities(self, vectors: Any, surroundings: Floats) -> Floats:
        standard = (surroundings - self.means) / self.scales
        return logistic(vectors @ self.terms + standard @ self.surroundings + self.intercept)


@dataclass(frozen=True)
class TextModel:
    """A fitted text model; `classes` are in the order of its columns."""

    classes: Sequence[str]
    terms: Terms
    #: (class or 1, term) and (class or 1,)
    coefficients: Floats
    intercepts: Floats
    calibration: Calibration
    begins: BeginsRegression

    def class_probabilities(self, vectors: Any) -> Floats:
        """(page, class)"""
        return self.calibration.probabilities(vectors @ self.coefficients.T + self.intercepts)

    def begins_probabilities(self, vectors: Any, texts: Sequence[str], stacks: Sequence[Sequence[int]]) -> Floats:
        """(page,): that a document begins there. `stacks`: the rows of whole stacks, pages in their order."""
        around = surroundings_of(texts, stacks, similarities(vectors, stacks))
        result = self.begins.probabilities(vectors, around)
        result[[rows[0] for rows in stacks]] = FIRST_PAGE
        return result

    def predict(self, texts: Sequence[str], stacks: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
        """Class probabilities (page, class) and begin probabilities (page,) of whole stacks."""
        vectors = self.terms.vectors(texts)
        return self.class_probabilities(vectors), self.begins_probabilities(vectors, texts, stacks)


def save(path: Path, model: TextModel) -> None:
    """Writes everything but `classes`, which model.json has."""
    arrays: dict[str, Any] = {
        "analyzer": _text(model.terms.analyzer),
        "longest": numpy.array(model.terms.longest),
        "vocabulary": _text(_SEPARATOR.join(model.terms.vocabulary)),
        "weights": model.terms.weights,
        "coefficients": model.coefficients,
        "intercepts": model.intercepts,
        "calibration": _text(model.calibration.method),
        "calibration_points": model.calibration.points,
        "calibration_bounds": numpy.array(model.calibration.bounds, numpy.int64),
    }
    arrays |= {f"begins_{name}": numpy.asarray(value) for name, value in vars(model.begins).items()}
    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def load_content(content: bytes, classes: Sequence[str], place: str) -> TextModel:
    """Of a file's content; `place` names it in messages.

    @raises DataError where it is no text model.
    """
    try:
        with numpy.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        model = _read(arrays, classes)
    except Exception as error:  # zipfile, zlib and numpy raise what they like of a file that is none
        raise DataError(f"{place}: no text model ({type(error).__name__})") from None
    rows = 1 if len(classes) == 2 else len(classes)
    if model.coefficients.shape != (rows, len(model.terms.vocabulary)):
        raise DataError(f"{place}: no text model of {len(classes)} classes")
    return model


def _read(arrays: Mapping[str, Any], classes: Sequence[str]) -> TextModel:
    terms = Terms(
        _read_text(arrays["analyzer"]),
        int(arrays["longest"]),
        _read_text(arrays["vocabulary"]).split(_SEPARATOR),
        arrays["weights"],
    )
    calibration = Calibration(
        _read_text(arrays["calibration"]),
        arrays["calibration_points"],
        [int(bound) for bound in arrays["calibration_bounds"]],
    )
    begins = BeginsRegression(
        arrays["begins_terms"],
        arrays["begins_surroundings"],
        float(arrays["begins_intercept"]),
        arrays["begins_means"],
        arrays["begins_scales"],
    )
    if begins.surroundings.shape != (len(SURROUNDINGS),):
        raise ValueError("its begins regression knows other marks of a page")
    return TextModel(classes, terms, arrays["coefficients"], arrays["intercepts"], calibration, begins)


def _text(value: str) -> Any:
    return numpy.frombuffer(value.encode(), numpy.uint8)


def _read_text(array: Any) -> str:
    return bytes(array).decode()
