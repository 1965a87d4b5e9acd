import assert from "node:assert/strict";
import fc from "fast-check";
import {
    execute,
    RealClock,
    TaskError,
    VirtualClock,
    type Readings,
    type TaskHandler,
} from "../../../asl/interpreter/index";
import type { JsonValue } from "../../../asl/types";
import { entered, failing, INVOKE, jsonata, LAMBDA, machine, output, run, types } from "./helpers";

const task = (more: object): object => ({ Type: "Task", Resource: INVOKE, End: true, ...more });
const forever: TaskHandler = async (request) => {
    await request.clock.sleep(Infinity, request.signal);
    return null;
};

describe("Retry", () => {
    const times = async (
        retrier: object,
        failures: number,
        random?: () => number,
    ): Promise<{ gaps: number[]; status: string }> => {
        const at: number[] = [];
        const result = await run(
            jsonata({ T: task({ Retry: [{ ErrorEquals: ["E"], ...retrier }] }) }),
            {},
            async (request) => {
                at.push(request.clock.now());
                if (at.length <= failures) {
                    throw new TaskError("E");
                }
                return null;
            },
            random === undefined ? {} : { random },
        );
        return { gaps: at.slice(1).map((time, index) => (time - at[index]) / 1000), status: result.status };
    };

    it("by default retries three times after 1, 2 and 4 seconds", async () => {
        assert.deepEqual(await times({}, 9), { gaps: [1, 2, 4], status: "FAILED" });
    });

    it("honours IntervalSeconds, BackoffRate, MaxAttempts and MaxDelaySeconds", async () => {
        assert.deepEqual(await times({ IntervalSeconds: 3, BackoffRate: 1.5, MaxAttempts: 4, MaxDelaySeconds: 7 }, 9), {
            gaps: [3, 4.5, 6.75, 7],
            status: "FAILED",
        });
    });

    it("does not retry with MaxAttempts 0", async () => {
        assert.deepEqual(await times({ MaxAttempts: 0 }, 1), { gaps: [], status: "FAILED" });
    });

    it("JitterStrategy FULL takes a random part of the interval", async () => {
        assert.deepEqual(
            (await times({ IntervalSeconds: 8, JitterStrategy: "FULL", MaxAttempts: 1 }, 1, () => 0.25)).gaps,
            [2],
        );
    });

    it("waits, in all, what the policy adds up to", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.integer({ min: 1, max: 300 }),
                fc.double({ min: 1, max: 3, noNaN: true }),
                fc.integer({ min: 0, max: 12 }),
                fc.integer({ min: 301, max: 4000 }),
                async (interval, rate, attempts, most) => {
                    const retrier = {
                        IntervalSeconds: interval,
                        BackoffRate: rate,
                        MaxAttempts: attempts,
                        MaxDelaySeconds: most,
                    };
                    const { gaps } = await times(retrier, 99);
                    assert.equal(gaps.length, attempts);
                    gaps.forEach((gap, index) =>
                        assert.ok(Math.abs(gap - Math.min(interval * rate ** index, most)) < 0.01),
                    );
                },
            ),
            { numRuns: 100 },
        );
    });

    it("counts each retrier's attempts separately, and State.RetryCount over all of them", async () => {
        const counts: number[] = [];
        const order = ["A", "B", "A", "B", "B"];
        const result = await run(
            jsonata({
                T: task({
                    Retry: [
                        { ErrorEquals: ["A"], MaxAttempts: 2 },
                        { ErrorEquals: ["B"], MaxAttempts: 2 },
                    ],
                }),
            }),
            {},
            async (request) => {
                counts.push(request.attempt);
                throw new TaskError(order[request.attempt]);
            },
        );
        assert.deepEqual(counts, [0, 1, 2, 3, 4]);
        assert.equal(result.error, "B");
    });

    it("an exhausted retrier hands over to Catch, not to a later retrier", async () => {
        const result = await run(
            jsonata({
                T: task({
                    Retry: [
                        { ErrorEquals: ["E"], MaxAttempts: 1 },
                        { ErrorEquals: ["States.ALL"], MaxAttempts: 5 },
                    ],
                    Catch: [{ ErrorEquals: ["E"], Next: "C" }],
                }),
                C: { Type: "Pass", End: true },
            }),
            {},
            failing("E", "E", "E"),
        );
        assert.deepEqual(result.output, { Error: "E", Cause: "as told" });
        assert.equal(types(result).filter((type) => type === "TaskFailed").length, 2);
    });

    it("starts again from RetryCount 0 at each entry of the state", async () => {
        const seen: string[] = [];
        await run(
            jsonata({
                T: {
                    Type: "Task",
                    Resource: INVOKE,
                    Retry: [{ ErrorEquals: ["E"], MaxAttempts: 1 }],
                    Catch: [{ ErrorEquals: ["E"], Assign: { n: "{% $exists($n) ? $n + 1 : 1 %}" }, Next: "C" }],
                    End: true,
                },
                C: { Type: "Choice", Choices: [{ Condition: "{% $n < 2 %}", Next: "T" }], Default: "D" },
                D: { Type: "Succeed" },
            }),
            {},
            async (request) => {
                seen.push(`${request.entered}.${request.attempt}`);
                throw new TaskError("E");
            },
        );
        assert.deepEqual(seen, ["1.0", "1.1", "2.0", "2.1"]);
    });
});

