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
STRENGTHS = (0.0003, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
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


@dataclass(frozen=True)
class HeldOut:
    """Some stacks, with scores (page, class + 1) and a structure that did not learn from them."""

    scores: Sequence[Floats]
    structure: Structure
    documents: Sequence[Sequence[Document]]

    def limited(self, stacks: int) -> HeldOut:
        return HeldOut(self.scores[:stacks], self.structure, self.documents[:stacks])

    def loss(self, temperature: float = 1.0) -> float:
        """Negative logarithm of the true documents' probability. Scores and structure are weighted already."""
        cooled = self.structure.scaled(1 / temperature, 1 / temperature)
        stacks = [stack / temperature for stack in self.scores]
        total = 0.0
        for places, scores in batches_of(stacks):
            total += float(Posterior(scores, cooled).log_total.sum())
            total -= sum(sum(score_of(stacks[place], cooled, self.documents[place])) for place in places)
        return total


def fit_stacking(evidence: Evidence, truth: Truth, rows: Integers, strengths: tuple[float, float]) -> Stacking:
    """Learnt on the pages `rows`; `strengths`: of the regression of classes and of begins."""
    classes, intercepts = _fit_classes(evidence, rows, truth.class_numbers[rows], truth.classes, strengths[0])
    inner = rows[~evidence.firsts[rows]]
    begins, begins_intercept = _fit_begins(evidence.around[inner], truth.begins[inner], strengths[1])
    return Stacking(classes, intercepts, begins, begins_intercept)


def _fit_classes(
    evidence: Evidence, rows: Integers, numbers: Integers, classes: int, strength: float
) -> tuple[Floats, Floats]:
    """Weights (class, member x class) and intercepts (class,) of a multinomial regression.

    A member's own logarithms count for their own classes with one weight a member, which is free; what else a weight
    is, and the intercepts, is held to 0. So few pages give a weighted mean of what the members say, and many tell which
    of them confuses what. Of a class that no page has the intercept rules it out.
    """
    from scipy.optimize import minimize

    inputs, probabilities = evidence.logarithms[rows], evidence.probabilities
    members = probabilities.shape[1]
    own = inputs.reshape(len(rows), members, classes)
    known = numpy.zeros(classes, bool)
    known[numpy.unique(numbers)] = True
    shut_out = numpy.where(known, 0.0, -LARGEST_SCORE)
    targets = numpy.zeros((len(rows), classes))
    targets[numpy.arange(len(rows)), numbers] = 1

    def parts(values: Floats) -> tuple[Floats, Floats, Floats]:
        trust, rest = values[:members], values[members:].reshape(classes, -1)
        return trust, rest[:, :-1], rest[:, -1]

    def loss(values: Floats) -> tuple[float, Floats]:
        trust, weights, intercepts = parts(values)
        scores = numpy.einsum("nmc,m->nc", own, trust) + inputs @ weights.T + intercepts + shut_out
        scores -= scores.max(axis=1, keepdims=True)
        totals = numpy.log(numpy.exp(scores).sum(axis=1, keepdims=True))
        wrong = numpy.exp(scores - totals) - targets
        total = float((totals[:, 0] - (scores * targets).sum(axis=1)).sum())
        total += 0.5 / strength * float((weights**2).sum() + (intercepts**2).sum())
        gradient = numpy.hstack(
            [wrong.T @ inputs + weights / strength, (wrong.sum(axis=0) + intercepts / strength)[:, None]]
        )
        return total, numpy.concatenate([numpy.einsum("nmc,nc->m", own, wrong), gradient.ravel()])

    start = numpy.zeros(members + classes * (inputs.shape[1] + 1))
    start[:members] = 1 / members
    bounds = [(0.0, None)] * members + [(None, None)] * (len(start) - members)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _ITERATIONS})
    trust, weights, intercepts = parts(found.x)
    for member in range(members):
        diagonal = numpy.arange(classes)
        weights[diagonal, member * classes + diagonal] += trust[member]
    return weights, intercepts + shut_out


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


def fit_weights(shares: Sequence[HeldOut]) -> Weights:
    """The weights under which the true documents are most probable, held to their start.

    What neither scores nor structure have learnt from: on its own stacks a structure seems to know more than it does.
    """
    from scipy.optimize import minimize

    start = numpy.array(list(vars(Weights()).values()))
    limited = [share.limited(-(-STACKS_FOR_WEIGHTS // len(shares))) for share in shares]
    known = numpy.array(
        [
            _true_parts(own, share.structure, documents)
            for share in limited
            for own, documents in zip(share.scores, share.documents, strict=True)
        ]
    ).sum(axis=0)

    def loss(values: Floats) -> tuple[float, Floats]:
        weights = Weights(*values)
        parts = [_expected_parts(share.scores, share.structure, weights) for share in limited]
        total, expected = sum(part[0] for part in parts), numpy.sum([part[1] for part in parts], axis=0)
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


def best_of(values: Sequence[float], loss: Callable[[float], float]) -> float:
    """The value with the least loss; of equal ones the first."""
    return min(values, key=loss)


def fit_temperature(shares: Sequence[HeldOut]) -> float:
    """By what scores are divided so that probabilities are as high as documents are often right."""
    limited = [share.limited(-(-STACKS_FOR_WEIGHTS // len(shares))) for share in shares]
    temperatures = [float(value) for value in _TEMPERATURES]
    return round(best_of(temperatures, lambda value: sum(share.loss(value) for share in limited)), 6)
