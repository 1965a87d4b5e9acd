"""Measures the ensemble's quality: trains it as SageMaker would, set by set and seed by seed, on held-out stacks.

    .venv/bin/python bench/quality/measure.py [--sets NAME ...] [--seeds N ...] [--stages NAME ...] [--ablations]
        [--control]

Prints a table as Markdown and what misses the goals, and ends with 1 where something does. What was measured once with
the same code and the same values is read from the work folder again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workloads" / "training"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "training"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "local" / "documents"))

import generate
import pipeline
import real_documents
from common import metrics
from common.data import read_labels
from common.documents import Page
from common.metrics import Labelling

ROOT = Path(__file__).resolve().parents[2]
TRAINING = ROOT / "workloads" / "training"
LOCAL = "local"
#: Stages whose image model takes a graphics card: here it is trained with the local values.
GRAPHICS = ("prod",)
#: Name of the set that the project makes itself; the others are of real documents.
SAMPLE = "sample"
FOLDS = 4
STACKS = 90
#: What must be reached on the sample (ratios).
GOALS = {"page_accuracy": 0.96, "segment_f1": 0.92, "stacks_right": 0.65}
#: A model that learns nothing guesses the most frequent class this many standard deviations better at most.
DEVIATIONS = 3.0
#: Without what the sequence model is trained, by name: see ablated.py.
ABLATIONS = ("best_epoch", "residual", "begins", "weight_decay")
#: Files in common/ that the base models do not read: a change there trains the sequence model only.
COMBINER_ONLY = (
    "chain.py",
    "chain_loss.py",
    "combiner.py",
    "fitting.py",
    "judgement.py",
    "published.py",
    "structure.py",
)
#: Other work goes first.
NICE = 10

Parameters = Mapping[str, Mapping[str, Any]]


def make_sample(folder: Path, seed: int) -> None:
    generate.generate(folder, seed, stacks=STACKS)


SETS: dict[str, Callable[[Path, int], None]] = {SAMPLE: make_sample, **real_documents.SETS}


@dataclass(frozen=True)
class Cost:
    """Of one training: processor seconds, and the most memory it had, in bytes."""

    seconds: float
    memory: int


def train(program: Path, base: Path, channels: Mapping[str, Path], parameters: Mapping[str, Any], **more: str) -> Cost:
    """Runs one training in a process of its own; its output goes to train.log.

    @raises RuntimeError where it fails, with its last lines.
    """
    shutil.rmtree(base, ignore_errors=True)
    pipeline.prepare(base, channels, parameters)
    log = base / "train.log"
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(
            ["nice", "-n", str(NICE), sys.executable, str(program)],
            env=pipeline.environment(base, **more),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-5:])
        raise RuntimeError(f"{program.name} in {base} ended with {process.returncode}:\n{last}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def read_metrics(base: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((base / "output" / "data" / "metrics.json").read_text(encoding="utf-8"))
    return value


@dataclass(frozen=True)
class Bench:
    """The ensemble of one set, one seed and one stage's hyperparameters."""

    work: Path
    name: str
    set: str
    documents: Path
    parameters: Parameters
    seed: int

    @property
    def folder(self) -> Path:
        return self.work / self.name

    @cached_property
    def pages(self) -> dict[tuple[str, int], Page]:
        return {(page.stack, page.page): page for page in read_labels(self.documents)}

    def _of(self, model: str) -> dict[str, Any]:
        return {**self.parameters[model], "seed": self.seed}

    def base_models(self, labels: Path) -> dict[str, Cost]:
        """Trains both, and writes the merged table."""
        pipeline.split(labels, self.folder / "split", FOLDS, self.seed)
        channels = {
            "text": {"labels": labels, "text": self.documents / "text"},
            "image": {"labels": labels, "images": self.documents / "images", "folds": self.folder / "split"},
        }
        costs = {
            model: train(pipeline.PROGRAMS[model], self.folder / model, own, self._of(model))
            for model, own in channels.items()
        }
        members = {
            model: pipeline.predictions_of(
                *sorted((self.folder / model / "output" / "data").rglob("predictions.jsonl"))
            )
            for model in channels
        }
        pipeline.merge(pipeline.read_labels(labels), members, self.folder / "dataframe")
        return costs

    def sequence(self) -> Cost:
        channels = {"dataframe": self.folder / "dataframe"}
        return train(pipeline.PROGRAMS["sequence"], self.folder / "sequence", channels, self._of("sequence"))

    def without(self, part: str) -> dict[str, Any]:
        """The sequence model's metrics without a part."""
        base = self.folder / f"without-{part}"
        program = Path(__file__).with_name("ablated.py")
        train(program, base, {"dataframe": self.folder / "dataframe"}, self._of("sequence"), ABLATED=part)
        return {"metrics": read_metrics(base)}


