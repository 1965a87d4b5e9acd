#!/usr/bin/env python3
"""Generates the bundled sample: stacks of scanned mortgage papers, with labels (layout: README.md beside this file).

What makes the sample an ensemble's task, and not one model's:

* `purchase_contract` and `loan_agreement` share one layout and differ in words only: the image model cannot tell them
apart;
* `land_register_extract` and `cadastral_map`, `valuation_report` and `building_description` share their words and
differ in layout only: the text model cannot tell them apart;
* annex pages look and read the same after whatever document they follow, and carry that document's class: only the
  neighbours tell them apart;
* scanning (rotation, shift, blur, speckle, fading, dark borders) and OCR (confused, lost and joined characters, pages
  that are hardly readable) blur the rest.

Equal arguments give equal bytes: every page has a random generator of its own, seeded by (seed, stack, page).
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 120, 160
SCALE = 2
GREY_LEVELS = 16
TEST_SHARE = 0.3

COMMON_WORDS = """
date number name address street city page copy signed place amount total period remark enclosed according following
hereby above below please information office reference file document original customer telephone received valid until
from with the and of for in to is are was by on at as this that be has been shall may
""".split()

WORDS: dict[str, list[str]] = {
    "pay": """salary gross net wage employer employee overtime tax bracket pension contribution allowance insurance
        bonus vacation hours payroll withholding deduction church social childcare""".split(),
    "bank": """balance transfer debit credit booking transaction standing order card withdrawal statement account
        carryover interest fee cheque terminal payee deposit overdraft value""".split(),
    "purchase": """seller buyer purchase price handover conveyance notary deed possession defects warranty encumbrance
        acquisition title transfer fixtures vacate escrow priority notice""".split(),
    "loan": """lender borrower principal instalment maturity rate prepayment collateral mortgage disbursement annuity
        repayment redemption default commitment creditworthiness margin fixed capital""".split(),
    "land": """parcel register folio boundary district cadastre plot easement section owner entry hectare lot survey
        sheet encroachment frontage access right""".split(),
    "energy": """heating insulation kilowatt demand consumption emission boiler efficiency class windows thermal primary
        renewable ventilation facade certificate refurbishment carbon""".split(),
    "building": """living area storey roof basement construction year bathroom kitchen garage balcony condition floor
        attic masonry plaster comparable market depreciation""".split(),
    "annex": """annex general terms supplement continued notes explanation attachment further provisions appendix
        schedule definitions clause legend overview footnote listing""".split(),
}


@dataclass(frozen=True)
class DocumentClass:
    """One class of documents: which words, which layout, how long, how often an annex follows."""

    name: str
    words: str
    layout: str
    weight: float
    pages: tuple[int, int]
    repeats: tuple[int, int]
    annex_share: float


CLASSES = [
    DocumentClass("payslip", "pay", "form_table", 1.0, (1, 1), (2, 3), 0.0),
    DocumentClass("bank_statement", "bank", "rows", 1.0, (1, 3), (1, 1), 0.25),
    DocumentClass("purchase_contract", "purchase", "clauses", 1.0, (1, 2), (1, 1), 0.7),
    DocumentClass("loan_agreement", "loan", "clauses", 1.0, (1, 2), (1, 1), 0.7),
    DocumentClass("land_register_extract", "land", "grid", 0.9, (1, 2), (1, 1), 0.5),
    DocumentClass("cadastral_map", "land", "map", 0.9, (1, 1), (1, 2), 0.5),
    DocumentClass("energy_certificate", "energy", "bars", 0.9, (1, 2), (1, 1), 0.3),
    DocumentClass("valuation_report", "building", "columns", 1.0, (1, 3), (1, 1), 0.6),
    DocumentClass("building_description", "building", "checklist", 1.0, (1, 2), (1, 1), 0.6),
]
ANNEX_LAYOUT, ANNEX_WORDS = "annex", "annex"

OCR_CONFUSIONS = {
    "l": "1",
    "o": "0",
    "e": "c",
    "s": "5",
    "b": "6",
    "i": "l",
    "t": "f",
    "a": "o",
    "n": "u",
    "m": "rn",
    "h": "b",
    "g": "9",
    "c": "e",
}


# ---------------------------------------------------------------------------------------------------------------- text


def page_words(rng: random.Random, topic: str) -> list[str]:
    """The words that stand on a page: its topic's among many that stand on every paper, and a few of other topics."""
    other_topics = [name for name in sorted(WORDS) if name != topic]
    words = []
    for _ in range(rng.randint(45, 90)):
        draw = rng.random()
        if draw < 0.22:
            words.append(rng.choice(WORDS[topic]))
        elif draw < 0.28:
            words.append(rng.choice(WORDS[rng.choice(other_topics)]))
        elif draw < 0.38:
            words.append(f"{rng.randint(1, 9999)}{rng.choice(['', '.00', ',50', '-', '/26'])}")
        else:
            words.append(rng.choice(COMMON_WORDS))
    return words


