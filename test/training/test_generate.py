"""The sample documents: deterministic, in the documented layout, and hard in the three ways that it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import generate
import pipeline
from common.data import read_labels


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_equal_seeds_give_equal_bytes_and_other_seeds_others(documents: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    generate.generate(again, seed=5, stacks=24)
    generate.generate(other, seed=6, stacks=24)
    assert content_of(again) == content_of(documents)
    assert content_of(other)["labels.csv"] != content_of(documents)["labels.csv"]


def test_more_stacks_leave_the_pages_of_the_first_as_they_are(documents: Path, tmp_path: Path) -> None:
    generate.generate(tmp_path, seed=5, stacks=26)
    larger = content_of(tmp_path)
    assert all(larger[name] == content for name, content in content_of(documents).items() if name != "labels.csv")


def test_layout_is_what_the_trainings_read(documents: Path) -> None:
    pages = read_labels(documents)
    files = set(content_of(documents)) - {"labels.csv"}
    assert files == {
        f"{kind}/{page.stack}/{page.file_stem}{suffix}"
        for page in pages
        for kind, suffix in (("text", ".txt"), ("images", ".png"))
    }
    assert {page.class_name for page in pages} == {kind.name for kind in generate.CLASSES}


def test_a_smaller_sample_replaces_a_larger_one(tmp_path: Path) -> None:
    generate.generate(tmp_path, seed=1, stacks=14)
    generate.generate(tmp_path, seed=1, stacks=12)
    assert len(list((tmp_path / "images").iterdir())) == 12


def test_some_classes_share_words_some_share_layouts_and_annexes_share_both() -> None:
    by_words: dict[str, set[str]] = {}
    by_layout: dict[str, set[str]] = {}
    for kind in generate.CLASSES:
        by_words.setdefault(kind.words, set()).add(kind.layout)
        by_layout.setdefault(kind.layout, set()).add(kind.words)
    assert [len(layouts) for layouts in by_words.values() if len(layouts) > 1] == [2, 2]
    assert [len(words) for words in by_layout.values() if len(words) > 1] == [2]
    assert sum(kind.annex_share > 0 for kind in generate.CLASSES) >= 6


def test_split_column_can_be_left_to_fetch(tmp_path: Path) -> None:
    generate.generate(tmp_path, seed=1, stacks=12, with_split=False)
    assert {row["split"] for row in pipeline.read_labels(tmp_path)} == {""}


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    program = str(pipeline.ROOT / "local" / "documents" / "generate.py")
    few = subprocess.run(
        [sys.executable, program, "--out", str(tmp_path), "--stacks", "3"], capture_output=True, text=True, check=False
    )
    assert few.returncode == 2 and "--stacks: expected 12 to 9999, got 3" in few.stderr
    (tmp_path / "file").write_text("")
    blocked = subprocess.run(
        [sys.executable, program, "--out", str(tmp_path / "file")], capture_output=True, text=True, check=False
    )
    assert blocked.returncode == 1 and len(blocked.stderr.splitlines()) == 1
