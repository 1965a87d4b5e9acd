"""A part of the stored text model; it lies here because a pickled model finds its classes by module name."""

from __future__ import annotations

from typing import Any, Sequence


class SoftmaxOfDecision:
    """`calibration none`: the softmax of the distances; ranks right, but is no honest probability."""

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, texts: Sequence[str], classes: Sequence[str]) -> SoftmaxOfDecision:
        self.classifier.fit(texts, classes)
        self.classes_ = self.classifier.classes_
        return self

    def predict_proba(self, texts: Sequence[str]) -> Any:
        import numpy
        from scipy.special import softmax

        distances = self.classifier.decision_function(texts)
        if distances.ndim == 1:
            distances = numpy.stack([-distances, distances], axis=1)
        return softmax(distances, axis=1)