def recognise(rng: random.Random, words: list[str]) -> str:
    """What OCR makes of the words. About one page in eleven is hardly readable (a bad scan, a stamp over the text)."""
    error_rate = 0.45 if rng.random() < 0.09 else rng.uniform(0.01, 0.08)
    lines: list[str] = []
    line: list[str] = []
    for word in words:
        characters = []
        for character in word:
            if rng.random() >= error_rate:
                characters.append(character)
            elif rng.random() < 0.75:
                characters.append(OCR_CONFUSIONS.get(character, rng.choice("ijlrtvx.,'")))
        read = "".join(characters)
        if line and rng.random() < error_rate / 2:
            line[-1] += read
        elif read:
            line.append(read)
        if len(line) >= rng.randint(6, 10):
            lines.append(" ".join(line))
            line = []
    lines.append(" ".join(line))
    return "\n".join(text for text in lines if text) + "\n"


# -------------------------------------------------------------------------------------------------------------- layouts


class Canvas:
    """A page at SCALE times the final size; coordinates are in final pixels."""

    def __init__(self, rng: random.Random, words: list[str]) -> None:
        self.rng = rng
        self.words = words
        self.next_word = 0
        self.image = Image.new("L", (WIDTH * SCALE, HEIGHT * SCALE), 255)
        self.draw = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, width: float, size: int = 4, ink: int = 60) -> None:
        """One line of the page's words from x on, as many as fit into `width`."""
        font = font_of(size)
        left, end = x * SCALE, (x + width) * SCALE
        while True:
            word = self.words[self.next_word % len(self.words)]
            length = len(word) * size * SCALE * 0.5 + 2 * SCALE
            if left + length > end:
                return
            self.draw.text((left, y * SCALE), word, fill=ink, font=font)
            left += length
            self.next_word += 1

    def paragraph(self, x: float, y: float, width: float, lines: int, size: int = 4) -> float:
        for index in range(lines):
            shorter = self.rng.uniform(0.4, 0.9) if index == lines - 1 else 1
            self.text(x, y, width * shorter, size)
            y += size + 1.5
        return y

    def line(self, x0: float, y0: float, x1: float, y1: float, ink: int = 90, width: float = 1) -> None:
        self.draw.line(
            [x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE], fill=ink, width=max(1, round(width * SCALE / 2))
        )

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: int | None = None, ink: int = 90) -> None:
        self.draw.rectangle([x0 * SCALE, y0 * SCALE, x1 * SCALE, y1 * SCALE], fill=fill, outline=ink)


FONTS: dict[int, ImageFont.FreeTypeFont | ImageFont.ImageFont] = {}


def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if size not in FONTS:
        FONTS[size] = ImageFont.load_default(size * SCALE)
    return FONTS[size]


def form_table(page: Canvas, first: bool) -> None:
    page.box(8, 8, 60, 22)
    page.text(10, 11, 48)
    page.text(72, 10, 40)
    top = page.rng.randint(30, 38)
    rows = page.rng.randint(9, 12)
    for row in range(rows + 1):
        page.line(8, top + row * 8, 112, top + row * 8)
    for column in (8, 62, 88, 112):
        page.line(column, top, column, top + rows * 8)
    for row in range(rows):
        page.text(10, top + row * 8 + 2, 48)
        page.text(90, top + row * 8 + 2, 20)
    page.box(62, top + rows * 8 + 4, 112, top + rows * 8 + 14, fill=200)


def rows(page: Canvas, first: bool) -> None:
    y = page.rng.randint(10, 14)
    if first:
        page.text(10, y, 60, size=5)
        y += 14
    page.line(8, y, 112, y, width=2)
    while y < 146:
        y += 6
        page.text(10, y, 14)
        page.text(28, y, 56)
        page.text(96, y, 16)


def clauses(page: Canvas, first: bool) -> None:
    y: float = page.rng.randint(10, 16)
    if first:
        page.text(26, y, 70, size=7, ink=20)
        y += 16
    while y < 138:
        page.text(12, y, 30, size=5, ink=20)
        y = page.paragraph(16, y + 7, 90, page.rng.randint(3, 5)) + 3
    page.line(14, 152, 50, 152)
    page.line(70, 152, 106, 152)


