"""Reads and checks what the trainings are given: labels, folds, texts, images, the merged table.

Every error names file and line (of the page in labels.csv, where the fault is in the page's file).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy

from . import documents
from .arrays import Booleans, Floats, Integers
from .documents import COLUMNS, LABELS, PAGE_FILES, TEST, TRAIN, Page, Problem, by_stack, refuse
from .errors import DataError


def find_one(channel: Path, name: str) -> Path:
    """The file that a channel is for; SageMaker puts an object's key below its prefix, so it lies at the channel's
    top.
    """
    path = channel / name
    if not path.is_file():
        present = ", ".join(sorted(entry.name for entry in channel.iterdir())[:5]) or "nothing"
        raise DataError(f"{name}: not in channel '{channel.name}', which holds {present}")
    return path


def read_rows(path: Path, required: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Header (as line 1) and rows of a CSV file, with line numbers; the header must begin with `required`."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if header is None or header[: len(required)] != list(required):
                raise DataError(
                    f"{path.name}:1: expected the header {','.join(required)}, "
                    f"got {','.join(header or []) or 'nothing'}"
                )
            yield 1, header
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise DataError(f"{path.name}:{reader.line_num}: expected {len(header)} values, got {len(row)}")
                yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 at byte {error.start}") from None
    except csv.Error as error:
        raise DataError(f"{path.name}: {error}") from None


def parse_page(path: Path, line: int, row: list[str]) -> Page:
    """A row of the merged table, whose first columns are those of labels.csv with every split filled."""
    value = dict(zip(COLUMNS, row, strict=False))
    refuse(documents.value_problems(line, value, path.name))
    page = documents.page_of(line, value)
    if page.split == "":
        refuse([Problem("split-open", path.name, line, {"stack": page.stack})])
    return page


def check_pages(path: Path, pages: Sequence[Page]) -> None:
    """Pages are unique and consecutive, a stack has one split, a document one class, and there is something to train
    and to test.
    """
    problems = [problem for stack, own in by_stack(pages).items() for problem in documents.stack_problems(stack, own)]
    refuse([replace(problem, file=path.name) for problem in problems])
    for split in (TRAIN, TEST):
        if not any(page.split == split for page in pages):
            raise DataError(f"{path.name}: no page with split {split}")


def rows_by_stack(pages: Sequence[Page], split: str | None = None) -> dict[str, list[int]]:
    """The rows of each stack's pages (of one split), pages in their order, stacks by name."""
    stacks: dict[str, list[int]] = {}
    for row, page in enumerate(pages):
        if split is None or page.split == split:
            stacks.setdefault(page.stack, []).append(row)
    return {name: sorted(rows, key=lambda row: pages[row].page) for name, rows in sorted(stacks.items())}


def read_labels(channel: Path) -> list[Page]:
    """The pages of labels.csv as the fetch job leaves it, by stack and page."""
    labels = documents.read_labels(find_one(channel, LABELS).read_bytes())
    refuse(labels.problems)
    unsplit = [page for page in labels.pages if page.split == "" and page.page == 1]
    refuse([Problem("split-open", line=page.line, values={"stack": page.stack}) for page in unsplit])
    return labels.pages


def classes_of(pages: Sequence[Page]) -> list[str]:
    """The classes of the training pages, sorted; a class that only test pages have cannot be learnt."""
    refuse(documents.check_classes(pages, 1))
    return sorted({page.class_name for page in pages if page.split == TRAIN})


def check_class_stacks(pages: Sequence[Page], folds: int) -> None:
    """Every fold needs a stack of every class to hold out."""
    refuse([problem for problem in documents.check_classes(pages, folds) if problem.code == "class-stacks"])


