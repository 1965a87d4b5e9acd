import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ConfigError, loadStageConfig } from "../../stacks/config";
import {
    DOCUMENTS,
    type EnsembleSpec,
    hyperparametersOf,
    type MemberSpec,
    MODEL_DEFAULTS,
    parametersOf,
    problemsOf,
} from "../../stacks/models";

describe("models of one's own", () => {
    let folder: string;
    let member: MemberSpec;
    const ensemble = (changed: Partial<MemberSpec> = {}, more: Partial<EnsembleSpec> = {}): EnsembleSpec => ({
        members: { forest: { ...member, ...changed }, logistic: member },
        combiner: { ...member, name: "stacking" },
        ...more,
    });

    before(() => {
        folder = mkdtempSync(path.join(tmpdir(), "models-"));
        for (const name of ["training", "other/training", "common", "bare"]) {
            mkdirSync(path.join(folder, name), { recursive: true });
        }
        for (const name of ["training", "other/training", "common"]) {
            writeFileSync(path.join(folder, name, "Dockerfile"), "FROM scratch\n");
        }
        member = { container: { kind: "image", image: "table" }, source: path.join(folder, "training"), channels: [] };
    });

    after(() => rmSync(folder, { recursive: true }));

    it("may share an image and its source", () => {
        assert.deepEqual(problemsOf(ensemble()), []);
        assert.deepEqual(problemsOf(DOCUMENTS), []);
    });

    for (const [what, changed, told] of [
        [
            "a source that is not there",
            () => ({ source: path.join(folder, "nowhere") }),
            /^forest\.source: got ".*nowhere", expected the absolute path/,
        ],
        [
            "a source named like the shared code",
            () => ({ source: path.join(folder, "common") }),
            /^forest\.source: got a folder named "common"/,
        ],
        [
            "two sources of one name",
            () => ({ source: path.join(folder, "other/training") }),
            /expected another folder name: .*ends in "training"/,
        ],
        [
            "one image of two sources",
            () => ({ source: path.join(folder, "other/training") }),
            /expected one source an image/,
        ],
        [
            "an image without a Dockerfile",
            () => ({ source: path.join(folder, "bare") }),
            /^forest\.source: Dockerfile is missing in .*bare/,
        ],
        [
            "a script that is not there",
            () => ({ container: { kind: "script", framework: "tensorflowCpu", program: "go.py" } }),
            /go\.py is missing/,
        ],
        [
            "an image with the jobs' name",
            () => ({ container: { kind: "image", image: "jobs" } }),
            /container\.image: got "jobs"/,
        ],
        ["a key that nobody reads", () => ({ maxHour: 2 }), /^forest\.maxHour: unknown key; did you mean "maxHours"\?/],
        [
            "defaults that do not fit each other",
            () => ({
                hyperparameters: {
                    low: { type: "number", atMost: "high", learning: true, default: 2, description: "" },
                    high: { type: "number", learning: true, default: 1, description: "" },
                },
            }),
            /^forest\.hyperparameters\.low\.default: got 2, expected at most high, which is 1/,
        ],
        [
            "a default that breaks its own rule",
            () => ({
                hyperparameters: { k: { type: "integer", minimum: 1, learning: true, default: 0, description: "" } },
            }),
            /^forest\.hyperparameters\.k\.default: got 0, expected a whole number at least 1/,
        ],
    ] as [string, () => Partial<MemberSpec>, RegExp][]) {
        it(`are refused for ${what}`, () => {
            const problems = problemsOf(ensemble(changed()));
            assert.ok(
                problems.some((problem) => told.test(problem)),
                problems.join("\n"),
            );
        });
    }

    it("are refused where the combiner has a member's name", () => {
        assert.match(
            problemsOf(ensemble({}, { combiner: { ...member, name: "forest" } })).join("\n"),
            /combiner\.name: got "forest"/,
        );
    });

    it("have the usual machines, limits and parameters where they name none", () => {
        const { models, images } = loadStageConfig("dev", {}, ensemble({ required: false, instanceCount: 2 }));
        assert.deepEqual(Object.keys(models), ["forest", "logistic", "stacking"]);
        assert.deepEqual(models.logistic.capacity, [...MODEL_DEFAULTS.capacity]);
        assert.deepEqual(
            [models.forest.instanceCount, models.forest.required, models.logistic.required],
            [2, false, true],
        );
        assert.equal(images.table, undefined);
        assert.deepEqual(parametersOf("forest", member), {
            mergeParameter: "INPUT_PATH_FOREST",
            publishParameter: "INPUT_PATH_FOREST",
        });
        assert.deepEqual(Object.keys(hyperparametersOf(member).schema), ["bucket", "s3_log_folder"]);
    });

    it(
        "decide which keys a configuration has: those of other models are unknown, framework containers " +
            "need no digest",
        () => {
            const wrong = { models: { text: {} }, images: { text: "python:3" } };
            assert.throws(
                () => loadStageConfig("dev", wrong, ensemble()),
                (error: ConfigError) => {
                    assert.equal(error.problems.length, 2);
                    assert.match(error.message, /models\.text: unknown key[^]*images\.text: unknown key/);
                    return true;
                },
            );
        },
    );

    it("bound their own quorum", () => {
        assert.throws(
            () => loadStageConfig("dev", {}, ensemble({ required: false }, { quorum: 3 })),
            /quorum: .*expected 1 \(the required members\) to 2/,
        );
    });
});
