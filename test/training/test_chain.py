"""The chain against an oracle that looks at every labelling one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from common.chain import Posterior, Scores, batches_of, most_probable, score_of
from common.chain_loss import loss_and_gradient
from common.combiner import Evidence, Weights, decode
from common.fitting import HeldOut, Truth, fit_stacking, fit_temperature, fit_weights
from common.structure import Document, Structure, documents_of, structure_of

CLASSES, AGES = 3, 3


def random_stack(random: numpy.random.Generator, pages: int) -> list[Document]:
    begins = random.random(pages) < 0.4
    begins[0] = True
    numbers = random.integers(CLASSES, size=pages)[numpy.cumsum(begins) - 1]
    return documents_of(numbers, begins)


@pytest.fixture(scope="module")
def structure() -> Structure:
    random = numpy.random.default_rng(3)
    return structure_of([random_stack(random, int(random.integers(3, 9))) for _ in range(6)], CLASSES, AGES)


def labellings(pages: int) -> Iterator[list[Document]]:
    for marks in itertools.product([False, True], repeat=pages - 1):
        begins = numpy.array([True, *marks])
        for classes in itertools.product(range(CLASSES), repeat=int(begins.sum())):
            yield documents_of(numpy.array(classes)[numpy.cumsum(begins) - 1], begins)


def all_scores(scores: Any, structure: Structure) -> tuple[list[list[Document]], Any, Any]:
    """Every labelling, its parts of the score, its probability."""
    every = list(labellings(len(scores)))
    parts = numpy.array([score_of(scores, structure, documents) for documents in every])
    totals = parts.sum(axis=1)
    powers = numpy.exp(totals - totals.max())
    return every, parts, powers / powers.sum()


def test_sums_maxima_and_probabilities_are_those_of_all_labellings(structure: Structure) -> None:
    random = numpy.random.default_rng(1)
    stacks = [random.normal(scale=2, size=(pages, CLASSES + 1)) for pages in (5, 6, 1, 4)]
    scores = Scores.of(stacks)
    posterior, best = Posterior(scores, structure), most_probable(scores, structure)
    for index, stack in enumerate(stacks):
        every, parts, probabilities = all_scores(stack, structure)
        assert posterior.log_total[index] == pytest.approx(numpy.log(numpy.exp(parts.sum(axis=1)).sum()))
        assert best[index] == every[int(probabilities.argmax())]
        classes, begins = numpy.zeros((len(stack), CLASSES)), numpy.zeros(len(stack))
        for documents, probability in zip(every, probabilities, strict=True):
            for document in documents:
                classes[document.start : document.end, document.class_number] += probability
                begins[document.start] += probability
        assert posterior.classes[: len(stack), index] == pytest.approx(classes)
        assert posterior.begins[: len(stack), index] == pytest.approx(begins)
        assert posterior.length_scores()[index] == pytest.approx(probabilities @ parts[:, 2])
        assert posterior.order_scores()[index] == pytest.approx(probabilities @ parts[:, 3])
        for document in best[index]:
            right = sum(p for documents, p in zip(every, probabilities, strict=True) if document in documents)
            assert posterior.document(index, document) == pytest.approx(right)


def test_gradient_is_that_of_the_loss(structure: Structure) -> None:
    random = numpy.random.default_rng(2)
    scores = random.normal(size=(2, 5, CLASSES + 1))
    targets = numpy.zeros((2, 5, 3))
    for index, pages in enumerate((5, 3)):
        for document in random_stack(random, pages):
            targets[index, document.start : document.end, 0] = document.class_number
            targets[index, document.start, 1] = 1
        targets[index, :pages, 2] = 1
    losses, gradient = loss_and_gradient(targets, scores, structure)
    assert (losses > 0).all() and (gradient[1, 3:] == 0).all()
    step = 1e-4
    for place in [(0, 0, 1), (0, 3, 3), (1, 2, 0), (1, 1, 3), (1, 4, 2)]:
        moved = [scores.copy(), scores.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = (loss_and_gradient(targets, one, structure)[0].astype(float).sum() for one in moved)
        assert gradient[place] == pytest.approx((up - down) / (2 * step), abs=2e-3)


def test_scores_so_large_that_exponentials_overflow_are_decoded(structure: Structure) -> None:
    scores = numpy.zeros((4, CLASSES + 1))
    scores[:2, 0], scores[2:, 1] = 900.0, 900.0
    scores[[1, 3], -1] = -900.0
    (decoded,) = decode([scores], structure)
    assert [(document.class_number, document.start, document.end) for document in decoded.documents] == [
        (0, 0, 2),
        (1, 2, 4),
    ]
    assert numpy.isfinite(decoded.classes).all() and decoded.probabilities[0] == pytest.approx(1, abs=1e-6)


def test_a_document_may_be_longer_than_any_that_was_seen(structure: Structure) -> None:
    scores = numpy.zeros((40, CLASSES + 1))
    scores[:, 2], scores[:, -1] = 3.0, -4.0
    (decoded,) = decode([scores], structure)
    assert decoded.documents == [Document(2, 0, 40)]


def test_stacks_go_through_together_by_length_and_come_back_in_their_order(structure: Structure) -> None:
    random = numpy.random.default_rng(4)
    stacks = [random.normal(size=(int(pages), CLASSES + 1)) for pages in [*random.integers(1, 9, size=150), 300]]
    assert max(scores.begins.shape[0] for places, scores in batches_of(stacks) if 150 not in places) < 9
    together = decode(stacks, structure)
    assert [len(one.class_numbers) for one in together] == [len(stack) for stack in stacks]
    for place in (0, 77, 149, 150):
        assert decode([stacks[place]], structure)[0].documents == together[place].documents


def test_length_and_order_are_learnt_from_documents() -> None:
    # class 0 always has two pages and is followed by class 1, which has one
    stacks = [[Document(0, 0, 2), Document(1, 2, 3), Document(0, 3, 5), Document(1, 5, 6)] for _ in range(50)]
    learnt = structure_of(stacks, 2, AGES)
    (decoded,) = decode([numpy.zeros((6, 3))], learnt)
    assert decoded.documents == stacks[0]
    assert numpy.exp(learnt.follows).sum(axis=1) == pytest.approx(1)
    assert numpy.exp(learnt.ends) + numpy.exp(learnt.continues) == pytest.approx(numpy.ones((2, AGES)))


def test_weights_make_the_true_documents_more_probable_and_the_temperature_makes_them_honest() -> None:
    random = numpy.random.default_rng(5)
    truth = [random_stack(random, 8) for _ in range(60)]
    stacks = []
    for documents in truth:
        scores = random.normal(size=(8, CLASSES + 1))
        for document in documents:
            scores[document.start : document.end, document.class_number] += 1
            scores[document.start, -1] += 2
        stacks.append(scores)
    learnt = structure_of(truth, CLASSES)

    def weighted(given: Weights, times: float = 1.0) -> HeldOut:
        structure = learnt.scaled(given.length * times, given.order * times)
        return HeldOut([given.of_pages(own) * times for own in stacks], structure, truth)

    weights = fit_weights([HeldOut(stacks, learnt, truth)])
    assert weighted(weights).loss() < weighted(Weights()).loss() - 0.05 * 8 * len(stacks)
    assert fit_temperature([weighted(weights, 5)]) > 3


def test_an_order_that_is_chance_counts_for_little() -> None:
    same, other = [], []
    for seed in range(6, 11):
        random = numpy.random.default_rng(seed)
        truth = [[Document(int(random.integers(CLASSES)), page, page + 1) for page in range(6)] for _ in range(16)]
        stacks = [random.normal(size=(6, CLASSES + 1)) for _ in truth]
        halves = [slice(0, 8), slice(8, 16)]
        shares = [
            HeldOut(stacks[own], structure_of(truth[rest], CLASSES), truth[own]) for own, rest in (halves, halves[::-1])
        ]
        same.append(fit_weights([HeldOut(stacks, structure_of(truth, CLASSES), truth)]).order)
        other.append(fit_weights(shares).order)
    assert numpy.mean(same) > 1, "counted on the very stacks, chance seems to be an order"
    assert numpy.mean(other) < 0.5


def test_a_member_that_knows_nothing_costs_nothing_even_on_few_pages() -> None:
    random = numpy.random.default_rng(7)
    pages, classes = 400, 6
    truth = random.integers(classes, size=pages)
    knowing = random.dirichlet(numpy.ones(classes), pages) * 0.5
    knowing[numpy.arange(pages), truth] += 0.5
    guessing = random.dirichlet(numpy.full(classes, 0.3), pages)
    evidence = Evidence(numpy.stack([knowing, guessing], axis=1), numpy.zeros((pages, 0)), [range(pages)])
    documents = [[Document(int(number), page, page + 1) for page, number in enumerate(truth)]]
    few = numpy.arange(80)
    stacking = fit_stacking(evidence, Truth(truth, numpy.ones(pages, int), documents, classes), few, (0.003, 0.003))
    answers = stacking.scores(evidence)[80:, :-1].argmax(axis=1)
    assert (answers == truth[80:]).mean() >= (knowing[80:].argmax(axis=1) == truth[80:]).mean() - 0.02
