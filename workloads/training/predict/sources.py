"""Pages out of what people have: PDF, TIFF, JPEG and PNG. One stack a PDF or TIFF, or a folder of pictures.

What a file is, its content says, whatever its name. Text is the PDF's own, or that of a .txt beside a picture, or read
by Tesseract where that is installed; else it is empty. Everything that is wrong with a file is one line that names it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image

from common.documents import MAXIMUM_PIXELS, Page, is_ignored
from common.errors import DataError
from common.images import grey_of

#: Pages are drawn and kept at this resolution, in pixels per inch.
RESOLUTION = 200
#: No side of a drawn page is longer, in pixels.
LONGEST_SIDE = 6_000
#: Seconds between two lines about the progress.
REPORT_SECONDS = 2
#: Seconds that Tesseract may take for a page.
OCR_SECONDS = 120
_POINTS_PER_INCH = 72
_SHOWN = 20


class SourceError(DataError):
    """A file that cannot be read; the message begins with its name."""


@dataclass(frozen=True)
class Source:
    """The files of a stack, in their order, and the name that the stack gets."""

    stack: str
    files: list[Path]


@dataclass(frozen=True)
class SourcePage:
    """A page and where it is from."""

    stack: str
    page: int
    file: Path
    #: Its place in that file, from 1.
    file_page: int


@dataclass
class Imported:
    """What was written."""

    pages: list[SourcePage] = field(default_factory=list)
    #: Pages whose text nobody could read.
    without_text: int = 0


def natural(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts page 2 before page 10, as people count."""
    parts = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def kind_of(path: Path) -> str | None:
    """`pdf`, `tiff`, `jpeg` or `png` by a file's first bytes; None where it is nothing of these."""
    with open(path, "rb") as file:
        start = file.read(1024)
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if start.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    return "pdf" if b"%PDF-" in start else None


def stack_name(text: str, taken: set[str]) -> str:
    """A name that a stack may have, as near to the file's as it gets, and none that is taken."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:60] or "stack"
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{name}-{number}", number + 1
    taken.add(chosen)
    return chosen


def find_sources(paths: Sequence[Path]) -> tuple[list[Source], list[str]]:
    """The stacks that there are in files and folders, and what is wrong with others. Pictures that are named one by
    one are the pages of one stack.
    """
    taken: set[str] = set()
    problems: list[str] = []
    pictures: list[Path] = []
    sources: list[Source] = []
    for path in paths:
        if path.is_dir():
            sources += _of_folder(path, path, taken, problems, set())
        elif not path.exists():
            problems.append(f"{path}: no such file or folder")
        else:
            kind = _kind(path, problems)
            if kind == "pdf" or (kind == "tiff" and len(paths) == 1):
                sources.append(Source(stack_name(path.stem, taken), [path]))
            elif kind is not None:
                pictures.append(path)
    if pictures:
        name = pictures[0].parent.name if len(pictures) > 1 else pictures[0].stem
        sources.append(Source(stack_name(name, taken), sorted(pictures, key=natural)))
    return sources, problems


def _kind(path: Path, problems: list[str]) -> str | None:
    try:
        if path.stat().st_size == 0:
            problems.append(f"{path}: is empty")
            return None
        kind = kind_of(path)
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror})")
        return None
    if kind is None:
        problems.append(f"{path}: no PDF, TIFF, JPEG or PNG")
    return kind


def _of_folder(root: Path, folder: Path, taken: set[str], problems: list[str], seen: set[Path]) -> Iterator[Source]:
    real = folder.resolve()
    if real in seen:
        problems.append(f"{folder}: a link to a folder that is read already")
        return
    seen.add(real)
    pictures: list[Path] = []
    entries = sorted(folder.iterdir(), key=natural)
    for entry in entries:
        if is_ignored(entry.name):
            continue
        if entry.is_dir():
            yield from _of_folder(root, entry, taken, problems, seen)
        elif not entry.exists():
            problems.append(f"{entry}: a link that leads nowhere")
        elif entry.suffix.lower() not in (".txt", ".csv"):
            kind = _kind(entry, problems)
            if kind in ("pdf", "tiff"):
                yield Source(stack_name(_named(root, entry), taken), [entry])
            elif kind is not None:
                pictures.append(entry)
    if pictures:
        yield Source(stack_name(_named(root, folder), taken), pictures)


def _named(root: Path, path: Path) -> str:
    """A file's or folder's path below what was given; the given folder's own name where it is that itself."""
    parts = path.relative_to(root).parts
    return "-".join([*parts[:-1], path.stem if path.is_file() else path.name]) if parts else root.resolve().name


