"""Learns the combiner's few parameters: the stacking's regressions, the weights of the chain, its temperature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from .arrays import Floats, Integers
from .chain import Posterior, batches_of, score_of
from .combiner import LARGEST_SCORE, Evidence, Stacking, Weights
from .structure import Document, Structure

#: Strengths of the regressions' regularisation (scikit-learn's C) among which the folds choose.
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
#: Above so many coefficients Newton's matrix becomes large, and a quasi-Newton method is used.
_NEWTON_COEFFICIENTS = 2000
_ITERATIONS = 200
#: How strongly the chain's weights are held to where they start, against the sum over all stacks.
WEIGHTS_PENALTY = 1.0
#: The weights and the temperature are learnt on so many stacks at most: they are few.
STACKS_FOR_WEIGHTS = 1000
_TEMPERATURES = numpy.exp(numpy.linspace(numpy.log(0.4), numpy.log(4.0), 24))
_SMALLEST_SCALE = 1e-9
_SMALLEST_WEIGHT = 1e-3


@dataclass(frozen=True)
class Truth:
    """(page,) each: class and begin mark; and the documents of each stack of the evidence."""

    class_numbers: Integers
    begins: Integers
    documents: Sequence[Sequence[Document]]
    classes: int


def fit_stacking(evidence: Evidence, truth: Truth, rows: Integers, strengths: tuple[float, float]) -> Stacking:
    """Learnt on the pages `rows`; `strengths`: of the regression of classes and of begins."""
    classes, intercepts = _fit_classes(
        evidence.logarithms[rows], truth.class_numbers[rows], truth.classes, strengths[0]
    )
    inner = rows[~evidence.firsts[rows]]
    begins, begins_intercept = _fit_begins(evidence.around[inner], truth.begins[inner], strengths[1])
    return Stacking(classes, intercepts, begins, begins_intercept)


def _fit_classes(inputs: Floats, numbers: Integers, classes: int, strength: float) -> tuple[Floats, Floats]:
    """Weights (class, input) and intercepts (class,); of a class that no page has, an intercept that rules it out."""
    weights, intercepts = numpy.zeros((classes, inputs.shape[1])), numpy.full(classes, -LARGEST_SCORE)
    known = numpy.unique(numbers)
    if len(known) < 2:
        intercepts[known] = 0
        return weights, intercepts
    fitted = _regression(inputs, numbers, strength)
    if len(known) == 2:
        weights[known[1]], intercepts[known] = fitted.coef_[0], (0.0, fitted.intercept_[0])
    else:
        weights[known], intercepts[known] = fitted.coef_, fitted.intercept_
    return weights, intercepts


def _fit_begins(inputs: Floats, begins: Integers, strength: float) -> tuple[Floats, float]:
    if len(set(begins.tolist())) < 2:
        odds = (begins.sum() + 1) / (len(begins) - begins.sum() + 1)
        return numpy.zeros(inputs.shape[1]), float(numpy.log(odds))
    means, scales = inputs.mean(axis=0), inputs.std(axis=0)
    scales = numpy.where(scales > _SMALLEST_SCALE, scales, 1.0)
    fitted = _regression((inputs - means) / scales, begins, strength)
    weights = fitted.coef_[0] / scales
    return weights, float(fitted.intercept_[0] - means @ weights)


def _regression(inputs: Floats, targets: Integers, strength: float) -> Any:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # a regression that is nearly there serves as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        few = inputs.shape[1] * len(numpy.unique(targets)) <= _NEWTON_COEFFICIENTS
        solver = "newton-cholesky" if few else "lbfgs"
        return LogisticRegression(C=strength, solver=solver, max_iter=_ITERATIONS).fit(inputs, targets)


def choose_strengths(evidence: Evidence, truth: Truth, folds: Sequence[Integers]) -> tuple[float, float]:
    """The strengths whose predictions of held-out stacks are most probable; `folds`: the rows that each holds out."""
    everything = numpy.concatenate(folds)
    losses = numpy.zeros((len(STRENGTHS), 2))
    for held_out in folds:
        kept = numpy.setdiff1d(everything, held_out)
        inner = held_out[~evidence.firsts[held_out]]
        for place, strength in enumerate(STRENGTHS):
            scores = fit_stacking(evidence, truth, kept, (strength, strength)).scores(evidence)
            losses[place, 0] -= scores[held_out, truth.class_numbers[held_out]].sum()
            odds = scores[inner, -1]
            losses[place, 1] += numpy.logaddexp(0, numpy.where(truth.begins[inner], -odds, odds)).sum()
    classes, begins = losses.argmin(axis=0)
    return STRENGTHS[int(classes)], STRENGTHS[int(begins)]


def fit_weights(scores: Sequence[Floats], structure: Structure, truth: Sequence[Sequence[Document]]) -> Weights:
    """The weights under which the true documents are most probable, held to their start.

    `scores`: of each stack the stacking's (page, class + 1), of pages that it did not learn from.
    """
    from scipy.optimize import minimize

    start = numpy.array(list(vars(Weights()).values()))
    stacks = list(scores[:STACKS_FOR_WEIGHTS])
    known = numpy.array(
        [_true_parts(own, structure, documents) for own, documents in zip(stacks, truth, strict=False)]
    ).sum(axis=0)

    def loss(values: Floats) -> tuple[float, Floats]:
        weights = Weights(*values)
        total, expected = _expected_parts(stacks, structure, weights)
        away = values - start
        gradient = expected - known + WEIGHTS_PENALTY * away
        return total - float(known @ values) + 0.5 * WEIGHTS_PENALTY * float(away @ away), gradient

    bounds = [(None, None) if name == "documents" else (_SMALLEST_WEIGHT, None) for name in vars(Weights())]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
    return Weights(*(float(value) for value in found.x))


def _true_parts(scores: Floats, structure: Structure, documents: Sequence[Document]) -> list[float]:
    """By what each weight is multiplied in the true labelling's score."""
    classes, _, lengths, order = score_of(scores, structure, documents)
    odds = scores[[document.start for document in documents], -1]
    begins, continues = -numpy.logaddexp(0, -odds).sum(), numpy.logaddexp(0, odds).sum()
    return [classes, float(begins), float(continues), float(len(documents)), lengths, order]