def measure(bench: Bench) -> dict[str, Any]:
    values = {model: own for model, own in bench.parameters.items() if model != "sequence"}
    identity = fingerprint(sources_of_base_models(), bench.set, bench.seed, values)
    costs = once(
        bench.folder / "dataframe",
        identity,
        lambda: {"costs": {model: vars(cost) for model, cost in bench.base_models(bench.documents).items()}},
    )["costs"]
    costs["sequence"] = vars(bench.sequence())
    return {"metrics": read_metrics(bench.folder / "sequence"), "costs": costs}


def control(bench: Bench) -> dict[str, Any]:
    """All three models on permuted labels of the training pages: nothing of what they then say can be knowledge."""
    rows = pipeline.read_labels(bench.documents)
    training = [row for row in rows if row["split"] == "train"]
    names = [row["class"] for row in training]
    begins = [row["begins_document"] for row in training]
    draws = random.Random(bench.seed)
    draws.shuffle(names)
    draws.shuffle(begins)
    previous: dict[str, str] = {}
    for row, name, mark in zip(training, names, begins, strict=True):
        # where the class changes a document begins, or the labels would contradict themselves
        row["begins_document"] = "true" if previous.get(row["stack"]) != name else mark
        row["class"] = previous[row["stack"]] = name
    labels = bench.folder / "labels"
    pipeline.write_labels(labels, rows)
    bench.base_models(labels)
    bench.sequence()
    truth = [row["class"] for row in rows if row["split"] == "test"]
    share = max(truth.count(name) for name in truth) / len(truth)
    judged = read_metrics(bench.folder / "sequence")
    return {
        "accuracy": {"ensemble": judged["page_accuracy"]}
        | {name: own["page_accuracy"]["value"] for name, own in judged["comparison"]["members"].items()},
        "segment_f1": judged["segment_f1"],
        "majority": share,
        "bound": share + DEVIATIONS * (share * (1 - share) / len(truth)) ** 0.5,
    }


def fingerprint(files: Sequence[Path], *parts: object) -> str:
    """Of these files' content and these values: what a result depends on."""
    own = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        own.update(path.read_bytes())
    return own.hexdigest()[:12]


def sources_of_sets() -> list[Path]:
    return [Path(generate.__file__), Path(real_documents.__file__)]


def sources_of_trainings() -> list[Path]:
    return [*TRAINING.rglob("*.py"), *TRAINING.rglob("*.json"), *sources_of_sets()]


def sources_of_base_models() -> list[Path]:
    own = (TRAINING / "sequence", TRAINING / "predict")
    return [
        path
        for path in sources_of_trainings()
        if path.name not in COMBINER_ONLY and not any(path.is_relative_to(folder) for folder in own)
    ]


