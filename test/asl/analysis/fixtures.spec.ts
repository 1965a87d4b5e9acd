/* eslint @stylistic/max-len: off -- generators and tables read best with one on a line */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { analyse, analyseText, type Finding } from "../../../asl/analysis";
import { defects, sound } from "./seeded";

const root = path.resolve(__dirname, "../../..");
const shared = path.resolve(root, "../shared");

describe("analysis: seeded defects", () => {
    for (const { name, definition, rule } of defects) {
        it(`finds: ${name}`, () => {
            const found = analyse(definition);
            assert.ok(
                found.some((finding) => finding.rule === rule),
                `expected ${rule}, got ${found.map((finding) => finding.rule).join(", ")}`,
            );
        });
    }
    for (const { name, definition } of sound) {
        it(`no false alarm: ${name}`, () => {
            assert.deepEqual(
                analyse(definition).map((finding) => `${finding.rule} ${finding.path}: ${finding.message}`),
                [],
            );
        });
    }
});

describe("analysis of the talk's state machine", () => {
    const file = path.join(shared, "reference/talk.asl.json");
    let found: Finding[] = [];
    before(function () {
        if (!existsSync(file)) {
            console.log(`        skipped: ${path.relative(root, file)} is missing`);
            this.skip();
        }
        found = analyseText(readFileSync(file, "utf8"));
    });

    const expected: readonly (readonly [what: string, rule: string, state: string])[] = [
        ["1: Wait 10 Minutes waits 60 seconds", "wait-name", "Wait 10 Minutes"],
        ["1: the capacity loop has no bound", "unbounded-loop", "Image Model Training"],
        ["2: a retry reuses the TrainingJobName", "fixed-job-name", "Image Model Training"],
        ["3: Setup has no Catch", "catch-all", "Setup Statemachine"],
        ["3: Sequence Model Training has no Catch", "catch-all", "Sequence Model Training"],
        ["3: a step in a branch has no Catch", "catch-all", "Create Image Model Split Set"],
        ["3: a step in a branch catches one error only", "catch-all", "Image Model Training"],
        ["3: a step in a branch has no Catch", "catch-all", "JSONify Error Cause"],
        ["3: a step in a branch has no Catch", "catch-all", "Text Model Training"],
        ["4: the branch's Fail has no Error and Cause", "fail-without-cause", "FailImageModel"],
        ["4: Notify Failure reads a Cause that is not there", "path-not-written", "Notify Failure"],
        ["5: Notify Failure has no Catch", "catch-all", "Notify Failure"],
        ["6: a Choice on what the input may lack", "choice-on-missing-field", "Fetch Preprocessing Artifacts?"],
        ["6: a Choice on what the input may lack", "choice-on-missing-field", "Image Model trainieren?"],
        ["6: a Choice on what the input may lack", "choice-on-missing-field", "Text Model trainieren?"],
        ["6: a Choice on what the function may not answer", "choice-on-missing-field", "Is Capacity Error?"],
        ["11: the image job's limit is the execution's", "task-timeout", "Image Model Training"],
        ["11: the sequence job's limit is the execution's", "task-timeout", "Sequence Model Training"],
        ["13: a throttled call is not repeated", "throttling-unhandled", "Text Model Training"],
        ["13: a throttled call is not repeated", "throttling-unhandled", "Sequence Model Training"],
    ];
    for (const [what, rule, state] of expected) {
        it(`reports defect ${what} (${state})`, () => {
            assert.ok(
                found.some((finding) => finding.rule === rule && finding.state === state),
                found.map((finding) => `${finding.rule} ${finding.state}`).join("\n"),
            );
        });
    }

    it("reports defect 11: the execution cannot hold its longest way", () => {
        assert.ok(
            found.some(
                (finding) =>
                    finding.rule === "execution-timeout" &&
                    finding.severity === "error" &&
                    finding.path === "TimeoutSeconds",
            ),
        );
    });

    it("reports defect 13: the talk's retry of 38 hours, which tells no errors apart", () => {
        const definition = JSON.parse(readFileSync(file, "utf8")) as { States: Record<string, { Retry?: unknown }> };
        definition.States["Sequence Model Training"].Retry = [
            {
                ErrorEquals: ["SageMaker.AmazonSageMakerException"],
                IntervalSeconds: 1,
                MaxAttempts: 100,
                BackoffRate: 1.1,
            },
        ];
        const retry = analyse(definition)
            .filter((finding) => finding.path === "States/Sequence Model Training/Retry/0")
            .map((finding) => finding.rule);
        assert.deepEqual(retry.sort(), ["retry-indiscriminate", "retry-span"]);
    });

    it("finds the stray comma of its other listing", function () {
        const comma = path.join(shared, "reference/talk-stray-comma.asl.json");
        if (!existsSync(comma)) {
            this.skip();
        }
        const text = readFileSync(comma, "utf8");
        const [finding, ...rest] = analyseText(text);
        assert.deepEqual(rest, []);
        assert.equal(finding.rule, "json-syntax");
        assert.equal(text.split("\n")[finding.line! - 1][finding.column! - 1], ",");
    });
});

