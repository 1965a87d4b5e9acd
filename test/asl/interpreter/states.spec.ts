import assert from "node:assert/strict";
import { compile, DefinitionError, execute, TaskError, type TaskRequest } from "../../../asl/interpreter/index";
import { defined } from "../../../ground/fields";
import { entered, failing, INVOKE, jsonata, LAMBDA, machine, output, run, types } from "./helpers";

describe("Pass", () => {
    it("gives its input through in both languages", async () => {
        assert.deepEqual(await output(machine({ P: { Type: "Pass", End: true } }), { a: 1 }), { a: 1 });
        assert.deepEqual(await output(jsonata({ P: { Type: "Pass", End: true } }), { a: 1 }), { a: 1 });
    });

    it("JSONPath: goes through InputPath, Parameters, ResultPath and OutputPath", async () => {
        const definition = machine({
            P: {
                Type: "Pass",
                InputPath: "$.in",
                Parameters: { "x.$": "$.v", "n": 1 },
                ResultPath: "$.out.here",
                OutputPath: "$.out",
                End: true,
            },
        });
        assert.deepEqual(await output(definition, { in: { v: 7 }, out: { kept: true } }), {
            kept: true,
            here: { x: 7, n: 1 },
        });
    });

    it("JSONPath: null paths mean an empty object, ResultPath null keeps the input", async () => {
        assert.deepEqual(await output(machine({ P: { Type: "Pass", InputPath: null, End: true } }), { a: 1 }), {});
        assert.deepEqual(await output(machine({ P: { Type: "Pass", OutputPath: null, End: true } }), { a: 1 }), {});
        assert.deepEqual(
            await output(machine({ P: { Type: "Pass", Result: 5, ResultPath: null, End: true } }), { a: 1 }),
            { a: 1 },
        );
    });

    it("JSONata: Output null is null", async () => {
        assert.equal(await output(jsonata({ P: { Type: "Pass", Output: null, End: true } }), { a: 1 }), null);
    });

    it("JSONata: Output and Assign both see the values from before", async () => {
        const result = await run(
            jsonata({
                A: { Type: "Pass", Assign: { n: 1 }, Next: "B" },
                B: { Type: "Pass", Assign: { n: "{% $n + 1 %}", m: "{% $n %}" }, Output: "{% $n %}", End: true },
            }),
        );
        assert.equal(result.output, 1);
        assert.deepEqual(result.variables, { n: 2, m: 1 });
    });

    it("JSONPath: variables are read as $name, and OutputPath sees the old value", async () => {
        const result = await run(
            machine({
                A: { Type: "Pass", Assign: { "answer.$": "$.first", "deep": { x: [1, 2] } }, Next: "B" },
                B: {
                    Type: "Pass",
                    Assign: { answer: "new" },
                    Parameters: { "d.$": "$deep.x[1]" },
                    OutputPath: "$answer",
                    End: true,
                },
            }),
            { first: "old" },
        );
        assert.equal(result.output, "old");
        assert.equal(result.variables.answer, "new");
    });

    it(
        "fails with States.Runtime where a path leads nowhere, with States.QueryEvaluationError where an expression " +
            "gives nothing",
        async () => {
            const path = await run(machine({ P: { Type: "Pass", Parameters: { "x.$": "$.missing" }, End: true } }));
            assert.equal(path.error, "States.Runtime");
            const query = await run(
                jsonata({ P: { Type: "Pass", Output: { x: "{% $states.input.missing %}" }, End: true } }),
            );
            assert.equal(query.error, "States.QueryEvaluationError");
            assert.match(
                query.cause ?? "",
                /'\$states\.input\.missing' specified for the field 'Output\/x' returned nothing/u,
            );
            assert.deepEqual(types(query), [
                "ExecutionStarted",
                "PassStateEntered",
                "EvaluationFailed",
                "ExecutionFailed",
            ]);
        },
    );

    it("mixes the languages state by state", async () => {
        const definition = machine({
            A: { Type: "Pass", Parameters: { "v.$": "$.n" }, Assign: { "k.$": "$.v" }, Next: "B" },
            B: { Type: "Pass", QueryLanguage: "JSONata", Output: "{% $k * 2 + $states.input.v %}", End: true },
        });
        assert.equal(await output(definition, { n: 4 }), 12);
    });
});

