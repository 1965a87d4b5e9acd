"""Hyperparameters: a declared schema per model; every problem is reported, in one line.

Names, types, bounds, defaults and meanings stand in schema.json beside this file, which the workflow's TypeScript reads
too. SageMaker gives every value as a string. AWS's toolkit decodes each as JSON and passes `--key value`; the text
image reads `input/config/hyperparameters.json` itself, with plain strings. Both arrive here as strings and are read by
the schema.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import HyperparameterError


@dataclass(frozen=True)
class Integer:
    default: int
    minimum: int
    maximum: int
    #: Another hyperparameter, which counts how often this one is halved.
    halved_by: str | None = None

    def read(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            number = _number(text)
            if number is None or number != int(number):
                raise ValueError(
                    f"expected a whole number from {self.minimum} to {self.maximum}, got '{text}'"
                ) from None
            value = int(number)
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"expected {self.minimum} to {self.maximum}, got {value}")
        return value


@dataclass(frozen=True)
class Number:
    default: float
    minimum: float
    maximum: float
    #: The bound itself is not allowed.
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    #: Another hyperparameter, of which this one may not be more.
    at_most: str | None = None

    def read(self, text: str) -> float:
        value = _number(text)
        above, below = "above " * self.exclusive_minimum, "below " * self.exclusive_maximum
        bounds = f"{above}{self.minimum:g} to {below}{self.maximum:g}"
        if value is None:
            raise ValueError(f"expected a number from {bounds}, got '{text}'")
        low = value > self.minimum if self.exclusive_minimum else value >= self.minimum
        high = value < self.maximum if self.exclusive_maximum else value <= self.maximum
        if not (low and high):
            raise ValueError(f"expected {bounds}, got {value:g}")
        return value


@dataclass(frozen=True)
class Choice:
    default: str
    values: tuple[str, ...]

    def read(self, text: str) -> str:
        if text not in self.values:
            raise ValueError(f"expected one of {', '.join(self.values)}, got '{text}'")
        return text


@dataclass(frozen=True)
class Text:
    """Any text up to 256 characters; the model checks it against its data."""

    default: str

    def read(self, text: str) -> str:
        if not text or len(text) > 256:
            raise ValueError(f"expected 1 to 256 characters, got {len(text)}")
        return text


Rule = Integer | Number | Choice | Text
Schema = Mapping[str, Rule]

SCHEMA_FILE = Path(__file__).with_name("schema.json")
#: The stage's seed reaches every script as a hyperparameter.
SEED = Integer(1, 0, 2**31 - 1)


def schema_of(model: str) -> Schema:
    """What schema.json says of a model, and the seed."""
    content = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return {name: _rule(entry) for name, entry in content[model].items()} | {"seed": SEED}


def _rule(entry: Mapping[str, Any]) -> Rule:
    default = entry["default"]
    if entry["type"] == "integer":
        return Integer(default, entry["minimum"], entry["maximum"], entry.get("halvedBy"))
    if entry["type"] == "number":
        exclusive = bool(entry.get("exclusiveMinimum")), bool(entry.get("exclusiveMaximum"))
        return Number(default, entry["minimum"], entry["maximum"], *exclusive, entry.get("atMost"))
    if "values" in entry:
        return Choice(default, tuple(entry["values"]))
    return Text(default)


#: What every job gets and no model learns from. `sagemaker_*` (the toolkit's own) and `model_dir` (set by AWS's SDK)
#: are ignored.
JOB_LEVEL = ("bucket", "s3_log_folder", "job_name")
IGNORED = ("model_dir",)


@dataclass(frozen=True)
class Job:
    """Where a copy of metrics and history goes; an empty bucket means nowhere."""

    bucket: str
    s3_log_folder: str
    job_name: str


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) != float("inf") and value == value else None


def arguments_of(arguments: list[str], file: Mapping[str, Any]) -> dict[str, str]:
    """`--key value` and `--key=value`; without any argument the values of hyperparameters.json."""
    if not arguments:
        return {str(key): _plain(value) for key, value in file.items()}
    values: dict[str, str] = {}
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        key, equals, value = argument.lstrip("-").partition("=")
        if not argument.startswith("-") or not key:
            raise HyperparameterError(f"expected --name value, got '{argument}'")
        if not equals:
            index += 1
            if index == len(arguments):
                raise HyperparameterError(f"{key}: no value")
            value = arguments[index]
        values[key] = value
        index += 1
    return values


def _plain(value: Any) -> str:
    """A value of hyperparameters.json: a string as SageMaker writes it; a JSON-quoted one is unquoted."""
    if not isinstance(value, str):
        return json.dumps(value)
    if len(value) >= 2 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value
    return value


def read(schema: Schema, values: Mapping[str, str]) -> tuple[dict[str, Any], Job]:
    """The model's hyperparameters with defaults filled in, and the job's; all problems in one HyperparameterError."""
    problems = []
    result = {name: rule.default for name, rule in schema.items()}
    job = {name: "" for name in JOB_LEVEL}
    for name, text in values.items():
        if name in schema:
            try:
                result[name] = schema[name].read(text.strip())
            except ValueError as error:
                problems.append(f"{name}: {error}")
        elif name in job:
            job[name] = text.strip()
        elif not name.startswith("sagemaker_") and name not in IGNORED:
            near = difflib.get_close_matches(name, schema, 1)
            problems.append(
                f"{name}: unknown"
                + (f", did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(schema))}")
            )
    problems += [] if problems else _conflicts(schema, result)
    if problems:
        raise HyperparameterError("; ".join(problems))
    return result, Job(**job)


def _conflicts(schema: Schema, values: Mapping[str, Any]) -> list[str]:
    """What does not fit beside the other values; the stage's loader and Setup refuse the same."""
    problems = []
    for name, rule in schema.items():
        if isinstance(rule, Number) and rule.at_most is not None and values[name] > values[rule.at_most]:
            problems.append(f"{name}: {values[name]:g} is above {rule.at_most} {values[rule.at_most]:g}")
        if isinstance(rule, Integer) and rule.halved_by is not None:
            smallest = 2 ** values[rule.halved_by]
            if values[name] < smallest:
                problems.append(
                    f"{name}: {values[name]} is too small for {rule.halved_by} {values[rule.halved_by]}, "
                    f"expected at least {smallest}"
                )
    return problems
