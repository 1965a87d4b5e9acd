"""Trains the text model: TF-IDF and a linear support vector machine with calibrated probabilities.

Writes out-of-fold predictions of every training page (its own K folds, stratified by class, grouped by stack) and the
predictions of the model that is refitted on all training pages for the test pages.

Channels: `labels` (labels.csv), `text` (<stack>/<page>.txt).
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import checkpoint, hyperparameters, metrics, output  # noqa: E402
from common.container import Container, run  # noqa: E402
from common.data import TEST, TRAIN, Page, check_class_stacks, classes_of, read_labels, read_texts  # noqa: E402
from common.errors import DataError  # noqa: E402
from common.softmax import SoftmaxOfDecision  # noqa: E402

SCHEMA: hyperparameters.Schema = {
    "k_folds": hyperparameters.Integer(4, 2, 20),
    "c": hyperparameters.Number(1.0, 0, 10_000, exclusive_minimum=True),
    "analyzer": hyperparameters.Choice("word", ("word", "char_wb")),
    "ngram_max": hyperparameters.Integer(2, 1, 6),
    "max_features": hyperparameters.Integer(200_000, 10, 10_000_000),
    "min_df": hyperparameters.Integer(2, 1, 1000),
    "calibration": hyperparameters.Choice("sigmoid", ("sigmoid", "isotonic", "none")),
    "calibration_folds": hyperparameters.Integer(3, 2, 10),
    "max_iter": hyperparameters.Integer(1000, 10, 100_000),
    "seed": hyperparameters.Integer(1, 0, 2**31 - 1),
}


def fit(parameters: dict[str, Any], pages: Sequence[Page], texts: Sequence[str]) -> Any:
    """A fitted model; `pages` are only training pages. The calibration's folds are grouped by stack too."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    names = [page.class_name for page in pages]
    groups = [page.stack for page in pages]
    pipeline = make_pipeline(
        TfidfVectorizer(
            analyzer=parameters["analyzer"],
            ngram_range=(1, parameters["ngram_max"]),
            max_features=parameters["max_features"],
            min_df=parameters["min_df"],
            sublinear_tf=True,
            lowercase=True,
        ),
        LinearSVC(C=parameters["c"], max_iter=parameters["max_iter"], random_state=parameters["seed"]),
    )
    if parameters["calibration"] != "none":
        splitter = StratifiedGroupKFold(parameters["calibration_folds"], shuffle=True, random_state=parameters["seed"])
        try:
            splits = list(splitter.split(texts, names, groups))
        except ValueError:
            splits = []
        everything = set(names)
        if splits and all({names[row] for row in kept} == everything for kept, _ in splits):
            model = CalibratedClassifierCV(pipeline, method=parameters["calibration"], cv=splits, ensemble=False)
            return model.fit(texts, names)
        print("calibration: too few stacks of some class for its folds, using uncalibrated probabilities", flush=True)
    return SoftmaxOfDecision(pipeline).fit(texts, names)


def probabilities_of(model: Any, texts: Sequence[str], classes: Sequence[str]) -> Any:
    """(page, class) in the order of `classes`; 0 for a class that the model never saw."""
    import numpy

    result = numpy.zeros((len(texts), len(classes)))
    if len(texts):
        result[:, [classes.index(name) for name in model.classes_]] = model.predict_proba(list(texts))
    return result