describe("which error names match", () => {
    const caught = async (
        thrown: string | undefined,
        names: string[],
        readings?: Partial<Readings>,
    ): Promise<boolean> => {
        const result = await run(
            jsonata({ T: task({ Catch: [{ ErrorEquals: names, Next: "C" }] }), C: { Type: "Succeed" } }),
            {},
            async () => {
                throw new TaskError(thrown, "c");
            },
            readings === undefined ? {} : { readings },
        );
        return result.status === "SUCCEEDED";
    };
    const cases: [string | undefined, string[], boolean][] = [
        ["E", ["E"], true],
        ["E", ["F"], false],
        ["E", ["States.ALL"], true],
        ["E", ["States.TaskFailed"], true],
        ["States.TaskFailed", ["States.TaskFailed"], true],
        ["States.Timeout", ["States.TaskFailed"], false],
        ["States.Timeout", ["States.Timeout"], true],
        ["States.Timeout", ["States.ALL"], true],
        ["States.Runtime", ["States.ALL"], false],
        ["States.Runtime", ["States.Runtime"], false],
        ["States.Runtime", ["States.TaskFailed"], false],
        [undefined, ["States.ALL"], true],
        [undefined, ["E"], false],
        ["States.DataLimitExceeded", ["States.ALL"], true],
        ["States.DataLimitExceeded", ["States.DataLimitExceeded"], true],
    ];
    for (const [thrown, names, expected] of cases) {
        it(
            `${thrown ?? "an error without a name"} ${expected ? "is" : "is not"} caught by ` + `${names.join(", ")}`,
            async () => {
                assert.equal(await caught(thrown, names), expected);
            },
        );
    }

    it("States.DataLimitExceeded passes States.ALL in the guide's reading", async () => {
        assert.equal(await caught("States.DataLimitExceeded", ["States.ALL"], { allCatchesDataLimit: false }), false);
        assert.equal(
            await caught("States.DataLimitExceeded", ["States.DataLimitExceeded"], { allCatchesDataLimit: false }),
            true,
        );
    });
});

