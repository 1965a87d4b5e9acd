"""Checkpoints: whole or not at all, and only for the training that wrote them."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy
import pytest

from common import checkpoint, output


def test_what_was_saved_is_loaded_by_the_same_training_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fold-0" / "state.npz"
    assert checkpoint.load(path, "a") is None
    checkpoint.save(path, "a", {"epochs": 3}, {"v": numpy.arange(4)})
    saved = checkpoint.load(path, "a", {"v": (4,)})
    assert saved is not None
    state, arrays = saved
    assert state == {"epochs": 3} and arrays["v"].tolist() == [0, 1, 2, 3]
    assert checkpoint.load(path, "b") is None
    assert "of other hyperparameters, data or versions, starting over" in capsys.readouterr().out


STATE, ARRAYS = {"epochs": 3, "history": [{"epoch": 1}]}, {"v0": numpy.arange(14.0).reshape(7, 2), "v1": numpy.ones(3)}


def damaged_files(good: bytes) -> Iterator[bytes]:
    """Parts of a checkpoint, single bits turned, bytes overwritten, and files that are none."""
    random = Random(1)
    yield from (good[:length] for length in range(0, len(good), 17))
    for place in range(len(good)):
        yield good[:place] + bytes([good[place] ^ random.choice([0x01, 0x80, 0xFF])]) + good[place + 1 :]
    for _ in range(300):
        content = bytearray(good)
        for _ in range(random.randint(1, 40)):
            content[random.randrange(len(content))] = random.randrange(256)
        yield bytes(content)
    yield from (b"", bytes(1000), b"hello")
    for header in ([1], {"fingerprint": "a"}, {"fingerprint": "a", "state": 1}, {"state": {}}, {"fingerprint": 7}):
        yield archive(header=numpy.frombuffer(json.dumps(header).encode(), numpy.uint8))
    yield archive(v0=numpy.zeros(2))
    yield archive(header=numpy.array([{"x": 1}], object))
    # central directory and local headers say: encrypted, or compressed in an unknown way
    for offsets, value in (((8, 6), 1), ((10, 8), 99)):
        content = bytearray(good)
        for mark, offset in zip((b"PK\x01\x02", b"PK\x03\x04"), offsets, strict=True):
            for found in re.finditer(re.escape(mark), good):
                content[found.start() + offset] = value
        yield bytes(content)


def archive(**arrays: Any) -> bytes:
    content = io.BytesIO()
    numpy.savez(content, **arrays)
    return content.getvalue()


def huge() -> bytes:
    """An array of 4 TiB, as its header says."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }"
    header += b" " * (117 - len(header)) + b"\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        target.writestr("header.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    return content.getvalue()


def test_whatever_lies_in_a_checkpoints_place_is_loaded_whole_or_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fold-0" / "state.npz"
    checkpoint.save(path, "a", STATE, ARRAYS)
    good = path.read_bytes()
    aside = path.with_name("state.npz.damaged")
    files = [*damaged_files(good), huge()]
    assert len(files) > 1000
    for content in files:
        path.write_bytes(content)
        saved = checkpoint.load(path, "a")
        said = capsys.readouterr().out
        if saved is None:
            assert "set aside, starting over" in said or "of other hyperparameters" in said
            assert aside.exists() != path.exists()
        else:
            assert saved.state == STATE and saved.arrays.keys() == ARRAYS.keys()
            assert all((saved.arrays[name] == ARRAYS[name]).all() for name in ARRAYS)
        aside.unlink(missing_ok=True)


def test_a_folder_or_a_broken_link_in_a_checkpoints_place_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "fold-0" / "state.npz"
    for make in (lambda: path.mkdir(parents=True), lambda: path.symlink_to(tmp_path / "nowhere")):
        make()
        assert checkpoint.load(path, "a") is None
        checkpoint.save(path, "a", STATE, ARRAYS)
        assert checkpoint.load(path, "a") is not None
        path.unlink()
    assert {entry.name for entry in path.parent.iterdir()} == {"state.npz.damaged", "state.npz.damaged-2"}


def test_arrays_of_another_network_are_not_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fold-0" / "state.npz"
    for shapes in ({"v0": (7, 2)}, {"v0": (7, 2), "v1": (4,)}, {"v0": (7, 2), "v1": (3,), "v2": ()}):
        checkpoint.save(path, "a", STATE, ARRAYS)
        assert checkpoint.load(path, "a", shapes) is None
        assert "not the arrays of this training, set aside" in capsys.readouterr().out


def test_interrupted_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    output.write_atomically(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        output.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_fingerprint_depends_on_every_part() -> None:
    base = checkpoint.fingerprint({"a": 1, "b": 2}, b"data")
    assert base == checkpoint.fingerprint({"b": 2, "a": 1}, b"data")
    assert (
        len({base, checkpoint.fingerprint({"a": 1, "b": 3}, b"data"), checkpoint.fingerprint({"a": 1, "b": 2}, b"dat")})
        == 3
    )
