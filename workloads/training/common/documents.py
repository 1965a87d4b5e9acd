"""What a set of documents is: labels.csv, a file a page in text/ and images/.

The same check as workloads/documents/*.ts. The rules and the words of every problem stand in documents.json, which both
read. One problem is one place; `describe` tells problems of one kind in one line.
"""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import json
import os
import re
import struct
import sys
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .errors import DataError

SPECIFICATION = json.loads(Path(__file__).with_name("documents.json").read_text(encoding="utf-8"))
_LABELS = SPECIFICATION["labels"]
LABELS: str = _LABELS["file"]
COLUMNS: list[str] = list(_LABELS["columns"])
#: Folder and ending of the files that there are for a page.
PAGE_FILES: dict[str, str] = SPECIFICATION["pages"]
MAXIMUM_PIXELS: int = SPECIFICATION["maximumPixels"]
TRAIN, TEST = "train", "test"

_HEADER = ",".join(COLUMNS)
_PATTERNS = {name: re.compile(rule["pattern"]) for name, rule in _LABELS["columns"].items()}
_IGNORED = re.compile("|".join(SPECIFICATION["ignored"]), re.IGNORECASE)
#: Blanks around a value are not part of it: what spreadsheets and people leave there.
_AROUND = " \t\u00a0"
#: What jobs write beside the data.
_WRITTEN = {"manifest.json", "failure.txt"}
_PLACES_NAMED = 4
_SHOWN_CHARACTERS = 80
#: A field of labels.csv that is too long for its column is told as that, however long it is.
csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True)
class Page:
    """A row of labels.csv."""

    stack: str
    page: int
    class_name: str
    begins_document: bool
    #: train, test, or empty where the fetch job will draw.
    split: str
    #: Where it stands in its file, for messages.
    line: int

    @property
    def file_stem(self) -> str:
        return str(self.page).zfill(SPECIFICATION["digits"])

    def file(self, folder: str) -> str:
        return f"{folder}/{self.stack}/{self.file_stem}.{PAGE_FILES[folder]}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong at one place."""

    code: str
    #: Relative to the documents' folder.
    file: str = LABELS
    line: int | None = None
    values: Mapping[str, str | int] = field(default_factory=dict)
    #: What may be meant or to be done, where that can be guessed.
    hint: str | None = None
    #: Row of labels.csv that names the file.
    row: int | None = None


@dataclass(frozen=True)
class Labels:
    """What labels.csv says, as far as it can be read."""

    #: By stack and page.
    pages: list[Page]
    problems: list[Problem]
    #: Stacks whose rows have a problem: more that is said about them may follow from it.
    doubtful: frozenset[str] = frozenset()
    #: Whether it is known of every row which page it is about.
    complete: bool = False


@dataclass(frozen=True)
class _Row:
    line: int
    values: list[str]


def quoted(value: str) -> str:
    """A value for a message: in quotation marks, shortened."""
    shown = f"{value[:_SHOWN_CHARACTERS]}…" if len(value) > _SHOWN_CHARACTERS else value
    return json.dumps(shown, ensure_ascii=False)


def by_stack(pages: Iterable[Page]) -> dict[str, list[Page]]:
    """Stacks by name, each stack's pages in their order."""
    stacks: dict[str, list[Page]] = {}
    for page in pages:
        stacks.setdefault(page.stack, []).append(page)
    return {stack: sorted(own, key=lambda page: page.page) for stack, own in sorted(stacks.items())}


def is_ignored(key: str) -> bool:
    """Whether a file is the operating system's or a program's own, such as Thumbs.db: it is no data."""
    return any(_IGNORED.fullmatch(part) for part in key.split("/"))


def describe(problems: Sequence[Problem]) -> list[str]:
    """One line for each kind of problem: its first place, its words, and where else it is."""
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        kinds.setdefault(problem.code, []).append(problem)
    return [_describe_kind(first, others) for first, *others in kinds.values()]


def _describe_kind(first: Problem, others: Sequence[Problem]) -> str:
    row = "" if first.row is None else f" (page of {_place(LABELS, first.row)})"
    return f"{_place(first.file, first.line)}: {problem_text(first)}{row}{_further_places(first, others)}"


