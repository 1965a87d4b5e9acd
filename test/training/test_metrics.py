"""Page, document and stack metrics, comparisons, calibration."""

from __future__ import annotations

import numpy
import pytest

from common import metrics
from common.documents import Page
from common.metrics import Labelling


def pages(*classes: str, begins: str, stack: str = "s") -> list[Page]:
    return [
        Page(stack, number, name, mark == "b", "test", number + 1)
        for number, (name, mark) in enumerate(zip(classes, begins, strict=True), start=1)
    ]


def test_documents_are_told_apart_even_of_one_class_after_another() -> None:
    truth = Labelling.truth(pages("x", "x", "x", "y", begins="b.bb"))
    assert truth.all_segments == {("s", 1, 2, "x"), ("s", 3, 3, "x"), ("s", 4, 4, "y")}


def test_documents_of_a_model_without_begin_marks_are_runs_of_a_class_within_a_stack() -> None:
    found = Labelling.runs(pages("x", "x", "x", "y", begins="b.bb"), ["x", "x", "y", "y"])
    assert found.all_segments == {("s", 1, 2, "x"), ("s", 3, 4, "y")}
    two = [*pages("x", begins="b", stack="a"), *pages("x", begins="b", stack="b")]
    assert Labelling.runs(two, ["x", "x"]).all_segments == {("a", 1, 1, "x"), ("b", 1, 1, "x")}


def test_a_stack_begins_with_a_document_whatever_is_marked() -> None:
    assert Labelling(pages("x", "y", begins="bb"), ["x", "y"], [False, True]).segments == {
        "s": {("s", 1, 1, "x"), ("s", 2, 2, "y")}
    }


def test_a_document_counts_only_with_first_page_last_page_and_class() -> None:
    truth = {("s", 1, 2, "x"), ("s", 3, 4, "y")}
    assert metrics.segment_f1(truth, truth) == 1
    for wrong in (("s", 1, 1, "x"), ("s", 2, 2, "x"), ("s", 1, 2, "y"), ("t", 1, 2, "x")):
        assert metrics.segment_f1(truth, {wrong, ("s", 3, 4, "y")}) == 0.5
    assert metrics.segment_f1(truth, {("s", 3, 4, "y")}) == pytest.approx(2 / 3)


def test_boundaries_leave_out_first_pages_which_everybody_knows() -> None:
    own = pages("x", "x", "y", "y", begins="b.bb")
    truth = Labelling.truth(own)
    assert metrics.boundary_f1(truth, Labelling(own, truth.classes, [True, False, True, False])) == pytest.approx(2 / 3)
    assert metrics.boundary_f1(truth, Labelling(own, truth.classes, [True, True, False, False])) == 0
    one = Labelling.truth(pages("x", "x", begins="b."))
    assert metrics.boundary_f1(one, one) == 1


def test_a_stack_is_right_when_all_its_documents_are() -> None:
    own = [*pages("x", "y", begins="bb", stack="a"), *pages("x", "x", begins="b.", stack="b")]
    truth = Labelling.truth(own)
    assert metrics.stacks_right(truth, truth) == 1
    assert metrics.stacks_right(truth, Labelling(own, ["x", "y", "x", "x"], [True, True, True, True])) == 0.5


def test_confusion_and_macro_f1() -> None:
    matrix = metrics.confusion(["x", "x", "y", "z"], ["x", "y", "y", "y"], ["w", "x", "y", "z"])
    assert matrix == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 1, 0]]
    # F1 of x is 2/3, of y 1/2, of z 0; w occurs nowhere and does not count.
    assert metrics.macro_f1(matrix) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_each_class_has_its_own_precision_recall_and_documents() -> None:
    own = pages("x", "x", "y", begins="b.b")
    found = metrics.per_class(Labelling.truth(own), Labelling(own, ["x", "y", "y"], [True, True, True]), ["x", "y"])
    assert found["x"] == pytest.approx(
        {"pages": 2, "documents": 1, "precision": 1, "recall": 0.5, "f1": 2 / 3, "segment_f1": 0}
    )
    assert found["y"]["precision"] == 0.5 and found["y"]["segment_f1"] == pytest.approx(2 / 3)


def many(stacks: int, right_share: float, seed: int) -> tuple[Labelling, Labelling]:
    random = numpy.random.default_rng(seed)
    own = [page for stack in range(stacks) for page in pages("x", "y", "z", begins="bbb", stack=f"s{stack}")]
    names = [page.class_name if random.random() < right_share else "w" for page in own]
    return Labelling.truth(own), Labelling(own, names, [True] * len(own))


def test_comparison_is_paired_over_stacks_and_knows_noise() -> None:
    truth, good = many(40, 0.9, 1)
    _, bad = many(40, 0.5, 2)
    gain = metrics.compare(truth, good, bad, 1)["page_accuracy"]
    assert gain["low"] < gain["gain"] < gain["high"] and gain["low"] > 0.2
    same = metrics.compare(truth, good, good, 1)
    assert all((one["low"], one["gain"], one["high"]) == (0, 0, 0) and one["noise"] > 0 for one in same.values())
    assert gain == metrics.compare(truth, good, bad, 1)["page_accuracy"]


def test_calibration_error_is_the_distance_of_probability_and_share_right() -> None:
    random = numpy.random.default_rng(1)
    probabilities = random.random(20_000)
    honest = metrics.reliability(probabilities, random.random(20_000) < probabilities)
    assert honest["expected_calibration_error"] < 0.02 and len(honest["bins"]) == metrics.BINS
    boasting = metrics.reliability(numpy.full(100, 0.95), numpy.arange(100) < 50)
    assert boasting["expected_calibration_error"] == pytest.approx(0.45)


def test_threshold_is_the_lowest_that_keeps_the_precision() -> None:
    probabilities = numpy.array([0.9, 0.8, 0.7, 0.6])
    right = numpy.array([True, True, False, True])
    assert metrics.threshold_for(probabilities, right, 1.0) == 0.8
    assert metrics.threshold_for(probabilities, right, 0.75) == 0.6
    assert metrics.threshold_for(probabilities, ~right, 0.9) is None
    # equal probabilities cannot be told apart by a threshold
    assert metrics.threshold_for(numpy.array([0.9, 0.9]), numpy.array([True, False]), 0.9) is None
    table = metrics.review({0.99: 0.8, 0.95: None}, probabilities, right)
    assert [(row["without_review"], row["share"], row["right"]) for row in table] == [(2, 0.5, 1.0), (0, 0.0, None)]