interface Recorded {
    readonly id: string;
    readonly definition: unknown;
    readonly events: readonly { readonly stateExitedEventDetails?: { readonly name: string } }[];
}

/**
 * Does the recording contradict the finding? AWS created every definition here, so none is "refused". What "fails" for
 * certain (a finding of what may fail has a counter-example) is contradicted by a state that ended well: AWS went
 * through it. Where the execution failed there, or never came there, the finding may stand.
 */
function contradicts({ events }: Recorded, finding: Finding): boolean {
    if (finding.consequence === "refused") {
        return true;
    }
    const isCertain =
        finding.consequence === "fails" && finding.severity === "error" && finding.counterExample === undefined;
    return isCertain && events.some((event) => event.stateExitedEventDetails?.name === finding.state);
}

describe("analysis of executions recorded on AWS", () => {
    let recordings: readonly Recorded[] = [];
    before(function () {
        const file = path.join(shared, "conformance/recorded-executions.jsonl");
        if (!existsSync(file)) {
            console.log(`        skipped: ${path.relative(root, file)} is missing`);
            this.skip();
        }
        recordings = readFileSync(file, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as Recorded);
    });

    it("raises no structural alarm on a definition that AWS accepted and ran", () => {
        const alarms = recordings.flatMap((recording) =>
            analyse(recording.definition)
                .filter((finding) => contradicts(recording, finding))
                .map((finding) => `${recording.id}: ${finding.rule} ${finding.path} ${finding.message}`),
        );
        assert.deepEqual(alarms, []);
    });

    it("says of a variable that nobody assigns what the recorded execution failed of", () => {
        const failed = recordings.filter(({ id }) => id.includes("test_undefined_reference"));
        assert.ok(failed.length > 0);
        for (const { id, definition } of failed) {
            const found = analyse(definition).find((finding) => finding.rule === "variable-unassigned");
            assert.equal(found?.consequence, "fails", id);
        }
    });
});

type Fields = { [key: string]: unknown };
const isFields = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** All objects of a definition that hold states, with their states. */
function* graphs(definition: Fields): Generator<Fields> {
    const work = [definition];
    for (let graph = work.pop(); graph !== undefined; graph = work.pop()) {
        yield graph;
        for (const state of Object.values(graph.States as Fields)) {
            for (const branch of isFields(state) && Array.isArray(state.Branches) ? (state.Branches as Fields[]) : []) {
                work.push(branch);
            }
        }
    }
}