def write_pages(
    sources: Sequence[Source], out: Path, languages: str, report: Callable[[str], None]
) -> tuple[Imported, list[str]]:
    """Writes text/<stack>/<page>.txt and images/<stack>/<page>.png; files that cannot be read are told together."""
    imported = Imported()
    problems: list[str] = []
    ocr = _Tesseract.found(languages)
    count = sum(len(source.files) for source in sources)
    done, told = 0, time.monotonic()
    for source in sources:
        number = 0
        for file in source.files:
            try:
                for file_page, (image, text) in enumerate(_read(file), start=1):
                    number += 1
                    if time.monotonic() - told > REPORT_SECONDS:
                        told = time.monotonic()
                        report(f"  {done} of {count} files, {len(imported.pages)} pages; {file.name} page {file_page}")
                    read = text if text.strip() else ocr.text_of(image) if ocr is not None else ""
                    imported.without_text += not read.strip() and ocr is None
                    page = Page(source.stack, number, "", False, "", number)
                    _write(out, page, image, read)
                    imported.pages.append(SourcePage(source.stack, number, file, file_page))
            except (SourceError, Image.DecompressionBombError) as error:
                problems.append(str(error) if isinstance(error, SourceError) else f"{file}: {error}")
            done += 1
    return imported, problems


def _write(out: Path, page: Page, image: Image.Image, text: str) -> None:
    for folder in ("images", "text"):
        (out / folder / page.stack).mkdir(parents=True, exist_ok=True)
    image.save(out / page.file("images"), format="PNG", dpi=(RESOLUTION, RESOLUTION))
    (out / page.file("text")).write_text(text.replace("\0", ""), encoding="utf-8")


def _read(file: Path) -> Iterator[tuple[Image.Image, str]]:
    """The pages of a file, each as a grey picture and the text that the file has of it."""
    if kind_of(file) == "pdf":
        yield from _read_pdf(file)
    else:
        yield from _read_pictures(file)


def _read_pdf(file: Path) -> Iterator[tuple[Image.Image, str]]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower()
        reason = "is encrypted; save it without password" if encrypted else f"is no readable PDF ({error})"
        raise SourceError(f"{file}: {reason}") from None
    with document:
        if len(document) == 0:
            raise SourceError(f"{file}: a PDF without pages")
        for index in range(len(document)):
            try:
                page = document[index]
                inches = max(page.get_size()) / _POINTS_PER_INCH
                scale = min(RESOLUTION, LONGEST_SIDE / inches) / _POINTS_PER_INCH
                picture = page.render(scale=scale, grayscale=True).to_pil().convert("L")
                text = page.get_textpage().get_text_bounded()
            except (pypdfium2.PdfiumError, ZeroDivisionError) as error:
                raise SourceError(f"{file}: page {index + 1} cannot be drawn ({error})") from None
            yield picture, text


def _read_pictures(file: Path) -> Iterator[tuple[Image.Image, str]]:
    # the bound on pixels is documents.json's, not Pillow's
    Image.MAX_IMAGE_PIXELS = None
    beside = file.with_suffix(".txt")
    text = _text_of(beside) if beside.is_file() else ""
    try:
        with Image.open(BytesIO(file.read_bytes()), formats=["PNG", "JPEG", "TIFF"]) as opened:
            for index in range(getattr(opened, "n_frames", 1)):
                opened.seek(index)
                width, height = opened.size
                if not 0 < width * height <= MAXIMUM_PIXELS:
                    raise SourceError(
                        f"{file}: has {width} x {height} pixels; 1 to {MAXIMUM_PIXELS} in all are expected"
                    )
                yield grey_of(opened), text
    except SourceError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise SourceError(f"{file}: cannot be read as a picture ({error})") from None


def _text_of(file: Path) -> str:
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


@dataclass(frozen=True)
class _Tesseract:
    program: str
    languages: str

    @staticmethod
    def found(languages: str) -> _Tesseract | None:
        program = shutil.which("tesseract")
        return None if program is None else _Tesseract(program, languages)

    def text_of(self, image: Image.Image) -> str:
        content = BytesIO()
        image.save(content, format="PNG", dpi=(RESOLUTION, RESOLUTION))
        command = [self.program, "stdin", "stdout", "-l", self.languages]
        try:
            ended = subprocess.run(command, input=content.getvalue(), capture_output=True, timeout=OCR_SECONDS)
        except subprocess.TimeoutExpired:
            return ""
        if ended.returncode != 0:
            said = ended.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise SourceError(f"tesseract: {said[-1]}; --languages is {self.languages}")
        return ended.stdout.decode("utf-8", errors="replace")


def import_pages(paths: Sequence[Path], out: Path, languages: str = "eng") -> Imported:
    """Writes the pages of files and folders below `out`.

    @raises DataError with a line for each file that cannot be read: then `out` is not to be used.
    """
    sources, problems = find_sources(paths)
    imported, broken = write_pages(sources, out, languages, _report)
    problems += broken
    if problems:
        more = [f"... and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise DataError("\n".join([*problems[:_SHOWN], *more]))
    if not imported.pages:
        raise DataError(f"{', '.join(map(str, paths))}: no PDF, TIFF, JPEG or PNG")
    if imported.without_text:
        _report(
            f"{imported.without_text} of {len(imported.pages)} pages have no text of their own, and Tesseract is not "
            "installed to read it: their text is empty"
        )
    return imported


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
