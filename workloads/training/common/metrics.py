"""What the models are judged by: pages, documents, stacks, and how far their probabilities can be trusted.

All take labellings of held-out pages: a class and a begin mark a page. A document is right when its first page, its
last page and its class are right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy

from .arrays import Booleans, Floats
from .data import rows_by_stack
from .documents import Page

#: (stack, first page, last page, class)
Segment = tuple[str, int, int, str]
#: Draws of the bootstrap over stacks, and the share of them that an interval holds.
DRAWS = 10_000
COVERAGE = 0.95
#: Bins of the reliability diagram, of equal width.
BINS = 10
#: The precisions for which a threshold is looked for.
PRECISIONS = (0.99, 0.98, 0.95)


@dataclass(frozen=True)
class Labelling:
    """Classes and begin marks of some pages: the truth, or a model's answer."""

    pages: Sequence[Page]
    classes: Sequence[str]
    begins: Sequence[bool]

    @staticmethod
    def truth(pages: Sequence[Page]) -> Labelling:
        return Labelling(pages, [page.class_name for page in pages], [page.begins_document for page in pages])

    @staticmethod
    def runs(pages: Sequence[Page], classes: Sequence[str]) -> Labelling:
        """Of a model without begin marks: a document is a maximal run of one class within a stack."""
        class_of = {(page.stack, page.page): name for page, name in zip(pages, classes, strict=True)}
        begins = [class_of.get((page.stack, page.page - 1)) != class_of[page.stack, page.page] for page in pages]
        return Labelling(pages, classes, begins)

    @cached_property
    def segments(self) -> dict[str, set[Segment]]:
        """The documents of each stack; one begins where a begin mark stands, and on first pages."""
        return {stack: set(self._segments(stack, rows)) for stack, rows in rows_by_stack(self.pages).items()}

    def _segments(self, stack: str, rows: Sequence[int]) -> list[Segment]:
        firsts = [place for place, row in enumerate(rows) if place == 0 or self.begins[row]]
        lasts = [*(first - 1 for first in firsts[1:]), len(rows) - 1]
        return [
            (stack, self.pages[rows[first]].page, self.pages[rows[last]].page, self.classes[rows[first]])
            for first, last in zip(firsts, lasts, strict=True)
        ]

    @cached_property
    def all_segments(self) -> set[Segment]:
        return set().union(*self.segments.values())


def page_accuracy(truth: Sequence[str], predicted: Sequence[str]) -> float:
    """Share of the pages whose class is right; 0 without any page."""
    return sum(a == b for a, b in zip(truth, predicted, strict=True)) / len(truth) if truth else 0.0


