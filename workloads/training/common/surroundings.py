"""What a page's text and its neighbours' tell about whether a document begins on it, without knowing any class.

Page numbers that go on or start anew, running heads and feet, a sentence that goes on over the page, a heading at the
top, and how alike the words of neighbouring pages are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy

from .arrays import Floats

#: "page 3", "Seite 3", "p. 3": the number may be the page's.
_NAMED_NUMBER = re.compile(r"\b(?:page|seite|pagina|blatt|sheet|pg?\.?)\s*[:#]?\s*(\d{1,4})\b", re.IGNORECASE)
#: "3 of 7", "3/7": which page of how many.
_NUMBER_OF = re.compile(r"\b(\d{1,4})\s*(?:/|of|von|de|sur)\s*\d{1,4}\b", re.IGNORECASE)
_OUTER_NUMBER = re.compile(r"^\W{0,3}(\d{1,4})\b|\b(\d{1,4})\W{0,3}$")
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")
#: So many lines at the top and at the bottom may hold a page's number.
_EDGE_LINES = 3
_SENTENCE_ENDS = (".", "!", "?", ":", ";")

NAMES = (
    "similar_to_previous",
    "similar_to_next",
    "last_of_stack",
    "numbered_one",
    "number_goes_on",
    "number_repeats",
    "numbered",
    "previous_numbered",
    "same_head",
    "same_foot",
    "length",
    "previous_length",
    "previous_shorter",
    "begins_within_sentence",
    "previous_ends_sentence",
    "head_length",
    "head_capitals",
    "head_digits",
    "empty",
    "previous_empty",
)


@dataclass(frozen=True)
class PageText:
    """A page's text, read for its marks once."""

    text: str

    @cached_property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    @property
    def head(self) -> str:
        return self.lines[0] if self.lines else ""

    @property
    def foot(self) -> str:
        return self.lines[-1] if self.lines else ""

    @cached_property
    def numbers(self) -> frozenset[int]:
        """Numbers that may be the page's own: at its top or bottom, alone at an end of a line, or called a page."""
        edge = self.lines[:_EDGE_LINES] + self.lines[-_EDGE_LINES:]
        found = [
            group
            for line in edge
            for pattern in (_NAMED_NUMBER, _NUMBER_OF, _OUTER_NUMBER)
            for match in pattern.finditer(line)
            for group in match.groups()
            if group
        ]
        return frozenset(int(number) for number in found)

    @cached_property
    def length(self) -> float:
        return float(numpy.log1p(len(self.text)))


def _words(line: str) -> frozenset[str]:
    """The words of a line; numbers count as one word, since a running head differs in the page's number."""
    return frozenset(_WORD.findall(_DIGITS.sub("0", line.lower())))


def _alike(one: str, other: str) -> float:
    """Share of the words that two lines have in common."""
    words, others = _words(one), _words(other)
    return len(words & others) / len(words | others) if words or others else 0.0


def _share(line: str, kind: str) -> float:
    return sum(getattr(character, kind)() for character in line) / len(line) if line else 0.0


def _marks(page: PageText, previous: PageText) -> list[float]:
    return [
        float(1 in page.numbers),
        float(any(number + 1 in page.numbers for number in previous.numbers)),
        float(bool(page.numbers & previous.numbers)),
        float(bool(page.numbers)),
        float(bool(previous.numbers)),
        _alike(page.head, previous.head),
        _alike(page.foot, previous.foot),
        page.length,
        previous.length,
        page.length - previous.length,
        float(page.head[:1].islower()),
        float(previous.foot.endswith(_SENTENCE_ENDS)),
        min(len(page.head), 120) / 120,
        _share(page.head, "isupper"),
        _share(page.head, "isdigit"),
        float(not page.lines),
        float(not previous.lines),
    ]


def similarities(term_weights: object, stacks: Sequence[Sequence[int]]) -> Floats:
    """(page,): how alike the words of a page and the one before it are; 0 on a stack's first page.

    `term_weights`: sparse (page, term), rows of length 1. `stacks`: the rows of each stack's pages in their order.
    """
    result = numpy.zeros(term_weights.shape[0])  # type: ignore[attr-defined]
    pairs = [(previous, row) for rows in stacks for previous, row in pairwise(rows)]
    if pairs:
        before, after = (list(side) for side in zip(*pairs, strict=True))
        products = term_weights[before].multiply(term_weights[after])  # type: ignore[index]
        result[after] = numpy.asarray(products.sum(axis=1)).ravel()
    return result


def surroundings_of(texts: Sequence[str], stacks: Sequence[Sequence[int]], alike: Floats) -> Floats:
    """(page, feature), features as in NAMES; zero on a stack's first page, which begins a document in any case.

    `alike`: of `similarities`.
    """
    pages = [PageText(text) for text in texts]
    result = numpy.zeros((len(texts), len(NAMES)))
    for rows in stacks:
        for position, row in enumerate(rows[1:], start=1):
            last = position + 1 == len(rows)
            to_next = 0.0 if last else float(alike[rows[position + 1]])
            own = [float(alike[row]), to_next, float(last)]
            result[row] = own + _marks(pages[row], pages[rows[position - 1]])
    return result
