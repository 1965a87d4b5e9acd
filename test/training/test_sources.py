"""Pages out of PDF, TIFF, JPEG and PNG: the forms that people have, and what is wrong with others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image

import import_documents
import sources
from common import documents
from common.data import decode_image
from common.errors import DataError
from common.images import grey_of
from page_labels import labels_of


def pdf(texts: list[str], encrypted: bool = False) -> bytes:
    """A PDF with a text layer, a page a text."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(texts)))
    parts = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(texts)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, text in enumerate(texts):
        content = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET"
        parts.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * index} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        parts.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    trailer = f"/Size {len(parts) + 1} /Root 1 0 R"
    if encrypted:
        secret = "00" * 32
        parts.append(f"<< /Filter /Standard /V 1 /R 2 /O <{secret}> /U <{secret}> /P -4 >>")
        trailer = f"/Size {len(parts) + 1} /Root 1 0 R /Encrypt {len(parts)} 0 R /ID [<{secret}> <{secret}>]"
    body, offsets = "%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{part}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = (
        f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n{table}trailer\n<< {trailer} >>\nstartxref\n{len(body)}\n%%EOF"
    )
    return (body + end).encode()


def picture(shade: int = 255, size: tuple[int, int] = (60, 80)) -> Image.Image:
    image = Image.new("L", size, 255)
    image.paste(shade, (10, 10, 30, 30))
    return image


def imported(tmp_path: Path, *paths: Path) -> tuple[Path, sources.Imported]:
    out = tmp_path / "out"
    return out, sources.import_pages(paths, out)