def confusion(truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> list[list[int]]:
    """Row = true class, column = predicted class, in the order of `classes`."""
    index = {name: position for position, name in enumerate(classes)}
    matrix = [[0] * len(classes) for _ in classes]
    for a, b in zip(truth, predicted, strict=True):
        matrix[index[a]][index[b]] += 1
    return matrix


def f1(right: float, true: float, predicted: float) -> float:
    """2 right / (true + predicted); 0 where there is neither."""
    return 2 * right / (true + predicted) if true + predicted else 0.0


def macro_f1(matrix: Sequence[Sequence[int]]) -> float:
    """Mean of the F1 of every class that occurs, truly or as a prediction."""
    scores = []
    for position in range(len(matrix)):
        true, predicted = sum(matrix[position]), sum(row[position] for row in matrix)
        if true + predicted:
            scores.append(f1(matrix[position][position], true, predicted))
    return sum(scores) / len(scores) if scores else 0.0


def segment_f1(truth: set[Segment], predicted: set[Segment]) -> float:
    """F1 over documents; 0 where there is none."""
    return f1(len(truth & predicted), len(truth), len(predicted))


def boundary_f1(truth: Labelling, predicted: Labelling) -> float:
    """F1 over begin marks, but those of stacks' first pages, which are known; 1 where there is none and none was
    found.
    """
    inner = [row for rows in rows_by_stack(truth.pages).values() for row in rows[1:]]
    true = {row for row in inner if truth.begins[row]}
    found = {row for row in inner if predicted.begins[row]}
    return f1(len(true & found), len(true), len(found)) if true or found else 1.0


def stacks_right(truth: Labelling, predicted: Labelling) -> float:
    """Share of the stacks of which every document is right."""
    same = [predicted.segments[stack] == own for stack, own in truth.segments.items()]
    return sum(same) / len(same) if same else 0.0


def per_class(truth: Labelling, predicted: Labelling, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of pages, F1 of documents, and how many there are of each, by class."""
    result = {}
    for name in classes:
        pairs = list(zip(truth.classes, predicted.classes, strict=True))
        right = sum(a == b == name for a, b in pairs)
        true, found = sum(a == name for a, _ in pairs), sum(b == name for _, b in pairs)
        own, theirs = ({one for one in side.all_segments if one[3] == name} for side in (truth, predicted))
        result[name] = {
            "pages": true,
            "documents": len(own),
            "precision": right / found if found else 0.0,
            "recall": right / true if true else 0.0,
            "f1": f1(right, true, found),
            "segment_f1": segment_f1(own, theirs),
        }
    return result


def summary(truth: Labelling, predicted: Labelling, classes: Sequence[str]) -> dict[str, Any]:
    """The metrics of one split."""
    matrix = confusion(truth.classes, predicted.classes, classes)
    return {
        "pages": len(truth.pages),
        "documents": len(truth.all_segments),
        "stacks": len(truth.segments),
        "page_accuracy": page_accuracy(truth.classes, predicted.classes),
        "macro_f1": macro_f1(matrix),
        "segment_f1": segment_f1(truth.all_segments, predicted.all_segments),
        "boundary_f1": boundary_f1(truth, predicted),
        "stacks_right": stacks_right(truth, predicted),
        "per_class": per_class(truth, predicted, classes),
        "confusion": matrix,
    }


def of_classes(pages: Sequence[Page], names: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    """Of a model that says each page's class only: documents are runs of a class."""
    return summary(Labelling.truth(pages), Labelling.runs(pages, names), classes)


def of_member(pages: Sequence[Page], classes: Sequence[str], answers: Floats) -> dict[str, Any]:
    """Of a base model: class by page, documents are runs of a class. `answers`: (page, class + 1), last the begins."""
    result = of_classes(pages, [classes[best] for best in answers[:, :-1].argmax(axis=1)], classes)
    begins = numpy.array([page.begins_document for page in pages])
    return result | {"begins_accuracy": float(numpy.mean((answers[:, -1] >= 0.5) == begins)) if len(pages) else 0.0}


#: What a member's and the combiner's metrics.json has at its top: the figures that the quality gate can judge, none of
#: them above 1. The stage's loader refuses a bound on any other.
HEADLINES: dict[str, list[str]] = json.loads(Path(__file__).with_name("headlines.json").read_text(encoding="utf-8"))


def headline(judged: Mapping[str, Any], model: str = "member") -> dict[str, float]:
    """The figures of a `member` or of the `combiner`."""
    return {name: judged[name] for name in HEADLINES[model]}


def in_words(judged: Mapping[str, Any]) -> str:
    """`accuracy=0.9000 macro_f1=0.8800 segment_f1=0.8100`"""
    return " ".join(
        f"{name}={judged[key]:.4f}"
        for name, key in (("accuracy", "page_accuracy"), ("macro_f1", "macro_f1"), ("segment_f1", "segment_f1"))
    )


@dataclass(frozen=True)
class _Counts:
    """What of each stack goes into the two figures that are compared: (stack,) each."""

    pages: Floats
    right_pages: Floats
    documents: Floats
    right_documents: Floats

    @staticmethod
    def of(truth: Labelling, predicted: Labelling) -> _Counts:
        rows = []
        for stack, own in rows_by_stack(truth.pages).items():
            right = sum(truth.classes[row] == predicted.classes[row] for row in own)
            true, found = truth.segments[stack], predicted.segments[stack]
            rows.append((len(own), right, len(true) + len(found), 2 * len(true & found)))
        columns = numpy.array(rows, numpy.float64).T
        return _Counts(*columns)

    def figures(self, draws: Any) -> tuple[Floats, Floats]:
        """Page accuracy and document F1 of each draw of stacks."""
        sums = [
            getattr(self, name)[draws].sum(axis=1) for name in ("pages", "right_pages", "documents", "right_documents")
        ]
        return sums[1] / sums[0], sums[3] / numpy.maximum(sums[2], 1)


def compare(truth: Labelling, ours: Labelling, theirs: Labelling, seed: int) -> dict[str, dict[str, float]]:
    """How much better `ours` is than `theirs`, in page accuracy and document F1, over the same draws of whole stacks.

    `gain`, its 95 % interval `low` to `high`, and `noise`: half the interval of `theirs` alone, which is how far two
    equally good models may lie apart on so few stacks.
    """
    counts, other = _Counts.of(truth, ours), _Counts.of(truth, theirs)
    stacks = len(counts.pages)
    draws = numpy.random.default_rng(seed).integers(stacks, size=(DRAWS, stacks))
    everything = numpy.arange(stacks)[None]
    tails = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
    result = {}
    figures = zip(counts.figures(draws), other.figures(draws), strict=True)
    whole = zip(counts.figures(everything), other.figures(everything), strict=True)
    for name, (own, their), (one, two) in zip(("page_accuracy", "segment_f1"), figures, whole, strict=True):
        low, high = numpy.quantile(own - their, tails)
        bottom, top = numpy.quantile(their, tails)
        result[name] = {
            "gain": float(one[0] - two[0]),
            "low": float(low),
            "high": float(high),
            "noise": float(top - bottom) / 2,
        }
    return result


def reliability(probabilities: Floats, right: Booleans) -> dict[str, Any]:
    """Expected calibration error, and per bin of probabilities how many there are, their mean, and the share that is
    right.
    """
    places = numpy.minimum((probabilities * BINS).astype(int), BINS - 1)
    bins = []
    for place in range(BINS):
        own = places == place
        if own.any():
            bins.append(
                {
                    "count": int(own.sum()),
                    "probability": float(probabilities[own].mean()),
                    "right": float(right[own].mean()),
                }
            )
    total = max(1, len(probabilities))
    error = sum(own["count"] * abs(own["probability"] - own["right"]) for own in bins) / total
    return {"expected_calibration_error": float(error), "bins": bins}


def threshold_for(probabilities: Floats, right: Booleans, precision: float) -> float | None:
    """The lowest threshold at which documents that are at least so probable are right in `precision` of the cases.

    None where no threshold reaches it. Of equal probabilities all or none count.
    """
    order = numpy.argsort(-probabilities, kind="stable")
    reached = numpy.cumsum(right[order]) / numpy.arange(1, len(order) + 1)
    ordered = probabilities[order]
    last_of_equal = numpy.append(ordered[:-1] != ordered[1:], True)
    good = numpy.flatnonzero((reached >= precision) & last_of_equal)
    return float(ordered[good[-1]]) if len(good) else None


def review(thresholds: Mapping[float, float | None], probabilities: Floats, right: Booleans) -> list[dict[str, Any]]:
    """For each precision: how many documents need no human, if those at or above its threshold go through unseen."""
    result = []
    for precision, threshold in thresholds.items():
        passed = probabilities >= threshold if threshold is not None else numpy.zeros(len(probabilities), bool)
        result.append(
            {
                "precision": precision,
                "threshold": threshold,
                "documents": len(probabilities),
                "without_review": int(passed.sum()),
                "share": float(passed.mean()) if len(passed) else 0.0,
                "right": float(right[passed].mean()) if passed.any() else None,
            }
        )
    return result
