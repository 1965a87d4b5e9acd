"""What the trainings, and predict, say about folders of documents: kinds of problems by folder, as one JSON object.

python verdicts.py FOLDER --folds K     FOLDER holds one folder for each set of documents
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workloads" / "training"))

from common import documents
from common.data import decode_image


def content_codes(folder: Path, pages: list[documents.Page]) -> set[str]:
    codes = set()
    for page in pages:
        text, image = folder / page.file("text"), folder / page.file("images")
        if text.is_file() and documents.text_problem(text.read_bytes()) is not None:
            codes.add("text")
        if image.is_file() and image.stat().st_size > 0:
            try:
                decode_image(image, 6, 8)
            except (OSError, ValueError, SyntaxError):
                codes.add("image")
    return codes


def labelled(folder: Path, folds: int) -> set[str]:
    """As a training reads its channels, but for splits, which the fetch job fills before."""
    path = folder / documents.LABELS
    if not path.is_file():
        return {"labels-missing"}
    wanted = list(documents.PAGE_FILES)
    labels = documents.read_labels(path.read_bytes())
    problems = labels.problems or documents.check_classes(labels.pages, folds)
    problems = [*problems, *documents.check_files(documents.listing_of(folder, wanted), labels, wanted)]
    return {problem.code for problem in problems} | content_codes(folder, labels.pages)


def unlabelled(folder: Path) -> set[str]:
    wanted = list(documents.PAGE_FILES)
    labels = documents.read_unlabelled(documents.listing_of(folder, wanted), wanted)
    return {problem.code for problem in labels.problems} | content_codes(folder, labels.pages)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, required=True)
    options = parser.parse_args()
    verdicts = {
        folder.name: {
            "training": sorted(labelled(folder, options.folds)),
            "predict": sorted(unlabelled(folder)),
        }
        for folder in sorted(options.folder.iterdir())
    }
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main()