def read_folds(channel: Path, pages: Sequence[Page]) -> tuple[int, dict[str, int]]:
    """K and the fold of every training stack."""
    path = find_one(channel, "folds.json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        count, folds = content["k"], content["folds"]
    except (ValueError, KeyError, TypeError):
        raise DataError('folds.json: expected {"k": K, "folds": {"<stack>": fold}}') from None
    if not isinstance(count, int) or isinstance(count, bool) or not 2 <= count <= 100:
        raise DataError(f"folds.json: k is {count!r}, expected a whole number from 2 to 100")
    if not isinstance(folds, dict):
        raise DataError("folds.json: folds: expected an object of stack to fold")
    stacks = {page.stack: page for page in pages if page.split == TRAIN}
    for stack, fold in folds.items():
        if stack not in stacks:
            raise DataError(
                f"folds.json: stack '{str(stack)[:70]}' is no training stack of labels.csv; "
                "make the split anew from these labels"
            )
        if not isinstance(fold, int) or isinstance(fold, bool) or not 0 <= fold < count:
            raise DataError(f"folds.json: fold of stack {stack} is {fold!r}, expected 0 to {count - 1}")
    for stack, page in stacks.items():
        if stack not in folds:
            raise DataError(f"folds.json: training stack {stack} (labels.csv:{page.line}) has no fold")
    for fold in range(count):
        if fold not in folds.values():
            raise DataError(f"folds.json: fold {fold} holds no stack")
    return count, folds


def page_files(channel: Path, folder: str, pages: Sequence[Page], source: str) -> list[Path]:
    """The file of every page in a channel that holds `text` or `images`."""
    files = [channel / page.stack / f"{page.file_stem}.{PAGE_FILES[folder]}" for page in pages]
    missing = [page for page, file in zip(pages, files, strict=True) if not file.is_file()]
    refuse([Problem("file-missing", source, page.line, {"file": page.file(folder)}) for page in missing])
    return files


def _row_of(page: Page, source: str) -> int | None:
    """The row of labels.csv that names a page; pages to be labelled have none."""
    return page.line if source == LABELS else None


def read_texts(channel: Path, pages: Sequence[Page], source: str = LABELS) -> list[str]:
    """Text of every page; an empty page is allowed (OCR found nothing). `source`: what Page.line counts in, for
    messages.
    """
    contents = [file.read_bytes() for file in page_files(channel, "text", pages, source)]
    reasons = [documents.text_problem(content) for content in contents]
    refuse(
        [
            Problem("text", page.file("text"), values={"reason": reason}, row=_row_of(page, source))
            for page, reason in zip(pages, reasons, strict=True)
            if reason is not None
        ]
    )
    return [content.decode("utf-8-sig") for content in contents]


def decode_image(path: Path, width: int, height: int) -> Floats:
    """A page as grey pixels (height, width), 0 white to 1 black; raises OSError or ValueError when it is no image."""
    from PIL import Image

    from .images import grey_of

    content = path.read_bytes()
    problem = documents.png_problem(content)
    if problem is not None:
        raise ValueError(problem)
    # the bound on pixels is documents.json's, not Pillow's
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(content), formats=["PNG"]) as opened:
        grey = grey_of(opened).resize((width, height), Image.Resampling.BOX)
    return 1 - numpy.asarray(grey, dtype=numpy.float32) / 255


def read_images(
    channel: Path, pages: Sequence[Page], width: int, height: int, workers: int, source: str = "labels.csv"
) -> Floats:
    """Pixels of every page as float16 (page, height, width, 1), read by `workers` threads; the order is that of
    `pages`.
    """

    files = page_files(channel, "images", pages, source)
    pixels = numpy.empty((len(pages), height, width, 1), numpy.float16)

    def load(index: int) -> Problem | None:
        try:
            pixels[index, :, :, 0] = decode_image(files[index], width, height)
        except (OSError, ValueError, SyntaxError) as error:
            page = pages[index]
            return Problem("image", page.file("images"), values={"reason": str(error)}, row=_row_of(page, source))
        return None

    with ThreadPoolExecutor(max_workers=workers) as pool:
        refuse([problem for problem in pool.map(load, range(len(pages))) if problem is not None])
    return pixels


#: Name of a member's second output in the merged table: `<member>::begins_document`. No class name holds a colon.
BEGINS_COLUMN = ":begins_document"
#: Probabilities are written with six digits or more.
_ROUNDING = 1e-4
_SUM_ROUNDING = 0.01