describe("Catch", () => {
    it(
        "JSONPath: ResultPath puts the error into the input, OutputPath is not applied, Assign " + "sees the error",
        async () => {
            const result = await run(
                machine({
                    T: task({
                        OutputPath: "$.no.such",
                        Catch: [{ ErrorEquals: ["E"], ResultPath: "$.err", Assign: { "e.$": "$.Error" }, Next: "C" }],
                    }),
                    C: { Type: "Pass", End: true },
                }),
                { a: 1 },
                failing("E"),
            );
            assert.deepEqual(result.output, { a: 1, err: { Error: "E", Cause: "as told" } });
            assert.deepEqual(result.variables, { e: "E" });
        },
    );

    it("JSONata: Output and Assign see $states.errorOutput and the state's input", async () => {
        const result = await run(
            jsonata({
                T: task({
                    Catch: [
                        {
                            ErrorEquals: ["E"],
                            Output: "{% $states.errorOutput.Error & $states.input.a %}",
                            Assign: { c: "{% $states.errorOutput.Cause %}" },
                            Next: "C",
                        },
                    ],
                }),
                C: { Type: "Pass", End: true },
            }),
            { a: 1 },
            failing("E"),
        );
        assert.equal(result.output, "E1");
        assert.deepEqual(result.variables, { c: "as told" });
    });

    it("a Task catches the failure of its own Arguments and Output", async () => {
        for (const fields of [
            { Arguments: "{% $states.input.nope %}" },
            { Output: "{% $states.result.nope %}" },
            { TimeoutSeconds: "{% -1 %}" },
        ]) {
            const definition = jsonata({
                T: task({ ...fields, Catch: [{ ErrorEquals: ["States.QueryEvaluationError"], Next: "C" }] }),
                C: { Type: "Pass", Output: "c", End: true },
            });
            assert.equal(await output(definition), "c");
            assert.equal(
                (await run(definition, {}, undefined, { readings: { queryErrorsAreCatchable: false } })).error,
                "States.QueryEvaluationError",
            );
        }
    });

    it("a failure inside a catcher's Output is not caught by the same state", async () => {
        const result = await run(
            jsonata({
                T: task({
                    Catch: [{ ErrorEquals: ["States.ALL"], Output: "{% $states.errorOutput.nope %}", Next: "C" }],
                }),
                C: { Type: "Succeed" },
            }),
            {},
            failing("E"),
        );
        assert.equal(result.error, "States.QueryEvaluationError");
    });

    it("a failure without Error or Cause shows null, or nothing or an empty text in the other readings", async () => {
        const caught = (branch: object): object => ({
            Type: "Parallel",
            Branches: [{ StartAt: "F", States: { F: branch } }],
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "C" }],
            End: true,
        });
        const done = { Type: "Pass", End: true };
        const bare = jsonata({ P: caught({ Type: "Fail", Error: "E" }), C: done });
        const nameless = jsonata({ P: caught(task({})), C: done });
        const fails: TaskHandler = async () => {
            throw new TaskError(undefined);
        };
        const readings: [Readings["unnamed"], JsonValue, JsonValue][] = [
            ["null", { Error: "E", Cause: null }, { Error: null, Cause: null }],
            ["absent", { Error: "E" }, {}],
            ["empty", { Error: "E", Cause: "" }, { Error: "", Cause: "" }],
        ];
        assert.deepEqual((await run(nameless, {}, fails)).output, { Error: null, Cause: null });
        for (const [unnamed, ofFail, ofTask] of readings) {
            assert.deepEqual((await run(bare, {}, undefined, { readings: { unnamed } })).output, ofFail);
            assert.deepEqual((await run(nameless, {}, fails, { readings: { unnamed } })).output, ofTask);
        }
    });

    it("a Task that fails without a name hands null to its own catcher, in both languages", async () => {
        const Catch = [{ ErrorEquals: ["States.ALL"], Next: "C" }];
        for (const make of [machine, jsonata]) {
            const result = await run(make({ T: task({ Catch }), C: { Type: "Pass", End: true } }), {}, async () => {
                throw new TaskError(undefined);
            });
            assert.deepEqual(result.output, { Error: null, Cause: null });
        }
    });
});