def train(container: Container) -> None:
    arguments = hyperparameters.arguments_of(
        [argument for argument in sys.argv[1:] if argument != "train"], container.hyperparameters_file()
    )
    parameters, job = hyperparameters.read(SCHEMA, arguments)
    pages = read_labels(container.channel("labels"))
    classes = classes_of(pages)
    training = [row for row, page in enumerate(pages) if page.split == TRAIN]
    testing = [row for row, page in enumerate(pages) if page.split == TEST]
    check_class_stacks([pages[row] for row in training], parameters["k_folds"])
    texts = read_texts(container.channel("text"), pages)
    if not any(texts[row].strip() for row in training):
        raise DataError("text: every training page's text is empty")
    print(f"text: {len(training)} training pages, {len(testing)} test pages, {len(classes)} classes", flush=True)

    import numpy
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import StratifiedGroupKFold

    warnings.simplefilter("once", ConvergenceWarning)
    names = [pages[row].class_name for row in training]
    groups = [pages[row].stack for row in training]
    library = output.versions("scikit-learn", "numpy", "scipy")
    identity = checkpoint.fingerprint(parameters, [vars(page) for page in pages], texts, library)
    splitter = StratifiedGroupKFold(parameters["k_folds"], shuffle=True, random_state=parameters["seed"])
    held_out_probabilities = numpy.zeros((len(training), len(classes)))
    fold_of = numpy.full(len(training), -1)
    history = []
    for fold, (kept, held_out) in enumerate(splitter.split(training, names, groups)):
        container.check_stop()
        path = container.checkpoint_dir / f"fold-{fold}" / "state.npz"
        saved = checkpoint.load(path, identity)
        if saved:
            probabilities = saved[1]["probabilities"]
            print(f"fold {fold + 1}/{parameters['k_folds']} taken from its checkpoint", flush=True)
        else:
            model = fit(parameters, [pages[training[row]] for row in kept], [texts[training[row]] for row in kept])
            probabilities = probabilities_of(model, [texts[training[row]] for row in held_out], classes)
            checkpoint.save(path, identity, {"fold": fold}, {"probabilities": probabilities})
        held_out_probabilities[held_out] = probabilities
        fold_of[held_out] = fold
        predicted = [classes[best] for best in probabilities.argmax(axis=1)]
        accuracy = metrics.page_accuracy([names[row] for row in held_out], predicted)
        history.append({"fold": fold, "pages": len(held_out), "accuracy": accuracy})
        print(f"fold {fold + 1}/{parameters['k_folds']} pages={len(held_out)} accuracy={accuracy:.4f}", flush=True)

    container.check_stop()
    model = fit(parameters, [pages[row] for row in training], [texts[row] for row in training])
    test_probabilities = probabilities_of(model, [texts[row] for row in testing], classes)
    write(
        container,
        job,
        parameters,
        library,
        pages,
        classes,
        training,
        testing,
        held_out_probabilities,
        fold_of,
        test_probabilities,
        model,
        history,
    )


def write(
    container: Container,
    job: hyperparameters.Job,
    parameters: dict[str, Any],
    library: dict[str, str],
    pages: list[Page],
    classes: list[str],
    training: list[int],
    testing: list[int],
    held_out: Any,
    fold_of: Any,
    test: Any,
    model: Any,
    history: list[dict[str, Any]],
) -> None:
    import joblib

    joblib.dump(model, container.model_dir / "model.joblib", compress=3)
    output.write_json(
        container.model_dir / "model.json",
        {
            "format": output.MODEL_FORMAT,
            "kind": "text",
            "file": "model.joblib",
            "classes": classes,
            "hyperparameters": parameters,
            "preprocessing": {"encoding": "utf-8"},
            "versions": library,
        },
    )
    output.write_predictions(
        container.data_dir / "predictions.jsonl",
        [
            *(
                output.prediction(pages[row], int(fold_of[index]), classes, held_out[index])
                for index, row in enumerate(training)
            ),
            *(output.prediction(pages[row], None, classes, test[index]) for index, row in enumerate(testing)),
        ],
    )
    oof = metrics.summary(
        [pages[row] for row in training], [classes[best] for best in held_out.argmax(axis=1)], classes
    )
    tested = metrics.summary([pages[row] for row in testing], [classes[best] for best in test.argmax(axis=1)], classes)
    output.write_json(
        container.data_dir / "metrics.json",
        {
            "page_accuracy": tested["page_accuracy"],
            "macro_f1": tested["macro_f1"],
            "segment_f1": tested["segment_f1"],
            "classes": classes,
            "test": tested,
            "out_of_fold": oof,
        },
    )
    output.write_json(container.data_dir / "history.json", {"folds": history})
    print(
        f"test accuracy={tested['page_accuracy']:.4f} macro_f1={tested['macro_f1']:.4f} segment_f1={tested['segment_f1']:.4f}",
        flush=True,
    )
    output.copy_logs(container, job, [container.data_dir / "metrics.json", container.data_dir / "history.json"])


if __name__ == "__main__":
    run(train)
