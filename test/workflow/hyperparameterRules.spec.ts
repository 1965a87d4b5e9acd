import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import fc from "fast-check";
import { instanceTypeProblem, trainingInstanceTypes } from "../../ground/instanceTypes";
import type { Hyperparameters } from "../../workflow/contract";
import { defaultsOf, HYPERPARAMETERS, schemaOf } from "../../workflow/hyperparameters";
import { hyperparameterConflicts, readHyperparameter } from "../../workflow/hyperparameterRules";

const root = path.resolve(__dirname, "../..");
const python = path.join(root, ".venv/bin/python");

/** The names that a training refuses of each set of values; its `read` tells all that is wrong, separated by "; ". */
const REFUSED = `
import json, sys
sys.path.insert(0, "workloads/training")
from common.errors import HyperparameterError
from common.hyperparameters import read, schema_of
answers = []
for model, values in json.load(sys.stdin):
    try:
        read(schema_of(model), values)
        answers.append([])
    except HyperparameterError as error:
        answers.append(sorted(problem.split(":")[0] for problem in str(error).split("; ")))
print(json.dumps(answers))
`;

function refusedHere(model: "image" | "text" | "sequence", values: Readonly<Record<string, string>>): string[] {
    const schema = schemaOf(HYPERPARAMETERS[model]);
    const merged: Record<string, string | number | boolean> = { ...defaultsOf(HYPERPARAMETERS[model]) };
    const wrong = Object.entries(values).flatMap(([name, value]) => {
        const read = readHyperparameter(value, schema[name]);
        if ("expected" in read) {
            return [name];
        }
        merged[name] = read.value;
        return [];
    });
    const conflicts = wrong.length > 0 ? [] : hyperparameterConflicts(merged as Hyperparameters, schema, []);
    return [...wrong, ...conflicts.map(({ name }) => name)].sort();
}

describe("rules of hyperparameters", () => {
    it("are the same for the loader, Setup and the trainings: 300 sets of values, one verdict each", () => {
        const number = fc.oneof(
            fc.integer({ min: -1, max: 400 }).map(String),
            fc.double({ min: -1, max: 12, noNaN: true }).map(String),
            fc.constantFrom("", "x", "1e2", "0", "Infinity", "adam", "gru", "word"),
        );
        const names = (model: keyof typeof HYPERPARAMETERS) =>
            Object.entries(HYPERPARAMETERS[model])
                .filter(
                    ([name, { type }]) =>
                        (type !== "string" || name !== "mode") && !/^(sagemaker_|bucket|s3_)/.test(name),
                )
                .map(([name]) => name);
        const set = fc
            .constantFrom("image" as const, "text" as const, "sequence" as const)
            .chain((model) =>
                fc
                    .dictionary(fc.constantFrom(...names(model)), number, { maxKeys: 4 })
                    .map((values) => [model, values] as const),
            );
        const sets = fc.sample(set, { numRuns: 300, seed: 7 });
        const known = [
            ["image", { min_lr: "0.2", max_lr: "0.1" }],
            ["image", { min_lr: "0.1", max_lr: "0.1" }],
            ["image", { depth: "6", image_width: "63", image_height: "64" }],
        ] as const;
        const all = [...known, ...sets];
        const output = execFileSync(python, ["-c", REFUSED], { cwd: root, input: JSON.stringify(all) });
        const theirs = JSON.parse(output.toString()) as string[][];
        assert.deepEqual(theirs.slice(0, 3), [["min_lr"], [], ["image_width"]]);
        for (const [index, [model, values]] of all.entries()) {
            assert.deepEqual(refusedHere(model, values), theirs[index], JSON.stringify([model, values]));
        }
    });

    it("take names of members where members are asked for", () => {
        const { mode } = HYPERPARAMETERS.sequence;
        const refused = (value: string) => hyperparameterConflicts({ mode: value }, { mode }, ["image", "text"]).length;
        assert.deepEqual(["both", "text", "text, image", "layout", "text,", ""].map(refused), [0, 0, 0, 1, 1, 1]);
    });
});

describe("instance types", () => {
    it("are those of SageMaker's own API", () => {
        const program = [
            "import botocore.session",
            'model = botocore.session.get_session().get_service_model("sagemaker")',
            'print("\\n".join(model.shape_for("TrainingInstanceType").enum))',
        ].join("\n");
        const theirs = execFileSync(python, ["-c", program], { cwd: root }).toString().trim().split("\n");
        assert.deepEqual(trainingInstanceTypes().sort(), theirs.sort());
    });

    it("that are retired or unknown are told with what to take", () => {
        assert.match(instanceTypeProblem("ml.p2.xlarge") ?? "", /ml\.g6: ml\.p2 is retired/);
        assert.match(instanceTypeProblem("ml.m5.huge") ?? "", /^one of ml\.m5\.large/);
        assert.match(instanceTypeProblem("ml.toString.large") ?? "", /for example/);
        assert.equal(instanceTypeProblem("ml.g6.xlarge"), undefined);
    });
});
