"""Judges a combiner on the held-out stacks: beside its members, beside simple baselines, and how far it can be
trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from . import metrics, output
from .arrays import Booleans, Floats, Integers
from .combiner import Answers, Decoded
from .data import Table
from .documents import Page
from .metrics import Labelling

#: Names of the baselines: logistic stacking page by page, and the same decoded as a whole, without the network.
STACKING, DECODED_STACKING = "logistic_stacking", "decoded_stacking"


@dataclass(frozen=True)
class Answered:
    """Some whole stacks: the rows of their pages, and how they were decoded."""

    stacks: Sequence[Integers]
    decoded: Sequence[Decoded]

    @cached_property
    def rows(self) -> Integers:
        return numpy.sort(numpy.concatenate(list(self.stacks)))

    @cached_property
    def answers(self) -> Answers:
        return Answers.of(self.decoded, self.stacks)

    def labelling(self, table: Table) -> Labelling:
        pages = [table.pages[row] for row in self.rows]
        names = [table.classes[number] for number in self.answers.class_numbers]
        return Labelling(pages, names, [bool(mark) for mark in self.answers.begins])

    def documents(self, table: Table) -> tuple[Floats, Booleans]:
        """(document,): how probable it was said to be, and whether it is right."""
        truth = Labelling.truth([table.pages[row] for row in self.rows]).all_segments
        probabilities, right = [], []
        for rows, decoded in zip(self.stacks, self.decoded, strict=True):
            for document, probability in zip(decoded.documents, decoded.probabilities, strict=True):
                first, last = table.pages[rows[document.start]], table.pages[rows[document.end - 1]]
                segment = (first.stack, first.page, last.page, table.classes[document.class_number])
                probabilities.append(probability)
                right.append(segment in truth)
        return numpy.array(probabilities), numpy.array(right, bool)


@dataclass(frozen=True)
class Case:
    """A combiner's answers, and what they are compared with."""

    table: Table
    members: Sequence[str]
    #: By networks that did not learn from the stack: where thresholds come from.
    training: Answered
    testing: Answered
    #: Of the test stacks, decoded without the network.
    decoded_stacking: Answered
    #: (page, class): the stacking's page by page, of all pages.
    stacking: Floats
    seed: int

    @cached_property
    def pages(self) -> list[Page]:
        return [self.table.pages[row] for row in self.testing.rows]

    @cached_property
    def truth(self) -> Labelling:
        return Labelling.truth(self.pages)

    @cached_property
    def ours(self) -> Labelling:
        return self.testing.labelling(self.table)

    def by_page(self, scores: Floats) -> Labelling:
        """Documents are runs of each page's best class. `scores`: (page, class) of all pages."""
        names = [self.table.classes[number] for number in scores[self.testing.rows].argmax(axis=1)]
        return Labelling.runs(self.pages, names)

    @cached_property
    def alone(self) -> dict[str, Labelling]:
        """What each member says without the others."""
        return {
            name: self.by_page(self.table.probabilities[:, self.table.members.index(name)]) for name in self.members
        }

    @cached_property
    def baselines(self) -> dict[str, Labelling]:
        return {
            STACKING: self.by_page(self.stacking),
            DECODED_STACKING: self.decoded_stacking.labelling(self.table),
        }


def review_thresholds(training: Answered, table: Table) -> dict[float, float | None]:
    """By precision, from which probability on a document needs no human; learnt on training stacks."""
    probabilities, right = training.documents(table)
    return {precision: metrics.threshold_for(probabilities, right, precision) for precision in metrics.PRECISIONS}


def judge(case: Case) -> dict[str, Any]:
    """metrics.json of the combiner; its keys are described in the trainings' README."""
    judged = metrics.summary(case.truth, case.ours, case.table.classes)
    begins = numpy.array(case.truth.begins)
    judged["begins_accuracy"] = float(numpy.mean(case.testing.answers.begins == begins))
    probabilities, right = case.testing.documents(case.table)
    reliability = metrics.reliability(probabilities, right)
    comparison = compare(case)
    best = comparison["best_member"]
    gains = comparison["members"][best]
    return (
        metrics.headline(
            judged
            | {
                "expected_calibration_error": reliability["expected_calibration_error"],
                "gain": gains["page_accuracy"]["gain"],
                "gain_low": gains["page_accuracy"]["low"],
                "gain_noise": gains["page_accuracy"]["noise"],
                "segment_gain": gains["segment_f1"]["gain"],
                "segment_gain_low": gains["segment_f1"]["low"],
                "segment_gain_noise": gains["segment_f1"]["noise"],
            },
            "combiner",
        )
        | {"classes": case.table.classes, "members": list(case.members), "test": judged, "comparison": comparison}
        | {"reliability": reliability, "review": review(case, probabilities, right)}
    )


def review(case: Case, probabilities: Floats, right: Booleans) -> list[dict[str, Any]]:
    return metrics.review(review_thresholds(case.training, case.table), probabilities, right)


def compare(case: Case) -> dict[str, Any]:
    """The ensemble's gains over each member and each baseline, and which member is the best one (of page accuracy,
    then F1).
    """

    def figures(labelling: Labelling) -> dict[str, float]:
        truth = case.truth
        return {
            "value": metrics.page_accuracy(truth.classes, labelling.classes),
            "segment_f1": metrics.segment_f1(truth.all_segments, labelling.all_segments),
        }

    def against(others: Mapping[str, Labelling]) -> dict[str, Any]:
        return {
            name: metrics.compare(case.truth, case.ours, labelling, case.seed) for name, labelling in others.items()
        }

    alone = {name: figures(labelling) for name, labelling in case.alone.items()}
    best = max(alone, key=lambda name: (alone[name]["value"], alone[name]["segment_f1"]))
    values = alone | {name: figures(labelling) for name, labelling in case.baselines.items()}
    gains = against(case.alone) | against(case.baselines)
    for name, own in gains.items():
        own["page_accuracy"]["value"] = values[name]["value"]
        own["segment_f1"]["value"] = values[name]["segment_f1"]
    return {
        "best_member": best,
        "members": {name: gains[name] for name in case.alone},
        "baselines": {name: gains[name] for name in case.baselines},
    }


def predictions(case: Case) -> list[dict[str, Any]]:
    """Lines of predictions.jsonl: probabilities by page, and the decoded class, begin mark and document's
    probability.
    """
    answers = case.testing.answers
    return [
        output.prediction(
            page,
            None,
            case.table.classes,
            answers.class_probabilities[index],
            begins_document=round(float(answers.begin_probabilities[index]), 6),
            **{"class": case.ours.classes[index], "begins": case.ours.begins[index]},
            document_probability=round(float(answers.document_probabilities[index]), 6),
        )
        for index, page in enumerate(case.pages)
    ]


def in_words(judged: Mapping[str, Any]) -> str:
    """One line of progress: what the ensemble reached, and what it gained over its best member."""
    comparison = judged["comparison"]
    best = comparison["best_member"]
    gain = comparison["members"][best]["page_accuracy"]
    return (
        f"test {metrics.in_words(judged)} stacks_right={judged['stacks_right']:.4f}; page accuracy of {best}, the best "
        f"member: {gain['value']:.4f}, gain {gain['gain']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]"
    )
