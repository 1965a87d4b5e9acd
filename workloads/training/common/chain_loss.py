"""The chain's loss for a Keras network: how improbable the true documents of a stack are under the network's scores.

Its gradient is the difference of what all labellings together expect of a page and what is true, so the very code that
decodes (chain.py) gives it; TensorFlow only carries it back into the network.
"""

from __future__ import annotations

from typing import Any

import numpy

from .arrays import Floats
from .chain import Posterior, Scores, score_of
from .structure import Structure, documents_of

#: What a batch's targets hold of each page: class, begin mark, whether there is a page.
TARGETS = 3


def loss_and_gradient(targets: Floats, scores: Floats, structure: Structure) -> tuple[Floats, Floats]:
    """(stack,) losses per page of a batch, and (stack, page, class + 1) gradients of their sum.

    `targets` (stack, page, 3) and `scores` (stack, page, class + 1) of a batch; behind a stack's last page they do not
    count.
    """
    lengths = targets[..., 2].sum(axis=1).astype(int)
    values = scores.transpose(1, 0, 2).astype(numpy.float64)
    posterior = Posterior(Scores(values[..., :-1], values[..., -1], lengths), structure)
    gradient = numpy.concatenate([posterior.classes, posterior.begins[..., None]], axis=2).transpose(1, 0, 2)
    losses = posterior.log_total.copy()
    for index, length in enumerate(lengths):
        classes, begins = targets[index, :length, 0].astype(int), targets[index, :length, 1] > 0
        gradient[index, numpy.arange(length), classes] -= 1
        gradient[index, :length, -1] -= begins
        losses[index] -= sum(score_of(values[:length, index], structure, documents_of(classes, begins)))
    pages = numpy.maximum(lengths, 1)
    gradient /= pages[:, None, None]
    return (losses / pages).astype(numpy.float32), gradient.astype(numpy.float32)


def chain_loss(structure: Structure) -> Any:
    """A TensorFlow function of targets (stack, page, 3) and scores (stack, page, class + 1): the mean of the stacks'
    losses.
    """
    import tensorflow

    def evaluate(targets: Floats, scores: Floats) -> tuple[Floats, Floats]:
        losses, gradient = loss_and_gradient(targets, scores, structure)
        return numpy.asarray(losses.mean(), numpy.float32), gradient / numpy.float32(len(losses))

    @tensorflow.custom_gradient  # type: ignore[untyped-decorator]
    def loss(targets: Any, scores: Any) -> tuple[Any, Any]:
        kinds = [tensorflow.float32, tensorflow.float32]
        value, gradient = tensorflow.numpy_function(evaluate, [targets, scores], kinds, stateful=False)
        value.set_shape(())
        gradient.set_shape(scores.shape)
        return value, lambda upstream: (None, upstream * gradient)

    return loss