def test_pdfs_tiffs_and_folders_of_pictures_are_stacks(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    (scans / "Müller & Söhne").mkdir(parents=True)
    (scans / "contract.pdf").write_bytes(pdf(["Purchase contract", "page two"]))
    picture(0).save(scans / "fax.tif", save_all=True, append_images=[picture(50), picture(90)])
    for number in (1, 2, 10):
        picture(number).save(scans / "Müller & Söhne" / f"{number}.png")
    (scans / "Müller & Söhne" / "Thumbs.db").write_bytes(b"x")
    (scans / "Müller & Söhne" / "2.txt").write_bytes("Gebühr".encode("cp1252"))
    out, result = imported(tmp_path, scans)
    counts = {stack: len(list((out / "images" / stack).iterdir())) for stack in ("contract", "fax", "Muller-Sohne")}
    assert counts == {"contract": 2, "fax": 3, "Muller-Sohne": 3}
    assert "Purchase contract" in (out / "text/contract/001.txt").read_text()
    assert (out / "text/Muller-Sohne/002.txt").read_text() == "Gebühr"
    assert [page.file.name for page in result.pages if page.stack == "Muller-Sohne"] == ["1.png", "2.png", "10.png"]
    assert [page.file_page for page in result.pages if page.stack == "fax"] == [1, 2, 3]
    assert documents.read_unlabelled(documents.listing_of(out, ["text", "images"]), ["text", "images"]).problems == []


def test_pictures_that_are_named_are_one_stack_in_the_order_that_people_count_in(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in (1, 10, 2, 3)]
    for file in files:
        picture().save(file)
    _, result = imported(tmp_path, *files)
    assert [page.file.name for page in result.pages] == ["1.png", "2.png", "3.png", "10.png"]
    assert len({page.stack for page in result.pages}) == 1


def test_what_a_file_is_its_content_says(tmp_path: Path) -> None:
    picture(0).save(tmp_path / "photo.png", format="JPEG")
    Image.new("CMYK", (40, 40), (0, 0, 0, 255)).save(tmp_path / "print.jpg", format="JPEG")
    out, result = imported(tmp_path, tmp_path / "photo.png", tmp_path / "print.jpg")
    stack = result.pages[0].stack
    assert Image.open(out / "images" / stack / "001.png").format == "PNG"
    assert Image.open(out / "images" / stack / "002.png").getextrema()[1] < 40


def test_names_of_emoji_and_twins_are_names_of_stacks() -> None:
    taken: set[str] = set()
    assert [sources.stack_name(name, taken) for name in ("📄", "📄", "Straße 1", "a/../b", "x" * 90)] == [
        "stack",
        "stack-2",
        "Strasse-1",
        "a-b",
        "x" * 60,
    ]


def odd(folder: Path) -> dict[str, str]:
    (folder / "empty.pdf").write_bytes(b"")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (folder / "secret.pdf").write_bytes(pdf(["x"], encrypted=True))
    (folder / "notes.docx").write_bytes(b"PK\x03\x04")
    picture().save(folder / "cut.png")
    content = (folder / "cut.png").read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    Image.new("1", (20_000, 20_000)).save(folder / "huge.tif", compression="group4")
    os.symlink(folder / "nowhere.png", folder / "link.png")
    (folder / "below").mkdir()
    os.symlink(folder, folder / "below" / "circle")
    return {
        "empty.pdf": "is empty",
        "broken.pdf": "is no readable PDF",
        "secret.pdf": "is encrypted; save it without password",
        "notes.docx": "no PDF, TIFF, JPEG or PNG",
        "cut.png": "cannot be read as a picture",
        "huge.tif": "has 20000 x 20000 pixels",
        "link.png": "a link that leads nowhere",
        "circle": "a link to a folder that is read already",
    }


def test_each_odd_file_is_one_line_that_names_it(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    expected = odd(scans)
    (scans / "good.pdf").write_bytes(pdf(["fine"]))
    with pytest.raises(DataError) as raised:
        imported(tmp_path, scans)
    lines = str(raised.value).splitlines()
    for name, words in expected.items():
        assert [line for line in lines if f"{name}: {words}" in line] != [], f"{name}\n{raised.value}"
    assert len(lines) == len(expected)


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    ramp = numpy.linspace(0, 65_535, 64 * 64).reshape(64, 64)
    Image.fromarray(ramp.astype(numpy.uint16)).save(tmp_path / "deep.png")
    Image.fromarray((ramp / 257).astype(numpy.uint8)).save(tmp_path / "flat.png")
    deep, flat = (decode_image(tmp_path / name, 16, 16) for name in ("deep.png", "flat.png"))
    assert float(abs(deep - flat).max()) < 0.01
    for mode in ("I;16", "I"):
        grey = numpy.asarray(grey_of(Image.fromarray(ramp.astype(numpy.uint16)).convert(mode)))
        assert int(abs(grey.astype(int) - (ramp / 257)).max()) <= 1, mode


LABELS = {
    "plain": b"stack,pages,class\nscan,1-2,letter\nscan,3,invoice\n",
    "no header": b"scan, 1-2, letter\nscan, 3, invoice\n",
    "file's name": b"scan.pdf,1-2,letter\nSCAN.PDF,3,invoice\n",
    "BOM and semicolons": b"\xef\xbb\xbfstack;pages;class\r\nscan;1-2;letter\r\nscan;3-3;invoice\r\n",
    "blank lines": b"\n\nscan,1-2,letter\n,,\n\nscan,3,invoice\n\n\n",
    "a spreadsheet's": "stack\tpages\tclass\nscan\t1\u20132\tletter\nscan\t3\tinvoice\n".encode("utf-16"),
    "labels.csv": b"stack,page,class,begins_document\nscan,1,letter,TRUE\nscan,2,letter,FALSE\nscan,3,invoice,TRUE\n",
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_are_read_as_people_write_them(form: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(LABELS[form])
    pages = [sources.SourcePage("scan", page, Path("in/scan.pdf"), page) for page in (1, 2, 3)]
    assert labels_of(tmp_path / "labels.csv", pages) == [
        ("scan", 1, "letter", "true", ""),
        ("scan", 2, "letter", "false", ""),
        ("scan", 3, "invoice", "true", ""),
    ]


def test_labels_in_latin_1_keep_their_umlauts(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("scan;1;Gebührenbescheid".encode("latin-1"))
    pages = [sources.SourcePage("scan", 1, Path("scan.pdf"), 1)]
    assert labels_of(tmp_path / "labels.csv", pages)[0][2] == "Gebührenbescheid"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("other,1-3,letter", r"labels\.csv:1: no stack or file 'other'; there are scan"),
        ("scan,1-4,letter", r"labels\.csv:1: pages 1-4 of scan, expected pages from 1 to 3"),
        ("scan,1-2,letter\nscan,2-3,x", r"labels\.csv:2: page 2 of scan has a class already"),
        ("scan,1,letter", r"labels\.csv: no line for pages 2 to 3 of scan"),
        ("scan,one,letter", r"labels\.csv:1: got 'scan, one, letter', expected stack, 1-4, class"),
        ("", r"labels\.csv: no documents"),
    ],
)
def test_labels_that_do_not_fit_are_told_by_line(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(content)
    pages = [sources.SourcePage("scan", page, Path("scan.pdf"), page) for page in (1, 2, 3)]
    with pytest.raises(DataError, match=message):
        labels_of(tmp_path / "labels.csv", pages)


def test_import_writes_documents_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan, out = tmp_path / "scan.pdf", tmp_path / "documents"
    scan.write_bytes(pdf(["one", "two", "three"]))
    (tmp_path / "wrong.csv").write_text("scan,1-9,letter")
    (tmp_path / "right.csv").write_text("scan,1-2,letter\nscan,3,invoice")
    assert import_documents.main([str(scan), "--out", str(out), "--labels", str(tmp_path / "wrong.csv")]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["right.csv", "scan.pdf", "wrong.csv"]
    assert import_documents.main([str(scan), "--out", str(out), "--labels", str(tmp_path / "right.csv")]) == 0
    assert "3 pages in 1 stacks, with labels" in capsys.readouterr().out
    labels = documents.read_labels((out / "labels.csv").read_bytes())
    assert [(page.class_name, page.begins_document) for page in labels.pages] == [
        ("letter", True),
        ("letter", False),
        ("invoice", True),
    ]
    assert import_documents.main([str(scan), "--out", str(out)]) == 1
    assert "is there already" in capsys.readouterr().err


def test_tesseract_reads_what_has_no_text_and_its_absence_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    picture(0).save(tmp_path / "page.png")
    monkeypatch.setenv("PATH", str(programs))
    out, _ = imported(tmp_path, tmp_path / "page.png")
    assert (out / "text/page/001.txt").read_text() == ""
    assert "1 of 1 pages have no text of their own, and Tesseract is not installed" in capsys.readouterr().err
    shutil.rmtree(out)
    stand_in = programs / "tesseract"
    stand_in.write_text(
        f"#!{sys.executable}\nimport sys\nassert sys.stdin.buffer.read(4) == b'\\x89PNG'\nprint('read', sys.argv[4])\n"
    )
    stand_in.chmod(0o755)
    out, _ = imported(tmp_path, tmp_path / "page.png")
    assert (out / "text/page/001.txt").read_text() == "read eng\n"


def test_an_interrupted_import_leaves_nothing(tmp_path: Path) -> None:
    scan, out = tmp_path / "scan.pdf", tmp_path / "documents"
    scan.write_bytes(pdf(["x"] * 400))
    program = Path(import_documents.__file__)
    child = subprocess.Popen(
        [sys.executable, str(program), str(scan), "--out", str(out)], stderr=subprocess.PIPE, text=True
    )
    while not any(tmp_path.glob(".documents-*/images")):
        assert child.poll() is None
    child.send_signal(2)
    _, told = child.communicate()
    assert (child.returncode, told.splitlines()[-1]) == (130, "interrupted; nothing was written")
    assert [path.name for path in tmp_path.iterdir()] == ["scan.pdf"]
