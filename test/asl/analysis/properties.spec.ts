/* eslint @stylistic/max-len: off -- generators and tables read best with one on a line */
import fc from "fast-check";
import jsonata from "jsonata";
import assert from "node:assert/strict";
import { analyse, type Finding, type Step } from "../../../asl/analysis";
import { dominators } from "../../../asl/analysis/dominators";
import { evaluate } from "../../../asl/analysis/evaluate";
import { Expressions } from "../../../asl/analysis/jsonata";
import { anything, constant, holds, join, missing, type Value } from "../../../asl/analysis/values";
import { execute, TaskError } from "../../../asl/interpreter";
import type { StateMachineDefinition } from "../../../asl/types";

describe("analysis: properties", () => {
    it("never throws, whatever the value", () => {
        fc.assert(
            fc.property(
                fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
                (value) => {
                    assert.ok(Array.isArray(analyse(value)));
                },
            ),
            { numRuns: 500, seed: 20190909 },
        );
    });

    it("never throws, whatever JSON stands where states are expected", () => {
        const state = fc.dictionary(
            fc.constantFrom(
                "Type",
                "Next",
                "End",
                "Catch",
                "Retry",
                "Choices",
                "Default",
                "Branches",
                "ItemProcessor",
                "Assign",
                "Output",
                "Parameters",
                "Resource",
                "Comment",
                "TimeoutSeconds",
                "Seconds",
                "ResultPath",
                "InputPath",
            ),
            fc.oneof(
                fc.jsonValue({ maxDepth: 3 }),
                fc.constantFrom(
                    "A",
                    "B",
                    "Task",
                    "Pass",
                    "Choice",
                    "Parallel",
                    "Map",
                    "Wait",
                    "Fail",
                    "Succeed",
                    "{% $a.b %}",
                    "$.a",
                    true,
                ),
                fc.constant([{ ErrorEquals: ["States.ALL"], Next: "A" }]),
                fc.constant([{ StartAt: "A", States: { A: { Type: "Pass", End: true } } }]),
            ),
        );
        fc.assert(
            fc.property(
                fc.record({
                    StartAt: fc.constantFrom("A", "B", "Z"),
                    QueryLanguage: fc.constantFrom("JSONata", "JSONPath", 3),
                    States: fc.dictionary(fc.constantFrom("A", "B", "C"), state),
                }),
                (definition) => {
                    assert.ok(
                        !analyse(definition).some((finding) => finding.rule === "not-analysed"),
                        JSON.stringify(analyse(definition)),
                    );
                },
            ),
            { numRuns: 1000, seed: 20190909 },
        );
    });

    it("bears a definition that contains itself", () => {
        const definition: { [key: string]: unknown } = { StartAt: "A" };
        definition.States = { A: { Type: "Pass", End: true, Result: definition } };
        assert.deepEqual(
            analyse(definition).map((finding) => finding.rule),
            ["not-a-definition"],
        );
    });

    it("finds dominators as their definition says", () => {
        fc.assert(
            fc.property(
                fc
                    .integer({ min: 1, max: 9 })
                    .chain((size) =>
                        fc.tuple(
                            fc.constant(size),
                            fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 24 }),
                        ),
                    ),
                ([size, edges]) => {
                    const after = (node: number): number[] =>
                        edges.filter(([from]) => from === node).map(([, to]) => to);
                    const reach = (without: number): Set<number> => {
                        const seen = new Set<number>(without === 0 ? [] : [0]);
                        for (const node of seen) {
                            after(node)
                                .filter((to) => to !== without)
                                .forEach((to) => seen.add(to));
                        }
                        return seen;
                    };
                    const all = reach(-1);
                    const tree = dominators(size, 0, after);
                    for (let by = 0; by < size; by += 1) {
                        const rest = reach(by);
                        for (let node = 0; node < size; node += 1) {
                            assert.equal(
                                tree.dominates(by, node),
                                all.has(by) && all.has(node) && (by === node || !rest.has(node)),
                                `${by} over ${node}`,
                            );
                        }
                    }
                },
            ),
            { numRuns: 500, seed: 20190909 },
        );
    });
});

