#!/usr/bin/env python3
"""Makes documents out of PDF, TIFF, JPEG and PNG: text/, images/ and, with labels, labels.csv.

    python import_documents.py SOURCE ... --out DIR [--labels CSV] [--languages eng]

CSV holds a line a document: `stack, 1-4, purchase_contract`, or is a labels.csv. sources.csv says of each page which
file it is from. DIR appears when everything is read: what is wrong is told, one line a file, and leaves nothing behind.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sources
from common import documents
from common.errors import DataError
from page_labels import labels_of


def write_labels(out: Path, imported: sources.Imported, file: Path) -> None:
    rows = labels_of(file, imported.pages)
    with open(out / documents.LABELS, "w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(documents.COLUMNS)
        writer.writerows(rows)
    labels = documents.read_labels((out / documents.LABELS).read_bytes())
    documents.refuse(labels.problems)


def write_sources(out: Path, imported: sources.Imported) -> None:
    with open(out / "sources.csv", "w", encoding="utf-8", newline="") as written:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(["stack", "page", "file", "file_page"])
        writer.writerows([page.stack, page.page, str(page.file), page.file_page] for page in imported.pages)


def run(options: argparse.Namespace) -> str:
    out: Path = options.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: is there already; name a folder that is new or empty")
    if options.labels is not None and not options.labels.is_file():
        raise DataError(f"{options.labels}: no such file")
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        imported = sources.import_pages(options.source, made, options.languages)
        if options.labels is not None:
            write_labels(made, imported, options.labels)
        write_sources(made, imported)
        made.chmod(0o755)
        if out.exists():
            out.rmdir()
        made.rename(out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    stacks = len({page.stack for page in imported.pages})
    labelled = "" if options.labels is None else ", with labels"
    return f"{out}: {len(imported.pages)} pages in {stacks} stacks{labelled}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes documents out of PDF, TIFF, JPEG and PNG.")
    parser.add_argument("source", type=Path, nargs="+", help="PDF, TIFF, JPEG or PNG, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, new or empty")
    parser.add_argument("--labels", type=Path, help="CSV with a line a document: stack, pages, class")
    parser.add_argument("--languages", default="eng", help="what Tesseract reads, for example deu+eng")
    options = parser.parse_args(arguments)
    try:
        print(run(options))
    except (DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