describe("time-outs, heartbeats and stops", () => {
    it(
        "TimeoutSeconds ends a task with States.Timeout, aborts its signal, and Cause is empty for the " + "catcher",
        async () => {
            let why: unknown;
            const result = await run(
                jsonata({
                    T: task({
                        TimeoutSeconds: "{% 60 * 2 %}",
                        Catch: [{ ErrorEquals: ["States.Timeout"], Next: "C" }],
                    }),
                    C: { Type: "Pass", End: true },
                }),
                {},
                async (request) => {
                    request.signal.addEventListener("abort", () => {
                        why = (request.signal.reason as { why: string }).why;
                    });
                    return forever(request);
                },
            );
            assert.deepEqual(result.output, { Error: "States.Timeout", Cause: "" });
            assert.equal(result.stopTime - result.startTime, 120_000);
            assert.equal(why, "timeout");
            assert.ok(types(result).includes("TaskTimedOut"));
        },
    );

    it("a task that asks for its signal only after its time-out finds it aborted", async () => {
        let late: AbortSignal | undefined;
        await run(jsonata({ T: task({ TimeoutSeconds: 60 }) }), {}, async (request) => {
            await request.clock.sleep(120_000);
            late = request.signal;
            return null;
        });
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal((late?.reason as { why: string } | undefined)?.why, "timeout");
    });

    it("a Lambda's time-out is LambdaFunctionTimedOut", async () => {
        const result = await run(
            machine({ T: { Type: "Task", Resource: LAMBDA, TimeoutSecondsPath: "$.t", End: true } }),
            { t: 3 },
            forever,
        );
        assert.deepEqual(types(result).slice(-2), ["LambdaFunctionTimedOut", "ExecutionFailed"]);
        assert.equal(result.error, "States.Timeout");
    });

    it("a missed heartbeat is recorded as States.Timeout, and both names catch it", async () => {
        for (const name of ["States.Timeout", "States.HeartbeatTimeout"]) {
            const result = await run(
                jsonata({
                    T: task({ HeartbeatSeconds: 10, TimeoutSeconds: 100, Catch: [{ ErrorEquals: [name], Next: "C" }] }),
                    C: { Type: "Pass", End: true },
                }),
                {},
                async (request) => {
                    for (let beats = 0; beats < 3; beats++) {
                        await request.clock.sleep(9_000, request.signal);
                        request.heartbeat();
                    }
                    return forever(request);
                },
            );
            assert.deepEqual(result.output, { Error: "States.Timeout", Cause: "" }, name);
            assert.equal(result.stopTime - result.startTime, 37_000);
        }
    });

    it("the machine's TimeoutSeconds ends the execution TIMED_OUT, and nothing catches it", async () => {
        const result = await run(
            jsonata(
                { T: task({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "C" }] }), C: { Type: "Succeed" } },
                { TimeoutSeconds: 7 },
            ),
            {},
            forever,
        );
        assert.equal(result.status, "TIMED_OUT");
        assert.equal(result.stopTime - result.startTime, 7_000);
        // As on AWS: the error is in the history only, and the last event follows nothing.
        assert.deepEqual([result.error, result.cause], [undefined, undefined]);
        const last = result.events.at(-1);
        assert.deepEqual([last?.type, last?.previousEventId], ["ExecutionTimedOut", 0]);
        assert.deepEqual(last?.executionTimedOutEventDetails, { error: "States.Timeout" });
        assert.ok(!types(result).some((type) => type.endsWith("StateAborted")));
    });

    it("stopping ends it ABORTED, aborts every running task, and leaves no event after the last", async () => {
        const stop = new AbortController();
        const aborted: string[] = [];
        const result = await run(
            jsonata({
                P: {
                    Type: "Parallel",
                    Branches: ["A", "B"].map((name) => ({ StartAt: name, States: { [name]: task({}) } })),
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "C" }],
                    End: true,
                },
                C: { Type: "Succeed" },
            }),
            {},
            async (request) => {
                request.signal.addEventListener("abort", () => aborted.push(request.state));
                await request.clock.sleep(1_000, request.signal);
                stop.abort("by hand");
                return null;
            },
            { signal: stop.signal },
        );
        assert.deepEqual([result.status, result.cause], ["ABORTED", "by hand"]);
        assert.deepEqual(aborted.sort(), ["A", "B"]);
        const count = result.events.length;
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(result.events.length, count);
        assert.equal(result.events.at(-1)?.type, "ExecutionAborted");
    });

    it("an execution whose signal is aborted before it starts runs nothing", async () => {
        const result = await run(jsonata({ T: task({}) }), {}, async () => assert.fail("ran"), {
            signal: AbortSignal.abort(),
        });
        assert.deepEqual(types(result), ["ExecutionStarted", "ExecutionAborted"]);
    });
});