describe("abstract evaluation", () => {
    const json = fc.jsonValue({ maxDepth: 2, stringUnit: fc.constantFrom("a", "b", "1") });
    const useful = fc.oneof(
        {
            weight: 3,
            arbitrary: fc.constantFrom<unknown>(
                0,
                1,
                -1,
                2.5,
                "a",
                "b",
                "",
                true,
                false,
                null,
                [],
                [1, 2],
                ["a"],
                { a: 1 },
                [{ a: "x", b: 1 }, { a: "y" }],
                { a: { b: [1, 2] } },
            ),
        },
        { weight: 1, arbitrary: json },
    );
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
        expression: fc.oneof(
            { maxDepth: 4, depthSize: "small" },
            fc.constantFrom(
                "$x",
                "$y",
                "$x.a",
                "$y.a.b",
                "$x.b",
                "1",
                "0",
                "'a'",
                "true",
                "null",
                "[]",
                "$x[0]",
                "$y[-1]",
                "$x[a = 'x']",
                "$gone",
            ),
            fc
                .tuple(
                    tie("expression"),
                    fc.constantFrom("=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&", "and", "or", "in"),
                    tie("expression"),
                )
                .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
            fc
                .tuple(
                    fc.constantFrom(
                        "$exists",
                        "$not",
                        "$count",
                        "$string",
                        "$type",
                        "$floor",
                        "$boolean",
                        "$keys",
                        "$length",
                        "$max",
                        "$min",
                        "$sum",
                        "$number",
                        "$uppercase",
                        "$abs",
                        "$merge",
                        "$reverse",
                        "$distinct",
                        "$trim",
                    ),
                    tie("expression"),
                )
                .map(([name, a]) => `${name}(${a})`),
            fc
                .tuple(tie("expression"), tie("expression"), tie("expression"))
                .map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
            fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `[${a}, ${b}]`),
            fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `{'a': ${a}, 'b': ${b}}`),
            fc.tuple(tie("expression"), tie("expression")).map(([a, b]) => `$append(${a}, ${b})`),
            tie("expression").map((a) => `(${a}).a`),
            tie("expression").map((a) => `($v := ${a}; $v)`),
            fc
                .tuple(tie("expression"), fc.constantFrom("a = 'x'", "$ > 1", "0", "b", "$exists(a)"))
                .map(([a, b]) => `(${a})[${b}]`),
            fc
                .tuple(tie("expression"), fc.constantFrom("$v", "$v.a", "$string($v)", "[$v]", "1"))
                .map(([a, b]) => `$map(${a}, function($v) { ${b} })`),
            fc
                .tuple(tie("expression"), fc.constantFrom("$v = 1", "$exists($v.a)", "true"))
                .map(([a, b]) => `$filter(${a}, function($v) { ${b} })`),
        ),
    }));

    it("holds every result that jsonata gives, and foresees every failure", async () => {
        const trees = new Expressions();
        let judged = 0;
        await fc.assert(
            fc.asyncProperty(expression, useful, useful, useful, fc.boolean(), async (code, x, y, other, wider) => {
                const { ast } = trees.parse(code);
                if (ast === undefined) {
                    return;
                }
                // The variables are known exactly, or as one of two values.
                const set = (value: unknown): Value =>
                    wider ? join(constant(value), constant(other)) : constant(value);
                const sets: { [name: string]: Value } = { x: set(x), y: set(y) };
                const result = evaluate(ast, {
                    variables: (name) => sets[name],
                    facts: new Map(),
                    locals: new Map(),
                    focus: missing,
                });
                let value: unknown;
                try {
                    value = await jsonata(code).evaluate(undefined, { x, y });
                } catch (error) {
                    assert.ok(
                        result.risks.length > 0,
                        `${code} with ${JSON.stringify({ x, y })} fails (${(error as Error).message}), and that was ` +
                            "not foreseen",
                    );
                    return;
                }
                judged += 1;
                if (typeof value === "number" && !Number.isFinite(value)) {
                    return;
                }
                const plain =
                    typeof value === "function" || value === undefined
                        ? value
                        : (JSON.parse(JSON.stringify(value)) as unknown);
                assert.ok(
                    holds(result.value, plain),
                    `${code} with ${JSON.stringify({ x, y })} gives ${JSON.stringify(plain)}, not in ` +
                        `${JSON.stringify(result.value, (_, item: unknown) => (item instanceof Map ? [...item] : item))}`,
                );
            }),
            { numRuns: 2000, seed: 20190909 },
        );
        assert.ok(judged > 500);
    });

    it("knows nothing of what is unknown", () => {
        assert.ok([undefined, null, 1, "a", [], {}].every((value) => holds(anything, value)));
    });
});