describe("Choice", () => {
    const choice = (rule: object): ReturnType<typeof machine> =>
        machine({
            C: { Type: "Choice", Choices: [{ ...rule, Next: "Yes" }], Default: "No" },
            Yes: { Type: "Pass", Result: true, End: true },
            No: { Type: "Pass", Result: false, End: true },
        });
    const cases: [string, object, object, boolean][] = [
        ["NumericEquals", { NumericEquals: 1 }, { v: 1 }, true],
        ["NumericEquals on text", { NumericEquals: 1 }, { v: "1" }, false],
        ["NumericLessThanPath", { NumericLessThanPath: "$.w" }, { v: 1, w: 2 }, true],
        ["StringGreaterThan", { StringGreaterThan: "a" }, { v: "b" }, true],
        ["StringMatches with *", { StringMatches: "log-*.txt" }, { v: "log-2025.txt" }, true],
        ["StringMatches is anchored", { StringMatches: "log-*" }, { v: "a log-1" }, false],
        ["StringMatches with several *", { StringMatches: "*a*b*" }, { v: "xaxxbx" }, true],
        ["StringMatches whose parts would overlap", { StringMatches: "ab*ba" }, { v: "aba" }, false],
        ["StringMatches without *", { StringMatches: "ab" }, { v: "abc" }, false],
        ["StringMatches of many *", { StringMatches: `${"*a".repeat(40)}b` }, { v: "a".repeat(100_000) }, false],
        ["StringMatches with an escaped *", { StringMatches: "a\\*b" }, { v: "axb" }, false],
        ["BooleanEquals", { BooleanEquals: true }, { v: true }, true],
        [
            "TimestampLessThan over zones",
            { TimestampLessThan: "2025-01-01T00:00:00Z" },
            { v: "2025-01-01T00:30:00+01:00" },
            true,
        ],
        ["IsNull", { IsNull: true }, { v: null }, true],
        ["IsPresent of null", { IsPresent: true }, { v: null }, true],
        ["IsPresent of nothing", { IsPresent: false }, {}, true],
        ["IsNumeric", { IsNumeric: true }, { v: "1" }, false],
        ["IsString false", { IsString: false }, { v: 1 }, true],
        ["IsTimestamp", { IsTimestamp: true }, { v: "2025-02-30T00:00:00Z" }, false],
    ];
    for (const [name, rule, input, expected] of cases) {
        it(`JSONPath: ${name}`, async () => {
            assert.equal(await output(choice({ Variable: "$.v", ...rule }), input as never), expected);
        });
    }

    it("JSONPath: And, Or, Not nest", async () => {
        const rule = {
            And: [
                { Variable: "$.a", IsPresent: true },
                {
                    Not: {
                        Or: [
                            { Variable: "$.a", NumericEquals: 1 },
                            { Variable: "$.a", NumericEquals: 2 },
                        ],
                    },
                },
            ],
        };
        assert.equal(await output(choice(rule), { a: 3 }), true);
        assert.equal(await output(choice(rule), { a: 2 }), false);
        assert.equal(await output(choice(rule), {}), false);
    });

    it(
        "JSONPath: a missing variable and no match without Default end in States.Runtime, which no Parallel around " +
            "it catches",
        async () => {
            const inner = (rule: object): object => ({
                StartAt: "C",
                States: { C: { Type: "Choice", Choices: [rule] }, X: { Type: "Succeed" } },
            });
            for (const rule of [
                { Variable: "$.nope", NumericEquals: 1, Next: "X" },
                { Variable: "$.a", NumericEquals: 2, Next: "X" },
            ]) {
                const result = await run(
                    machine({
                        P: {
                            Type: "Parallel",
                            Branches: [inner(rule)],
                            Catch: [{ ErrorEquals: ["States.ALL"], Next: "S" }],
                            End: true,
                        },
                        S: { Type: "Succeed" },
                    }),
                    { a: 1 },
                );
                assert.equal(result.status, "FAILED");
                assert.equal(result.error, "States.Runtime");
            }
        },
    );

    it("the other reading of a Choice without a match lets the Parallel around it catch", async () => {
        const result = await run(
            jsonata({
                P: {
                    Type: "Parallel",
                    Branches: [
                        {
                            StartAt: "C",
                            States: {
                                C: { Type: "Choice", Choices: [{ Condition: false, Next: "X" }] },
                                X: { Type: "Succeed" },
                            },
                        },
                    ],
                    Catch: [{ ErrorEquals: ["States.NoChoiceMatched"], Next: "S" }],
                    End: true,
                },
                S: { Type: "Succeed" },
            }),
            {},
            undefined,
            { readings: { noChoiceMatched: "States.NoChoiceMatched" } },
        );
        assert.equal(result.status, "SUCCEEDED");
    });

    it("JSONata: a Condition that is no boolean fails, a rule's Output and Assign apply", async () => {
        const definition = jsonata({
            C: {
                Type: "Choice",
                Choices: [
                    {
                        Condition: "{% $states.input.n > 1 %}",
                        Output: "{% $states.input.n %}",
                        Assign: { big: true },
                        Next: "E",
                    },
                ],
                Default: "E",
            },
            E: { Type: "Pass", End: true },
        });
        const result = await run(definition, { n: 2 });
        assert.equal(result.output, 2);
        assert.deepEqual(result.variables, { big: true });
        assert.equal(
            (
                await run(
                    jsonata({
                        C: { Type: "Choice", Choices: [{ Condition: "{% 'yes' %}", Next: "E" }] },
                        E: { Type: "Succeed" },
                    }),
                )
            ).error,
            "States.QueryEvaluationError",
        );
    });
});