describe("limits", () => {
    const text = (bytes: number): string => "x".repeat(bytes - 2);

    it("an output of 262,144 bytes passes, one more is States.DataLimitExceeded", async () => {
        const definition = jsonata({ T: task({}) });
        assert.equal((await run(definition, {}, async () => text(262_144))).status, "SUCCEEDED");
        const result = await run(definition, {}, async () => text(262_145));
        assert.equal(result.error, "States.DataLimitExceeded");
        assert.deepEqual(types(result).slice(-2), ["TaskFailed", "ExecutionFailed"]);
    });

    it("counts bytes of UTF-8, not characters", async () => {
        assert.equal(
            (await run(jsonata({ T: task({}) }), {}, async () => "ü".repeat(131_072))).error,
            "States.DataLimitExceeded",
        );
    });

    it("a Pass that makes too much fails", async () => {
        const definition = jsonata({ P: { Type: "Pass", Output: "{% $states.input & $states.input %}", End: true } });
        assert.equal((await run(definition, text(140_000))).error, "States.DataLimitExceeded");
    });

    it("too large an input is refused before the start", async () => {
        await assert.rejects(run(jsonata({ S: { Type: "Succeed" } }), text(262_145)), /262145 bytes, at most 262144/u);
    });

    it("too large variables fail the state that assigns them", async () => {
        const result = await run(
            jsonata({
                A: { Type: "Pass", Assign: { a: "{% $states.input %}" }, Next: "B" },
                B: { Type: "Pass", Assign: { b: "{% $a %}" }, End: true },
            }),
            text(600),
            undefined,
            { limits: { variableBytes: 1_000 } },
        );
        assert.equal(result.error, "States.DataLimitExceeded");
        assert.deepEqual(entered(result), ["A", "B"]);
    });

    it("an endless loop ends at event 25,000 with States.Runtime, which nothing catches", async () => {
        const result = await run(
            jsonata({
                P: {
                    Type: "Parallel",
                    Branches: [
                        { StartAt: "A", States: { A: { Type: "Pass", Next: "B" }, B: { Type: "Pass", Next: "A" } } },
                    ],
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "S" }],
                    End: true,
                },
                S: { Type: "Succeed" },
            }),
        );
        assert.deepEqual([result.status, result.error, result.eventCount], ["FAILED", "States.Runtime", 25_000]);
        assert.match(result.cause ?? "", /maximum number of history events/u);
        assert.equal(result.events.at(-1)?.type, "ExecutionFailed");
    });
});

