"""What the training stacks tell of documents as such: which class follows which, and how long a document is.

A document's length is known by its hazard: how likely a document of a class ends after a page, given that it has come
so far. From some page on the hazard stays as it is, so no length is impossible, and a stack costs time in proportion to
its pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy

from .arrays import Booleans, Floats, Integers

#: Pages of a document that are told apart by their number; later ones count as this.
AGES = 12
#: So many documents' weight has what is common to all classes, beside a class's own documents.
PRIOR_DOCUMENTS = 4.0
_SMALLEST_HAZARD = 1e-3


@dataclass(frozen=True)
class Structure:
    """Logarithms of probabilities."""

    #: (class,): of a stack's first document.
    first: Floats
    #: (class, class): of the document after one of the row's class.
    follows: Floats
    #: (class, age): that a document ends after its page of that number, and that it does not.
    ends: Floats
    continues: Floats

    @property
    def classes(self) -> int:
        return len(self.first)

    @property
    def ages(self) -> int:
        return int(self.ends.shape[1])

    def scaled(self, length: float, order: float) -> Structure:
        """Weights of what is known of lengths, and of classes' order, against the pages' own scores."""
        return Structure(self.first * order, self.follows * order, self.ends * length, self.continues * length)

    def as_json(self) -> dict[str, Any]:
        return {name: numpy.round(value, 6).tolist() for name, value in vars(self).items()}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Structure:
        names = ("first", "follows", "ends", "continues")
        return Structure(*(numpy.asarray(value[name], numpy.float64) for name in names))


@dataclass(frozen=True)
class Document:
    """A document of a stack, by the places of its pages: `start` to before `end`."""

    class_number: int
    start: int
    end: int


def documents_of(classes: Integers, begins: Booleans) -> list[Document]:
    """The documents of one stack: a class and a begin mark a page."""
    starts = [place for place in range(len(classes)) if place == 0 or begins[place]]
    return [
        Document(int(classes[start]), start, end)
        for start, end in zip(starts, [*starts[1:], len(classes)], strict=True)
    ]


def structure_of(stacks: Sequence[Sequence[Document]], classes: int, ages: int = AGES) -> Structure:
    """Counted on the training stacks; where documents are few, what is common to all classes has the more weight."""
    first, of_class = numpy.zeros(classes), numpy.ones(classes)
    follows = numpy.zeros((classes, classes))
    reached, ended = numpy.zeros((classes, ages)), numpy.zeros((classes, ages))
    for documents in stacks:
        first[documents[0].class_number] += 1
        for before, after in pairwise(documents):
            follows[before.class_number, after.class_number] += 1
        for document in documents:
            of_class[document.class_number] += 1
            pages = numpy.minimum(numpy.arange(document.end - document.start), ages - 1)
            numpy.add.at(reached[document.class_number], pages, 1)
            ended[document.class_number, pages[-1]] += 1
    of_class /= of_class.sum()
    hazard = (ended.sum() + 1) / (reached.sum() + 2)
    common = (ended.sum(axis=0) + PRIOR_DOCUMENTS * hazard) / (reached.sum(axis=0) + PRIOR_DOCUMENTS)
    own = (ended + PRIOR_DOCUMENTS * common) / (reached + PRIOR_DOCUMENTS)
    hazards = numpy.clip(own, _SMALLEST_HAZARD, 1 - _SMALLEST_HAZARD)
    return Structure(
        numpy.log(_shared(first, of_class)),
        numpy.log(_shared(follows, of_class)),
        numpy.log(hazards),
        numpy.log1p(-hazards),
    )


def _shared(counts: Floats, common: Floats) -> Floats:
    """Probabilities of counts, with the weight of some documents for what is common."""
    total = counts.sum(axis=-1, keepdims=True) + PRIOR_DOCUMENTS
    return numpy.asarray((counts + PRIOR_DOCUMENTS * common) / total)
