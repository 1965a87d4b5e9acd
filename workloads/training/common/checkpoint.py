"""Checkpoints: one file each, replaced as a whole, and used only by a training that would have come to the same point.

SageMaker copies the folder to S3 file by file while the training runs, so state that belongs together must be one file.
Whatever else lies in a checkpoint's place, a part of a file, a changed one, a folder, is set aside, and the training
starts over: a content key is never blocked by it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from .output import write_atomically

#: Of the .npy format: magic, version, and the shape's description.
_LARGEST_ARRAY_HEADER = 10_000
_LARGEST_STATE = 50_000_000
#: Shapes by name of what a checkpoint must hold.
Shapes = Mapping[str, Sequence[int]]


class Saved(NamedTuple):
    """What a training left behind: JSON (epochs, history), and arrays by name."""

    state: dict[str, Any]
    arrays: dict[str, Any]


class _DamagedError(Exception):
    """Why a checkpoint cannot be used."""


def fingerprint(*parts: Any) -> str:
    """Identifies what a training depends on: hyperparameters, data, library versions."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else json.dumps(part, sort_keys=True, default=str).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def save(path: Path, identity: str, state: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """`state` is JSON (epoch, history), `arrays` are the variables of model and optimizer."""
    content = {"fingerprint": identity, "state": state, "content": _digest(state, arrays)}
    header = json.dumps(content).encode()
    buffer = io.BytesIO()
    numpy.savez(buffer, header=numpy.frombuffer(header, numpy.uint8), **arrays)
    write_atomically(path, buffer.getvalue())


def load(path: Path, identity: str, shapes: Shapes | None = None) -> Saved | None:
    """What was saved; None (and a line that says why) where there is nothing that this training can go on from.

    @param shapes of the arrays that must be there; without it any are taken.
    """
    if not path.exists() and not path.is_symlink():
        return None
    name = f"{path.parent.name}/{path.name}"
    try:
        header, arrays = _read(path)
    except Exception as error:  # a damaged archive makes zipfile, zlib, struct and numpy raise what they like
        reason = str(error) if isinstance(error, _DamagedError) else f"not readable ({type(error).__name__})"
        print(f"checkpoint {name}: {reason}, set aside, starting over", flush=True)
        set_aside(path, "damaged")
        return None
    if header["fingerprint"] != identity:
        print(f"checkpoint {name}: of other hyperparameters, data or versions, starting over", flush=True)
        return None
    found = {key: array.shape for key, array in arrays.items()}
    if shapes is not None and found != {key: tuple(shape) for key, shape in shapes.items()}:
        print(f"checkpoint {name}: not the arrays of this training, set aside, starting over", flush=True)
        set_aside(path, "damaged")
        return None
    return Saved(header["state"], arrays)


def set_aside(path: Path, why: str) -> None:
    """Renames what lies in a checkpoint's place to `<name>.<why>`, or `<name>.<why>-2`, ...; says where it cannot."""
    candidates = (path.with_name(f"{path.name}.{why}{suffix}") for suffix in ("", *(f"-{n}" for n in range(2, 100))))
    target = next((candidate for candidate in candidates if not os.path.lexists(candidate)), None)
    try:
        os.replace(path, target or path.with_name(f"{path.name}.{why}"))
    except OSError as error:
        print(f"checkpoint {path.parent.name}/{path.name}: cannot be set aside ({error.strerror})", flush=True)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    if not path.is_file():
        raise _DamagedError("not a file")
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        if len(entries) != len(archive.infolist()) or "header" not in entries:
            raise _DamagedError("no checkpoint")
        header = _header(_array(archive, entries.pop("header"), _LARGEST_STATE))
        largest = path.stat().st_size
        arrays = {name: _array(archive, entry, largest) for name, entry in entries.items()}
    if header.get("content") != _digest(header["state"], arrays):
        raise _DamagedError("content differs from what was saved")
    return header, arrays


def _digest(state: Mapping[str, Any], arrays: Mapping[str, Any]) -> str:
    """Over state, names, types, shapes and values: a changed byte anywhere is seen."""
    parts: list[Any] = [state]
    for name in sorted(arrays):
        array = numpy.ascontiguousarray(arrays[name])
        parts += [name, array.dtype.str, array.shape, array.tobytes()]
    return fingerprint(*parts)


def _header(array: Any) -> dict[str, Any]:
    header = json.loads(array.tobytes())
    known = isinstance(header, dict) and isinstance(header.get("fingerprint"), str)
    if not known or not isinstance(header.get("state"), dict):
        raise _DamagedError("no checkpoint")
    return dict(header)


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, largest: int) -> Any:
    """An array of at most `largest` bytes: a header that promises more than the file has would fill the memory."""
    if entry.file_size > largest + _LARGEST_ARRAY_HEADER:
        raise _DamagedError(f"{entry.filename} is too large")
    content = io.BytesIO(archive.read(entry))
    version = numpy.lib.format.read_magic(content)
    reader = {(1, 0): numpy.lib.format.read_array_header_1_0, (2, 0): numpy.lib.format.read_array_header_2_0}[version]
    shape, _, kind = reader(content)
    if kind.hasobject or kind.itemsize * int(numpy.prod(shape, dtype=object)) != entry.file_size - content.tell():
        raise _DamagedError(f"{entry.filename} is no array")
    content.seek(0)
    return numpy.lib.format.read_array(content, allow_pickle=False)


def variables_of(*owners: Any) -> list[Any]:
    """Every variable of models and optimizers, in their fixed order: weights, statistics, seeds of dropout, momenta,
    steps.
    """
    return [variable for owner in owners for variable in owner.variables]


def snapshot(variables: Sequence[Any], prefix: str = "v") -> dict[str, Any]:
    return {f"{prefix}{index:04d}": numpy.asarray(variable) for index, variable in enumerate(variables)}


def restore(variables: Sequence[Any], arrays: Mapping[str, Any], prefix: str = "v") -> None:
    for index, variable in enumerate(variables):
        variable.assign(arrays[f"{prefix}{index:04d}"])
