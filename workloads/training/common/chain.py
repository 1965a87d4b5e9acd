"""Decodes a stack as a whole: which documents it consists of, given scores of its pages and the structure of documents.

The model is a semi-Markov conditional random field. A labelling of a stack is a sequence of documents; its score is the
sum of its pages' scores (of the document's class, and of beginning where a document begins), and of the structure's
logarithms (which class follows which, how long a document is). Its probability is proportional to the exponential of
its score. A state is a class and the page's number within its document, capped, so every sum and every maximum over all
labellings takes time proportional to the pages.

The trainings, their metrics and predict all decode by this code. Arrays are (page, stack, ...): the pages of many
stacks, of about equal length, go through together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy

from .arrays import Booleans, Floats, Integers
from .structure import Document, Structure

#: Stacks that go through together.
TOGETHER = 64


@dataclass(frozen=True)
class Scores:
    """Scores of the pages of some stacks; behind a stack's last page they mean nothing."""

    #: (page, stack, class): of the page being of the class.
    classes: Floats
    #: (page, stack): of a document beginning on the page, against not.
    begins: Floats
    #: (stack,): pages.
    lengths: Integers

    @staticmethod
    def of(stacks: Sequence[Floats]) -> Scores:
        """Each stack's scores are (page, class + 1), last of beginning."""
        lengths = numpy.array([len(stack) for stack in stacks])
        padded = numpy.zeros((int(lengths.max()), len(stacks), stacks[0].shape[1]))
        for index, stack in enumerate(stacks):
            padded[: len(stack), index] = stack
        return Scores(padded[..., :-1], padded[..., -1], lengths)

    @cached_property
    def present(self) -> Booleans:
        """(page, stack): false behind a stack's last page."""
        return numpy.asarray(numpy.arange(len(self.begins))[:, None] < self.lengths)