@dataclass(frozen=True)
class Table:
    """The merged table: what every member says about each page; rows by stack and page."""

    pages: list[Page]
    members: list[str]
    classes: list[str]
    #: (page, member, class)
    probabilities: Floats
    #: (page, member): that a document begins there; NaN for a member that does not say.
    begins: Floats

    @property
    def class_numbers(self) -> Integers:
        """(page,): the true class's place in `classes`."""
        return numpy.array([self.classes.index(page.class_name) for page in self.pages])

    @property
    def begin_marks(self) -> Booleans:
        """(page,): whether a document truly begins there."""
        return numpy.array([page.begins_document for page in self.pages])


@dataclass(frozen=True)
class _Columns:
    """What the header of the merged table says."""

    members: list[str]
    classes: list[str]
    #: Places of the columns <member>:<class>, by member and class.
    probabilities: list[list[int]]
    #: Place of <member>::begins_document by member; None where it has none.
    begins: list[int | None]


def _columns_of(names: Sequence[str]) -> _Columns:
    own: dict[str, dict[str, int]] = {}
    for place, column in enumerate(names):
        member, colon, output = column.partition(":")
        if not (member and colon and output):
            raise DataError(f"dataframe.csv:1: column '{column[:70]}': expected <member>:<class>")
        if output in own.setdefault(member, {}):
            raise DataError(f"dataframe.csv:1: column '{column[:70]}' occurs twice")
        own[member][output] = place
    if not own:
        raise DataError("dataframe.csv:1: no column <member>:<class>: no base model has predictions here")
    begins = [places.pop(BEGINS_COLUMN, None) for places in own.values()]
    classes = sorted(next(iter(own.values())))
    for member, places in own.items():
        if sorted(places) != classes:
            raise DataError(
                f"dataframe.csv:1: member {member} has the classes {', '.join(sorted(places))}, "
                f"expected {', '.join(classes)}"
            )
    return _Columns(list(own), classes, [[places[name] for name in classes] for places in own.values()], begins)


def read_table(channel: Path) -> Table:
    """dataframe.csv; members and classes come from its header `<member>:<class>`, begins from
    `<member>::begins_document`.
    """
    path = find_one(channel, "dataframe.csv")
    rows = read_rows(path, COLUMNS)
    _, header = next(rows)
    columns = _columns_of(header[len(COLUMNS) :])
    pages, values = [], []
    for line, row in rows:
        page = parse_page(path, line, row)
        if page.class_name not in columns.classes:
            raise DataError(f"dataframe.csv:{line}: class {page.class_name} has no column")
        try:
            values.append([float(text) for text in row[len(COLUMNS) :]])
        except ValueError:
            raise DataError(f"dataframe.csv:{line}: a probability is not a number") from None
        pages.append(page)
    if not pages:
        raise DataError("dataframe.csv: no pages")
    check_pages(path, pages)
    array = numpy.array(values)
    _check_probabilities(array, header[len(COLUMNS) :], columns, pages)
    order = sorted(range(len(pages)), key=lambda index: (pages[index].stack, pages[index].page))
    probabilities = array[order][:, columns.probabilities]
    begins = numpy.full((len(pages), len(columns.members)), numpy.nan)
    for member, place in enumerate(columns.begins):
        if place is not None:
            begins[:, member] = array[order, place]
    return Table([pages[index] for index in order], columns.members, columns.classes, probabilities, begins)


def _check_probabilities(values: Floats, names: Sequence[str], columns: _Columns, pages: Sequence[Page]) -> None:
    wrong = numpy.argwhere((values < -_ROUNDING) | (values > 1 + _ROUNDING) | ~numpy.isfinite(values))
    if len(wrong):
        index, place = (int(value) for value in wrong[0])
        raise DataError(
            f"dataframe.csv:{pages[index].line}: {names[place]} is {values[index, place]:g}, "
            "expected a probability from 0 to 1"
        )
    sums = values[:, columns.probabilities].sum(axis=2)
    wrong = numpy.argwhere(abs(sums - 1) > _SUM_ROUNDING)
    if len(wrong):
        index, member = (int(value) for value in wrong[0])
        raise DataError(
            f"dataframe.csv:{pages[index].line}: the probabilities of {columns.members[member]} sum to "
            f"{sums[index, member]:.3f}, expected 1"
        )