describe("Wait", () => {
    it("takes its seconds of virtual time and none of ours", async () => {
        const result = await run(jsonata({ W: { Type: "Wait", Seconds: "{% $states.input.s %}", End: true } }), {
            s: 86_400,
        });
        assert.equal(result.stopTime - result.startTime, 86_400_000);
    });

    it("waits until a timestamp, and not at all for one that has passed", async () => {
        const definition = machine({ W: { Type: "Wait", TimestampPath: "$.t", End: true } });
        const later = await run(definition, { t: "2025-01-01T01:00:00+00:30" });
        assert.equal(later.stopTime - later.startTime, 1_800_000);
        const past = await run(definition, { t: "1999-01-01T00:00:00Z" });
        assert.equal(past.stopTime, past.startTime);
    });
});

describe("Succeed and Fail", () => {
    it("Succeed ends with its Output", async () => {
        assert.equal(await output(jsonata({ S: { Type: "Succeed", Output: "{% $states.input.a %}" } }), { a: 3 }), 3);
    });

    it("Fail gives Error and Cause, evaluated", async () => {
        const result = await run(
            jsonata({ F: { Type: "Fail", Error: "Notified.X", Cause: "{% $string({'a': $states.input.a}) %}" } }),
            { a: 1 },
        );
        assert.deepEqual([result.status, result.error, result.cause], ["FAILED", "Notified.X", '{"a":1}']);
    });
});

describe("Parallel", () => {
    const branch = (name: string, state: object): object => ({ StartAt: name, States: { [name]: state } });

    it("gives the branches' outputs in their order, whenever they end", async () => {
        const result = await run(
            jsonata({
                P: {
                    Type: "Parallel",
                    Branches: [
                        {
                            StartAt: "W",
                            States: {
                                W: { Type: "Wait", Seconds: 10, Next: "A" },
                                A: { Type: "Pass", Output: "a", End: true },
                            },
                        },
                        branch("B", { Type: "Pass", Output: "b", End: true }),
                    ],
                    Arguments: { x: 1 },
                    Output: "{% $states.result %}",
                    End: true,
                },
            }),
        );
        assert.deepEqual(result.output, ["a", "b"]);
        assert.equal(result.stopTime - result.startTime, 10_000);
    });

    it("reads outer variables in a branch and forgets the branch's own", async () => {
        const result = await run(
            jsonata({
                A: { Type: "Pass", Assign: { outer: 1 }, Next: "P" },
                P: {
                    Type: "Parallel",
                    Branches: [
                        branch("B", {
                            Type: "Pass",
                            Assign: { inner: "{% $outer %}" },
                            Output: "{% $outer %}",
                            End: true,
                        }),
                    ],
                    End: true,
                },
            }),
        );
        assert.deepEqual(result.output, [1]);
        assert.deepEqual(result.variables, { outer: 1 });
    });

    it(
        "a failing branch stops its siblings: the task's signal is aborted, TaskStateAborted comes before " +
            "ParallelStateFailed",
        async () => {
            let reason: unknown;
            const result = await run(
                jsonata({
                    P: {
                        Type: "Parallel",
                        Branches: [
                            branch("T", { Type: "Task", Resource: INVOKE, End: true }),
                            {
                                StartAt: "W",
                                States: {
                                    W: { Type: "Wait", Seconds: 5, Next: "F" },
                                    F: { Type: "Fail", Error: "E", Cause: "c" },
                                },
                            },
                        ],
                        Catch: [{ ErrorEquals: ["E"], Next: "D" }],
                        End: true,
                    },
                    D: { Type: "Pass", End: true },
                }),
                {},
                async (request) => {
                    request.signal.addEventListener("abort", () => {
                        reason = request.signal.reason;
                    });
                    await request.clock.sleep(3_600_000, request.signal);
                    return null;
                },
            );
            assert.deepEqual(result.output, { Error: "E", Cause: "c" });
            assert.equal((reason as { why: string }).why, "stopped");
            const names = types(result);
            assert.ok(names.indexOf("TaskStateAborted") < names.indexOf("ParallelStateFailed"));
            assert.equal(result.stopTime - result.startTime, 5_000);
        },
    );

    it("is retried as a whole, and RetryCount counts", async () => {
        const task = failing("Flaky", "Flaky");
        const result = await run(
            jsonata({
                P: {
                    Type: "Parallel",
                    Branches: [branch("T", { Type: "Task", Resource: INVOKE, End: true })],
                    Retry: [{ ErrorEquals: ["Flaky"], IntervalSeconds: 2 }],
                    Output: "{% $states.context.State.RetryCount %}",
                    End: true,
                },
            }),
            {},
            task,
        );
        assert.equal(result.output, 2);
        assert.equal(result.stopTime - result.startTime, 6_000);
        assert.ok(!types(result).includes("ParallelStateFailed"), "a retried Parallel has no Failed event");
    });
});