def batches_of_lengths(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of stacks of about equal length together: a long one makes only its own batch long."""
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    for start in range(0, len(order), TOGETHER):
        yield order[start : start + TOGETHER]


def batches_of(stacks: Sequence[Floats]) -> Iterator[tuple[list[int], Scores]]:
    """The stacks' places and scores, batch by batch."""
    for places in batches_of_lengths([len(stack) for stack in stacks]):
        yield places, Scores.of([stacks[place] for place in places])


class Posterior:
    """Probabilities of all labellings together: of a page's class, of its beginning a document, of whole documents."""

    def __init__(self, scores: Scores, structure: Structure) -> None:
        self._scores, self._structure = scores, structure
        self._first, self._follows = numpy.exp(structure.first), numpy.exp(structure.follows)
        self._ends, self._continues = numpy.exp(structure.ends), numpy.exp(structure.continues)
        # scaled by each page's largest score, so that no exponential overflows
        top = scores.classes.max(axis=2) + numpy.maximum(scores.begins, 0)
        self._inside = numpy.exp(scores.classes - top[..., None])
        self._beginning = numpy.exp(scores.classes + scores.begins[..., None] - top[..., None])
        self._forward_pass(top)
        self._backward_pass()

    def _forward_pass(self, top: Floats) -> None:
        pages, stacks, classes = self._inside.shape
        ages = self._structure.ages
        self._forward = numpy.zeros((pages, stacks, classes, ages))
        self._ended = numpy.empty((pages, stacks, classes))
        self._before = numpy.empty((pages, stacks, classes))
        self._scale = numpy.ones((pages, stacks))
        for page in range(pages):
            state = self._forward[page]
            if page:
                older = self._forward[page - 1] * self._continues
                older *= self._inside[page, :, :, None]
                state[..., 1:] = older[..., :-1]
                state[..., -1] += older[..., -1]
                self._before[page] = self._ended[page - 1] @ self._follows
            else:
                self._before[page] = self._first
            state[..., 0] = self._before[page] * self._beginning[page]
            total = state.reshape(stacks, -1).sum(axis=1)
            self._scale[page] = numpy.where(self._scores.present[page], total, 1)
            state /= self._scale[page][:, None, None]
            self._ended[page] = (state * self._ends).sum(axis=2)
        last = self._scores.lengths - 1
        self._total = self._ended[last, numpy.arange(stacks)].sum(axis=1)
        scaled = (numpy.log(self._scale) + top) * self._scores.present
        #: (stack,): logarithm of the sum of the exponentials of all labellings' scores.
        self.log_total: Floats = scaled.sum(axis=0) + numpy.log(self._total)

    def _backward_pass(self) -> None:
        pages, stacks, classes, ages = self._forward.shape
        self._backward = numpy.zeros((pages, stacks, classes, ages))
        #: What follows the end of a document of a class after a page.
        self._after = numpy.zeros((pages, stacks, classes))
        for page in range(pages - 1, -1, -1):
            state = self._backward[page]
            if page + 1 < pages:
                later = self._backward[page + 1]
                scale = self._scale[page + 1][:, None]
                self._after[page] = (self._beginning[page + 1] * later[..., 0] / scale) @ self._follows.T
                state[..., :-1] = later[..., 1:]
                state[..., -1] = later[..., -1]
                state *= self._continues
                state *= (self._inside[page + 1] / scale)[..., None]
            final = self._scores.lengths - 1 == page
            self._after[page, final] = 1 / self._total[final, None]
            state[final] = 0
            state += self._ends * self._after[page][..., None]

    @cached_property
    def _states(self) -> Floats:
        return numpy.asarray(self._forward * self._backward * self._scores.present[..., None, None])

    @cached_property
    def classes(self) -> Floats:
        """(page, stack, class)"""
        return numpy.asarray(self._states.sum(axis=3))

    @cached_property
    def begins(self) -> Floats:
        """(page, stack)"""
        return numpy.asarray(self._states[..., 0].sum(axis=2))

    def length_scores(self) -> Floats:
        """(stack,): expected sum of the structure's logarithms of lengths."""
        later = numpy.empty_like(self._backward[1:])
        later[..., :-1] = self._backward[1:, ..., 1:]
        later[..., -1] = self._backward[1:, ..., -1]
        step = self._inside[1:] / self._scale[1:, :, None] * self._scores.present[1:, :, None]
        stays = self._forward[:-1] * self._continues * later * step[..., None]
        ends = self._states.copy()
        ends[:-1] -= stays
        total = (stays * self._structure.continues).sum(axis=(0, 2, 3))
        return numpy.asarray(total + (ends * self._structure.ends).sum(axis=(0, 2, 3)))

    def order_scores(self) -> Floats:
        """(stack,): expected sum of the structure's logarithms of classes' order."""
        first = (self._states[0, ..., 0] * self._structure.first).sum(axis=1)
        entered = self._beginning * self._backward[..., 0] / self._scale[..., None]
        entered *= self._scores.present[..., None]
        weighted = self._follows * self._structure.follows
        return numpy.asarray(first + numpy.einsum("tnc,cd,tnd->n", self._ended[:-1], weighted, entered[1:]))

    def document(self, stack: int, document: Document) -> float:
        """The probability that just these pages are a document, and of this class."""
        number, start = document.class_number, document.start
        value = self._before[start, stack, number] * self._beginning[start, stack, number] / self._scale[start, stack]
        last_age = self._structure.ages - 1
        for page in range(start + 1, document.end):
            age = min(page - start - 1, last_age)
            value *= self._continues[number, age] * self._inside[page, stack, number] / self._scale[page, stack]
        age = min(document.end - start - 1, last_age)
        value *= self._ends[number, age] * self._after[document.end - 1, stack, number]
        return float(min(1.0, value))


def most_probable(scores: Scores, structure: Structure) -> list[list[Document]]:
    """Each stack's documents under the labelling with the highest score."""
    best = _forward_maxima(scores, structure)
    return [best.trace(stack, int(length)) for stack, length in enumerate(scores.lengths)]


@dataclass(frozen=True)
class _Maxima:
    """From where each state's best score came; (page, stack, class) each."""

    #: The age with which a document of the class best ends after the page.
    ending_age: Integers
    #: The class of the document that best ends before one of the class begins on the page.
    previous: Integers
    #: Whether the oldest age on the page came from itself, and not from the age below.
    remained: Booleans
    #: (page, stack): the class of the document that best ends there, if the stack does.
    final: Integers
    ages: int

    def trace(self, stack: int, length: int) -> list[Document]:
        documents: list[Document] = []
        end = length
        number = int(self.final[length - 1, stack])
        while end > 0:
            start, age = end - 1, int(self.ending_age[end - 1, stack, number])
            while age > 0:
                if not (age == self.ages - 1 and self.remained[start, stack, number]):
                    age -= 1
                start -= 1
            documents.append(Document(number, start, end))
            number, end = int(self.previous[start, stack, number]), start
        return documents[::-1]


def _forward_maxima(scores: Scores, structure: Structure) -> _Maxima:
    pages, stacks, classes = scores.classes.shape
    ages = structure.ages
    shape = (pages, stacks, classes)
    ending, previous = numpy.zeros(shape, int), numpy.zeros(shape, int)
    remained, final = numpy.zeros(shape, bool), numpy.zeros(shape[:2], int)
    state = numpy.full((stacks, classes, ages), -numpy.inf)
    best_end = numpy.zeros((stacks, classes))
    for page in range(pages):
        inside = scores.classes[page]
        begin = structure.first[None]
        if page:
            reached = best_end[:, :, None] + structure.follows
            previous[page], begin = reached.argmax(axis=1), reached.max(axis=1)
            older = state + structure.continues + inside[:, :, None]
            state = numpy.concatenate([state[..., :1], older[..., :-1]], axis=2)
            remained[page] = older[..., -1] > state[..., -1]
            state[..., -1] = numpy.maximum(state[..., -1], older[..., -1])
        state[..., 0] = begin + inside + scores.begins[page][:, None]
        endings = state + structure.ends
        ending[page], best_end = endings.argmax(axis=2), endings.max(axis=2)
        final[page] = best_end.argmax(axis=1)
    return _Maxima(ending, previous, remained, final, ages)


def score_of(scores: Floats, structure: Structure, documents: Sequence[Document]) -> tuple[float, float, float, float]:
    """Sums over one stack's labelling: class scores, begin scores, logarithms of lengths, logarithms of order.

    `scores`: (page, class + 1), last of beginning.
    """
    last_age = structure.ages - 1
    order = structure.first[documents[0].class_number]
    order += sum(structure.follows[before.class_number, after.class_number] for before, after in pairwise(documents))
    classes = begins = lengths = 0.0
    for document in documents:
        own = document.class_number
        ages = numpy.minimum(numpy.arange(document.end - document.start), last_age)
        classes += scores[document.start : document.end, own].sum()
        begins += scores[document.start, -1]
        lengths += structure.continues[own, ages[:-1]].sum() + structure.ends[own, ages[-1]]
    return float(classes), float(begins), float(lengths), float(order)
