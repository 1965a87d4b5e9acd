"""What the members say of a stack's pages becomes documents: the part of the sequence model that is no network.

A logistic stacking of the members' outputs gives each page a score for every class and one for beginning a document; a
recurrent network may add to them; a chain over the whole stack (chain.py) decodes them together with what is known of
documents' order and length. The same code serves the training, its metrics and predict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from .arrays import Booleans, Floats, Integers, Rows
from .chain import Posterior, batches_of, most_probable
from .structure import Document, Structure

#: Probabilities below this, and above 1 less this, count as this.
SMALLEST_PROBABILITY = 1e-3
SMALLEST_BEGIN = 1e-4
#: Scores of pages lie within this of the best class's.
LARGEST_SCORE = 12.0
#: What the network sees of a logarithm of odds is divided by this.
ODDS_SCALE = 8.0
#: Pages on either side that the regression of begins reads.
REACH = 1


@dataclass(frozen=True)
class Evidence:
    """What the members say of some pages, page after page of whole stacks."""

    #: (page, member, class)
    probabilities: Floats
    #: (page, member): of a document beginning; only of members that say so
    begins: Floats
    stacks: Rows

    @cached_property
    def logarithms(self) -> Floats:
        """(page, member x class); their level tells how sure a member is, so it is not taken off"""
        values = numpy.log(numpy.maximum(self.probabilities, SMALLEST_PROBABILITY))
        return numpy.asarray(values.reshape(len(values), -1))

    @cached_property
    def odds(self) -> Floats:
        """(page, member): logarithm of the odds of a document beginning."""
        clipped = numpy.clip(self.begins, SMALLEST_BEGIN, 1 - SMALLEST_BEGIN)
        return numpy.asarray(numpy.log(clipped / (1 - clipped)))

    @cached_property
    def around(self) -> Floats:
        """(page, feature): a page's outputs and its neighbours', with a mark where there is no neighbour."""
        own = numpy.hstack([self.logarithms, self.odds])
        width = own.shape[1] + 1
        result = numpy.zeros((len(own), (2 * REACH + 1) * width))
        for rows in self.stacks:
            chosen = numpy.asarray(rows)
            for offset in range(-REACH, REACH + 1):
                start = (offset + REACH) * width
                there = numpy.arange(len(rows)) + offset
                inside = (there >= 0) & (there < len(rows))
                result[chosen[inside], start : start + width - 1] = own[chosen[there[inside]]]
                result[chosen[~inside], start + width - 1] = 1
        return result

    @cached_property
    def features(self) -> Floats:
        """(page, feature): the network's input; logarithms, odds, and 1, so that only padding is all 0 and masked."""
        logarithms = self.logarithms / -numpy.log(SMALLEST_PROBABILITY)
        parts = [logarithms, self.odds / ODDS_SCALE, numpy.ones((len(logarithms), 1))]
        return numpy.asarray(numpy.hstack(parts), numpy.float32)

    @cached_property
    def firsts(self) -> Booleans:
        """(page,): whether it is its stack's first."""
        result = numpy.zeros(len(self.probabilities), bool)
        result[[rows[0] for rows in self.stacks]] = True
        return result


@dataclass(frozen=True)
class Stacking:
    """Two logistic regressions: of the class, on what the members say of a page; of beginning, on its neighbours'
    too.
    """

    #: (class, member x class) and (class,)
    classes: Floats
    class_intercepts: Floats
    #: (feature of `Evidence.around`,) and one
    begins: Floats
    begins_intercept: float

    def scores(self, evidence: Evidence) -> Floats:
        """(page, class + 1): logarithms of class probabilities, then of the odds of beginning."""
        values = evidence.logarithms @ self.classes.T + self.class_intercepts
        top = values.max(axis=1, keepdims=True)
        values = values - top - numpy.log(numpy.exp(values - top).sum(axis=1, keepdims=True))
        odds = evidence.around @ self.begins + self.begins_intercept
        odds = numpy.where(evidence.firsts, LARGEST_SCORE, odds)
        limited = numpy.clip(odds, -LARGEST_SCORE, LARGEST_SCORE)
        return numpy.hstack([numpy.maximum(values, -LARGEST_SCORE), limited[:, None]])


@dataclass(frozen=True)
class Weights:
    """How much each part of a labelling's score counts; learnt, few, so that some stacks suffice."""

    classes: float = 1.0
    #: Of the logarithm of the probability that a document begins, and of that it does not.
    begins: float = 1.0
    continues: float = 1.0
    #: Added for each document.
    documents: float = 0.0
    length: float = 1.0
    order: float = 1.0

    def of_pages(self, scores: Floats) -> Floats:
        """(page, class + 1) weighted scores of the stacking's."""
        odds = scores[:, -1:]
        begins = -numpy.logaddexp(0, -odds) * self.begins + numpy.logaddexp(0, odds) * self.continues + self.documents
        return numpy.hstack([scores[:, :-1] * self.classes, begins])


