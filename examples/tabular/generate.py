"""Writes a table: data/labels.csv and data/features.csv. Equal seeds give equal files.

Three classes of which no single kind of model has the whole: a linear part, a ring, and a threshold of two features together. Every row
is a stack of one page, so rows are held out one by one; rows that belong together would share a stack.
"""

import csv
import sys
from pathlib import Path

import numpy

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
random = numpy.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
rows = 900
features = random.normal(size=(rows, 8))
linear = features[:, 0] + 0.7 * features[:, 1] - 0.5 * features[:, 2]
ring = features[:, 3] ** 2 + features[:, 4] ** 2 - 2
both = numpy.where((features[:, 5] > 0) == (features[:, 6] > 0), 1.0, -1.0)
scores = numpy.stack([linear, 1.2 * ring, 1.3 * both - 0.3], axis=1) + random.gumbel(scale=0.35, size=(rows, 3))
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