def grid(page: Canvas, first: bool) -> None:
    top = page.rng.randint(8, 12)
    page.box(6, top, 114, top + 14, fill=225)
    page.text(10, top + 4, 90, size=5)
    column_count = page.rng.randint(5, 6)
    for index in range(column_count + 1):
        x = 6 + index * 108 / column_count
        page.line(x, top + 14, x, 150)
    y = top + 14
    while y < 140:
        page.line(6, y, 114, y)
        page.text(8, y + 3, 100)
        page.text(8, y + 9, 60)
        y += page.rng.choice([16, 22])
    page.line(6, 150, 114, 150)


def map_sheet(page: Canvas, first: bool) -> None:
    rng = page.rng
    page.box(6, 6, 114, 128)
    points = [(rng.uniform(10, 110), rng.uniform(10, 124)) for _ in range(9)]
    for index, (x, y) in enumerate(points):
        x2, y2 = points[(index * 4 + 1) % len(points)]
        page.line(x, y, x2, y2, ink=70, width=1.5)
    for _ in range(rng.randint(4, 7)):
        x, y = rng.uniform(12, 94), rng.uniform(12, 112)
        page.box(x, y, x + rng.uniform(6, 14), y + rng.uniform(6, 12), fill=170)
    page.line(6, rng.uniform(30, 60), 114, rng.uniform(70, 110), ink=140, width=4)
    page.box(64, 132, 114, 154)
    page.text(66, 134, 46)
    page.text(66, 141, 46)
    page.text(66, 147, 46)
    page.text(8, 134, 40)


def bars(page: Canvas, first: bool) -> None:
    page.text(12, 10, 80, size=6)
    top = page.rng.randint(26, 34)
    for index in range(7):
        page.box(12, top + index * 8, 34 + index * 9, top + index * 8 + 6, fill=90 + index * 20)
    marker = top + page.rng.randint(0, 6) * 8
    page.box(98, marker, 112, marker + 7, fill=30)
    page.paragraph(12, top + 64, 96, page.rng.randint(5, 8))
    page.box(84, 132, 110, 152)


def columns(page: Canvas, first: bool) -> None:
    page.text(10, 8, 60, size=5)
    y = 20
    if page.rng.random() < 0.8:
        side = page.rng.choice([8, 62])
        page.box(side, y, side + 50, y + 38, fill=page.rng.randint(120, 170))
        page.draw.ellipse([(side + 10) * SCALE, (y + 8) * SCALE, (side + 34) * SCALE, (y + 30) * SCALE], fill=80)
        y += 42
    page.paragraph(8, y, 48, 16)
    page.paragraph(64, y, 48, 16)


def checklist(page: Canvas, first: bool) -> None:
    y = page.rng.randint(12, 18)
    page.text(10, y - 6, 70, size=5)
    while y < 144:
        y += 10
        page.box(10, y, 16, y + 6)
        if page.rng.random() < 0.5:
            page.line(10, y, 16, y + 6, ink=30)
            page.line(16, y, 10, y + 6, ink=30)
        page.text(22, y + 1, 40)
        page.line(66, y + 6, 112, y + 6, ink=150)


def annex(page: Canvas, first: bool) -> None:
    page.line(20, 10, 100, 10, ink=140)
    y: float = page.rng.randint(16, 24)
    for _ in range(page.rng.randint(2, 4)):
        y = page.paragraph(12, y, 96, page.rng.randint(4, 6)) + 4
        if y > 130:
            break
    page.text(54, 150, 20)


LAYOUTS: dict[str, Callable[[Canvas, bool], None]] = {
    "form_table": form_table,
    "rows": rows,
    "clauses": clauses,
    "grid": grid,
    "map": map_sheet,
    "bars": bars,
    "columns": columns,
    "checklist": checklist,
    "annex": annex,
}


def scan(rng: random.Random, image: Image.Image) -> Image.Image:
    """What a feed scanner does to a page: it lies crooked, fades, gets specks and a dark edge, and is stored small."""
    image = image.rotate(
        rng.gauss(0, 1.6),
        Image.Resampling.BILINEAR,
        fillcolor=255,
        translate=(rng.randint(-4, 4) * SCALE, rng.randint(-4, 4) * SCALE),
    )
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    if rng.random() < 0.35:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.1)))
    noise = np.random.default_rng(rng.getrandbits(64))
    pixels = np.asarray(image, dtype=np.float32)
    pixels = 255 - (255 - pixels) * rng.uniform(0.55, 1.0)
    speckle = noise.random(pixels.shape) < rng.uniform(0.002, 0.03)
    pixels[speckle] = noise.integers(0, 256, int(speckle.sum()))
    if rng.random() < 0.3:
        pixels[:, : rng.randint(1, 5)] *= 0.5
    step = 255 / (GREY_LEVELS - 1)
    return Image.fromarray(np.clip(np.round(pixels / step) * step, 0, 255).astype(np.uint8), "L")


