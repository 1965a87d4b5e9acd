"""SageMaker's container contract: where inputs lie, where outputs go, how a training fails and how it is stopped.

Everything lies below one base directory: `/opt/ml`, or what SAGEMAKER_BASE_DIR says (the same variable moves AWS's own
`sagemaker-training` toolkit, so a local process and a container run the same code).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import DataError, Interrupted, StorageError, TrainingError

#: SageMaker keeps the first 1,024 characters of output/failure as FailureReason.
FAILURE_LIMIT = 1024
#: 128 + SIGTERM: what a shell reports for a process that the signal ended.
INTERRUPTED_EXIT_CODE = 143


@dataclass
class Container:
    """One host's view of a training job."""

    base: Path
    hosts: list[str]
    current_host: str
    job_name: str
    stop_requested: bool = field(default=False)

    @staticmethod
    def from_environment() -> Container:
        base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
        resources = _json_file(base / "input" / "config" / "resourceconfig.json")
        hosts = resources.get("hosts") or json.loads(os.environ.get("SM_HOSTS", "[]")) or ["algo-1"]
        current = resources.get("current_host") or os.environ.get("SM_CURRENT_HOST") or hosts[0]
        if current not in hosts:
            raise DataError(
                f"resourceconfig.json: current_host is '{current}', expected one of the hosts {', '.join(hosts)}"
            )
        return Container(base, list(hosts), current, os.environ.get("TRAINING_JOB_NAME", "local"))

    @property
    def host_index(self) -> int:
        return self.hosts.index(self.current_host)

    @property
    def model_dir(self) -> Path:
        return self.base / "model"

    @property
    def data_dir(self) -> Path:
        """Becomes output.tar.gz, beside model.tar.gz."""
        return self.base / "output" / "data"

    @property
    def checkpoint_dir(self) -> Path:
        """Copied to S3 while the job runs, and back before a later start of the same training."""
        return self.base / "checkpoints"

    def hyperparameters_file(self) -> dict[str, str]:
        return _json_file(self.base / "input" / "config" / "hyperparameters.json")

    def channel(self, name: str) -> Path:
        path = self.base / "input" / "data" / name
        if not path.is_dir():
            raise DataError(
                f"channel '{name}' is missing: expected the folder input/data/{name}; name it in InputDataConfig"
            )
        return path

    def check_stop(self) -> None:
        """To be called where stopping loses nothing: raises Interrupted once SIGTERM was received."""
        if self.stop_requested:
            raise Interrupted()


def _json_file(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{path.name}: not JSON ({error})") from None
    if not isinstance(value, dict):
        raise DataError(f"{path.name}: expected a JSON object, got {type(value).__name__}")
    return value


def failure_line(error: BaseException) -> str:
    """One line, prefix first. Of an unexpected error it says type and place, and its message."""
    if isinstance(error, TrainingError):
        text = f"{type(error).__name__}: {error}"
    elif isinstance(error, MemoryError):
        text = "StorageError: out of memory; choose a larger instance type, a smaller batch_size or smaller images"
    elif isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        text = f"StorageError: {error.strerror or error}{where}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        text = f"UnexpectedError: {type(error).__name__}{place}: {error}"
    return " ".join(text.split())[:FAILURE_LIMIT]


def run(train: Callable[[Container], None]) -> None:
    """Runs a training and ends the process: 0, or 1 with one line in output/failure, or 143 when it was stopped.

    The line is written before anything else happens, because AWS's toolkit keeps a failure file that exists, and knows
    no reason itself.
    """
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    started = time.monotonic()
    try:
        container = Container.from_environment()

        def stop(_signal: int, _frame: object) -> None:
            container.stop_requested = True
            print("SIGTERM received: stopping at the next safe point", flush=True)

        signal.signal(signal.SIGTERM, stop)
        for path in (container.model_dir, container.data_dir, container.checkpoint_dir):
            path.mkdir(parents=True, exist_ok=True)
        train(container)
    except Interrupted:
        print("Interrupted: stopped by SIGTERM; the checkpoint holds what was finished", file=sys.stderr, flush=True)
        sys.exit(INTERRUPTED_EXIT_CODE)
    except Exception as error:  # the process's outermost frame: whatever happened must become the job's failure reason
        line = failure_line(error)
        try:
            (base / "output").mkdir(parents=True, exist_ok=True)
            (base / "output" / "failure").write_text(line, encoding="utf-8")
        except OSError as unwritable:
            print(f"cannot write output/failure: {unwritable.strerror}", file=sys.stderr)
        if not isinstance(error, TrainingError):
            traceback.print_exc()
        print(line, file=sys.stderr, flush=True)
        sys.exit(1)
    print(f"done in {time.monotonic() - started:.1f} s", flush=True)
    sys.stdout.flush()


__all__ = ["FAILURE_LIMIT", "INTERRUPTED_EXIT_CODE", "Container", "StorageError", "failure_line", "run"]