/** Machines of Tasks, Choices by chance, Passes and Waits, whose failures lead somewhere. */
const machines = fc.integer({ min: 2, max: 7 }).chain((size) => {
    const names = Array.from({ length: size }, (_, index) => `S${index}`);
    const ends = ["Done", "Notify", "Failed"];
    const next = fc.constantFrom(...names, ...ends, "Done", "Done");
    const handler = fc.constantFrom(...names, "Notify", "Notify", "Notify", "Notify", "Failed", "Done");
    const catching = fc.oneof(
        { weight: 8, arbitrary: handler.map((to) => [{ ErrorEquals: ["States.ALL"], Next: to }]) },
        {
            weight: 2,
            arbitrary: fc.tuple(handler, handler).map(([one, other]) => [
                { ErrorEquals: ["Mine"], Next: one },
                { ErrorEquals: ["States.ALL"], Next: other },
            ]),
        },
        { weight: 1, arbitrary: fc.constant([{ ErrorEquals: ["Mine"], Next: "Notify" }]) },
    );
    const task = fc.tuple(next, catching).map(([to, catches]) => ({
        Type: "Task",
        Resource: "arn:aws:lambda:eu-central-1:123456789012:function:work",
        TimeoutSeconds: 60,
        Next: to,
        Catch: catches,
    }));
    const state = fc.oneof(
        { weight: 4, arbitrary: task },
        { weight: 1, arbitrary: next.map((to) => ({ Type: "Pass", Next: to })) },
        {
            weight: 2,
            arbitrary: fc.tuple(next, next).map(([one, other]) => ({
                Type: "Choice",
                Choices: [{ Condition: "{% $random() < 0.5 %}", Next: one }],
                Default: other,
            })),
        },
        // A branch of its own, whose failure the Parallel catches.
        {
            weight: 1,
            arbitrary: fc.tuple(next, handler, fc.nat(99_999)).map(([to, caught, id]) => ({
                Type: "Parallel",
                Next: to,
                Catch: [{ ErrorEquals: ["States.ALL"], Next: caught }],
                Branches: [
                    {
                        StartAt: `In${id}`,
                        States: {
                            [`In${id}`]: {
                                Type: "Task",
                                Resource: "arn:aws:lambda:eu-central-1:123456789012:function:work",
                                End: true,
                                Catch: [{ ErrorEquals: ["States.ALL"], Next: `No${id}` }],
                            },
                            [`No${id}`]: { Type: "Fail", Error: "Inner", Cause: "inner" },
                        },
                    },
                ],
            })),
        },
    );
    return fc.tuple(...names.map(() => state)).map(
        (states): StateMachineDefinition =>
            ({
                QueryLanguage: "JSONata",
                StartAt: "S0",
                TimeoutSeconds: 100_000,
                States: {
                    ...Object.fromEntries(states.map((entry, index) => [names[index], entry])),
                    "Done": { Type: "Succeed" },
                    "Notify": {
                        Type: "Task",
                        Resource: "arn:aws:states:::sns:publish",
                        Arguments: { Message: "m", TopicArn: "t" },
                        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Not Notified" }],
                        Next: "Failed",
                    },
                    "Failed": { Type: "Fail", Error: "Failed", Cause: "failed" },
                    "Not Notified": { Type: "Fail", Error: "NotNotified", Cause: "failed" },
                },
            }) as unknown as StateMachineDefinition,
    );
});

interface Run {
    readonly status: string;
    readonly error?: string;
    readonly entered: readonly string[];
    /** Tasks in the order in which they ran, and whether they failed. */
    readonly tasks: readonly { readonly state: string; readonly failed: boolean }[];
}

async function run(
    definition: StateMachineDefinition,
    fails: (state: string, count: number) => string | undefined,
    random: () => number,
): Promise<Run> {
    const tasks: { state: string; failed: boolean }[] = [];
    let count = 0;
    const result = await execute(definition, {
        input: {},
        random,
        limits: { historyEvents: 600 },
        task: async ({ state }) => {
            const error = fails(state, count);
            count += 1;
            tasks.push({ state, failed: error !== undefined });
            if (error !== undefined) {
                throw new TaskError(error, "injected");
            }
            return {};
        },
    });
    const entered = result.events
        .filter((event) => event.type.endsWith("StateEntered"))
        .map((event) => {
            const details = event.stateEnteredEventDetails as { name: string };
            return details.name;
        });
    return { status: result.status, error: result.error, entered, tasks };
}

const flow = new Set(["catch-all", "failure-swallowed", "failure-unnotified"]);
/** Structure apart from what chance leaves unused, which changes no run. */
const broken = (findings: readonly Finding[]): boolean =>
    findings.some((finding) => finding.severity === "error" && finding.rule !== "unreachable-state");

interface Script {
    /** The states that a counter-example enters, those inside a Parallel that it passes over included. */
    readonly entered: readonly string[];
    /** The Tasks that run on it, and the error with which each fails. */
    readonly tasks: readonly { readonly state: string; readonly error?: string }[];
}

