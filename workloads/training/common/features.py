"""What the sequence model is given: in the training and in every later prediction the same."""

from __future__ import annotations

from typing import Any, Sequence

#: Probabilities below this count as this.
SMALLEST_PROBABILITY = 1e-3


def features_of(probabilities: Any) -> Any:
    """(page, member, class) to one row a page: centred logarithms, in which agreement of members adds up."""
    import numpy

    logarithms = numpy.log(numpy.maximum(probabilities, SMALLEST_PROBABILITY))
    logarithms = (logarithms - logarithms.mean(axis=2, keepdims=True)) / -numpy.log(SMALLEST_PROBABILITY)
    return logarithms.reshape(len(probabilities), -1).astype(numpy.float32)


def padded_inputs(sequences: Sequence[Sequence[int]], length: int, features: Any) -> Any:
    """(sequence, page, feature); a last feature is 1 on pages and 0 on padding, so that only padding is all 0 and masked."""
    import numpy

    inputs = numpy.zeros((len(sequences), length, features.shape[1] + 1), numpy.float32)
    for index, rows in enumerate(map(list, sequences)):
        inputs[index, : len(rows), :-1] = features[rows]
        inputs[index, : len(rows), -1] = 1
    return inputs
