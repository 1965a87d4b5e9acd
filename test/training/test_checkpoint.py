"""Checkpoints: whole or not at all, and only for the training that wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from common import checkpoint, output


def test_what_was_saved_is_loaded_by_the_same_training_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fold-0" / "state.npz"
    assert checkpoint.load(path, "a") is None
    checkpoint.save(path, "a", {"epochs": 3}, {"v": numpy.arange(4)})
    state, arrays = checkpoint.load(path, "a")
    assert state == {"epochs": 3} and arrays["v"].tolist() == [0, 1, 2, 3]
    assert checkpoint.load(path, "b") is None
    assert "of other hyperparameters, data or versions, starting over" in capsys.readouterr().out


def test_damaged_checkpoint_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fold-0" / "state.npz"
    checkpoint.save(path, "a", {"epochs": 3}, {"v": numpy.arange(1000)})
    content = path.read_bytes()
    for damaged in (b"", content[:100], content[: len(content) // 2], content[:-200], b"x" * 500):
        path.write_bytes(damaged)
        assert checkpoint.load(path, "a") is None
        assert "not readable, starting over" in capsys.readouterr().out


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