describe("clocks", () => {
    it("VirtualClock: days pass in no time, in the order of their ends", async () => {
        const clock = new VirtualClock(0);
        const order: number[] = [];
        await Promise.all(
            [3, 1, 2, 1].map(async (days, index) => {
                await clock.sleep(days * 86_400_000);
                order.push(index);
            }),
        );
        assert.deepEqual(order, [1, 3, 2, 0]);
        assert.equal(clock.now(), 3 * 86_400_000);
    });

    it("VirtualClock: stands still while a handler does real work", async () => {
        const result = await run(jsonata({ T: task({ TimeoutSeconds: 1 }) }), {}, async () => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            return "worked";
        });
        assert.equal(result.output, "worked");
        assert.equal(result.stopTime, result.startTime);
    });

    it("RealClock: skips the pauses of Wait and Retry, says which, and keeps time-outs", async () => {
        const skipped: string[] = [];
        const clock = new RealClock({
            skipWaits: true,
            onSkip: (wait) => skipped.push(`${wait.kind} ${wait.state} ${wait.milliseconds}`),
        });
        const before = Date.now();
        const result = await execute(
            jsonata({
                W: { Type: "Wait", Seconds: 600, Next: "T" },
                T: task({ Retry: [{ ErrorEquals: ["E"], IntervalSeconds: 60 }] }),
            }),
            { input: {}, task: failing("E"), clock },
        );
        assert.equal(result.output, "done");
        assert.deepEqual(skipped, ["Wait W 600000", "Retry T 60000"]);
        assert.ok(Date.now() - before < 2_000);
    });

    it("RealClock: a scale makes its time pass faster", async () => {
        const clock = new RealClock({ scale: 0.001 });
        const before = Date.now();
        const result = await execute(jsonata({ T: task({ TimeoutSeconds: 20 }) }), { input: {}, task: forever, clock });
        assert.equal(result.error, "States.Timeout");
        assert.ok(Date.now() - before >= 15 && Date.now() - before < 2_000);
    });

    it("RealClock: an aborted sleep ends at once with the signal's reason", async () => {
        const stop = new AbortController();
        const sleeping = new RealClock().sleep(60_000, stop.signal);
        stop.abort(new Error("enough"));
        await assert.rejects(sleeping, /enough/u);
    });
});

describe("histories", () => {
    it("number their events from 1, each after an earlier one, whatever the machine does", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.array(fc.constantFrom("ok", "E", "F", "States.Timeout"), { maxLength: 12 }),
                fc.integer({ min: 1, max: 4 }),
                async (outcomes, width) => {
                    let next = 0;
                    const result = await run(
                        jsonata({
                            P: {
                                Type: "Parallel",
                                Branches: Array.from({ length: width }, (_, index) => ({
                                    StartAt: `T${index}`,
                                    States: {
                                        [`T${index}`]: {
                                            Type: "Task",
                                            Resource: INVOKE,
                                            TimeoutSeconds: 5,
                                            Retry: [{ ErrorEquals: ["E"], MaxAttempts: 2 }],
                                            Catch: [{ ErrorEquals: ["States.Timeout"], Next: `W${index}` }],
                                            Next: `W${index}`,
                                        },
                                        [`W${index}`]: { Type: "Wait", Seconds: index, End: true },
                                    },
                                })),
                                Retry: [{ ErrorEquals: ["F"], MaxAttempts: 1 }],
                                Catch: [{ ErrorEquals: ["States.ALL"], Next: "S" }],
                                Next: "S",
                            },
                            S: { Type: "Succeed" },
                        }),
                        {},
                        async (request) => {
                            const outcome = outcomes[next++] ?? "ok";
                            await request.clock.sleep(
                                outcome === "States.Timeout" ? Infinity : 100 * next,
                                request.signal,
                            );
                            if (outcome !== "ok") {
                                throw new TaskError(outcome);
                            }
                            return null;
                        },
                    );
                    assert.equal(result.status, "SUCCEEDED");
                    result.events.forEach((event, index) => {
                        assert.equal(event.id, index + 1);
                        assert.ok(event.previousEventId < event.id);
                        assert.ok(index === 0 || event.timestamp >= result.events[index - 1].timestamp);
                    });
                    assert.equal(result.eventCount, result.events.length);
                },
            ),
            { numRuns: 150 },
        );
    });

    it("cost nothing when nobody wants them, and change nothing", async () => {
        const definition = jsonata({
            A: { Type: "Pass", Assign: { x: "{% $states.input %}" }, Next: "B" },
            B: { Type: "Pass", Output: "{% $x %}", End: true },
        });
        const [kept, none] = [await run(definition, 5), await run(definition, 5, undefined, { history: false })];
        assert.deepEqual({ ...none, events: [] }, { ...kept, events: [] });
        assert.equal(none.events.length, 0);
        assert.ok(kept.events.length > 0);
    });
});
