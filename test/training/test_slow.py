"""Minutes: resuming after a kill, AWS's own toolkit, what the ensemble gains, and that nothing leaks."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sysconfig
import tarfile
import venv
from pathlib import Path
from typing import Any

import numpy
import pytest

import pipeline

pytestmark = pytest.mark.slow

REDUCED = pipeline.reduced()
IMAGE = {
    "epochs": 4,
    "cycle_length": 2,
    "depth": 3,
    "conv_block_length": 1,
    "image_width": 24,
    "image_height": 32,
    "batch_size": 32,
    "worker": 2,
    "max_lr": 0.02,
    "dropout": 0.3,
}
SEQUENCE = {
    "epochs": 5,
    "epoch_seq": 600,
    "val_seq": 40,
    "net_layers": 1,
    "net_width": 16,
    "dropout": 0.2,
    "lr_schedule_epoch": 2,
}
TEXT = {"k_folds": 4, "calibration_folds": 2}
PARAMETERS: dict[str, dict[str, Any]] = {"image": IMAGE, "sequence": SEQUENCE, "text": TEXT}
TOOLKIT = "sagemaker-training==5.1.4"


def probabilities(base: Path) -> dict[tuple[str, str, int], list[float]]:
    found = {}
    for path in (base / "output" / "data").rglob("predictions.jsonl"):
        for text in path.read_text().splitlines():
            line = json.loads(text)
            found[path.parent.name, line["stack"], line["page"]] = [
                *line["probabilities"].values(),
                line.get("begins_document", 0),
            ]
    return found


def assert_equal_within_tolerance(resumed: Path, whole: Path) -> None:
    one, two = probabilities(resumed), probabilities(whole)
    assert one.keys() == two.keys() and one
    assert max(abs(a - b) for page in one for a, b in zip(one[page], two[page], strict=True)) < 1e-3


class Trainings:
    """Uninterrupted trainings that several tests compare with: each is made once."""

    def __init__(self, documents: Path, folds: Path, table: Path, folder: Path) -> None:
        self.channels = {
            "image": {"labels": documents, "images": documents / "images", "folds": folds},
            "sequence": {"dataframe": table},
            "text": {"labels": documents, "text": documents / "text"},
        }
        self._folder = folder
        self._output: dict[str, str] = {}

    def whole(self, model: str) -> tuple[Path, str]:
        """Base directory (to be read only) and standard output."""
        base = self._folder / model
        if model not in self._output:
            self._output[model] = pipeline.train(model, base, self.channels[model], PARAMETERS[model])
        return base, self._output[model]


@pytest.fixture(scope="session")
def trainings(documents: Path, folds: Path, table: Path, tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    return Trainings(documents, folds, table, tmp_path_factory.mktemp("trainings"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(
    ("model", "until"), [("image", "epoch 2/4 fold 1"), ("sequence", "epoch 3/5"), ("text", "fold 2/4")]
)
def test_training_goes_on_after_a_kill_with_equal_result_and_less_work(
    trainings: Trainings,
    tmp_path: Path,
    how: signal.Signals,
    model: str,
    until: str,
) -> None:
    uninterrupted, whole = trainings.whole(model)
    base = tmp_path / "killed"
    pipeline.prepare(base, trainings.channels[model], PARAMETERS[model])
    process = pipeline.start(model, base)
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith(until):
            process.send_signal(how)
            break
    _, error = process.communicate()
    if how == signal.SIGTERM:
        assert process.returncode == 143 and error.splitlines()[-1].startswith("Interrupted:")
    else:
        assert process.returncode == -signal.SIGKILL
    assert not (base / "output" / "failure").exists()
    assert not list((base / "output" / "data").rglob("predictions.jsonl")) or model == "image"
    for folder in ("model", "output"):
        shutil.rmtree(base / folder, ignore_errors=True)
    code, resumed, error = pipeline.run(model, base)
    assert code == 0, error
    pattern = {"text": r"^fold \d+/\d+ pages=", "image": r"^epoch \d+/\d+ fold", "sequence": r"^epoch \d+/\d+ "}[model]
    work = {name: len(re.findall(pattern, out, re.MULTILINE)) for name, out in (("whole", whole), ("resumed", resumed))}
    taken = resumed.count("taken from its checkpoint") if model == "text" else work["whole"] - work["resumed"]
    assert taken >= {"image": 6, "sequence": 3, "text": 2}[model], f"{work}: {resumed}"
    assert_equal_within_tolerance(base, uninterrupted)


def test_other_hyperparameters_never_use_a_checkpoint(trainings: Trainings, table: Path, tmp_path: Path) -> None:
    before, whole = trainings.whole("sequence")
    assert list((before / "checkpoints").rglob("*"))
    shutil.copytree(before, tmp_path, symlinks=True, dirs_exist_ok=True)
    out = pipeline.train("sequence", tmp_path, {"dataframe": table}, SEQUENCE | {"learning_rate": 0.002})
    # every network begins at its first epoch; where it stops is its own
    assert "starting over" in out and out.count("\nepoch 1/") == whole.count("\nepoch 1/") > 0, out


@pytest.fixture(scope="session")
def toolkit() -> Path:
    """AWS's toolkit in an environment of its own, which sees this one's packages after its own."""
    # outside the checkout: it needs a compiler and half a minute, and a fresh clone must not fetch it again
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "ensemble-training" / TOOLKIT.replace("==", "-")
    program = folder / "bin" / "train"
    if not program.exists():
        venv.create(folder, with_pip=True, clear=True)
        ended = subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOLKIT],
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"{TOOLKIT} cannot be installed here: {ended.stderr.splitlines()[-1:]}")
    site = next((folder / "lib").glob("python*/site-packages"))
    (site / "trainings.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return program


def run_toolkit(
    program: Path, base: Path, script: str, values: dict[str, Any], channels: dict[str, Path]
) -> subprocess.CompletedProcess[str]:
    """`train` as a framework container does it: unpacks the archive, decodes the hyperparameters, starts the script."""
    archive = base / "sourcedir.tar.gz"
    base.mkdir(parents=True)
    folder = {"train_n_folds.py": "image", "train_sequence.py": "sequence"}[script]
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(pipeline.TRAINING / folder / script, script)
        tar.add(
            pipeline.TRAINING / "common", "common", filter=lambda entry: None if "__pycache__" in entry.name else entry
        )
    host = os.uname().nodename
    encoded = {name: json.dumps(value) for name, value in values.items()}
    pipeline.prepare(base, channels, {}, hosts=[host])
    (base / "input" / "config" / "hyperparameters.json").write_text(
        json.dumps(
            encoded
            | {
                "sagemaker_program": json.dumps(script),
                "sagemaker_submit_directory": json.dumps(str(archive)),
                "sagemaker_region": json.dumps("eu-central-1"),
                "sagemaker_container_log_level": "20",
            }
        )
    )
    environment = pipeline.environment(base, TRAINING_JOB_NAME="job", SM_STUDIO_LOCAL_MODE="true")
    environment["PATH"] = f"{program.parent}:{environment['PATH']}"
    return subprocess.run([program], env=environment, cwd=base, capture_output=True, text=True, check=False)


def test_scripts_run_under_the_toolkit_of_aws(
    toolkit: Path, documents: Path, folds: Path, table: Path, tmp_path: Path
) -> None:
    ended = run_toolkit(
        toolkit,
        tmp_path / "sequence",
        "train_sequence.py",
        SEQUENCE | {"epochs": 1, "mode": "both", "optimizer": "adam"},
        {"dataframe": table},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert (tmp_path / "sequence" / "model" / "model.keras").is_file()
    description = json.loads((tmp_path / "sequence" / "model" / "model.json").read_text())
    assert description["hyperparameters"]["optimizer"] == "adam"
    ended = run_toolkit(
        toolkit,
        tmp_path / "image",
        "train_n_folds.py",
        IMAGE | {"epochs": 1},
        {"labels": documents, "images": documents / "images", "folds": folds},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert sorted(path.parent.name for path in (tmp_path / "image" / "model").rglob("model.keras")) == [
        "fold-0",
        "fold-1",
    ]


def test_toolkit_keeps_the_failure_line_of_a_script(toolkit: Path, table: Path, tmp_path: Path) -> None:
    ended = run_toolkit(toolkit, tmp_path / "job", "train_sequence.py", {"epochs": 0}, {"dataframe": table})
    assert ended.returncode != 0
    assert (
        (tmp_path / "job" / "output" / "failure")
        .read_text()
        .startswith("HyperparameterError: epochs: expected 1 to 10000, got 0")
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ensemble_is_better_than_the_better_base_model(seed: int, tmp_path: Path) -> None:
    import generate

    documents = tmp_path / "documents"
    generate.generate(documents, seed, stacks=90)
    parameters = {model: values | {"seed": seed} for model, values in REDUCED.items()}
    result = pipeline.ensemble(documents, tmp_path, parameters)
    right = {model: pipeline.right_by_page(result, model) for model in ("text", "image", "sequence")}
    accuracy = {model: sum(pages.values()) / len(pages) for model, pages in right.items()}
    better = max(("text", "image"), key=accuracy.__getitem__)
    stacks = sorted({stack for stack, _ in result["truth"]})
    gains = {
        stack: [right["sequence"][page] - right[better][page] for page in result["truth"] if page[0] == stack]
        for stack in stacks
    }
    draws = numpy.random.default_rng(seed).integers(len(stacks), size=(10_000, len(stacks)))
    sums, sizes = (numpy.array([measure(gains[stack]) for stack in stacks]) for measure in (sum, len))
    low, high = numpy.quantile(sums[draws].sum(axis=1) / sizes[draws].sum(axis=1), [0.025, 0.975])
    print(
        f"seed {seed}: {accuracy}, gain over {better} {accuracy['sequence'] - accuracy[better]:.3f} "
        f"[{low:.3f}, {high:.3f}]"
    )
    assert accuracy["sequence"] - accuracy[better] >= 0.05
    assert low > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_models_learn_nothing_from_permuted_training_labels(seed: int, tmp_path: Path) -> None:
    """If a prediction of a test page, or an out-of-fold one, had seen its label, some model would beat guessing the
    majority class.
    """
    import generate

    documents = tmp_path / "documents"
    generate.generate(documents, seed, stacks=90)
    rows = pipeline.read_labels(documents)
    training = [row for row in rows if row["split"] == "train"]
    names = [row["class"] for row in training]
    random.Random(seed).shuffle(names)
    previous: dict[str, str] = {}
    for row, name in zip(training, names, strict=True):
        # Where the class changes a document begins, or the labels would contradict themselves.
        row["begins_document"] = "true" if previous.get(row["stack"]) != name else row["begins_document"]
        row["class"] = previous[row["stack"]] = name
    pipeline.write_labels(tmp_path / "labels", rows)
    result = pipeline.ensemble(documents, tmp_path, REDUCED, labels=tmp_path / "labels")
    truth = list(result["truth"].values())
    share = max(truth.count(name) for name in truth) / len(truth)
    page_bound = share + 3 * (share * (1 - share) / len(truth)) ** 0.5
    for model in ("text", "image", "sequence"):
        right = pipeline.right_by_page(result, model)
        accuracy = sum(right.values()) / len(right)
        print(f"seed {seed}: {model} {accuracy:.3f}, majority {share:.3f}, bound {page_bound:.3f}")
        assert accuracy <= page_bound, model