describe("Map", () => {
    const processor = (state: object, config?: object): object =>
        defined({
            ProcessorConfig: config,
            StartAt: "I",
            States: { I: state },
        });

    it("runs no more iterations at once than MaxConcurrency says", async () => {
        let running = 0;
        let most = 0;
        const result = await run(
            jsonata({
                M: {
                    Type: "Map",
                    Items: "{% [1..7] %}",
                    MaxConcurrency: 3,
                    ItemProcessor: processor({ Type: "Task", Resource: INVOKE, End: true }),
                    End: true,
                },
            }),
            {},
            async (request) => {
                most = Math.max(most, ++running);
                await request.clock.sleep(1000, request.signal);
                running--;
                return request.arguments;
            },
        );
        assert.deepEqual(result.output, [1, 2, 3, 4, 5, 6, 7]);
        assert.equal(most, 3);
        assert.equal(result.stopTime - result.startTime, 3_000);
    });

    it("shows index and value of the item to ItemSelector, in both languages", async () => {
        assert.deepEqual(
            await output(
                machine({
                    M: {
                        Type: "Map",
                        ItemsPath: "$.l",
                        ItemSelector: { "i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "w.$": "$.w" },
                        ItemProcessor: processor({ Type: "Pass", End: true }),
                        End: true,
                    },
                }),
                { l: ["a"], w: 1 },
            ),
            [{ i: 0, v: "a", w: 1 }],
        );
        assert.deepEqual(
            await output(
                jsonata({
                    M: {
                        Type: "Map",
                        Items: ["a"],
                        ItemSelector: { i: "{% $states.context.Map.Item.Index %}" },
                        ItemProcessor: processor({ Type: "Pass", End: true }),
                        End: true,
                    },
                }),
            ),
            [{ i: 0 }],
        );
    });

    it("a distributed Map tolerates as many failures as it says, and no more", async () => {
        const definition = (count: number): ReturnType<typeof machine> =>
            jsonata({
                M: {
                    Type: "Map",
                    ToleratedFailureCount: count,
                    End: true,
                    Catch: [{ ErrorEquals: ["States.ExceedToleratedFailureThreshold"], Next: "C" }],
                    ItemProcessor: processor(
                        { Type: "Task", Resource: INVOKE, End: true },
                        { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
                    ),
                },
                C: { Type: "Pass", Output: "caught", End: true },
            });
        const task = async (request: TaskRequest): Promise<number> => {
            if (request.arguments === 2) {
                throw new TaskError("Bad");
            }
            return request.arguments as number;
        };
        assert.deepEqual(await output(definition(1), [1, 2, 3], task), [1, 3]);
        assert.equal(await output(definition(0), [1, 2, 3], task), "caught");
    });

    it("a distributed Map reads its items through the task handler and batches them", async () => {
        const result = await run(
            jsonata({
                M: {
                    Type: "Map",
                    End: true,
                    ItemReader: {
                        Resource: "arn:aws:states:::s3:getObject",
                        ReaderConfig: { InputType: "CSV", CSVHeaderLocation: "FIRST_ROW", MaxItems: 3 },
                        Arguments: { Bucket: "b", Key: "k" },
                    },
                    ItemBatcher: { MaxItemsPerBatch: 2, BatchInput: { f: 1 } },
                    ItemProcessor: processor({ Type: "Pass", End: true }, { Mode: "DISTRIBUTED" }),
                },
            }),
            {},
            async (request) => {
                assert.deepEqual(request.arguments, { Bucket: "b", Key: "k" });
                return { Body: "id,n\n1,a\n2,b\n3,c\n4,d\n" };
            },
        );
        assert.deepEqual(result.output, [
            {
                Items: [
                    { id: "1", n: "a" },
                    { id: "2", n: "b" },
                ],
                BatchInput: { f: 1 },
            },
            { Items: [{ id: "3", n: "c" }], BatchInput: { f: 1 } },
        ]);
    });
});

describe("Task", () => {
    it("is told its state, path, resource, arguments, attempt and entry", async () => {
        const seen: unknown[] = [];
        await run(
            jsonata({
                P: {
                    Type: "Parallel",
                    End: true,
                    Branches: [
                        {
                            StartAt: "T",
                            States: {
                                T: {
                                    Type: "Task",
                                    Resource: INVOKE,
                                    Arguments: { n: "{% $states.input.n %}" },
                                    Retry: [{ ErrorEquals: ["E"] }],
                                    TimeoutSeconds: 30,
                                    HeartbeatSeconds: 10,
                                    Next: "C",
                                },
                                C: {
                                    Type: "Choice",
                                    Choices: [{ Condition: "{% $states.input = 'again' %}", Next: "T2" }],
                                    Default: "D",
                                },
                                T2: { Type: "Pass", Output: { n: 2 }, Next: "T" },
                                D: { Type: "Succeed" },
                            },
                        },
                    ],
                },
            }),
            { n: 1 },
            async (request) => {
                seen.push([
                    request.state,
                    request.path,
                    request.resource,
                    request.arguments,
                    request.attempt,
                    request.entered,
                    request.timeoutSeconds,
                    request.heartbeatSeconds,
                ]);
                if (seen.length === 1) {
                    throw new TaskError("E");
                }
                return seen.length === 2 ? "again" : "done";
            },
        );
        assert.deepEqual(seen, [
            ["T", ["P", "0"], INVOKE, { n: 1 }, 0, 1, 30, 10],
            ["T", ["P", "0"], INVOKE, { n: 1 }, 1, 1, 30, 10],
            ["T", ["P", "0"], INVOKE, { n: 2 }, 0, 2, 30, 10],
        ]);
    });

    it("JSONPath: ResultSelector, ResultPath and OutputPath treat the result", async () => {
        const definition = machine({
            T: {
                Type: "Task",
                Resource: LAMBDA,
                ResultSelector: { "v.$": "$.Payload" },
                ResultPath: "$.r",
                OutputPath: "$.r",
                End: true,
            },
        });
        assert.deepEqual(await output(definition, { a: 1 }, async () => ({ Payload: 5, x: 1 })), { v: 5 });
    });

    it("writes the events of its kind of resource", async () => {
        const kinds: [string, string[]][] = [
            [LAMBDA, ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]],
            [INVOKE, ["TaskScheduled", "TaskStarted", "TaskSucceeded"]],
            [
                "arn:aws:states:::batch:submitJob.sync",
                ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"],
            ],
            [
                "arn:aws:states:us-east-1:111111111111:activity:a",
                ["ActivityScheduled", "ActivityStarted", "ActivitySucceeded"],
            ],
        ];
        for (const [resource, expected] of kinds) {
            const result = await run(machine({ T: { Type: "Task", Resource: resource, End: true } }));
            assert.deepEqual(types(result).slice(2, -2), expected);
        }
    });

    it("names service and action as AWS does", async () => {
        for (const [resource, type, action] of [
            ["arn:aws:states:::aws-sdk:s3:getObject", "aws-sdk:s3", "getObject"],
            ["arn:aws:states:::states:startExecution.sync:2", "states", "startExecution.sync:2"],
            ["arn:aws:states:::sagemaker:createTrainingJob.sync", "sagemaker", "createTrainingJob.sync"],
        ]) {
            const result = await run(machine({ T: { Type: "Task", Resource: resource, End: true } }));
            const details = result.events.find((event) => event.type === "TaskScheduled")?.taskScheduledEventDetails;
            assert.deepEqual([details?.resourceType, details?.resource], [type, action]);
        }
    });

    it("an error that is no TaskError is States.TaskFailed with its message", async () => {
        const result = await run(jsonata({ T: { Type: "Task", Resource: INVOKE, End: true } }), {}, async () => {
            throw new Error("disk full");
        });
        assert.deepEqual([result.error, result.cause], ["States.TaskFailed", "disk full"]);
    });

    it("a result that is no JSON is States.TaskFailed; undefined is null", async () => {
        const definition = jsonata({ T: { Type: "Task", Resource: INVOKE, End: true } });
        assert.equal((await run(definition, {}, async () => (() => 1) as never)).error, "States.TaskFailed");
        assert.equal((await run(definition, {}, async () => undefined as never)).output, null);
    });

    it("handlers cannot reach into the execution by changing what they get or gave", async () => {
        const given = { list: [1] };
        const result = await run(
            jsonata({
                A: {
                    Type: "Task",
                    Resource: INVOKE,
                    Arguments: { fixed: { a: 1 } },
                    Assign: { v: "{% $states.result %}" },
                    Next: "B",
                },
                B: { Type: "Task", Resource: INVOKE, Arguments: "{% $v %}", Output: "{% $v %}", Next: "A2" },
                A2: { Type: "Pass", End: true },
            }),
            {},
            async (request) => {
                if (request.state === "A") {
                    (request.arguments as { fixed: { a: number } }).fixed.a = 2;
                    return given;
                }
                given.list.push(2);
                (request.arguments as { list: number[] }).list.push(3);
                return null;
            },
        );
        assert.deepEqual(result.output, { list: [1] });
    });

    it("a task token is in the context", async () => {
        const result = await run(
            jsonata({
                T: {
                    Type: "Task",
                    Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    Arguments: { t: "{% $states.context.Task.Token %}" },
                    End: true,
                },
            }),
        );
        assert.deepEqual(result.output, { t: "task-token-1" });
    });
});

describe("compile", () => {
    it("finds all problems at once, each with its state", () => {
        assert.throws(
            () =>
                compile(
                    jsonata({
                        A: { Type: "Pass", Next: "Nowhere", Output: "{% 1 + %}" },
                        B: { Type: "Banana", End: true },
                        C: { Type: "Pass", QueryLanguage: "JSONPath", End: true },
                    }),
                ),
            (error: unknown) => {
                assert.ok(error instanceof DefinitionError);
                assert.equal(error.problems.length, 4);
                for (const [index, pattern] of [
                    /"Nowhere"/u,
                    /not valid: S0/u,
                    /"Banana"/u,
                    /declares JSONPath/u,
                ].entries()) {
                    assert.match(error.problems[index], pattern);
                }
                return true;
            },
        );
    });

    it("refuses an inner scope that assigns an outer variable", () => {
        assert.throws(
            () =>
                compile(
                    jsonata({
                        A: { Type: "Pass", Assign: { x: 1 }, Next: "P" },
                        P: {
                            Type: "Parallel",
                            Branches: [{ StartAt: "B", States: { B: { Type: "Pass", Assign: { x: 2 }, End: true } } }],
                            End: true,
                        },
                    }),
                ),
            /assigns the variable 'x' of an outer scope/u,
        );
    });

    it("makes a machine that runs many times, with equal histories", async () => {
        const compiled = compile(
            jsonata({
                T: {
                    Type: "Task",
                    Resource: INVOKE,
                    Retry: [{ ErrorEquals: ["States.ALL"], JitterStrategy: "FULL", IntervalSeconds: 9 }],
                    Assign: { id: "{% $uuid() %}", r: "{% $random() %}" },
                    Next: "S",
                },
                S: { Type: "Succeed", Output: "{% {'id': $id, 'r': $r, 'at': $now()} %}" },
            }),
        );
        const once = async (): Promise<string> =>
            JSON.stringify(await execute(compiled, { input: {}, task: failing("A", "B") }));
        const first = await once();
        assert.equal(await once(), first);
        assert.match(first, /2025-01-01T00:00/u);
    });

    it("enters the states in the order of the definition's transitions", async () => {
        const result = await run(
            machine({ A: { Type: "Pass", Next: "C" }, B: { Type: "Succeed" }, C: { Type: "Pass", Next: "B" } }),
        );
        assert.deepEqual(entered(result), ["A", "C", "B"]);
        assert.equal(result.transitions, 3);
    });
});