describe("analysis of this project's state machine", function () {
    // Each test proves some hundred mutants: what it needs is processor time, and a busy machine gives it late.
    this.timeout(180_000);
    const folder = path.join(root, "test/workflow/golden");
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
    for (const file of files) {
        // Golden files leave hashes out.
        const text = readFileSync(path.join(folder, file), "utf8").replaceAll("<hash>", "0a1b2c3d");
        const read = (): Fields => JSON.parse(text) as Fields;
        const known = new Set(analyse(read()).map((finding) => `${finding.rule} ${finding.path}`));
        const noticed = (changed: Fields, what: string): void => {
            // That a failure is tolerated is no error, but it is told.
            const more = analyse(changed).filter(
                (finding) =>
                    (finding.severity === "error" || finding.rule === "tolerated-failure") &&
                    !known.has(`${finding.rule} ${finding.path}`),
            );
            assert.ok(more.length > 0, `not noticed: ${what}`);
        };

        it(`${file}: is proven without an error or a warning`, () => {
            assert.deepEqual(
                analyse(read()).filter((finding) => finding.severity !== "info"),
                [],
            );
        });

        /** Every state of every scope, in a copy of its own. */
        const each = (change: (state: Fields, graph: Fields, name: string) => string | undefined): void => {
            const count = [...graphs(read())].flatMap((graph) => Object.keys(graph.States as Fields)).length;
            for (let at = 0; at < count; at += 1) {
                const definition = read();
                let index = 0;
                let what: string | undefined;
                for (const graph of graphs(definition)) {
                    for (const [name, state] of Object.entries(graph.States as Fields)) {
                        if (index === at) {
                            what = change(state as Fields, graph, name);
                        }
                        index += 1;
                    }
                }
                if (what !== undefined) {
                    noticed(definition, what);
                }
            }
        };

        it(`${file}: notices every Catch that is removed`, () =>
            each((state, _, name) => {
                if (state.Catch === undefined) {
                    return undefined;
                }
                delete state.Catch;
                return `${name} without Catch`;
            }));

        it(`${file}: notices every Catch that no longer catches everything`, () =>
            each((state, _, name) => {
                const [entry] = Array.isArray(state.Catch) ? (state.Catch as Fields[]) : [];
                if (entry === undefined) {
                    return undefined;
                }
                entry.ErrorEquals = ["States.TaskFailed"];
                return `${name} catches States.TaskFailed only`;
            }));

        it(`${file}: notices every Catch that leads to success`, () =>
            each((state, graph, name) => {
                const [entry] = Array.isArray(state.Catch) ? (state.Catch as Fields[]) : [];
                if (entry === undefined) {
                    return undefined;
                }
                (graph.States as Fields)["All Is Well"] = { Type: "Succeed" };
                entry.Next = "All Is Well";
                return `${name} catches into success`;
            }));

        it(`${file}: notices every Fail that becomes a success`, () =>
            each((state, graph, name) => {
                if (state.Type !== "Fail") {
                    return undefined;
                }
                (graph.States as Fields)[name] = { Type: "Succeed" };
                return `${name} is a Succeed`;
            }));

        it(`${file}: notices every Fail that is removed or loses Error or Cause`, () => {
            each((state, graph, name) => {
                if (state.Type !== "Fail") {
                    return undefined;
                }
                delete (graph.States as Fields)[name];
                return `${name} is gone`;
            });
            for (const field of ["Error", "Cause"]) {
                each((state, _, name) => {
                    if (state.Type !== "Fail") {
                        return undefined;
                    }
                    delete state[field];
                    return `${name} without ${field}`;
                });
            }
        });

        it(`${file}: notices every Next that is removed`, () =>
            each((state, _, name) => {
                if (state.Next === undefined) {
                    return undefined;
                }
                delete state.Next;
                return `${name} without Next`;
            }));

        it(`${file}: notices every Next of a failure path that leads elsewhere`, () =>
            each((state, graph, name) => {
                const tells = typeof state.Resource === "string" && state.Resource.includes("sns:publish");
                if (
                    !tells ||
                    state.Next === undefined ||
                    !Object.values(graph.States as Fields).some((other) => isFields(other) && other.Type === "Fail") ||
                    (graph.States as { [key: string]: Fields })[state.Next as string].Type !== "Fail"
                ) {
                    return undefined;
                }
                (graph.States as Fields)["All Is Well"] = { Type: "Succeed" };
                state.Next = "All Is Well";
                return `${name} goes on to success`;
            }));

        it(`${file}: notices every record that no longer reaches its join, and every join that lets it pass`, () => {
            each((state, _, name) => {
                if (typeof state.Comment !== "string" || !state.Comment.startsWith("records-failure-for:")) {
                    return undefined;
                }
                state.Comment = "recorded";
                return `${name} declares no tolerance`;
            });
            each((state, _, name) => {
                if (typeof state.Comment !== "string" || !state.Comment.startsWith("records-failure-for:")) {
                    return undefined;
                }
                state.Output = { ...(state.Output as Fields), outcome: "trained" };
                return `${name} records a success`;
            });
        });
    }
});