# --------------------------------------------------------------------------------------------------------------- stacks


@dataclass(frozen=True)
class Page:
    class_name: str
    words: str
    layout: str
    begins_document: bool


def compose_stack(rng: random.Random) -> list[Page]:
    """One stack: some documents in any order; a document is its own pages and perhaps an annex of one or two pages."""
    pages: list[Page] = []
    remaining = list(CLASSES)
    for _ in range(rng.randint(3, 6)):
        chosen = rng.choices(remaining, [kind.weight for kind in remaining])[0]
        remaining.remove(chosen)
        for _ in range(rng.randint(*chosen.repeats)):
            own = rng.randint(*chosen.pages)
            pages += [Page(chosen.name, chosen.words, chosen.layout, index == 0) for index in range(own)]
            if rng.random() < chosen.annex_share:
                pages += [Page(chosen.name, ANNEX_WORDS, ANNEX_LAYOUT, False) for _ in range(rng.randint(1, 2))]
    return pages


def split_of(seed: int, stacks: int) -> list[str]:
    order = list(range(stacks))
    random.Random(f"{seed}/split").shuffle(order)
    held_out = set(order[: max(1, round(stacks * TEST_SHARE))])
    return ["test" if index in held_out else "train" for index in range(stacks)]


def generate(out: Path, seed: int, stacks: int, with_split: bool = True) -> dict[str, int]:
    """Writes labels.csv, text/ and images/ under `out`; returns the number of stacks, documents, pages and bytes."""
    for part in ("text", "images"):
        shutil.rmtree(out / part, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    splits = split_of(seed, stacks)
    counts = {"stacks": stacks, "documents": 0, "pages": 0, "bytes": 0}
    with open(out / "labels.csv", "w", encoding="utf-8", newline="") as file:
        labels = csv.writer(file, lineterminator="\n")
        labels.writerow(["stack", "page", "class", "begins_document", "split"])
        for index in range(stacks):
            stack = f"stack-{index + 1:04d}"
            (out / "text" / stack).mkdir(parents=True)
            (out / "images" / stack).mkdir(parents=True)
            for number, page in enumerate(compose_stack(random.Random(f"{seed}/{index}")), start=1):
                rng = random.Random(f"{seed}/{index}/{number}")
                words = page_words(rng, page.words)
                canvas = Canvas(rng, words)
                LAYOUTS[page.layout](canvas, page.begins_document)
                text_file = out / "text" / stack / f"{number:03d}.txt"
                image_file = out / "images" / stack / f"{number:03d}.png"
                text_file.write_text(recognise(rng, words), encoding="utf-8", newline="\n")
                scan(rng, canvas.image).save(image_file, optimize=False, compress_level=6)
                labels.writerow(
                    [
                        stack,
                        number,
                        page.class_name,
                        str(page.begins_document).lower(),
                        splits[index] if with_split else "",
                    ]
                )
                counts["pages"] += 1
                counts["documents"] += page.begins_document
                counts["bytes"] += text_file.stat().st_size + image_file.stat().st_size
    return counts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Generates sample stacks of scanned mortgage papers with labels.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write labels.csv, text/ and images/ into")
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal bytes (default 1)")
    parser.add_argument(
        "--stacks",
        type=int,
        default=90,
        help="number of stacks, 12 to 9999 (default 90: about 500 documents, 1,000 pages)",
    )
    parser.add_argument(
        "--without-split", action="store_true", help="leave the split column empty, for Fetch to fill from its seed"
    )
    options = parser.parse_args(arguments)
    if not 12 <= options.stacks <= 9999:
        parser.error(f"--stacks: expected 12 to 9999, got {options.stacks}")
    try:
        counts = generate(options.out, options.seed, options.stacks, not options.without_split)
    except OSError as error:
        print(f"cannot write the sample to {options.out}: {error.strerror} ({error.filename})", file=sys.stderr)
        return 1
    print(
        f"{counts['stacks']} stacks, {counts['documents']} documents, {counts['pages']} pages, "
        f"{counts['bytes'] / 1e6:.1f} MB in {options.out}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
