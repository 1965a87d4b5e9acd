"""What the models are judged by: page accuracy, macro F1, confusion, and segment F1."""

from __future__ import annotations

from typing import Sequence

from .data import Page, by_stack

#: (stack, first page, last page, class)
Segment = tuple[str, int, int, str]


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


def macro_f1(matrix: Sequence[Sequence[int]]) -> float:
    """Mean of the F1 of every class that occurs, truly or as a prediction."""
    scores = []
    for position in range(len(matrix)):
        right = matrix[position][position]
        occurring = sum(matrix[position]) + sum(row[position] for row in matrix)
        if occurring:
            scores.append(2 * right / occurring)
    return sum(scores) / len(scores) if scores else 0.0


def true_segments(pages: Sequence[Page]) -> set[Segment]:
    """The documents: a segment begins where begins_document says so."""
    return segments_from_begins(pages, [page.class_name for page in pages], [page.begins_document for page in pages])


def segments_of_runs(pages: Sequence[Page], predicted: Sequence[str]) -> set[Segment]:
    """A base model's segments: the maximal runs of one predicted class within a stack."""
    class_of = {(page.stack, page.page): name for page, name in zip(pages, predicted, strict=True)}
    begins = [class_of.get((page.stack, page.page - 1)) != class_of[page.stack, page.page] for page in pages]
    return segments_from_begins(pages, predicted, begins)


def segments_from_begins(
    pages: Sequence[Page],
    predicted: Sequence[str],
    begins: Sequence[bool],
    probabilities: Sequence[dict[str, float]] | None = None,
) -> set[Segment]:
    """Segments that begin where `begins` is true (and on first pages).

    The class is the one with the highest summed probability over the segment's pages; without probabilities the most
    frequent one. The name decides a tie.
    """
    row_of = {(page.stack, page.page): row for row, page in enumerate(pages)}
    segments: set[Segment] = set()
    for stack, own in by_stack(pages).items():
        runs: list[list[int]] = []
        for page in own:
            row = row_of[stack, page.page]
            if not runs or begins[row]:
                runs.append([])
            runs[-1].append(row)
        for run in runs:
            votes: dict[str, float] = {}
            for row in run:
                for name, weight in (probabilities[row] if probabilities else {predicted[row]: 1.0}).items():
                    votes[name] = votes.get(name, 0.0) + weight
            best = min(votes, key=lambda name: (-votes[name], name))
            segments.add((stack, pages[run[0]].page, pages[run[-1]].page, best))
    return segments


def segment_f1(truth: set[Segment], predicted: set[Segment]) -> float:
    """F1 over segments: one is right when its first page, its last page and its class are right."""
    return 2 * len(truth & predicted) / (len(truth) + len(predicted)) if truth or predicted else 0.0


def summary(
    pages: Sequence[Page],
    predicted: Sequence[str],
    classes: Sequence[str],
    segments: set[Segment] | None = None,
) -> dict[str, object]:
    """The metrics of one split. `segments`: of a model that marks where documents begin; else the runs of one class."""
    truth = [page.class_name for page in pages]
    matrix = confusion(truth, predicted, classes)
    return {
        "pages": len(pages),
        "page_accuracy": page_accuracy(truth, predicted),
        "macro_f1": macro_f1(matrix),
        "segment_f1": segment_f1(
            true_segments(pages), segments if segments is not None else segments_of_runs(pages, predicted)
        ),
        "confusion": matrix,
    }