def once(folder: Path, identity: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` gives, or gave before under the same identity."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".json")
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if known.get("identity") == identity:
            return known
    started = time.monotonic()
    result = work() | {"identity": identity}
    path.write_text(json.dumps(result), encoding="utf-8")
    print(f"{folder.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return result


def values_of(stage: str) -> Parameters:
    """The hyperparameters of a stage as it is configured; `local`: those of dev as a local run trains them."""
    arguments = ["dev", "--local"] if stage == LOCAL else [stage]
    ended = subprocess.run(
        ["node", "-r", "./scripts/typescript.cjs", "bench/quality/hyperparameters.ts", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise SystemExit(ended.stderr.strip())
    values: dict[str, dict[str, Any]] = json.loads(ended.stdout)
    if stage in GRAPHICS:
        values["image"] = {**values_of(LOCAL)["image"]}
    return {model: {name: value for name, value in own.items() if value != ""} for model, own in values.items()}


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def row_of(name: str, result: Mapping[str, Any]) -> list[str]:
    judged = result["metrics"]
    comparison = judged["comparison"]
    best = comparison["best_member"]
    members = {name: own["page_accuracy"]["value"] for name, own in comparison["members"].items()}
    gain = comparison["members"][best]
    intervals = [
        f"{percent(own['gain'])} [{percent(own['low'])}, {percent(own['high'])}]"
        for own in (gain["page_accuracy"], gain["segment_f1"])
    ]
    costs = result["costs"].values()
    return [
        name,
        f"{judged['test']['stacks']} / {judged['test']['pages']}",
        *(percent(members[member]) for member in ("text", "image")),
        percent(comparison["baselines"]["logistic_stacking"]["page_accuracy"]["value"]),
        percent(judged["page_accuracy"]),
        percent(judged["segment_f1"]),
        percent(judged["stacks_right"]),
        *intervals,
        percent(judged["expected_calibration_error"]),
        " + ".join(f"{cost['seconds']:.0f}" for cost in costs),
        f"{max(cost['memory'] for cost in costs) / 2**20:.0f}",
    ]


COLUMNS = (
    "set-seed-stage, stacks / pages, text, image, stacking, ensemble, segment F1, stacks right, "
    "gain over the best member, segment gain, ECE, s, MB"
).split(", ")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows])


def misses(bench: Bench, judged: Mapping[str, Any]) -> list[str]:
    """What of the goals a measurement does not reach, in words."""
    found = [
        f"{bench.name}: {key} {judged[key]:.3f}, expected at least {goal}"
        for key, goal in GOALS.items()
        if bench.set == SAMPLE and judged[key] < goal
    ]
    comparison = judged["comparison"]
    for key, own in comparison["members"][comparison["best_member"]].items():
        verdict = "worse than" if own["high"] < 0 else "within the noise of"
        if own["gain"] < 0:
            found.append(
                f"{bench.name}: {key} {own['gain']:+.3f} [{own['low']:+.3f}, {own['high']:+.3f}]: "
                f"{verdict} the best member"
            )
    return found


def ablations_of(name: str, whole: Mapping[str, Any], without: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Rows of the table of what each part is worth."""
    baselines = whole["comparison"]["baselines"]
    rows = [[name, "(the whole)", *(percent(whole[key]) for key in GOALS)]]
    for words, key in (("networks", "decoded_stacking"), ("networks and decoding", "logistic_stacking")):
        own = baselines[key]
        rows.append([name, words, *(percent(own[figure]["value"]) for figure in list(GOALS)[:2]), ""])
    for part, own in without.items():
        rows.append([name, part.replace("_", " "), *(percent(own["metrics"][key]) for key in GOALS)])
    return rows


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the ensemble's quality on held-out stacks.")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument(
        "--stages",
        nargs="+",
        default=[LOCAL],
        help="whose hyperparameters: local (default), dev, prod, ...; the others may not be worse than the first",
    )
    parser.add_argument("--ablations", action="store_true", help="also without each part of the sequence model")
    parser.add_argument("--control", action="store_true", help="also on permuted labels, which must teach nothing")
    parser.add_argument("--work", type=Path, default=ROOT / ".local" / "quality", help="default: .local/quality")
    return parser.parse_args(arguments)


def documents_of(options: argparse.Namespace, name: str, seed: int) -> Path:
    folder: Path = options.work / "documents" / f"{name}-{seed}-{fingerprint(sources_of_sets())}"
    if not (folder / "labels.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        SETS[name](folder, seed)
    return folder


def labelling_of(bench: Bench) -> Labelling:
    """What the ensemble said of the held-out pages."""
    pages, classes, begins = [], [], []
    for text in (bench.folder / "sequence" / "output" / "data" / "predictions.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        pages.append(bench.pages[line["stack"], line["page"]])
        classes.append(line["class"])
        begins.append(line["begins"])
    return Labelling(pages, classes, begins)


def worse(ours: Bench, theirs: Bench) -> list[str]:
    """Where one stage's values may be worse than another's by more than the noise: the gate's own rule."""
    own, other = labelling_of(ours), labelling_of(theirs)
    compared = metrics.compare(Labelling.truth(own.pages), own, other, ours.seed)
    return [
        f"{ours.name}: {key} {gain['gain']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}] against {theirs.name}, "
        f"noise {gain['noise']:.3f}"
        for key, gain in compared.items()
        if gain["low"] < -gain["noise"]
    ]


@dataclass
class Report:
    """The tables' rows, and what misses a goal."""

    rows: list[list[str]] = field(default_factory=list)
    parts: list[list[str]] = field(default_factory=list)
    controls: list[list[str]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def text(self) -> str:
        tables = [table(COLUMNS, self.rows)]
        if self.parts:
            tables.append(table(["bench", "without", "page accuracy", "segment F1", "stacks right"], self.parts))
        if self.controls:
            columns = ["bench", "ensemble", "text", "image", "segment F1", "most frequent class", "bound"]
            tables.append(table(columns, self.controls))
        missed = "\n".join(f"missed: {one}" for one in self.missed)
        return "\n\n".join([*tables, missed or "all goals reached"])


def measure_stage(bench: Bench, report: Report, ablations: bool) -> None:
    identity = fingerprint(sources_of_trainings(), bench.name, bench.parameters)
    result = once(bench.folder, identity, lambda: measure(bench))
    report.rows.append(row_of(bench.name, result))
    report.missed += misses(bench, result["metrics"])
    if ablations:
        identity = fingerprint([Path(__file__).with_name("ablated.py")], identity)
        without = {
            part: once(bench.folder / f"without-{part}", identity, partial(bench.without, part)) for part in ABLATIONS
        }
        report.parts += ablations_of(bench.name, result["metrics"], without)


def measure_control(bench: Bench, report: Report) -> None:
    identity = fingerprint(sources_of_trainings(), bench.name, bench.parameters)
    own = once(bench.folder, identity, lambda: control(bench))
    figures = [*own["accuracy"].values(), own["segment_f1"], own["majority"], own["bound"]]
    report.controls.append([bench.name, *map(percent, figures)])
    report.missed += [
        f"{bench.name}: {model} {value:.3f}, above chance ({own['bound']:.3f})"
        for model, value in own["accuracy"].items()
        if value > own["bound"]
    ]


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    values = {stage: values_of(stage) for stage in options.stages}
    report = Report()
    for name in options.sets:
        for seed in options.seeds:
            documents = documents_of(options, name, seed)
            benches = [
                Bench(options.work, f"{name}-{seed}-{stage}", name, documents, values[stage], seed)
                for stage in options.stages
            ]
            for bench in benches:
                measure_stage(bench, report, options.ablations)
                report.missed += worse(bench, benches[0])
        if options.control:
            first = options.seeds[0]
            documents = documents_of(options, name, first)
            own = Bench(options.work, f"{name}-{first}-permuted", name, documents, values[options.stages[0]], first)
            measure_control(own, report)
    print(report.text())
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
