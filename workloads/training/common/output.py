"""Writes what a training leaves behind: predictions, metrics, history, the model's description, and a copy for the
log bucket.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from .arrays import Floats
from .container import Container
from .documents import Page
from .hyperparameters import Job

#: Of model.json; a change of what predict must do with a model raises it.
MODEL_FORMAT = 2


def write_atomically(path: Path, content: bytes) -> None:
    """The file has its old content or its new one, never a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_json(path: Path, value: Any) -> None:
    write_atomically(path, (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode())


def prediction(
    page: Page, fold: int | None, classes: Sequence[str], probabilities: Iterable[float], **more: Any
) -> dict[str, Any]:
    """One line of predictions.jsonl; six digits, so that equal runs give equal files."""
    values = {name: round(float(value), 6) for name, value in zip(classes, probabilities, strict=True)}
    return {"stack": page.stack, "page": page.page, "fold": fold, "split": page.split, "probabilities": values, **more}


def predictions(
    pages: Sequence[Page], folds: Sequence[int] | int | None, classes: Sequence[str], answers: Floats
) -> list[dict[str, Any]]:
    """A base model's lines. `answers`: (page, class + 1), last whether a document begins; `folds`: of each page, or
    of all.
    """
    own = [folds] * len(pages) if folds is None or isinstance(folds, int) else folds
    return [
        prediction(page, fold, classes, answer[:-1], begins_document=round(float(answer[-1]), 6))
        for page, fold, answer in zip(pages, own, answers, strict=True)
    ]


def write_predictions(path: Path, predictions: Iterable[Mapping[str, Any]]) -> None:
    ordered = sorted(predictions, key=lambda line: (line["stack"], line["page"]))
    write_atomically(path, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in ordered).encode())


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def copy_logs(container: Container, job: Job, files: Sequence[Path]) -> None:
    """Copies metrics and history to s3://<bucket>/<s3_log_folder>/<job>/, if a bucket is named and can be reached.

    Never fails the training: the same files are in output.tar.gz. Under network isolation a container has no
    credentials.
    """
    if not job.bucket:
        return
    # Without this boto3 asks the instance metadata service for seconds where there is none; training jobs get
    # credentials elsewhere.
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    try:
        import boto3
        from botocore.config import Config

        session = boto3.session.Session()
        if session.get_credentials() is None:
            print("logs: not copied, there are no credentials here", flush=True)
            return
        s3 = session.client("s3", config=Config(connect_timeout=3, read_timeout=10, retries={"max_attempts": 2}))
        prefix = "/".join(part for part in (job.s3_log_folder.strip("/"), job.job_name or container.job_name) if part)
        for path in files:
            s3.upload_file(str(path), job.bucket, f"{prefix}/{path.relative_to(container.data_dir).as_posix()}")
        print(f"logs: copied to s3://{job.bucket}/{prefix}/", flush=True)
    except Exception as error:  # whatever boto3 raises: a missing copy must not cost a finished training
        print(f"logs: not copied ({type(error).__name__})", flush=True)
