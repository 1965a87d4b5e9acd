"""Two sets of real documents, out of what Debian's packages install: stacks of pages as the trainings read them.

* `packages`: what lies in /usr/share/doc; a class is a kind of document: copyright, changelog, news and so on.
* `manuals`: manual pages, set by groff; a class is a section of the manual.

A stack is printed in one style, so that how a page looks says nothing of its class by itself. Equal seeds make equal
sets on machines with equal packages; nothing of the sets is kept in the project.
"""

from __future__ import annotations

import csv
import gzip
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

DOCUMENTATION, MANUAL = Path("/usr/share/doc"), Path("/usr/share/man")
#: How many documents, stacks and pages a set has: as many as a first try at one's own documents.
DOCUMENTS, STACKS, LONGEST = 180, 41, 6
TEST_SHARE = 0.3
WIDTH, HEIGHT = 240, 320
LINES = 60
#: Less is no document, and what begins with the same letters is the same document in another package.
SMALLEST, SAME = 200, 400
#: Files are read up to here.
LARGEST = 100_000
#: Of a class, so many files are looked at for each document that is wanted: some are too short, or copies.
CANDIDATES = 8

KINDS: dict[str, re.Pattern[str]] = {
    "copyright": re.compile(r"copyright"),
    "debian_changelog": re.compile(r"changelog\.Debian.*"),
    "changelog": re.compile(r"(changelog|ChangeLog)(\.md|\.txt)?"),
    "debian_news": re.compile(r"NEWS\.Debian"),
    "news": re.compile(r"NEWS(\.md|\.txt)?"),
    "readme": re.compile(r"README(\.md|\.rst|\.txt)?"),
}
SECTIONS = {"commands": "1", "functions": "3", "formats": "5", "overviews": "7", "administration": "8"}


class TooFew(Exception):
    """This machine has too few documents of a class."""


@dataclass(frozen=True)
class Style:
    """How a stack was printed."""

    size: int
    margin: int
    #: Lines that the paper's top loses to the printer's name for the document.
    heading: bool
    numbered: bool


def packages(folder: Path, seed: int) -> None:
    """Writes the set of kinds of documents. @raises TooFew"""
    files = sorted(path for path in DOCUMENTATION.rglob("*") if path.is_file() and not path.is_symlink())
    found = {
        name: [path for path in files if kind.fullmatch(path.name.removesuffix(".gz"))] for name, kind in KINDS.items()
    }
    _write(folder, found, _read, seed)


def manuals(folder: Path, seed: int) -> None:
    """Writes the set of the manual's sections. @raises TooFew"""
    found = {
        name: sorted(
            path for path in (MANUAL / f"man{number}").glob("*.gz") if path.is_file() and not path.is_symlink()
        )
        for name, number in SECTIONS.items()
    }
    _write(folder, found, _typeset, seed)


SETS: dict[str, Callable[[Path, int], None]] = {"packages": packages, "manuals": manuals}


def _read(path: Path) -> str:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        content: bytes = file.read(LARGEST)
    return content.decode("utf-8", "replace").replace("\t", "    ")


def _typeset(path: Path) -> str:
    ended = subprocess.run(
        ["groff", "-t", "-man", "-Tutf8", "-P-c", "-P-b", "-P-o", "-P-u", "-rLL=80n"],
        input=gzip.decompress(path.read_bytes()),
        capture_output=True,
        check=False,
    )
    return ended.stdout.decode("utf-8", "replace")[:LARGEST]


def _documents(
    name: str, files: Sequence[Path], read: Callable[[Path], str], wanted: int, draws: random.Random
) -> list[list[str]]:
    """The pages of so many different documents of a class."""
    texts: dict[str, str] = {}
    for path in draws.sample(files, min(len(files), wanted * CANDIDATES)):
        text = read(path).strip("\n")
        if len(text) >= SMALLEST:
            texts.setdefault(" ".join(text.split())[:SAME], text)
        if len(texts) == wanted:
            return [list(_pages(one, draws.randint(1, LONGEST))) for one in texts.values()]
    raise TooFew(f"{name}: {len(texts)} different documents on this machine, expected {wanted}; install more packages")


def _pages(text: str, most: int) -> Iterator[str]:
    lines = [line[start : start + 90] for line in text.splitlines() for start in range(0, max(1, len(line)), 90)]
    for page in range(most):
        own = "\n".join(lines[page * LINES : (page + 1) * LINES])
        if own.strip():
            yield own


def _write(folder: Path, files: dict[str, list[Path]], read: Callable[[Path], str], seed: int) -> None:
    draws = random.Random(seed)
    wanted = DOCUMENTS // len(files)
    documents = [(name, pages) for name in files for pages in _documents(name, files[name], read, wanted, draws)]
    draws.shuffle(documents)
    cuts = sorted(draws.sample(range(1, len(documents)), STACKS - 1))
    stacks = [documents[start:end] for start, end in zip([0, *cuts], [*cuts, len(documents)], strict=True)]
    testing = set(draws.sample(range(STACKS), round(STACKS * TEST_SHARE)))
    rows = []
    for number, stack in enumerate(stacks):
        style = Style(draws.choice((5, 6)), draws.randint(6, 20), draws.random() < 0.3, draws.random() < 0.3)
        pages = [(name, page == 0, text) for name, document in stack for page, text in enumerate(document)]
        split = "test" if number in testing else "train"
        for page, (name, begins, text) in enumerate(pages, 1):
            _write_page(folder, f"stack-{number:02d}", page, text, style)
            rows.append((f"stack-{number:02d}", page, name, str(begins).lower(), split))
    with open(folder / "labels.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["stack", "page", "class", "begins_document", "split"])
        writer.writerows(rows)


def _write_page(folder: Path, stack: str, number: int, text: str, style: Style) -> None:
    """`number` counts through the stack, as a scanner's does: it tells nothing of documents."""
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "L"
    font = ImageFont.load_default(style.size)
    top = style.margin
    if style.heading:
        draw.text((style.margin, top), stack, fill=0, font=font)
        text = f"{stack}\n{text}"
        top += 2 * style.size
    for line in text.splitlines():
        draw.text((style.margin, top), line, fill=0, font=font)
        top += style.size - 1
    if style.numbered:
        draw.text((WIDTH // 2, HEIGHT - 8), str(number), fill=0, font=font)
        text = f"{text}\n{number}"
    for kind, name in (("text", f"{number:03d}.txt"), ("images", f"{number:03d}.png")):
        path = folder / kind / stack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "text":
            path.write_text(text, encoding="utf-8")
        else:
            image.save(path)