def _expected_parts(stacks: Sequence[Floats], structure: Structure, weights: Weights) -> tuple[float, Floats]:
    """Sum of the stacks' logarithmic totals, and what each weight is multiplied by, expected over all labellings."""
    total, expected = 0.0, numpy.zeros(6)
    for places, raw in batches_of(stacks):
        batch = [weights.of_pages(stacks[place]) for place in places]
        weighted = type(raw).of(batch)
        posterior = Posterior(weighted, structure.scaled(weights.length, weights.order))
        total += float(posterior.log_total.sum())
        begins = posterior.begins
        # lengths and order are expected in their weighted form
        expected += [
            (posterior.classes * raw.classes).sum(),
            (begins * -numpy.logaddexp(0, -raw.begins)).sum(),
            (begins * numpy.logaddexp(0, raw.begins)).sum(),
            begins.sum(),
            posterior.length_scores().sum() / weights.length,
            posterior.order_scores().sum() / weights.order,
        ]
    return total, expected


def loss_of(stacks: Sequence[Floats], structure: Structure, truth: Sequence[Sequence[Document]]) -> float:
    """Negative logarithm of the true documents' probability, per page. `stacks`: weighted scores (page, class + 1)."""
    total = 0.0
    for places, scores in batches_of(stacks):
        total += float(Posterior(scores, structure).log_total.sum())
        total -= sum(sum(score_of(stacks[place], structure, truth[place])) for place in places)
    return total / sum(len(stack) for stack in stacks)


def best_of(values: Sequence[float], loss: Callable[[float], float]) -> float:
    """The value with the least loss; of equal ones the first."""
    return min(values, key=loss)


def fit_temperature(stacks: Sequence[Floats], structure: Structure, truth: Sequence[Sequence[Document]]) -> float:
    """By what scores are divided so that probabilities are as high as documents are often right."""
    stacks, truth = stacks[:STACKS_FOR_WEIGHTS], truth[:STACKS_FOR_WEIGHTS]

    def loss(temperature: float) -> float:
        cooled = structure.scaled(1 / temperature, 1 / temperature)
        return loss_of([stack / temperature for stack in stacks], cooled, truth)

    return round(best_of([float(value) for value in _TEMPERATURES], loss), 6)