function script(definition: StateMachineDefinition, steps: readonly Step[]): Script {
    const entered: string[] = [];
    const tasks: { state: string; error?: string }[] = [];
    steps.forEach((step, index) => {
        const behind = index > 0 && steps[index - 1].path.startsWith(`${step.path}/`);
        const type = typeOf(definition, step);
        const error = step.leaves === "error" ? step.error : undefined;
        if (!behind) {
            entered.push(step.state);
            if (type === "Task") {
                tasks.push({ state: step.state, error });
            } else if (type === "Parallel" && step.leaves !== "enter") {
                const inner = (definition.States[step.state] as unknown as { Branches: { StartAt: string }[] })
                    .Branches[0].StartAt;
                entered.push(inner, ...(error === undefined ? [] : [inner.replace("In", "No")]));
                tasks.push({ state: inner, error });
            }
        }
    });
    return { entered, tasks };
}

describe("the prover agrees with the interpreter", () => {
    it("no execution of a machine that is proven ends otherwise than the proof says", async () => {
        let proven = 0;
        await fc.assert(
            fc.asyncProperty(
                machines,
                fc.array(fc.constantFrom(undefined, undefined, "Mine", "Other", "States.Timeout"), {
                    minLength: 12,
                    maxLength: 12,
                }),
                fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 12, maxLength: 12 }),
                async (definition, faults, chances) => {
                    if (broken(analyse(definition))) {
                        return;
                    }
                    proven += 1;
                    let drawn = 0;
                    const result = await run(
                        definition,
                        (_, count) => faults[count % faults.length],
                        () => {
                            drawn += 1;
                            return chances[drawn % chances.length];
                        },
                    );
                    if (result.status === "SUCCEEDED") {
                        // Every failed state ran again afterwards.
                        result.tasks.forEach((task, index) => {
                            assert.ok(
                                !task.failed ||
                                    (result.entered.lastIndexOf(task.state) >= 0 &&
                                        result.tasks.slice(index + 1).some((later) => later.state === task.state)),
                                `${task.state} failed, and the execution succeeded: ${result.entered.join(" -> ")}`,
                            );
                        });
                    } else {
                        assert.equal(result.status, "FAILED");
                        assert.ok(
                            ["Failed", "NotNotified"].includes(result.error ?? ""),
                            `${result.error}: ${result.entered.join(" -> ")}`,
                        );
                        assert.ok(result.entered.includes("Notify"), result.entered.join(" -> "));
                    }
                },
            ),
            { numRuns: 2500, seed: 20190909 },
        );
        assert.ok(proven > 20, `only ${proven} machines were proven`);
    });

    it("every counter-example can be followed, and ends as it says", async () => {
        let followed = 0;
        await fc.assert(
            fc.asyncProperty(machines, async (definition) => {
                for (const finding of analyse(definition).filter(
                    (candidate) => flow.has(candidate.rule) && candidate.counterExample !== undefined,
                )) {
                    const steps = finding.counterExample!;
                    // Chances that take each Choice where the counter-example goes; the last of them holds on.
                    const chances = steps.flatMap((step) =>
                        step.leaves === "choice" ? [0.1] : step.leaves === "default" ? [0.9] : [],
                    );
                    const { entered: expected, tasks } = script(definition, steps);
                    let drawn = 0;
                    const result = await run(
                        definition,
                        (_, count) => (count < tasks.length ? tasks[count].error : "Other"),
                        () => chances[Math.min(drawn++, chances.length - 1)] ?? 0.1,
                    );
                    const way = result.entered.slice(0, expected.length);
                    assert.deepEqual(way, expected, `${finding.rule}: ${finding.counterExampleText}`);
                    if (finding.counterExampleText!.endsWith("SUCCEEDS")) {
                        assert.equal(result.status, "SUCCEEDED", finding.counterExampleText);
                    } else if (finding.rule === "failure-unnotified") {
                        assert.equal(result.status, "FAILED");
                        assert.ok(!way.includes("Notify") || finding.path === "States/Failed");
                    }
                    followed += 1;
                }
            }),
            { numRuns: 600, seed: 20190909 },
        );
        assert.ok(followed > 100, `only ${followed} counter-examples`);
    });
});

function typeOf(definition: StateMachineDefinition, step: Step): string {
    let value: unknown = definition;
    for (const key of step.path.split("/")) {
        value = (value as { [key: string]: unknown })[key];
    }
    return (value as { Type: string }).Type;
}
