"""Page and segment metrics."""

from __future__ import annotations

import pytest
from common import metrics
from common.data import Page


def pages(*classes: str, begins: str) -> list[Page]:
    return [
        Page("s", number, name, mark == "b", "test", number + 1)
        for number, (name, mark) in enumerate(zip(classes, begins, strict=True), start=1)
    ]


def test_segments_are_documents_even_of_one_class_after_another() -> None:
    truth = metrics.true_segments(pages("x", "x", "x", "y", begins="b.bb"))
    assert truth == {("s", 1, 2, "x"), ("s", 3, 3, "x"), ("s", 4, 4, "y")}


def test_segments_of_a_base_model_are_the_maximal_runs_of_a_class() -> None:
    assert metrics.segments_of_runs(pages("x", "x", "x", "y", begins="b.bb"), ["x", "x", "y", "y"]) == {
        ("s", 1, 2, "x"),
        ("s", 3, 4, "y"),
    }


def test_runs_do_not_cross_stacks() -> None:
    two = [Page("a", 1, "x", True, "test", 2), Page("b", 1, "x", True, "test", 3)]
    assert metrics.segments_of_runs(two, ["x", "x"]) == {("a", 1, 1, "x"), ("b", 1, 1, "x")}


def test_class_of_a_marked_segment_is_the_most_probable_over_its_pages() -> None:
    votes = [{"x": 0.6, "y": 0.4}, {"x": 0.1, "y": 0.9}]
    found = metrics.segments_from_begins(pages("x", "x", begins="b."), ["x", "y"], [False, False], votes)
    assert found == {("s", 1, 2, "y")}


def test_a_segment_counts_only_with_first_page_last_page_and_class() -> None:
    truth = {("s", 1, 2, "x"), ("s", 3, 4, "y")}
    assert metrics.segment_f1(truth, truth) == 1
    for wrong in (("s", 1, 1, "x"), ("s", 2, 2, "x"), ("s", 1, 2, "y"), ("t", 1, 2, "x")):
        assert metrics.segment_f1(truth, {wrong, ("s", 3, 4, "y")}) == 0.5
    assert metrics.segment_f1(truth, {("s", 3, 4, "y")}) == pytest.approx(2 / 3)


def test_confusion_and_macro_f1() -> None:
    matrix = metrics.confusion(["x", "x", "y", "z"], ["x", "y", "y", "y"], ["w", "x", "y", "z"])
    assert matrix == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0]]
    # F1 of x is 2/3, of y 1/2, of z 0; w occurs nowhere and does not count.
    assert metrics.macro_f1(matrix) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
