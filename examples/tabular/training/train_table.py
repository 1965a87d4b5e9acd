"""Fits one estimator on a table, or the one that learns from the others' predictions, as SageMaker runs trainings.

Members: channels `labels` (labels.csv) and `features` (features.csv: stack,page and numbers, one row a row of
labels.csv). Each writes out-of-fold predictions of the training rows, so that the combiner never learns from leaked
ones, and plain ones of the test rows. Combiner: channel `dataframe` (the members' predictions, merged).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import hyperparameters, metrics, output
from common.container import Container, run
from common.data import TEST, TRAIN, Page, classes_of, find_one, read_labels, read_rows, read_table
from common.errors import DataError

FOLDS = 5
MEMBERS = ("logistic", "forest", "boosting", "neighbours")
SCHEMA: hyperparameters.Schema = {
    "estimator": hyperparameters.Choice("logistic", (*MEMBERS, "stacking")),
    "c": hyperparameters.Number(1.0, 0, 1e6, exclusive_minimum=True),
    "trees": hyperparameters.Integer(100, 1, 2000),
    "learning_rate": hyperparameters.Number(0.1, 0, 1, exclusive_minimum=True),
    "k": hyperparameters.Integer(15, 1, 100),
    "seed": hyperparameters.Integer(1, 0, 2**31 - 1),
}


def estimator_of(parameters: dict[str, Any]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seed = parameters["seed"]
    makers = {
        "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=parameters["c"], max_iter=1000)),
        "forest": lambda: RandomForestClassifier(parameters["trees"], random_state=seed),
        "boosting": lambda: HistGradientBoostingClassifier(
            learning_rate=parameters["learning_rate"], max_iter=60, random_state=seed
        ),
        "neighbours": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(parameters["k"])),
        "stacking": lambda: LogisticRegression(C=0.1, max_iter=1000),
    }
    return makers[parameters["estimator"]]()


def read_features(path: Path, pages: list[Page]) -> Any:
    """(row, feature) in the order of `pages`."""
    import numpy

    rows = read_rows(path, ["stack", "page"])
    next(rows)
    found: dict[tuple[str, str], list[float]] = {}
    for line, (stack, page, *values) in rows:
        try:
            found[stack, page] = [float(value) for value in values]
        except ValueError:
            raise DataError(f"{path.name}:{line}: a feature is not a number") from None
    for page in pages:
        if (page.stack, str(page.page)) not in found:
            raise DataError(f"{path.name}: no row for page {page.page} of stack {page.stack} (labels.csv:{page.line})")
    return numpy.array([found[page.stack, str(page.page)] for page in pages])


def probabilities_of(model: Any, features: Any, classes: list[str]) -> Any:
    """(row, class) in the order of `classes`; 0 for a class that the model never saw."""
    import numpy

    result = numpy.zeros((len(features), len(classes)))
    result[:, [classes.index(name) for name in model.classes_]] = model.predict_proba(features)
    return result


def train(container: Container) -> None:
    arguments = hyperparameters.arguments_of(
        [argument for argument in sys.argv[1:] if argument != "train"], container.hyperparameters_file()
    )
    parameters, job = hyperparameters.read(SCHEMA, arguments)
    combines = parameters["estimator"] == "stacking"
    import numpy

    if combines:
        table = read_table(container.channel("dataframe"))
        pages, features = table.pages, numpy.log(table.probabilities.reshape(len(table.pages), -1) + 1e-3)
    else:
        pages = read_labels(container.channel("labels"))
        features = read_features(find_one(container.channel("features"), "features.csv"), pages)
    classes = classes_of(pages)
    names = numpy.array([page.class_name for page in pages])
    training = numpy.flatnonzero([page.split == TRAIN for page in pages])
    testing = numpy.flatnonzero([page.split == TEST for page in pages])

    lines = [] if combines else out_of_fold(container, parameters, pages, names, features, training, classes)
    container.check_stop()
    model = estimator_of(parameters).fit(features[training], names[training])
    tested = probabilities_of(model, features[testing], classes)
    for index, row in enumerate(testing):
        # A combiner says which class a page has and whether a document begins on it; here every row is one.
        decided = {"class": classes[tested[index].argmax()], "begins": True} if combines else {}
        lines.append(output.prediction(pages[row], None, classes, tested[index], **decided))
    write(container, parameters, job, pages, testing, classes, tested, lines, model)


def out_of_fold(
    container: Container,
    parameters: dict[str, Any],
    pages: list[Page],
    names: Any,
    features: Any,
    training: Any,
    classes: list[str],
) -> list[dict[str, Any]]:
    """Predictions of every training row by a model that has not seen its stack."""
    from sklearn.model_selection import StratifiedGroupKFold

    lines = []
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=parameters["seed"])
    groups = [pages[row].stack for row in training]
    for fold, (kept, held_out) in enumerate(splitter.split(training, names[training], groups)):
        container.check_stop()
        model = estimator_of(parameters).fit(features[training[kept]], names[training[kept]])
        rows = training[held_out]
        probabilities = probabilities_of(model, features[rows], classes)
        lines += [output.prediction(pages[row], fold, classes, probabilities[index]) for index, row in enumerate(rows)]
        print(
            f"fold {fold + 1}/{FOLDS} pages={len(rows)} accuracy={model.score(features[rows], names[rows]):.4f}",
            flush=True,
        )
    return lines


def write(
    container: Container,
    parameters: dict[str, Any],
    job: hyperparameters.Job,
    pages: list[Page],
    testing: Any,
    classes: list[str],
    tested: Any,
    lines: list[dict[str, Any]],
    model: Any,
) -> None:
    import joblib

    joblib.dump(model, container.model_dir / "model.joblib", compress=3)
    output.write_json(
        container.model_dir / "model.json",
        {
            "format": output.MODEL_FORMAT,
            "kind": "table",
            "file": "model.joblib",
            "classes": classes,
            "hyperparameters": parameters,
            "versions": output.versions("scikit-learn", "numpy"),
        },
    )
    output.write_predictions(container.data_dir / "predictions.jsonl", lines)
    summary = metrics.of_classes(
        [pages[row] for row in testing], [classes[best] for best in tested.argmax(axis=1)], classes
    )
    output.write_json(
        container.data_dir / "metrics.json",
        {
            "page_accuracy": summary["page_accuracy"],
            "macro_f1": summary["macro_f1"],
            "segment_f1": summary["segment_f1"],
            "classes": classes,
            "test": summary,
        },
    )
    print(
        f"test {metrics.in_words(summary)}",
        flush=True,
    )
    output.copy_logs(container, job, [container.data_dir / "metrics.json"])


if __name__ == "__main__":
    run(train)
