"""Wrong inputs end in one DataError that names file and line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from PIL import Image

from common import data
from common.errors import DataError

GOOD = """stack,page,class,begins_document,split
a,1,x,true,train
a,2,x,false,train
b,1,y,true,train
c,1,x,true,test
"""


def labels(tmp_path: Path, content: str) -> list[data.Page]:
    (tmp_path / "labels.csv").write_text(content)
    return data.read_labels(tmp_path)


def test_good_labels_are_read_in_order(tmp_path: Path) -> None:
    pages = labels(tmp_path, GOOD)
    assert [(page.stack, page.page, page.line) for page in pages] == [
        ("a", 1, 2),
        ("a", 2, 3),
        ("b", 1, 4),
        ("c", 1, 5),
    ]
    assert data.classes_of(pages) == ["x", "y"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace("class,", "klass,"),
            r"labels.csv:1: the column class is missing, got \"stack,page,klass,",
        ),
        (lambda text: "", r"labels.csv: is empty; write one row a page"),
        (lambda text: text.splitlines()[0], r"labels.csv: no pages below the header"),
        (lambda text: text + "a,2,x,false,train\n", r"labels.csv:6: page 2 of stack a is there already, in line 3"),
        (lambda text: text.replace("a,2,x", "a,3,x"), r"labels.csv:3: stack a goes on with page 3, expected page 2"),
        (lambda text: text.replace("a,2,x", "a,zwei,x"), r'labels.csv:3: page is "zwei", expected a whole number'),
        (lambda text: text.replace("b,1,y", "b/../c,1,y"), r'labels.csv:4: stack is "b/../c", expected'),
        (
            lambda text: text.replace("b,1,y,true", "b,1,y,yes"),
            r'labels.csv:4: begins_document is "yes", expected true or false',
        ),
        (
            lambda text: text.replace("b,1,y,true,train", "b,1,y,true,"),
            r"labels.csv:4: stack b has no split, expected train or test",
        ),
        (
            lambda text: text.replace("b,1,y,true,train", "b,1,,true,train"),
            r'labels.csv:4: class is "", expected a name',
        ),
        (
            lambda text: text.replace("b,1,y,true,train", "b,1,y,true"),
            r"labels.csv:4: 4 values, expected 5 as in the header",
        ),
        (
            lambda text: text.replace("a,2,x,false,train", "a,2,x,false,test"),
            r"labels.csv:3: stack a has split test here and train in line 2",
        ),
        (
            lambda text: text.replace("a,2,x,false", "a,2,y,false"),
            r"labels.csv:3: the class changes from x to y within a document",
        ),
        (
            lambda text: text.replace("a,1,x,true", "a,1,x,false"),
            r"labels.csv:2: the first page of stack a has begins_document false",
        ),
    ],
)
def test_each_fault_of_labels_is_named(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        labels(tmp_path, change(GOOD))


def test_class_without_training_pages_is_refused(tmp_path: Path) -> None:
    pages = labels(tmp_path, GOOD.replace("c,1,x", "c,1,z"))
    with pytest.raises(DataError, match=r'labels\.csv:5: class "z" is in 0 training stacks, expected at least 1'):
        data.classes_of(pages)


def test_labels_without_a_held_out_page_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.csv:2: no stack is held out"):
        data.classes_of(labels(tmp_path, GOOD.replace("test", "train")))


def test_class_with_fewer_stacks_than_folds_is_refused(tmp_path: Path) -> None:
    pages = [page for page in labels(tmp_path, GOOD) if page.split == "train"]
    with pytest.raises(DataError, match=r'labels\.csv:2: class "x" is in 1 training stack, expected at least 2'):
        data.check_class_stacks(pages, 2)


def test_files_of_a_page_are_named_when_missing_or_unreadable(documents: Path, tmp_path: Path) -> None:
    pages = data.read_labels(documents)
    shutil.copytree(documents, tmp_path, dirs_exist_ok=True)
    page = pages[7]
    text, image = (
        tmp_path / "text" / page.stack / f"{page.file_stem}.txt",
        tmp_path / "images" / page.stack / f"{page.file_stem}.png",
    )
    text.write_bytes(b"ab\xff")
    with pytest.raises(
        DataError, match=rf"text/{page.stack}/{text.name}: is not UTF-8 text \(page of labels.csv:{page.line}\)"
    ):
        data.read_texts(tmp_path / "text", pages)
    text.unlink()
    with pytest.raises(DataError, match=rf"labels.csv:{page.line}: text/{page.stack}/{text.name} is missing"):
        data.read_texts(tmp_path / "text", pages)
    original = image.read_bytes()
    for content in (b"", b"no image at all", original[: len(original) // 2]):
        image.write_bytes(content)
        with pytest.raises(
            DataError, match=rf"images/{page.stack}/{image.name}: .* \(page of labels.csv:{page.line}\)"
        ):
            data.read_images(tmp_path / "images", pages, 24, 32, 2)


def test_images_of_any_size_and_mode_become_grey_of_the_wanted_size(tmp_path: Path) -> None:
    for name, image in {
        "rgb": Image.new("RGB", (50, 40), (255, 255, 255)),
        "transparent": Image.new("RGBA", (7, 9), (0, 0, 0, 0)),
        "palette": Image.new("P", (300, 200), 0),
        "bit": Image.new("1", (30, 30), 1),
    }.items():
        image.save(tmp_path / f"{name}.png")
        pixels = data.decode_image(tmp_path / f"{name}.png", 24, 32)
        assert pixels.shape == (32, 24)
        assert numpy.allclose(pixels, 1 if name == "palette" else 0)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ("nothing", "folds.json: expected"),
        ({"k": 1, "folds": {"a": 0, "b": 0}}, "k is 1, expected a whole number from 2 to 100"),
        ({"k": 2, "folds": {"a": 0}}, r"training stack b \(labels.csv:4\) has no fold"),
        ({"k": 2, "folds": {"a": 0, "b": 2}}, "fold of stack b is 2, expected 0 to 1"),
        ({"k": 2, "folds": {"a": 0, "b": 0}}, "fold 1 holds no stack"),
        ({"k": 2, "folds": {"a": 0, "b": 1, "c": 1}}, "stack 'c' is no training stack"),
    ],
)
def test_each_fault_of_folds_is_named(tmp_path: Path, folds: object, message: str) -> None:
    pages = labels(tmp_path, GOOD)
    (tmp_path / "folds.json").write_text(folds if isinstance(folds, str) else json.dumps(folds))
    with pytest.raises(DataError, match=message):
        data.read_folds(tmp_path, pages)


def table(tmp_path: Path, change: Callable[[str], str]) -> data.Table:
    header, *rows = GOOD.splitlines()
    content = "\n".join([header + ",text:y,text:x,image:x,image:y", *(row + ",0.25,0.75,0.5,0.5" for row in rows)])
    (tmp_path / "dataframe.csv").write_text(change(content))
    return data.read_table(tmp_path)


def test_table_is_read_by_its_header_whatever_the_order_of_columns(tmp_path: Path) -> None:
    read = table(tmp_path, lambda text: text)
    assert read.members == ["text", "image"] and read.classes == ["x", "y"]
    assert read.probabilities[0].tolist() == [[0.75, 0.25], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text.replace("image:y", "image:z"),
            "dataframe.csv:1: member image has the classes x, z, expected x, y",
        ),
        (lambda text: text.replace("image:y", "image"), "column 'image': expected <member>:<class>"),
        (lambda text: text.replace("image:y", "image:x"), "column 'image:x' occurs twice"),
        (lambda text: text.replace("0.25,0.75", "0.25,much", 1), "dataframe.csv:2: a probability is not a number"),
        (lambda text: text.replace("0.25,0.75", "nan,0.75", 1), "dataframe.csv:2: text:y is nan"),
        (
            lambda text: text.replace("0.25,0.75", "0.25,0.5", 1),
            "dataframe.csv:2: the probabilities of text sum to 0.750",
        ),
        (lambda text: text.replace("b,1,y", "b,1,w"), "dataframe.csv:4: class w has no column"),
        (lambda text: text.replace("a,2,", "a,1,"), "dataframe.csv:3: page 1 of stack a is there already, in line 2"),
    ],
)
def test_each_fault_of_the_table_is_named(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(tmp_path, change)
