"""Checkpoints: one file each, replaced as a whole, and used only by a training that would have come to the same point.

SageMaker copies the folder to S3 file by file while the training runs, so state that belongs together must be one file.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, Mapping

from .output import write_atomically


def fingerprint(*parts: Any) -> str:
    """Identifies what a training depends on: hyperparameters, data, library versions."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else json.dumps(part, sort_keys=True, default=str).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def save(path: Path, identity: str, state: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """`state` is JSON (epoch, history), `arrays` are the variables of model and optimizer."""
    import numpy

    header = json.dumps({"fingerprint": identity, "state": state}).encode()
    buffer = io.BytesIO()
    numpy.savez(buffer, header=numpy.frombuffer(header, numpy.uint8), **arrays)
    write_atomically(path, buffer.getvalue())


def load(path: Path, identity: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """State and arrays; None (and a line that says why) where there is nothing that this training can go on from."""
    import numpy

    if not path.is_file():
        return None
    try:
        with numpy.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        header = json.loads(arrays.pop("header").tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        print(f"checkpoint {path.parent.name}/{path.name}: not readable, starting over", flush=True)
        return None
    if header.get("fingerprint") != identity:
        print(
            f"checkpoint {path.parent.name}/{path.name}: of other hyperparameters, data or versions, starting over",
            flush=True,
        )
        return None
    return header["state"], arrays


def variables_of(*owners: Any) -> list[Any]:
    """Every variable of models and optimizers, in their fixed order: weights, statistics, seeds of dropout, momenta, steps."""
    return [variable for owner in owners for variable in owner.variables]


def snapshot(variables: list[Any]) -> dict[str, Any]:
    import numpy

    return {f"v{index:04d}": numpy.asarray(variable) for index, variable in enumerate(variables)}


def restore(variables: list[Any], arrays: Mapping[str, Any]) -> None:
    for index, variable in enumerate(variables):
        variable.assign(arrays[f"v{index:04d}"])
