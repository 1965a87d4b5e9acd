#!/usr/bin/env python3
"""Labels stacks of pages with a published ensemble: the class of every page, and which pages are one document.

    python predict.py MODEL --documents DIR [--stack NAME ...] [--review-below P] [--unknown-below P]

MODEL is what the publish step wrote: manifest.json, a folder per member, the combiner's folder. DIR holds the pages as
training data does, text/<stack>/<page>.txt and images/<stack>/<page>.png, without labels. One line of JSON a stack:

    {"stack": "s1", "pages": [{"page": 1, "class": "payslip", "probability": 0.98, "begins_document": 0.99}, ...],
     "segments": [{"first_page": 1, "last_page": 4, "class": "purchase_contract", "probability": 0.97}, ...]}

A segment's probability is that just these pages are one document, and of this class. With --review-below, a segment
that is less probable has "review": true; with --unknown-below its class is "unknown". model.json of the combiner names
the probabilities above which documents were right in 99, 98 and 95 % of the cases (`review`).

Ends with 1 and one line on standard error where the model or a page cannot be used. No file of MODEL is a program:
models are arrays and JSON, and only what the manifest names is opened.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy

from common import text_model
from common.arrays import Floats
from common.combiner import Combiner, Decoded, Evidence
from common.data import read_images, read_texts, rows_by_stack
from common.documents import Page, by_stack, listing_of, read_unlabelled, refuse
from common.errors import DataError
from common.network import prepare_keras
from common.published import Model, Published, read_published
from sources import REPORT_SECONDS, SourcePage, import_pages

#: Pages that a network reads at once.
BATCH = 64
#: Stacks that are read and labelled together.
TOGETHER = 16
IMAGE_WORKERS = 2
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Limits:
    """Below which probabilities a document is for a human, or has no class."""

    review: float = 0.0
    unknown: float = 0.0


class Ensemble:
    """A published ensemble, checked and loaded; `predict` answers for many stacks."""

    def __init__(self, published: Published) -> None:
        self._combiner = _combiner_of(published)
        self._keras = prepare_keras(0)
        self._members = {
            name: [self._load(model) for model in published.members[name]] for name in self._combiner.members
        }
        self._network = self._load_network(published.combiner)

    def _load(self, model: Model) -> tuple[Model, Any]:
        if model.kind == "text":
            return model, text_model.load_content(model.content, model.classes, model.place)
        return model, self._load_network(model)

    def _load_network(self, model: Model) -> Any:
        """Keras reads files only; it gets one with the content that was checked."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            path.write_bytes(model.content)
            try:
                return self._keras.models.load_model(path, compile=False, safe_mode=True)
            except Exception as error:  # whatever Keras, h5py or zipfile raise: the file is no network
                raise DataError(f"{model.place}: no network ({type(error).__name__})") from None

    def _member(self, name: str, documents: Path, pages: Sequence[Page]) -> tuple[Floats, Floats]:
        """Of a member: (page, class) in the combiner's order, and (page,) whether a document begins; means over its
        networks.
        """
        classes = numpy.zeros((len(pages), len(self._combiner.classes)))
        begins = numpy.zeros(len(pages))
        for model, trained in self._members[name]:
            own, own_begins = _answers(model, trained, documents, pages)
            classes[:, [self._combiner.classes.index(one) for one in model.classes]] += own
            begins += own_begins
        return classes / len(self._members[name]), begins / len(self._members[name])

    def predict(
        self, documents: Path, stacks: Mapping[str, Sequence[Page]], limits: Limits | None = None
    ) -> Iterator[dict[str, Any]]:
        """The answer for each stack, in their order."""
        names = list(stacks)
        for start in range(0, len(names), TOGETHER):
            own = names[start : start + TOGETHER]
            pages = [page for stack in own for page in stacks[stack]]
            rows = rows_by_stack(pages)
            evidence = self._evidence(documents, pages, [rows[stack] for stack in own])
            decoded = self._combiner.decode(evidence, self._residual(evidence))
            for stack, one in zip(own, decoded, strict=True):
                yield answer_of(stack, self._combiner.classes, one, limits or Limits())

    def _evidence(self, documents: Path, pages: Sequence[Page], stacks: Sequence[Sequence[int]]) -> Evidence:
        answers = {name: self._member(name, documents, pages) for name in self._combiner.members}
        begins = [answers[name][1] for name in self._combiner.begins_members]
        return Evidence(
            numpy.stack([classes for classes, _ in answers.values()], axis=1),
            numpy.stack(begins, axis=1) if begins else numpy.zeros((len(pages), 0)),
            stacks,
        )

    def _residual(self, evidence: Evidence) -> Floats | None:
        if self._combiner.network_share == 0:
            return None
        result = numpy.zeros((len(evidence.features), len(self._combiner.classes) + 1))
        longest = max(map(len, evidence.stacks))
        inputs = numpy.zeros((len(evidence.stacks), longest, evidence.features.shape[1]), numpy.float32)
        for index, rows in enumerate(evidence.stacks):
            inputs[index, : len(rows)] = evidence.features[list(rows)]
        answers = numpy.asarray(self._network.predict_on_batch(inputs))
        for index, rows in enumerate(evidence.stacks):
            result[list(rows)] = answers[index, : len(rows)]
        return result