@dataclass(frozen=True)
class Decoded:
    """Documents of one stack, and how probable everything is; pages in their order."""

    documents: list[Document]
    #: (page, class), (page,)
    classes: Floats
    begins: Floats
    #: Of each document: that its pages and its class are right.
    probabilities: list[float]

    @property
    def class_numbers(self) -> list[int]:
        return [document.class_number for document in self.documents for _ in range(document.end - document.start)]

    @property
    def begin_marks(self) -> list[bool]:
        return [page == document.start for document in self.documents for page in range(document.start, document.end)]


@dataclass(frozen=True)
class Combiner:
    """The sequence model without its network."""

    classes: list[str]
    members: list[str]
    #: Those that say whether a document begins.
    begins_members: list[str]
    stacking: Stacking
    weights: Weights
    structure: Structure
    #: Share of the network's residual that is added; 0: the stacking alone was better in validation.
    network_share: float
    #: All scores are divided by it before they become probabilities.
    temperature: float

    def page_scores(self, evidence: Evidence) -> Floats:
        """(page, class + 1): what the network's residual is added to."""
        return self.weights.of_pages(self.stacking.scores(evidence))

    def decode(self, evidence: Evidence, residual: Floats | None) -> list[Decoded]:
        """Each stack's documents. `residual`: (page, class + 1), the network's answer; None where its share is 0."""
        scores = self.page_scores(evidence)
        if residual is not None:
            scores = scores + self.network_share * residual
        return decode(
            [scores[list(rows)] for rows in evidence.stacks],
            self.structure.scaled(self.weights.length, self.weights.order),
            self.temperature,
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "begins_members": self.begins_members,
            "stacking": {name: numpy.round(value, 6).tolist() for name, value in vars(self.stacking).items()},
            "weights": {name: round(value, 6) for name, value in vars(self.weights).items()},
            "structure": self.structure.as_json(),
            "network_share": self.network_share,
            "temperature": self.temperature,
        }

    @staticmethod
    def from_json(classes: Sequence[str], members: Sequence[str], value: Mapping[str, Any]) -> Combiner:
        """@raises KeyError, TypeError or ValueError where the value is no combiner."""
        own = value["stacking"]
        arrays = {name: numpy.asarray(own[name], numpy.float64) for name in ("classes", "class_intercepts", "begins")}
        return Combiner(
            list(classes),
            list(members),
            [str(name) for name in value["begins_members"]],
            Stacking(**arrays, begins_intercept=float(own["begins_intercept"])),
            Weights(**{name: float(value["weights"][name]) for name in vars(Weights())}),
            Structure.from_json(value["structure"]),
            float(value["network_share"]),
            float(value["temperature"]),
        )


def decode(stacks: Sequence[Floats], structure: Structure, temperature: float = 1.0) -> list[Decoded]:
    """Each stack's most probable documents, of its pages' scores (page, class + 1)."""
    result: dict[int, Decoded] = {}
    cooled = structure.scaled(1 / temperature, 1 / temperature)
    for places, scores in batches_of([stack / temperature for stack in stacks]):
        posterior = Posterior(scores, cooled)
        for index, documents in enumerate(most_probable(scores, cooled)):
            pages = len(stacks[places[index]])
            probabilities = [posterior.document(index, document) for document in documents]
            classes, begins = posterior.classes[:pages, index], posterior.begins[:pages, index]
            result[places[index]] = Decoded(documents, classes, begins, probabilities)
    return [result[place] for place in range(len(stacks))]


@dataclass(frozen=True)
class Answers:
    """The decoded pages of several stacks, in the order of the evidence's rows."""

    class_numbers: Integers
    begins: Booleans
    #: (page, class), (page,)
    class_probabilities: Floats
    begin_probabilities: Floats
    #: (page,): of the document that the page belongs to
    document_probabilities: Floats

    @staticmethod
    def of(decoded: Sequence[Decoded], stacks: Rows) -> Answers:
        rows = numpy.concatenate([numpy.asarray(own) for own in stacks])
        order = numpy.argsort(rows)

        def joined(parts: Sequence[Any]) -> Any:
            return numpy.concatenate([numpy.asarray(part) for part in parts])[order]

        documents = [
            numpy.repeat(one.probabilities, [document.end - document.start for document in one.documents])
            for one in decoded
        ]
        return Answers(
            joined([one.class_numbers for one in decoded]),
            joined([one.begin_marks for one in decoded]),
            joined([one.classes for one in decoded]),
            joined([one.begins for one in decoded]),
            joined(documents),
        )
