"""Writes a table: data/labels.csv and data/features.csv. Equal seeds give equal files.

Three classes of which no single kind of model has the whole: one is a weighted sum, one a ring, one a question of two
signs. Every row is a stack of one page, so rows are held out one by one; rows that belong together would share a stack.
"""

import csv
import sys
from pathlib import Path

import numpy

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
random = numpy.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
rows = 1200
features = random.normal(size=(rows, 12))
linear = features[:, :8] @ numpy.array([1, -1, 1, -1, 1, -1, 1, -1]) / 8**0.5
ring = (features[:, 8] ** 2 + features[:, 9] ** 2 - 2) / 2
both = numpy.where((features[:, 10] > 0) == (features[:, 11] > 0), 1.0, -1.0)
scores = numpy.stack([2 * linear, 1.5 * ring, 0.3 * both], axis=1) + random.gumbel(scale=0.2, size=(rows, 3))
classes = numpy.array(["low", "middle", "high"])[scores.argmax(axis=1)]

folder.mkdir(parents=True, exist_ok=True)
with open(folder / "labels.csv", "w", newline="") as labels, open(folder / "features.csv", "w", newline="") as table:
    label_rows, feature_rows = csv.writer(labels, lineterminator="\n"), csv.writer(table, lineterminator="\n")
    label_rows.writerow(["stack", "page", "class", "begins_document", "split"])
    feature_rows.writerow(["stack", "page", *(f"x{index}" for index in range(features.shape[1]))])
    for row in range(rows):
        # No split: the fetch job draws the rows that are held out.
        label_rows.writerow([f"row{row:04d}", 1, classes[row], "true", ""])
        feature_rows.writerow([f"row{row:04d}", 1, *(f"{value:.5f}" for value in features[row])])