def _combiner_of(published: Published) -> Combiner:
    model = published.combiner
    try:
        members = [str(name) for name in model.description["members"]]
        combiner = Combiner.from_json(model.classes, members, model.description["combiner"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{model.place}/model.json: no combiner ({type(error).__name__}: {error})") from None
    for name in combiner.members:
        if name not in published.members:
            raise DataError(f"manifest.json: the combiner was trained on member {name}, which is not published")
        for part in published.members[name]:
            if not set(part.classes) <= set(combiner.classes):
                raise DataError(
                    f"{part.place}: its classes are not the combiner's; "
                    "members and combiner must come from one training"
                )
    return combiner


def _answers(model: Model, trained: Any, documents: Path, pages: Sequence[Page]) -> tuple[Floats, Floats]:
    if model.kind == "text":
        stacks = list(rows_by_stack(pages).values())
        classes, begins = trained.predict(read_texts(documents / "text", pages, "pages"), stacks)
        return classes, begins
    size = model.description["preprocessing"]
    pixels = read_images(documents / "images", pages, size["width"], size["height"], IMAGE_WORKERS, "pages")
    answers = trained.predict(pixels, batch_size=BATCH, verbose=0)
    return numpy.asarray(answers["class"]), numpy.asarray(answers["begins"])[:, 0]


def answer_of(stack: str, classes: Sequence[str], decoded: Decoded, limits: Limits) -> dict[str, Any]:
    """One line of the output."""
    pages = [
        {
            "page": index + 1,
            "class": classes[number],
            "probability": round(float(decoded.classes[index, number]), 6),
            "begins_document": round(float(decoded.begins[index]), 6),
        }
        for index, number in enumerate(decoded.class_numbers)
    ]
    segments = []
    for document, probability in zip(decoded.documents, decoded.probabilities, strict=True):
        segment: dict[str, Any] = {
            "first_page": document.start + 1,
            "last_page": document.end,
            "class": UNKNOWN if probability < limits.unknown else classes[document.class_number],
            "probability": round(probability, 6),
        }
        if probability < limits.review:
            segment["review"] = True
        segments.append(segment)
    return {"stack": stack, "pages": pages, "segments": segments}


def read_stacks(documents: Path, wanted: Sequence[str], stacks: Sequence[str] | None) -> dict[str, list[Page]]:
    """The pages of the stacks (of all without a name), checked as those that are trained on; in the order of the
    names.
    """
    labels = read_unlabelled(listing_of(documents, wanted), wanted)
    own = by_stack(labels.pages)
    if stacks is None:
        refuse(labels.problems)
        if not own:
            raise DataError(f"{documents.name}: no stack; expected text/<stack>/001.txt and images/<stack>/001.png")
        return own
    unknown = [stack for stack in stacks if stack not in own]
    if unknown:
        raise DataError(
            f"{documents.name}: no stack {', '.join(unknown)}; there are {', '.join(list(own)[:10]) or 'none'}"
        )
    refuse([problem for problem in labels.problems if any(f"/{stack}/" in problem.file for stack in stacks)])
    return {stack: own[stack] for stack in stacks}


def _probability(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a probability from 0 to 1, got {text}")
    return value


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Labels stacks of pages with a published ensemble.")
    parser.add_argument("model", type=Path, help="folder with manifest.json, as the publish step writes it")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--documents", type=Path, help="folder with text/<stack>/<page>.txt and images/<stack>/<page>.png"
    )
    given.add_argument(
        "--source",
        type=Path,
        action="extend",
        nargs="+",
        help="PDF, TIFF, JPEG or PNG, or folders of them: a stack a PDF or TIFF, or a folder of pictures",
    )
    parser.add_argument("--languages", default="eng", help="what Tesseract reads, for example deu+eng")
    parser.add_argument("--stack", action="append", help="name of a stack; repeatable; default: every stack of DIR")
    parser.add_argument(
        "--review-below", type=_probability, default=0.0, help="documents that are less probable are marked for review"
    )
    parser.add_argument(
        "--unknown-below", type=_probability, default=0.0, help="documents that are less probable are 'unknown'"
    )
    return parser.parse_args(arguments)


def label(options: argparse.Namespace, documents: Path, places: Mapping[tuple[str, int], SourcePage]) -> None:
    """Prints the answers; `places` says of imported pages which file each is from."""
    published = read_published(options.model)
    # loading takes seconds: after the pages have been checked
    stacks = read_stacks(documents, published.folders, options.stack)
    print(f"{sum(map(len, stacks.values()))} pages in {len(stacks)} stacks; loading the models ...", file=sys.stderr)
    ensemble = Ensemble(published)
    limits = Limits(options.review_below, options.unknown_below)
    told = time.monotonic()
    for count, answer in enumerate(ensemble.predict(documents, stacks, limits), start=1):
        for page in answer["pages"]:
            place = places.get((answer["stack"], page["page"]))
            if place is not None:
                page |= {"file": str(place.file), "file_page": place.file_page}
        print(json.dumps(answer), flush=True)
        if time.monotonic() - told > REPORT_SECONDS:
            told = time.monotonic()
            print(f"  {count} of {len(stacks)} stacks", file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> None:
    if options.source is None:
        label(options, options.documents, {})
        return
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        imported = import_pages(options.source, Path(folder), options.languages)
        label(options, Path(folder), {(page.stack, page.page): page for page in imported.pages})


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    try:
        run(options)
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
