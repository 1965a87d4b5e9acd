"""Progress lines, and the SageMaker metric definitions that read them (metric_definitions.json, also for other
programs).
"""

from __future__ import annotations

import json
from pathlib import Path

#: AlgorithmSpecification.MetricDefinitions by model: [{"Name", "Regex"}].
METRIC_DEFINITIONS: dict[str, list[dict[str, str]]] = json.loads(
    Path(__file__).with_name("metric_definitions.json").read_text(encoding="utf-8"),
)


def epoch_line(epoch: int, epochs: int, values: dict[str, float], fold: int | None = None) -> str:
    """`epoch 3/80 fold 2 loss=0.1234 accuracy=0.9000`; epochs count from 1."""
    place = "" if fold is None else f" fold {fold}"
    return f"epoch {epoch}/{epochs}{place} " + " ".join(f"{name}={value:.6g}" for name, value in values.items())
