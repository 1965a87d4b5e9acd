"""Labels as people write them: a line a document with its pages, or labels.csv, out of whatever program."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.documents import COLUMNS
from common.errors import DataError
from sources import SourcePage

#: stack, page, class, begins_document, split: a row of labels.csv.
Row = tuple[str, int, str, str, str]
_RANGE = re.compile(r"(\d{1,6})(?:\s*[-\u2013\u2014]\s*(\d{1,6}))?")
_MEANING = "stack, 1-4, class"
_SHOWN = 10


@dataclass(frozen=True)
class _Document:
    line: int
    stack: str
    first: int
    last: int
    class_name: str
    split: str


def labels_of(file: Path, pages: Sequence[SourcePage]) -> list[Row]:
    """The rows of labels.csv for the pages that were read.

    @raises DataError with every line that names no stack or page, or names one twice, and every page without a class.
    """
    documents, problems = _documents(file)
    names = _stack_names(pages)
    counts: dict[str, int] = {}
    for page in pages:
        counts[page.stack] = max(page.page, counts.get(page.stack, 0))
    rows: dict[tuple[str, int], Row] = {}
    for document in documents:
        where = f"{file}:{document.line}"
        stack = names.get(document.stack.casefold())
        if stack is None:
            known = ", ".join(list(counts)[:5])
            problems.append(f"{where}: no stack or file {document.stack!r}; there are {known}")
        elif not 1 <= document.first <= document.last <= counts[stack]:
            problems.append(
                f"{where}: pages {document.first}-{document.last} of {stack}, expected pages from 1 to {counts[stack]}"
            )
        else:
            for number in range(document.first, document.last + 1):
                if (stack, number) in rows:
                    problems.append(f"{where}: page {number} of {stack} has a class already")
                begins = "true" if number == document.first else "false"
                rows[(stack, number)] = (stack, number, document.class_name, begins, document.split)
    if not problems:
        problems += _missing(file, pages, rows)
    if problems:
        more = [f"... and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise DataError("\n".join([*problems[:_SHOWN], *more]))
    return [rows[key] for key in sorted(rows)]


def _missing(file: Path, pages: Sequence[SourcePage], rows: dict[tuple[str, int], Row]) -> list[str]:
    missing: dict[str, list[int]] = {}
    for page in pages:
        if (page.stack, page.page) not in rows:
            missing.setdefault(page.stack, []).append(page.page)
    return [
        f"{file}: no line for pages {numbers[0]} to {numbers[-1]} of {stack} ({len(numbers)} in all)"
        for stack, numbers in missing.items()
    ]


def _stack_names(pages: Sequence[SourcePage]) -> dict[str, str]:
    """A stack by its name, and by its file's name with and without ending, or its folder's."""
    names: dict[str, set[str]] = {}
    for page in pages:
        own = {page.stack, page.file.name, page.file.stem}
        for name in own | {page.file.parent.name}:
            names.setdefault(name.casefold(), set()).add(page.stack)
    found = {name: next(iter(stacks)) for name, stacks in names.items() if len(stacks) == 1}
    return found | {page.stack.casefold(): page.stack for page in pages}


def _documents(file: Path) -> tuple[list[_Document], list[str]]:
    rows = _rows(file)
    header = [value.casefold() for value in rows[0][1]] if rows else []
    if {"stack", "page", "class", "begins_document"} <= set(header):
        return _of_pages(file, header, rows[1:])
    if header[:1] == ["stack"]:
        rows = rows[1:]
    documents, problems = [], []
    for line, values in rows:
        match = _RANGE.fullmatch(values[1]) if len(values) in (3, 4) else None
        if match is None:
            problems.append(f"{file}:{line}: got {', '.join(values)[:80]!r}, expected {_MEANING}")
        else:
            first, last = int(match[1]), int(match[2] or match[1])
            split = values[3] if len(values) == 4 else ""
            documents.append(_Document(line, values[0], first, last, values[2], split))
    if not rows:
        problems.append(f"{file}: no documents; expected lines {_MEANING}")
    return documents, problems


def _of_pages(
    file: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> tuple[list[_Document], list[str]]:
    """A line a page: a document ends where the next one begins."""
    documents: list[_Document] = []
    problems: list[str] = []
    for line, values in rows:
        entry = dict(zip(header, values, strict=False))
        number, begins = entry.get("page", ""), entry.get("begins_document", "").casefold()
        if not number.isdecimal() or begins not in ("true", "false"):
            problems.append(f"{file}:{line}: got {', '.join(values)[:80]!r}, expected {', '.join(COLUMNS)}")
            continue
        page, last = int(number), documents[-1] if documents else None
        goes_on = begins == "false" and last is not None and last.stack == entry["stack"] and last.last == page - 1
        if goes_on and last is not None and last.class_name == entry["class"]:
            documents[-1] = _Document(last.line, last.stack, last.first, page, last.class_name, last.split)
        else:
            documents.append(_Document(line, entry["stack"], page, page, entry["class"], entry.get("split", "")))
    return documents, problems


def _rows(file: Path) -> list[tuple[int, list[str]]]:
    """Lines with their values, blank ones left out: commas, semicolons or tabs, UTF-8 or what Windows writes."""
    content = file.read_bytes()
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{file}: is a spreadsheet, no text; export it as CSV")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = [(reader.line_num, [value.strip() for value in values]) for values in reader]
    return [(line, values) for line, values in rows if any(values)]