def problem_text(problem: Problem) -> str:
    """The words of a problem, without its place."""
    template: str = SPECIFICATION["problems"][problem.code]
    text = re.sub(r"\{(\w+)\}", lambda match: str(problem.values.get(match[1], match[0])), template)
    return text if problem.hint is None else f"{text} ({problem.hint})"


def _place(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"


def _further_places(first: Problem, others: Sequence[Problem]) -> str:
    if not others:
        return ""
    in_lines = all(other.file == first.file and other.line is not None for other in others)
    same = all(_telling_value(other) == _telling_value(first) for other in others)
    places = []
    for other in others[:_PLACES_NAMED]:
        value = None if same else _telling_value(other)
        at = str(other.line) if in_lines else _place(other.file, other.line)
        places.append(at if value is None else f"{at} ({value})")
    lines = ("line " if len(places) == 1 else "lines ") if in_lines else ""
    more = ", ..." if len(others) > _PLACES_NAMED else ""
    return f"; {len(others)} more like it: {lines}{', '.join(places)}{more}"


def _telling_value(problem: Problem) -> str | int | None:
    """What tells one problem of a kind from another."""
    values = problem.values
    return values.get("file", values.get("class", values.get("got")))


def refuse(problems: Sequence[Problem], maximum: int = 5) -> None:
    """Raises a DataError with the first kinds of problems and the number of the others, if there are any."""
    if problems:
        told = describe(problems)
        more = f"; and {len(told) - maximum} more" if len(told) > maximum else ""
        raise DataError(f"{'; '.join(told[:maximum])}{more}; repair the documents")


def read_labels(content: bytes) -> Labels:
    """Reads labels and checks what concerns rows and stacks; `check_classes` judges classes and splits as a whole."""
    problem = _encoding_problem(content)
    if problem is not None:
        return Labels([], [problem])
    text = re.sub("\r\n?", "\n", content.decode("utf-8-sig"))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows = []
    try:
        for values in reader:
            row = _Row(reader.line_num, [value.strip(_AROUND) for value in values])
            # a spreadsheet leaves rows of separators below its last one
            if any(row.values):
                rows.append(row)
    except csv.Error:
        reason = {"reason": "a quotation mark is never closed"}
        return Labels([], [Problem("labels-syntax", line=reader.line_num, values=reason)])
    wrong = _header_problems(rows[0]) if rows else [Problem("labels-empty", values={"header": _HEADER})]
    if wrong:
        return Labels([], wrong[:1])
    if len(rows) == 1:
        return Labels([], [Problem("labels-no-pages")])
    return _read_pages(rows[0], rows[1:])


def _encoding_problem(content: bytes) -> Problem | None:
    if not content:
        return Problem("labels-empty", values={"header": _HEADER})
    # a zip archive, as .xlsx and .ods are, and an OLE file, as .xls is
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return Problem("labels-spreadsheet")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        return Problem("labels-utf16")
    for index, line in enumerate(content.split(b"\n")):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            text = quoted(line.decode("cp1252", errors="replace").strip())
            return Problem("labels-encoding", line=index + 1, values={"text": text})
    return None


def _header_problems(header: _Row) -> list[Problem]:
    separator = _separator_of(",".join(header.values))
    if separator is not None:
        return [Problem("labels-separator", line=header.line, values={"separator": separator})]
    for name in COLUMNS:
        if header.values.count(name) > 1:
            return [Problem("labels-column-twice", line=header.line, values={"column": name})]
    unknown = [name for name in header.values if name and name not in COLUMNS]
    problems = []
    for name in COLUMNS:
        if name not in header.values and name not in _LABELS["optional"]:
            values = {"column": name, "got": quoted(",".join(header.values)), "header": _HEADER}
            near = difflib.get_close_matches(name, unknown, 1, 0)
            hint = f"is {quoted(near[0])} meant?" if near else None
            problems.append(Problem("labels-column", line=header.line, values=values, hint=hint))
    return problems


def _separator_of(header: str) -> str | None:
    """What separates the header's values, where it is no comma and leads to more of the columns."""

    def known(separator: str) -> int:
        return sum(name.strip(_AROUND).replace('"', "") in COLUMNS for name in header.split(separator))

    for separator, name in _LABELS["separators"].items():
        if known(separator) > 1 and known(separator) > known(","):
            return str(name)
    return None


def _read_pages(header: _Row, body: Sequence[_Row]) -> Labels:
    problems: list[Problem] = []
    pages = []
    doubtful = set()
    complete = True
    for row in body:
        value = dict(zip(header.values, row.values, strict=False))
        own = _row_problems(row, len(header.values), value)
        if not own:
            pages.append(page_of(row.line, value))
            continue
        problems += own
        complete = complete and all(problem.code not in ("stack", "row-values") for problem in own)
        doubtful.add(value.get("stack", ""))
    for stack, of_stack in by_stack(pages).items():
        found = [] if stack in doubtful else stack_problems(stack, of_stack)
        if found:
            problems += found
            doubtful.add(stack)
    problems.sort(key=lambda problem: problem.line or 0)
    ordered = [page for of_stack in by_stack(pages).values() for page in of_stack]
    return Labels(ordered, problems, frozenset(doubtful), complete)


def _row_problems(row: _Row, width: int, value: Mapping[str, str]) -> list[Problem]:
    if len(row.values) != width:
        return [Problem("row-values", line=row.line, values={"got": len(row.values), "expected": width})]
    if any('"' in value.get(name, "") for name in COLUMNS):
        reason = {"reason": "a quotation mark stands within a value"}
        return [Problem("labels-syntax", line=row.line, values=reason)]
    return value_problems(row.line, value)


def value_problems(line: int, value: Mapping[str, str], file: str = LABELS) -> list[Problem]:
    """What is wrong with the values of one row, by column."""
    return [
        Problem(name, file, line, {"got": quoted(value.get(name, "")), "expected": rule["expected"]})
        for name, rule in _LABELS["columns"].items()
        if not _PATTERNS[name].fullmatch(value.get(name, ""))
    ]


def page_of(line: int, value: Mapping[str, str]) -> Page:
    """The page of a row whose values are right."""
    # one letter has one spelling, wherever the file was written
    class_name = unicodedata.normalize("NFC", value["class"])
    begins = value["begins_document"].lower() == "true"
    return Page(value["stack"], int(value["page"]), class_name, begins, value.get("split", ""), line)


def stack_problems(stack: str, own: Sequence[Page]) -> list[Problem]:
    """What is wrong with the pages of a stack, given in their order."""
    problems = []
    distinct: dict[int, Page] = {}
    # equal pages stay in the order of their rows: sorting is stable
    for page in own:
        first = distinct.setdefault(page.page, page)
        if first is not page:
            values: dict[str, str | int] = {"page": page.page, "stack": stack, "first": first.line}
            problems.append(Problem("page-twice", line=page.line, values=values))
    for expected, page in enumerate(distinct.values(), start=1):
        # a number that is there twice is what another row should have had
        if page.page != expected and not problems:
            values = {"stack": stack, "page": page.page, "expected": expected}
            problems.append(Problem("gap", line=page.line, values=values))
            break
    # what a missing or doubled row leaves behind is no news
    return problems or [
        *_document_problems(stack, list(distinct.values())),
        *_split_problems(stack, list(distinct.values())),
    ]


def _document_problems(stack: str, own: Sequence[Page]) -> list[Problem]:
    problems = []
    if not own[0].begins_document:
        problems.append(Problem("first-page", line=own[0].line, values={"stack": stack}))
    for before, page in itertools.pairwise(own):
        if not page.begins_document and page.class_name != before.class_name:
            values = {"before": before.class_name, "class": page.class_name}
            problems.append(Problem("class-change", line=page.line, values=values))
    return problems


def _split_problems(stack: str, own: Sequence[Page]) -> list[Problem]:
    first = own[0]
    for page in own:
        if page.split != first.split:
            values: dict[str, str | int] = {
                "stack": stack,
                "got": page.split or "nothing",
                "expected": first.split or "nothing",
                "first": first.line,
            }
            return [Problem("split-differs", line=page.line, values=values)]
    return []


def check_classes(pages: Sequence[Page], folds: int | None) -> list[Problem]:
    """Problems of classes and splits; only of labels that have none of their own.

    folds: of the training stacks, every class must be in as many; None: that is not known here.
    """
    if not pages:
        return []
    classes = sorted({page.class_name for page in pages})
    splits = {page.split for page in pages}
    top = min(page.line for page in pages)
    problems = []
    if len(classes) < 2:
        problems.append(Problem("one-class", line=top, values={"class": classes[0]}))
    if splits == {TRAIN}:
        problems.append(Problem("nothing-held-out", line=top))
    if splits == {TEST}:
        problems.append(Problem("nothing-trained", line=top))
    elif folds is not None:
        problems += [problem for name in classes for problem in _too_few(name, classes, pages, folds)]
    return problems


def _too_few(name: str, classes: Sequence[str], pages: Sequence[Page], folds: int) -> list[Problem]:
    own = [page for page in pages if page.class_name == name]
    stacks = len({page.stack for page in own if page.split != TEST})
    is_open = any(page.split == "" for page in own)
    # of stacks that are drawn from, one of every class is held out
    drawn = 1 if is_open and all(page.split != TEST for page in own) else 0
    if stacks >= folds + drawn:
        return []
    what = f"{'' if drawn else 'training '}{'stack' if stacks == 1 else 'stacks'}"
    values: dict[str, str | int] = {
        "class": json.dumps(name, ensure_ascii=False),
        "stacks": f"{stacks} {what}",
        "expected": folds + drawn,
    }
    near = difflib.get_close_matches(name, [other for other in classes if other != name], 1, 0)
    hint = f"is {json.dumps(near[0], ensure_ascii=False)} meant?" if near else None
    code = "class-stacks-held-out" if drawn else "class-stacks"
    return [Problem(code, line=min(page.line for page in own), values=values, hint=hint)]


def check_files(listing: Mapping[str, int], labels: Labels, wanted: Sequence[str]) -> list[Problem]:
    """Whether every labelled page has its files and every page's file its row.

    listing: bytes by path below the documents' folder. wanted: folders of a file a page, or other files and folders.
    """
    data = {key: size for key, size in listing.items() if key != LABELS and key not in _WRITTEN and not is_ignored(key)}
    problems = []
    for name in wanted:
        if name not in PAGE_FILES and not any(key == name or key.startswith(f"{name}/") for key in data):
            problems.append(Problem("data-missing", name))
    for folder in PAGE_FILES:
        there = {key: size for key, size in data.items() if key.startswith(f"{folder}/")}
        if there:
            problems += _check_folder(folder, there, labels)
        elif folder in wanted and labels.pages:
            problems.append(Problem("folder-missing", f"{folder}/"))
    return problems


def _check_folder(folder: str, there: Mapping[str, int], labels: Labels) -> list[Problem]:
    named = {page.file(folder): page for page in labels.pages}
    extra = {key: None for key in there if key not in named}
    close = {_plain_name(key): key for key in extra}
    problems = []
    for file, page in named.items():
        if page.stack in labels.doubtful:
            continue
        near = close.get(_plain_name(file))
        if file not in there and near is None:
            problems.append(Problem("file-missing", line=page.line, values={"file": file}))
        elif file not in there and near is not None:
            problems.append(Problem("file-name", line=page.line, values={"file": file, "got": near}))
            extra.pop(near, None)
        elif there[file] == 0 and PAGE_FILES[folder] != "txt":
            # a text may be empty: scanners make pages without any
            problems.append(Problem("image-empty", file, row=page.line))
    for key in extra if labels.complete else ():
        if key.split("/")[1] not in labels.doubtful:
            problems.append(Problem("file-extra", key))
    return problems


def _plain_name(key: str) -> str:
    """What two names have in common that mean the same page: `images/a/1.PNG` and `images/a/001.png`."""
    return re.sub(r"/0*([0-9]+)\.(\w+)$", r"/\1.\2", key.lower())


def listing_of(folder: Path, names: Sequence[str]) -> dict[str, int]:
    """Bytes of every file at or below some names of a folder, by its path below the folder; links are followed."""
    listing = {}
    for name in names:
        top = folder / name
        if top.is_file():
            listing[name] = top.stat().st_size
        for directory, _, files in os.walk(top, followlinks=True):
            for file in sorted(files):
                path = Path(directory) / file
                if path.is_file():
                    listing[path.relative_to(folder).as_posix()] = path.stat().st_size
    return listing


def read_unlabelled(listing: Mapping[str, int], wanted: Sequence[str]) -> Labels:
    """Stacks and pages as the files themselves name them, in the layout of labelled documents.

    A page is there in every folder that is wanted (`text`, `images`), and pages count from 1 without gaps.
    """
    keys = sorted(key for key in listing if key.split("/")[0] in wanted and not is_ignored(key))
    problems: dict[tuple[str, str], Problem] = {}
    pages: dict[tuple[str, int], Page] = {}
    for key in keys:
        folder, _, rest = key.partition("/")
        stack, _, name = rest.rpartition("/")
        stem, dot, ending = name.rpartition(".")
        if not _PATTERNS["stack"].fullmatch(stack):
            values: dict[str, str | int] = {"got": quoted(stack), "expected": _LABELS["columns"]["stack"]["expected"]}
            problems.setdefault(("stack", stack), Problem("stack", key, values=values))
        elif not (dot and ending == PAGE_FILES[folder] and _PATTERNS["page"].fullmatch(stem.lstrip("0"))):
            values = {"got": name, "expected": f"001.{PAGE_FILES[folder]}, 002.{PAGE_FILES[folder]}, ..."}
            problems[("page-name", key)] = Problem("page-name", key, values=values)
        else:
            pages.setdefault((stack, int(stem)), Page(stack, int(stem), "", False, TEST, int(stem)))
    ordered = [page for own in by_stack(pages.values()).values() for page in own]
    doubtful = frozenset(problem.file.split("/")[1] for problem in problems.values())
    found = list(problems.values())
    for stack, own in by_stack(ordered).items():
        if stack not in doubtful:
            found += [
                Problem(problem.code, own[-1].file(wanted[0]), values=problem.values)
                for problem in stack_problems(stack, own)
                if problem.code == "gap"
            ]
    if not pages and not found:
        found = [Problem("folder-missing", f"{folder}/") for folder in wanted]
    labels = Labels(ordered, found, doubtful | {str(problem.values.get("stack")) for problem in found})
    missing = check_files(listing, labels, wanted)
    return replace(labels, problems=[*found, *(replace(one, file=_file_of(one), line=None) for one in missing)])


def _file_of(problem: Problem) -> str:
    """A missing file stands for itself where there is no row that names it."""
    return str(problem.values.get("file", problem.file))


def png_problem(content: bytes) -> str | None:
    """Whether a PNG file is whole, as far as its parts tell: the pixels themselves are for who decodes them."""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return f"is not a PNG image (it begins with {quoted(content[:4].decode('latin-1'))})"
    offset, width, height = 8, 0, 0
    while offset + 12 <= len(content):
        length, kind = struct.unpack(">I4s", content[offset : offset + 8])
        end = offset + 8 + length
        if end + 4 > len(content):
            return f"ends in the middle of its part {kind.decode('latin-1')}: a cut file"
        if zlib.crc32(content[offset + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            return f"is damaged in its part {kind.decode('latin-1')} (checksum)"
        if kind == b"IHDR":
            width, height = struct.unpack(">II", content[offset + 8 : offset + 16])
        if not 0 < width * height <= MAXIMUM_PIXELS:
            return f"has {width} x {height} pixels; 1 to {MAXIMUM_PIXELS} in all are expected"
        if kind == b"IEND":
            return None
        offset = end + 4
    return "has no end: a cut file"


def text_problem(content: bytes) -> str | None:
    """What is wrong with a page's text; an empty one is allowed."""
    if b"\0" in content:
        return "is no UTF-8 text (it holds zero bytes)"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    return None
