/* eslint @stylistic/max-len: off -- a table of definitions reads best with one on a line */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { analyse, analyseText, rules, type AnalysisOptions } from "../../../asl/analysis";
import { rulesDocument } from "../../../asl/analysis/document";
import {
    catchAll,
    clean,
    done,
    failurePath,
    lambda,
    machine,
    pathLambda,
    pathMachine,
    training,
    type Json,
} from "./machines";

interface Case {
    /** Definitions that the rule reports, with the path of the finding. */
    readonly bad: readonly (readonly [Json, string])[];
    /** Definitions that are sound: no finding at all, unless the rule itself says otherwise. */
    readonly good: readonly Json[];
    readonly options?: AnalysisOptions;
}

const fine = machine({ Work: lambda() });
const pathFine = pathMachine({ Work: pathLambda() });
const pass = (more: Json): Json => ({ Type: "Pass", Next: "Done", ...more });
const withState = (more: Json): Json => machine({ Work: lambda(more) });
const choice = (rule: Json, more: Json = {}): Json =>
    pathMachine({
        Ask: { Type: "Choice", Choices: [{ Next: "Done", ...rule }], Default: "Failed", ...more },
    });
const branch = (states: Json): Json => ({ StartAt: Object.keys(states)[0], States: states });
const parallel = (branches: readonly Json[], more: Json = {}): Json => ({
    Type: "Parallel",
    Branches: branches,
    Catch: catchAll,
    Next: "Done",
    ...more,
});

/** Two members, each with a record, and a join. */
const ensemble = (condition: string, changes: { record?: Json; join?: Json; both?: Json } = {}): Json => {
    const member = (name: string): Json =>
        branch({
            [`${name} Model`]: {
                Type: "Parallel",
                End: true,
                Output: "{% $states.result[0] %}",
                Branches: [
                    branch({
                        [`Train ${name}`]: {
                            ...lambda(),
                            Catch: [{ ErrorEquals: ["States.ALL"], Next: `Fail ${name}` }],
                            Next: undefined,
                            End: true,
                            Output: { member: name, outcome: "trained" },
                        },
                        [`Fail ${name}`]: { Type: "Fail", Error: "Member", Cause: "it failed" },
                    }),
                ],
                Catch: [{ ErrorEquals: ["States.ALL"], Next: `Record ${name}` }],
            },
            [`Record ${name}`]: {
                Type: "Pass",
                Comment: "records-failure-for: Complete?",
                End: true,
                Output: { member: name, outcome: "failed", cause: "{% '' & $states.input.Cause %}" },
                ...changes.record,
            },
        });
    return machine({
        "Members": parallel([member("image"), member("text")], {
            Assign: { outcomes: "{% $states.result %}" },
            Next: "Complete?",
            ...changes.both,
        }),
        "Complete?": {
            Type: "Choice",
            Choices: [{ Condition: condition, Next: "Notify" }],
            Default: "Publish",
            ...changes.join,
        },
        "Publish": lambda(),
    });
};
const loop = (more: { work?: Json; again?: Json; pause?: Json; start?: Json } = {}): Json =>
    machine({
        "Begin": { Type: "Pass", Assign: { tries: 0 }, Next: "Work", ...more.start },
        "Work": lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Again?" }], ...more.work }),
        "Again?": {
            Type: "Choice",
            Choices: [{ Condition: "{% $tries < 5 %}", Assign: { tries: "{% $tries + 1 %}" }, Next: "Pause" }],
            Default: "Notify",
            ...more.again,
        },
        "Pause": { Type: "Wait", Seconds: 60, Next: "Work", ...more.pause },
    });
/** A notification, left by `next`, or where it fails by `otherwise`. */
const tell = (next: string, otherwise = next): Json => ({
    ...(failurePath.Notify as Json),
    Next: next,
    Catch: [{ ErrorEquals: ["States.ALL"], Next: otherwise }],
});
const batch = (more: Json = {}, payload: Json = {}): Json =>
    lambda({
        Resource: "arn:aws:states:::batch:submitJob.sync",
        TimeoutSeconds: 600,
        Arguments: { JobName: "job", JobDefinition: "definition", JobQueue: "queue", ...payload },
        ...more,
    });
const pathBatch = (more: Json): Json => {
    const { Arguments: given, ...rest } = batch({}, more);
    return { ...rest, Parameters: given };
};
/** Where the payload of "Work" stands. */
const PAYLOAD = "States/Work/Arguments";

const cases: { readonly [rule: string]: Case } = {
    "not-a-definition": {
        bad: [
            [[] as unknown as Json, ""],
            [null as unknown as Json, ""],
            ["x" as unknown as Json, ""],
            [deep(300), ""],
        ],
        good: [fine],
    },
    "definition-too-large": {
        bad: [[machine({ Work: lambda({ Comment: "x".repeat(1_100_000) }) }), ""]],
        good: [machine({ Work: lambda({ Comment: "x".repeat(1000) }) })],
    },
    "unknown-field": {
        bad: [
            [withState({ Retries: [] }), "States/Work/Retries"],
            [{ ...fine, Start: "Work" }, "Start"],
            [
                withState({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Notify", ResultPat: "$" }] }),
                "States/Work/Catch/0/ResultPat",
            ],
            [withState({ TimeoutSeconds: 5, MaxConcurrency: 2 }), "States/Work/MaxConcurrency"],
        ],
        good: [fine, pathFine],
    },
    "missing-field": {
        bad: [
            [withState({ Resource: undefined }), "States/Work"],
            [clean({ ...fine, StartAt: undefined }), ""],
            [machine({ Both: parallel([], { Branches: undefined }) }), "States/Both"],
            [
                machine({ Ask: { Type: "Choice", Choices: [{ Condition: "{% true %}" }], Default: "Done" } }),
                "States/Ask/Choices/0",
            ],
        ],
        good: [fine],
    },
    "wrong-value": {
        bad: [
            [withState({ Type: "Tusk" }), "States/Work/Type"],
            [withState({ Resource: 5 }), "States/Work/Resource"],
            [{ ...fine, States: [] }, "States"],
            [machine({ Both: parallel([], {}) }), "States/Both/Branches"],
            [withState({ Retry: {} }), "States/Work/Retry"],
            [
                machine({ Each: { Type: "Map", ItemProcessor: 3, Catch: catchAll, Next: "Done" } }),
                "States/Each/ItemProcessor",
            ],
        ],
        good: [fine],
    },
    "state-name": {
        bad: [
            [machine({ ["x".repeat(81)]: lambda() }), `States/${"x".repeat(81)}`],
            [machine({ "a\u0001": lambda() }), "States/a\u0001"],
        ],
        good: [machine({ ["x".repeat(80)]: lambda() }), machine({ ["ä".repeat(80)]: lambda() })],
    },
    "duplicate-state-name": {
        bad: [
            [
                machine({ Both: parallel([branch({ Done: { Type: "Pass", End: true } })]) }),
                "States/Both/Branches/0/States/Done",
            ],
        ],
        good: [machine({ Both: parallel([branch({ Inner: { Type: "Pass", End: true } })]) })],
    },
    "missing-target": {
        bad: [
            [withState({ Next: "Dun" }), "States/Work/Next"],
            [{ ...fine, StartAt: "Nowhere" }, "StartAt"],
            [withState({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Nobody" }] }), "States/Work/Catch/0/Next"],
            [
                machine({ Both: parallel([branch({ Inner: { Type: "Pass", Next: "Done" } })]) }),
                "States/Both/Branches/0/States/Inner/Next",
            ],
            [
                machine({
                    Ask: { Type: "Choice", Choices: [{ Condition: "{% true %}", Next: "Done" }], Default: "Gone" },
                }),
                "States/Ask/Default",
            ],
        ],
        good: [fine],
    },
    "unreachable-state": {
        bad: [
            [machine({ Work: lambda(), Alone: { Type: "Pass", Next: "Done" } }), "States/Alone"],
            [machine({ Work: lambda(), B: { Type: "Pass", Next: "C" }, C: { Type: "Pass", Next: "B" } }), "States/B"],
        ],
        good: [fine],
    },
    "no-terminal-state": {
        bad: [[{ StartAt: "A", States: { A: { Type: "Pass", Next: "B" }, B: { Type: "Pass", Next: "A" } } }, ""]],
        good: [fine],
    },
    "next-or-end": {
        bad: [
            [withState({ End: true }), "States/Work"],
            [withState({ Next: undefined }), "States/Work"],
        ],
        good: [
            fine,
            machine(
                { Work: lambda({ Next: undefined, End: true }) },
                { States: clean({ Work: lambda({ Next: undefined, End: true }), ...failurePath }) },
            ),
        ],
    },
    "exclusive-fields": {
        bad: [
            [pathMachine({ Bad: { Type: "Fail", Error: "E", ErrorPath: "$.e", Cause: "c" } }), "States/Bad/ErrorPath"],
            [
                pathMachine({ Work: pathLambda({ TimeoutSeconds: 1, TimeoutSecondsPath: "$.t" }) }),
                "States/Work/TimeoutSecondsPath",
            ],
            [
                machine({
                    Each: {
                        Type: "Map",
                        ItemProcessor: branch({ In: done }),
                        ItemBatcher: {},
                        Catch: catchAll,
                        Next: "Done",
                    },
                }),
                "States/Each/ItemBatcher",
            ],
        ],
        good: [pathFine],
    },
    "query-language": {
        bad: [
            [withState({ InputPath: "$.a" }), "States/Work/InputPath"],
            [pathMachine({ Work: pathLambda({ Arguments: {} }) }), "States/Work/Arguments"],
            [
                withState({ QueryLanguage: "JSONPath", Arguments: undefined, Parameters: { FunctionName: "work" } }),
                "States/Work/QueryLanguage",
            ],
            [machine({ Set: { Type: "Pass", Output: { "a.$": "$.a" }, Next: "Done" } }), "States/Set/Output/a.$"],
        ],
        good: [fine, pathMachine({ Work: { ...lambda(), QueryLanguage: "JSONata" } })],
    },
    "resource-arn": {
        bad: [[withState({ Resource: "my-function" }), "States/Work/Resource"]],
        good: [fine, withState({ Resource: "arn:aws:lambda:eu-central-1:123456789012:function:work" })],
    },
    "express": {
        options: { type: "EXPRESS" },
        bad: [
            [withState({ Resource: "arn:aws:states:::batch:submitJob.sync" }), "States/Work/Resource"],
            [withState({ Resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken" }), "States/Work/Resource"],
            [withState({ Resource: "arn:aws:states:eu-central-1:123456789012:activity:work" }), "States/Work/Resource"],
            [
                machine({
                    Each: {
                        Type: "Map",
                        ItemProcessor: {
                            ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
                            ...branch({ Wait: { Type: "Pass", End: true } }),
                        },
                        Catch: catchAll,
                        Next: "Done",
                    },
                }),
                "States/Each/ItemProcessor/ProcessorConfig/Mode",
            ],
        ],
        good: [fine],
    },
    "jsonata-reference": {
        bad: [
            [machine({ Set: pass({ Output: "{% phone %}" }) }), "States/Set/Output"],
            [machine({ Set: pass({ Output: "{% [1, phone.number] %}" }) }), "States/Set/Output"],
            [machine({ Set: pass({ Output: "{% $$ %}" }) }), "States/Set/Output"],
            [machine({ Set: pass({ Output: "{% $states.errorOutput %}" }) }), "States/Set/Output"],
        ],
        good: [
            machine({ Set: pass({ Output: "{% [{ 'name': 'a' }][name = 'a'].name & '' %}" }) }),
            machine({ Set: pass({ Output: "{% $count($map([{ 'a': 1 }], function($v) { $v.a })) %}" }) }),
            withState({ Output: "{% { 'a': 1 } ~> |$|{ 'b': a }| %}" }),
            machine({ Set: pass({ Output: "{% [{ 'a': 2 }, { 'a': 1 }]^(a) %}" }) }),
            machine({ Set: pass({ Output: "{% [{ 'k': 'a', 'v': 1 }]{ k: v } %}" }) }),
        ],
    },
    "jsonata-function": {
        bad: [
            [machine({ Set: pass({ Output: "{% $evaluate('1') %}" }) }), "States/Set/Output"],
            [machine({ Set: pass({ Output: "{% $eval('1') %}" }) }), "States/Set/Output"],
        ],
        good: [
            machine({ Set: pass({ Output: "{% $uuid() %}" }) }),
            machine({ Set: pass({ Output: "{% ($twice := function($x) { 2 * $x }; $twice(2)) %}" }) }),
        ],
    },
    "handler-unused": {
        bad: [
            [
                withState({
                    Catch: [
                        { ErrorEquals: ["States.TaskFailed"], Next: "Notify" },
                        { ErrorEquals: ["Custom.A"], Next: "Notify" },
                        ...catchAll,
                    ],
                }),
                "States/Work/Catch/1/ErrorEquals",
            ],
        ],
        good: [
            withState({
                Catch: [
                    { ErrorEquals: ["Custom.A"], Next: "Notify" },
                    { ErrorEquals: ["States.TaskFailed"], Next: "Notify" },
                    { ErrorEquals: ["States.Timeout"], Next: "Notify" },
                    ...catchAll,
                ],
            }),
        ],
    },
    "error-names": {
        bad: [
            [withState({ Retry: [{ ErrorEquals: ["States.Bogus"] }] }), "States/Work/Retry/0/ErrorEquals"],
            [withState({ Retry: [{ ErrorEquals: [] }] }), "States/Work/Retry/0/ErrorEquals"],
            [withState({ Retry: [{ ErrorEquals: ["A"] }, { ErrorEquals: ["A"] }] }), "States/Work/Retry/1/ErrorEquals"],
            [withState({ Retry: [{ ErrorEquals: null }] }), "States/Work/Retry/0/ErrorEquals"],
        ],
        good: [withState({ Retry: [{ ErrorEquals: ["States.Timeout", "Mine"] }] })],
    },
    "states-all": {
        bad: [
            [
                withState({ Catch: [{ ErrorEquals: ["States.ALL", "Mine"], Next: "Notify" }] }),
                "States/Work/Catch/0/ErrorEquals",
            ],
            [withState({ Catch: [...catchAll, { ErrorEquals: ["Mine"], Next: "Notify" }] }), "States/Work/Catch/0"],
        ],
        good: [withState({ Catch: [{ ErrorEquals: ["Mine"], Next: "Notify" }, ...catchAll] })],
    },
    "runtime-uncatchable": {
        bad: [
            [
                withState({ Catch: [{ ErrorEquals: ["States.Runtime"], Next: "Notify" }, ...catchAll] }),
                "States/Work/Catch/0/ErrorEquals",
            ],
        ],
        good: [fine],
    },
    "retry-values": {
        bad: [
            [withState({ Retry: [{ ErrorEquals: ["A"], MaxAttempts: -1 }] }), "States/Work/Retry/0/MaxAttempts"],
            [withState({ Retry: [{ ErrorEquals: ["A"], BackoffRate: 0.5 }] }), "States/Work/Retry/0/BackoffRate"],
            [
                withState({ Retry: [{ ErrorEquals: ["A"], JitterStrategy: "HALF" }] }),
                "States/Work/Retry/0/JitterStrategy",
            ],
            [withState({ Retry: [{ ErrorEquals: ["A"], MaxDelaySeconds: 0 }] }), "States/Work/Retry/0/MaxDelaySeconds"],
            [
                withState({ Retry: [{ ErrorEquals: ["A"], IntervalSeconds: "1" }] }),
                "States/Work/Retry/0/IntervalSeconds",
            ],
        ],
        good: [
            withState({
                Retry: [
                    {
                        ErrorEquals: ["A"],
                        MaxAttempts: 2,
                        BackoffRate: 1,
                        JitterStrategy: "FULL",
                        IntervalSeconds: 1,
                        MaxDelaySeconds: 9,
                    },
                ],
            }),
        ],
    },
    "choice-rule": {
        bad: [
            [choice({ Variable: "$.n", NumericEquals: "1" }), "States/Ask/Choices/0/NumericEquals"],
            [choice({ Variable: "$.n" }), "States/Ask/Choices/0"],
            [choice({ And: [] }), "States/Ask/Choices/0/And"],
            [choice({ And: [{ Variable: "$.a", IsPresent: true, Next: "Done" }] }), "States/Ask/Choices/0/And/0/Next"],
            [
                machine({ Ask: { Type: "Choice", Choices: [{ Condition: "yes", Next: "Done" }], Default: "Failed" } }),
                "States/Ask/Choices/0/Condition",
            ],
            [machine({ Ask: { Type: "Choice", Choices: [null], Default: "Done" } }), "States/Ask/Choices/0"],
        ],
        good: [
            pathMachine({
                Work: pathLambda({ ResultPath: "$.n", Next: "Ask" }),
                Ask: {
                    Type: "Choice",
                    Choices: [{ Variable: "$.n", NumericEquals: 1, Next: "Done" }],
                    Default: "Done",
                },
            }),
        ],
    },
    "wait-duration": {
        bad: [
            [machine({ Wait: { Type: "Wait", Next: "Done" } }), "States/Wait"],
            [
                machine({ Wait: { Type: "Wait", Seconds: 1, Timestamp: "2026-01-01T00:00:00Z", Next: "Done" } }),
                "States/Wait",
            ],
        ],
        good: [machine({ Wait: { Type: "Wait", Timestamp: "2026-01-01T00:00:00Z", Next: "Done" } })],
    },
    "time-limits": {
        bad: [
            [withState({ TimeoutSeconds: 0 }), "States/Work/TimeoutSeconds"],
            [withState({ TimeoutSeconds: 60, HeartbeatSeconds: 60 }), "States/Work/HeartbeatSeconds"],
            [{ ...fine, TimeoutSeconds: null }, "TimeoutSeconds"],
            [machine({ Wait: { Type: "Wait", Seconds: -1, Next: "Done" } }), "States/Wait/Seconds"],
        ],
        good: [withState({ TimeoutSeconds: 60, HeartbeatSeconds: 20 })],
    },
    "json-path": {
        bad: [
            [pathMachine({ Work: pathLambda({ InputPath: "a.b" }) }), "States/Work/InputPath"],
            [pathMachine({ Work: pathLambda({ ResultPath: "$..a" }) }), "States/Work/ResultPath"],
            [pathMachine({ Work: pathLambda({ InputPath: "$.a[" }) }), "States/Work/InputPath"],
            [pathMachine({ Work: pathLambda({ ResultPath: "$$.a" }) }), "States/Work/ResultPath"],
            [pathMachine({ Work: pathLambda({ OutputPath: 7 }) }), "States/Work/OutputPath"],
        ],
        good: [
            pathMachine({
                Work: pathLambda({ ResultPath: "$.a['b c'].d", InputPath: null, OutputPath: "$.a[?(@.x > 1)]" }),
            }),
        ],
    },
    "payload-template": {
        bad: [
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionName.$": 3 } }) }),
                "States/Work/Parameters/FunctionName.$",
            ],
        ],
        good: [pathFine],
    },
    "intrinsic-function": {
        bad: [
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionName.$": "States.Uuid()" } }) }),
                "States/Work/Parameters/FunctionName.$",
            ],
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionName.$": "States.MathAdd(1)" } }) }),
                "States/Work/Parameters/FunctionName.$",
            ],
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionName.$": "name" } }) }),
                "States/Work/Parameters/FunctionName.$",
            ],
        ],
        good: [
            pathMachine({
                Work: pathLambda({ Parameters: { "FunctionName.$": "States.Format('a-{}', States.UUID())" } }),
            }),
        ],
    },
    "jsonata-syntax": {
        bad: [
            [withState({ Output: "{% $a + %}" }), "States/Work/Output"],
            [withState({ Output: "{% 1 %} " }), "States/Work/Output"],
            [
                machine({
                    Ask: { Type: "Choice", Choices: [{ Condition: "{% ( %}", Next: "Done" }], Default: "Done" },
                }),
                "States/Ask/Choices/0/Condition",
            ],
        ],
        good: [withState({ Output: "{% $states.result.Payload %}" })],
    },
    "assign": {
        bad: [
            [withState({ Assign: { states: 1 } }), "States/Work/Assign/states"],
            [withState({ Assign: { "a-b": 1 } }), "States/Work/Assign/a-b"],
            [withState({ Assign: [] }), "States/Work/Assign"],
        ],
        good: [withState({ Assign: { answer: "{% $states.result.Payload %}" } })],
    },
    "catch-all": {
        bad: [
            [withState({ Catch: undefined }), "States/Work"],
            [withState({ Catch: [{ ErrorEquals: ["States.TaskFailed"], Next: "Notify" }] }), "States/Work"],
            [
                machine({ Both: parallel([branch({ In: lambda({ Catch: undefined, Next: undefined, End: true }) })]) }),
                "States/Both/Branches/0/States/In",
            ],
            [machine({ Each: { Type: "Map", ItemProcessor: branch({ In: done }), Next: "Done" } }), "States/Each"],
            [withState({ Catch: null }), "States/Work"],
        ],
        good: [fine, pathFine],
    },
    "failure-swallowed": {
        bad: [
            [withState({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Done" }] }), "States/Work/Catch/0"],
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["Mine"], Next: "Log" }, ...catchAll] }),
                    Log: { Type: "Pass", Next: "Done" },
                }),
                "States/Work/Catch/0",
            ],
            [
                machine({
                    Each: {
                        Type: "Map",
                        ItemProcessor: branch({ In: done }),
                        ToleratedFailurePercentage: 5,
                        Catch: catchAll,
                        Next: "Done",
                    },
                }),
                "States/Each",
            ],
            [
                machine({
                    Both: parallel([
                        branch({
                            In: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Out" }], Next: "Out" }),
                            Out: { Type: "Pass", End: true },
                        }),
                    ]),
                }),
                "States/Both/Branches/0/States/In/Catch/0",
            ],
            // A retry that goes round the failed state is none.
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Ask" }] }),
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Work" }],
                        Default: "Done",
                    },
                }),
                "States/Work/Catch/0",
            ],
        ],
        good: [fine, loop()],
    },
    "failure-unnotified": {
        bad: [
            [
                machine({
                    First: lambda({ Next: "Work" }),
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }] }),
                }),
                "States/Work/Catch/0",
            ],
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Work" }],
                        Default: "Failed",
                    },
                    Work: lambda(),
                }),
                "States/Failed",
            ],
            [
                clean({
                    QueryLanguage: "JSONata",
                    StartAt: "Work",
                    TimeoutSeconds: 9,
                    States: {
                        Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Bad" }] }),
                        Done: done,
                        Bad: { Type: "Fail", Error: "E", Cause: "c" },
                    },
                }),
                "States/Bad",
            ],
        ],
        good: [fine],
    },
    "notified-twice": {
        bad: [
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                    Tell: tell("Notify"),
                }),
                "States/Notify",
            ],
            // Decided by a Choice: no catcher, and no way to success any more.
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Done" }],
                        Default: "Tell",
                    },
                    Tell: tell("Notify"),
                }),
                "States/Notify",
            ],
            // Round and round.
            [
                machine({
                    "Work": lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                    "Tell": tell("More?"),
                    "More?": {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Tell" }],
                        Default: "Failed",
                    },
                }),
                "States/Tell",
            ],
            // A branch tells of its failure, and whoever catches it tells again.
            [
                machine({
                    Both: parallel([
                        branch({
                            In: lambda({
                                Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }],
                                Next: undefined,
                                End: true,
                            }),
                            Tell: tell("No"),
                            No: { Type: "Fail", Error: "E", Cause: "c" },
                        }),
                    ]),
                }),
                "States/Notify",
            ],
        ],
        good: [
            fine,
            pathFine,
            // Progress is told, then a failure.
            machine({ Work: lambda({ Next: "Tell" }), Tell: { ...tell("More"), Catch: catchAll }, More: lambda() }),
            // Of each attempt, as long as there is another: a failure is over when its state runs again.
            machine({
                "Begin": { Type: "Pass", Assign: { tries: 0 }, Next: "Work" },
                "Work": lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Again?" }] }),
                "Again?": {
                    Type: "Choice",
                    Choices: [{ Condition: "{% $tries < 5 %}", Assign: { tries: "{% $tries + 1 %}" }, Next: "Tell" }],
                    Default: "Notify",
                },
                "Tell": tell("Work", "Notify"),
            }),
        ],
    },
    "notified-name": {
        options: { notifiedPrefix: "Notified." },
        bad: [
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                    Tell: tell("No"),
                    No: { Type: "Fail", Error: "Failed", Cause: "c" },
                }),
                "States/No",
            ],
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                    Tell: tell("No"),
                    No: { Type: "Fail", Error: "{% 'Failed.' & $random() %}", Cause: "c" },
                }),
                "States/No",
            ],
            // The message could not be sent, and the rule on executions is told that it was.
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                    Tell: tell("Failed", "No"),
                    No: { Type: "Fail", Error: "Notified.No", Cause: "c" },
                    More: lambda(),
                }),
                "States/No",
            ],
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                    Tell: tell("Failed", "No"),
                    No: { Type: "Fail", Error: "{% 'Not' & $string($random()) %}", Cause: "c" },
                    More: lambda(),
                }),
                "States/No",
            ],
        ],
        good: [
            fine,
            pathFine,
            machine({
                Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
                Tell: tell("Told", "Untold"),
                Told: { Type: "Fail", Error: "{% 'Notified.' & $string($random()) %}", Cause: "c" },
                Untold: { Type: "Fail", Error: "Untold", Cause: "c" },
            }),
        ],
    },
    "fail-without-cause": {
        bad: [
            [
                machine({
                    "Work": lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Notify 2" }] }),
                    "Notify 2": { ...(failurePath.Notify as Json), Next: "Bare" },
                    "Bare": { Type: "Fail" },
                }),
                "States/Bare",
            ],
            [
                machine(
                    { Work: lambda(), Both: parallel([branch({ No: { Type: "Fail", Error: "E" } })]) },
                    { StartAt: "Both" },
                ),
                "States/Both/Branches/0/States/No",
            ],
        ],
        good: [fine],
    },
    "failure-record": {
        bad: [
            [
                ensemble("{% $count($outcomes[outcome = 'failed']) > 0 %}", {
                    record: { Comment: "records-failure-for: Nobody" },
                }),
                "States/Members/Branches/0/States/Record image",
            ],
            // The join always goes on.
            [
                ensemble("{% $count($outcomes[outcome = 'filed']) > 0 %}"),
                "States/Members/Branches/0/States/Record image",
            ],
            [
                ensemble("{% $count($outcomes[outcome = 'failed']) > 0 %}", {
                    join: {
                        Choices: [{ Condition: "{% $count($outcomes[outcome = 'failed']) > 0 %}", Next: "Publish" }],
                    },
                }),
                "States/Members/Branches/0/States/Record image",
            ],
            // The outcomes never reach the join.
            [
                ensemble("{% $count($outcomes[outcome = 'failed']) > 0 %}", { both: { Assign: { outcomes: [] } } }),
                "States/Members/Branches/0/States/Record image",
            ],
            // A way round the join.
            [
                ensemble("{% $count($outcomes[outcome = 'failed']) > 0 %}", { both: { Next: "Publish" } }),
                "States/Members/Branches/0/States/Record image",
            ],
        ],
        good: [ensemble("{% $count($outcomes[outcome = 'failed' and member in ['image', 'text']]) > 0 %}")],
    },
    "choice-without-default": {
        bad: [
            [
                machine({ Ask: { Type: "Choice", Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Done" }] } }),
                "States/Ask",
            ],
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Done" }],
                        Default: null,
                    },
                }),
                "States/Ask",
            ],
        ],
        good: [
            machine({ Ask: { Type: "Choice", Choices: [{ Condition: "{% true %}", Next: "Done" }] } }),
            machine({
                Work: lambda({ Assign: { a: "{% $states.result %}" }, Next: "Ask" }),
                Ask: {
                    Type: "Choice",
                    Choices: [
                        { Condition: "{% $exists($a.b) %}", Next: "Done" },
                        { Condition: "{% $not($exists($a.b)) %}", Next: "Done" },
                    ],
                },
            }),
        ],
    },
    "expression-may-fail": {
        bad: [
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $states.input.n < 3 %}", Next: "Done" }],
                        Default: "Done",
                    },
                }),
                "States/Ask/Choices/0/Condition",
            ],
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $states.input.flag %}", Next: "Done" }],
                        Default: "Done",
                    },
                }),
                "States/Ask/Choices/0/Condition",
            ],
            [machine({ Set: { Type: "Pass", Output: "{% $states.input.a %}", Next: "Done" } }), "States/Set/Output"],
            [
                machine({ Wait: { Type: "Wait", Seconds: "{% $states.input.s %}", Next: "Done" } }),
                "States/Wait/Seconds",
            ],
            [
                machine(
                    { Work: lambda(), Bad: { Type: "Fail", Error: "{% $states.input.Error %}", Cause: "c" } },
                    { StartAt: "Bad" },
                ),
                "States/Bad/Error",
            ],
            [
                withState({
                    Catch: [
                        {
                            ErrorEquals: ["States.ALL"],
                            Assign: { why: "{% $states.errorOutput.Cause %}" },
                            Next: "Notify",
                        },
                    ],
                }),
                "States/Work/Catch/0/Assign/why",
            ],
        ],
        good: [
            machine({
                Ask: {
                    Type: "Choice",
                    Choices: [
                        { Condition: "{% $type($states.input.n) = 'number' and $states.input.n < 3 %}", Next: "Done" },
                    ],
                    Default: "Done",
                },
            }),
            machine({
                Set: { Type: "Pass", Output: "{% $exists($states.input.a) ? $states.input.a : 0 %}", Next: "Done" },
            }),
            machine({
                Wait: { Type: "Wait", Seconds: "{% $max([1, $min([60, $ceil(10 * $random())])]) %}", Next: "Done" },
            }),
            withState({
                Catch: [
                    {
                        ErrorEquals: ["States.ALL"],
                        Assign: { why: "{% '' & $states.errorOutput.Cause %}" },
                        Next: "Notify",
                    },
                ],
            }),
        ],
    },
    "tolerated-failure": {
        bad: [
            [
                ensemble("{% $count($outcomes[outcome = 'failed']) > 1 %}"),
                "States/Members/Branches/0/States/Record image",
            ],
        ],
        good: [ensemble("{% $count($outcomes[outcome = 'failed']) > 0 %}")],
    },
    "choice-on-missing-field": {
        bad: [
            [choice({ Variable: "$.a.b", BooleanEquals: true }), "States/Ask/Choices/0/Variable"],
            [
                choice(
                    {
                        Or: [
                            { Variable: "$.a", IsPresent: true },
                            { Variable: "$.a", BooleanEquals: true },
                        ],
                    },
                    { Default: "Done" },
                ),
                "States/Ask/Choices/0/Or/1/Variable",
            ],
            [choice({ Variable: "$.a", StringEqualsPath: "$.b", Next: "Done" }), "States/Ask/Choices/0/Variable"],
        ],
        good: [
            pathMachine({
                Ask: {
                    Type: "Choice",
                    Choices: [
                        {
                            And: [
                                { Variable: "$.a", IsPresent: true },
                                { Variable: "$.a", BooleanEquals: true },
                            ],
                            Next: "Done",
                        },
                    ],
                    Default: "Done",
                },
            }),
            pathMachine({
                Set: { Type: "Pass", Result: { a: { b: true } }, Next: "Ask" },
                Ask: {
                    Type: "Choice",
                    Choices: [{ Variable: "$.a.b", BooleanEquals: true, Next: "Done" }],
                    Default: "Done",
                },
            }),
        ],
    },
    "path-not-written": {
        bad: [
            [
                pathMachine({
                    Set: { Type: "Pass", Result: { a: 1 }, Next: "Work" },
                    Work: pathLambda({ Parameters: { "FunctionName": "work", "Payload.$": "$.b" } }),
                }),
                "States/Work/Parameters/Payload.$",
            ],
            [
                pathMachine({
                    Work: pathLambda({ Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$", Next: "Look" }] }),
                    Look: { Type: "Pass", InputPath: "$.Reason", Next: "Notify" },
                }),
                "States/Look/InputPath",
            ],
        ],
        good: [
            pathMachine({
                Work: pathLambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Look" }] }),
                Look: { Type: "Pass", InputPath: "$.Cause", Next: "Notify" },
            }),
        ],
    },
    "path-unproven": {
        bad: [
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionName": "work", "Payload.$": "$.b" } }) }),
                "States/Work/Parameters/Payload.$",
            ],
        ],
        good: [
            pathMachine({
                Set: { Type: "Pass", Result: { b: 1 }, Next: "Work" },
                Work: pathLambda({ Parameters: { "FunctionName": "work", "Payload.$": "$.b" } }),
            }),
        ],
    },
    "variable-unassigned": {
        bad: [
            [withState({ Output: "{% $nobody %}" }), "States/Work/Output"],
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Assign: { a: 1 }, Next: "Work" }],
                        Default: "Work",
                    },
                    Work: lambda({ Output: "{% $a %}" }),
                }),
                "States/Work/Output",
            ],
            [
                machine({
                    Both: parallel([branch({ In: { Type: "Pass", Assign: { inner: 1 }, End: true } })], {
                        Next: "Work",
                    }),
                    Work: lambda({ Output: "{% $inner %}" }),
                }),
                "States/Work/Output",
            ],
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionName.$": "$gone" } }) }),
                "States/Work/Parameters/FunctionName.$",
            ],
        ],
        good: [
            machine({
                Ask: {
                    Type: "Choice",
                    Choices: [{ Condition: "{% $random() < 0.5 %}", Assign: { a: 1 }, Next: "Work" }],
                    Assign: { a: 2 },
                    Default: "Work",
                },
                Work: lambda({ Output: "{% $a %}" }),
            }),
            machine({
                Set: { Type: "Pass", Assign: { a: 1 }, Next: "Both" },
                Both: parallel([branch({ In: { Type: "Pass", Output: "{% $a %}", End: true } })]),
            }),
            withState({ Output: "{% ($local := 1; $map([1], function($x) { $x + $local })) %}" }),
        ],
    },
    "variable-shadowed": {
        bad: [
            [
                machine({
                    Set: { Type: "Pass", Assign: { a: 1 }, Next: "Both" },
                    Both: parallel([branch({ In: { Type: "Pass", Assign: { a: 2 }, End: true } })]),
                }),
                "States/Both/Branches/0/States/In/Assign/a",
            ],
            [
                machine({
                    Both: parallel([branch({ In: { Type: "Pass", Assign: { a: 2 }, End: true } })], {
                        Assign: { a: 1 },
                    }),
                }),
                "States/Both/Branches/0/States/In/Assign/a",
            ],
            [
                machine({
                    Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Assign: { a: 1 }, Next: "Notify" }] }),
                    Both: parallel([branch({ In: { Type: "Pass", Assign: { a: 2 }, End: true } })]),
                }),
                "States/Both/Branches/0/States/In/Assign/a",
            ],
            [
                machine({
                    Both: parallel([
                        branch({
                            Inner: parallel([branch({ In: { Type: "Pass", Assign: { a: 2 }, End: true } })], {
                                Assign: { a: 1 },
                                Catch: [{ ErrorEquals: ["States.ALL"], Next: "Lost" }],
                                Next: undefined,
                                End: true,
                            }),
                            Lost: { Type: "Fail", Error: "Lost", Cause: "lost" },
                        }),
                    ]),
                }),
                "States/Both/Branches/0/States/Inner/Branches/0/States/In/Assign/a",
            ],
        ],
        good: [
            machine({
                Set: { Type: "Pass", Assign: { a: 1 }, Next: "Both" },
                Both: parallel([branch({ In: { Type: "Pass", Assign: { b: 2 }, End: true } })]),
            }),
            // AWS accepted and ran this (states_variables, PARALLEL_CATCH_ERROR_VARIABLE_SAMPLING).
            machine({
                Both: parallel([branch({ In: { Type: "Pass", Assign: { a: 2 }, End: true } })], {
                    Catch: [{ ErrorEquals: ["States.ALL"], Assign: { a: 1 }, Next: "Notify" }],
                }),
            }),
        ],
    },
    "trapped-cycle": {
        bad: [
            [
                machine({
                    Ask: {
                        Type: "Choice",
                        Choices: [{ Condition: "{% $random() < 0.5 %}", Next: "Poll" }],
                        Default: "Done",
                    },
                    Poll: { Type: "Pass", Next: "Pause" },
                    Pause: { Type: "Wait", Seconds: 1, Next: "Poll" },
                }),
                "States/Poll",
            ],
        ],
        good: [fine, loop()],
    },
    "unbounded-loop": {
        bad: [
            [loop({ again: { Choices: [{ Condition: "{% $random() < 0.9 %}", Next: "Pause" }] } }), "States/Work"],
            [loop({ again: { Choices: [{ Condition: "{% $tries < 5 %}", Next: "Pause" }] } }), "States/Work"],
            [loop({ pause: { Assign: { tries: 0 } } }), "States/Work"],
            [loop({ start: { Assign: { tries: "{% $states.input.n %}" } } }), "States/Work"],
            // One of two ways round is without a counter.
            [
                loop({
                    again: {
                        Choices: [
                            { Condition: "{% $tries < 5 %}", Assign: { tries: "{% $tries + 1 %}" }, Next: "Pause" },
                            { Condition: "{% $random() < 0.1 %}", Next: "Pause" },
                        ],
                    },
                }),
                "States/Work",
            ],
            [
                pathMachine({
                    Work: pathLambda({
                        Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.error", Next: "Pause" }],
                    }),
                    Pause: { Type: "Wait", Seconds: 5, Next: "Work" },
                }),
                "States/Work",
            ],
        ],
        good: [
            loop(),
            // Two counters, one of which the other resets.
            loop({
                start: { Assign: { tries: 0, rung: 0 } },
                again: {
                    Choices: [
                        { Condition: "{% $tries < 5 %}", Assign: { tries: "{% $tries + 1 %}" }, Next: "Pause" },
                        { Condition: "{% $rung <= 2 %}", Assign: { rung: "{% $rung + 1 %}", tries: 0 }, Next: "Pause" },
                    ],
                },
            }),
            // A deadline and a Wait.
            loop({
                start: { Assign: { tries: 0, deadline: "{% $millis() + 600000 %}" } },
                again: {
                    Choices: [
                        { Condition: "{% $toMillis($states.context.State.EnteredTime) < $deadline %}", Next: "Pause" },
                    ],
                },
            }),
            // The Default goes on.
            loop({
                again: {
                    Choices: [{ Condition: "{% $tries >= 5 %}", Next: "Notify" }],
                    Assign: { tries: "{% 1 + $tries %}" },
                    Default: "Pause",
                },
            }),
            pathMachine({
                "Begin": { Type: "Pass", Result: { n: 0 }, ResultPath: "$.loop", Next: "Work" },
                "Work": pathLambda({
                    ResultPath: "$.result",
                    Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.error", Next: "Again?" }],
                }),
                "Again?": {
                    Type: "Choice",
                    Choices: [{ Variable: "$.loop.n", NumericLessThan: 3, Next: "Count" }],
                    Default: "Notify",
                },
                "Count": {
                    Type: "Pass",
                    Parameters: { "n.$": "States.MathAdd($.loop.n, 1)" },
                    ResultPath: "$.loop",
                    Next: "Work",
                },
            }),
        ],
    },
    "wait-name": {
        bad: [
            [
                machine({ "Wait 10 Minutes": { Type: "Wait", Seconds: 60, Next: "Done" } }),
                "States/Wait 10 Minutes/Seconds",
            ],
            [
                machine({ "Pause for 2 hours": { Type: "Wait", Seconds: "{% 60 * 60 %}", Next: "Done" } }),
                "States/Pause for 2 hours/Seconds",
            ],
        ],
        good: [
            machine({ "Wait 10 Minutes": { Type: "Wait", Seconds: 600, Next: "Done" } }),
            machine({ "Wait for Step 3": { Type: "Wait", Seconds: 60, Next: "Done" } }),
        ],
    },
    "budget": {
        bad: [
            [
                machine({
                    Both: parallel(
                        [
                            branch({
                                In: batch({
                                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "No" }],
                                    Next: undefined,
                                    End: true,
                                }),
                                No: { Type: "Fail", Error: "E", Cause: "c" },
                            }),
                        ],
                        { Comment: "budget-seconds: 500" },
                    ),
                }),
                "States/Both",
            ],
            [
                machine({
                    Both: parallel([budgetBranch("{% $min([600, $floor(($deadline - $millis()) / 1000)]) %}")], {
                        Comment: "budget-seconds: 1000",
                    }),
                }),
                "States/Both",
            ],
            [
                machine({
                    Both: parallel([budgetBranch("{% $min([600, $states.input.n]) %}")], {
                        Comment: "budget-seconds: 3000",
                    }),
                }),
                "States/Both",
            ],
        ],
        good: [
            machine({
                Both: parallel(
                    [
                        branch({
                            In: batch({
                                Catch: [{ ErrorEquals: ["States.ALL"], Next: "No" }],
                                Next: undefined,
                                End: true,
                            }),
                            No: { Type: "Fail", Error: "E", Cause: "c" },
                        }),
                    ],
                    { Comment: "budget-seconds: 600" },
                ),
            }),
            machine({
                Both: parallel(
                    [budgetBranch("{% $max([60, $min([600, $floor(($deadline - $millis()) / 1000)])]) %}")],
                    { Comment: "budget-seconds: 3061" },
                ),
            }),
        ],
    },
    "api-call": {
        bad: [
            [
                machine({ Work: training({ Resource: "arn:aws:states:::sagemaker:createTrainingJobs.sync" }) }),
                "States/Work/Resource",
            ],
            [withState({ Resource: "arn:aws:states:::lambda:invoke.sync" }), "States/Work/Resource"],
        ],
        good: [machine({ Work: training() }), machine({ Work: batch() })],
    },
    "api-unknown-field": {
        bad: [
            [machine({ Work: training({}, { TrainingJobNam: "x" }) }), "States/Work/Arguments/TrainingJobNam"],
            [
                machine({ Work: batch({}, { ContainerOverrides: { Comand: [] } }) }),
                "States/Work/Arguments/ContainerOverrides/Comand",
            ],
            [
                pathMachine({ Work: pathLambda({ Parameters: { "FunctionNam.$": "$$.Execution.Name" } }) }),
                "States/Work/Parameters/FunctionNam.$",
            ],
        ],
        good: [
            machine({
                Work: batch(
                    {},
                    { ContainerOverrides: { Environment: [{ Name: "A", Value: "b" }] }, Parameters: { anything: "x" } },
                ),
            }),
        ],
    },
    "api-missing-field": {
        bad: [
            [
                machine({ Work: batch({}, { RetryStrategy: { EvaluateOnExit: [{ Action: "RETRY" }] } }) }),
                "States/Work/Arguments/RetryStrategy",
            ],
            [machine({ Work: batch({}, { JobQueue: undefined }) }), "States/Work/Arguments"],
            [withState({ Arguments: undefined }), "States/Work/Arguments"],
        ],
        good: [machine({ Work: batch() })],
    },
    "api-value": {
        bad: [
            [
                machine({
                    Work: training({}, { AlgorithmSpecification: { TrainingImage: "i", TrainingInputMode: "Files" } }),
                }),
                "States/Work/Arguments/AlgorithmSpecification/TrainingInputMode",
            ],
            [machine({ Work: batch({}, { ContainerOverrides: [] }) }), "States/Work/Arguments/ContainerOverrides"],
            [machine({ Work: batch({}, { JobQueue: "{% 5 %}" }) }), "States/Work/Arguments/JobQueue"],
            [
                machine({
                    Tell: {
                        ...(failurePath.Notify as Json),
                        Arguments: { TopicArn: "t", Message: "m", Subject: 4 },
                        Catch: catchAll,
                        Next: "Done",
                    },
                }),
                "States/Tell/Arguments/Subject",
            ],
            [machine({ Work: batch({}, { ArrayProperties: { Size: 1 } }) }), `${PAYLOAD}/ArrayProperties/Size`],
            [
                machine({ Work: batch({}, { Timeout: { AttemptDurationSeconds: 59 } }) }),
                `${PAYLOAD}/Timeout/AttemptDurationSeconds`,
            ],
            [
                machine({ Work: batch({}, { Timeout: { AttemptDurationSeconds: "{% 60 - 1 %}" } }) }),
                `${PAYLOAD}/Timeout/AttemptDurationSeconds`,
            ],
            [machine({ Work: batch({}, { RetryStrategy: { Attempts: 11 } }) }), `${PAYLOAD}/RetryStrategy/Attempts`],
            [machine({ Work: batch({}, { JobName: "a job" }) }), `${PAYLOAD}/JobName`],
            [machine({ Work: batch({}, { Parameters: { n: 1 } }) }), `${PAYLOAD}/Parameters/n`],
            [
                machine({ Work: batch({}, { Parameters: { n: "{% $states.context.State.RetryCount %}" } }) }),
                `${PAYLOAD}/Parameters/n`,
            ],
            [
                pathMachine({ Work: pathBatch({ Parameters: { "n.$": "$$.State.RetryCount" } }) }),
                "States/Work/Parameters/Parameters/n.$",
            ],
            [
                pathMachine({ Work: pathBatch({ Parameters: { "n.$": "States.MathAdd(1, 2)" } }) }),
                "States/Work/Parameters/Parameters/n.$",
            ],
            [machine({ Work: batch({}, { ContainerOverrides: { Vcpus: 2 } }) }), `${PAYLOAD}/ContainerOverrides/Vcpus`],
            [
                machine({
                    Work: training(
                        {},
                        { ResourceConfig: { InstanceCount: 1, InstanceType: "ml.m5.3xlarge", VolumeSizeInGB: 10 } },
                    ),
                }),
                `${PAYLOAD}/ResourceConfig/InstanceType`,
            ],
            [
                machine({
                    Work: training(
                        {},
                        {
                            AlgorithmSpecification: {
                                TrainingImage: "i",
                                AlgorithmName: "a",
                                TrainingInputMode: "File",
                            },
                        },
                    ),
                }),
                `${PAYLOAD}/AlgorithmSpecification`,
            ],
        ],
        good: [
            machine({ Work: lambda({ Arguments: { FunctionName: "f", Payload: { any: ["json", 1] } } }) }),
            machine({
                Work: batch(
                    {},
                    {
                        ArrayProperties: { Size: 2 },
                        Timeout: { AttemptDurationSeconds: 60 },
                        RetryStrategy: { Attempts: 10, EvaluateOnExit: [{ Action: "RETRY", OnExitCode: "137" }] },
                        Parameters: { n: "{% $string($states.context.State.RetryCount) %}" },
                    },
                ),
            }),
            pathMachine({
                Work: pathBatch({ "ShareIdentifier.$": "$$.State.Name", "Parameters": { "n.$": "$$.State.Name" } }),
            }),
            machine({ Work: batch({}, { JobName: "${Job}", Timeout: "${Limit}", ArrayProperties: "${Array}" }) }),
        ],
    },
    "task-token": {
        bad: [
            [
                withState({ Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken", TimeoutSeconds: 60 }),
                "States/Work/Arguments",
            ],
        ],
        good: [
            withState({
                Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken",
                TimeoutSeconds: 60,
                Arguments: { FunctionName: "f", Payload: { token: "{% $states.context.Task.Token %}" } },
            }),
        ],
    },
    "fixed-job-name": {
        bad: [
            [machine({ Work: training({}, { TrainingJobName: "train" }) }), "States/Work/Arguments"],
            [
                machine({
                    Begin: { Type: "Pass", Assign: { name: "n" }, Next: "Work" },
                    Work: training({}, { TrainingJobName: "{% $name %}" }),
                }),
                "States/Work/Arguments",
            ],
            [
                loop({
                    work: {
                        ...training(
                            { Retry: undefined },
                            { TrainingJobName: "{% $substring($states.context.Execution.Name, 0, 20) %}" },
                        ),
                        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Again?" }],
                    },
                }),
                "States/Work/Arguments",
            ],
        ],
        good: [
            machine({
                Work: training(
                    {},
                    {
                        TrainingJobName:
                            "{% $substring($states.context.Execution.Name, 0, 20) & '-' & " +
                            "$states.context.State.RetryCount %}",
                    },
                ),
            }),
            loop({
                work: {
                    ...training(
                        { Retry: undefined },
                        { TrainingJobName: "{% $substring($states.context.Execution.Name, 0, 20) & '-' & $tries %}" },
                    ),
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Again?" }],
                },
            }),
        ],
    },
    "job-name-too-long": {
        bad: [
            [
                machine({
                    Work: training({}, { TrainingJobName: "{% $states.context.Execution.Name & '-' & $uuid() %}" }),
                }),
                "States/Work/Arguments/TrainingJobName",
            ],
            [
                machine({
                    Work: training({}, { TrainingJobName: `{% '${"x".repeat(70)}' & $uuid() & $states.input.a %}` }),
                }),
                "States/Work/Arguments/TrainingJobName",
            ],
        ],
        good: [
            machine({
                Work: training(
                    {},
                    { TrainingJobName: "{% $substring($states.context.Execution.Name, 0, 26) & '-' & $uuid() %}" },
                ),
            }),
        ],
    },
    "hyperparameters": {
        bad: [
            [
                machine({ Work: training({}, { HyperParameters: { epochs: 80 } }) }),
                "States/Work/Arguments/HyperParameters/epochs",
            ],
            [
                machine({ Work: training({}, { HyperParameters: { epochs: null } }) }),
                "States/Work/Arguments/HyperParameters/epochs",
            ],
            [
                machine({ Work: training({}, { HyperParameters: { epochs: "{% 80 %}" } }) }),
                "States/Work/Arguments/HyperParameters/epochs",
            ],
            [
                machine({ Work: training({}, { HyperParameters: { code: "x".repeat(2501) } }) }),
                "States/Work/Arguments/HyperParameters/code",
            ],
            [
                machine({
                    Work: training(
                        {},
                        {
                            HyperParameters: Object.fromEntries(
                                Array.from({ length: 101 }, (_, index) => [`p${index}`, "1"]),
                            ),
                        },
                    ),
                }),
                "States/Work/Arguments/HyperParameters",
            ],
        ],
        good: [machine({ Work: training({}, { HyperParameters: { epochs: "80", more: "{% $string(80) %}" } }) })],
    },
    "training-stopped": {
        bad: [
            [machine({ Work: training({ Assign: undefined }) }), "States/Work"],
            [
                machine({
                    Work: training({ Assign: undefined, Next: "Use" }),
                    Use: lambda({ Next: "Done" }),
                }),
                "States/Work",
            ],
        ],
        good: [
            machine({
                "Work": training({ Assign: undefined, Next: "Ended?" }),
                "Ended?": {
                    Type: "Choice",
                    Choices: [{ Condition: "{% $states.input.TrainingJobStatus = 'Completed' %}", Next: "Done" }],
                    Default: "Notify",
                },
            }),
        ],
    },
    "spot": {
        bad: [
            [
                machine({
                    Work: training({}, { StoppingCondition: { MaxRuntimeInSeconds: 100, MaxWaitTimeInSeconds: 500 } }),
                }),
                "States/Work/Arguments",
            ],
            [machine({ Work: training({}, { EnableManagedSpotTraining: true }) }), "States/Work/Arguments"],
            [
                machine({
                    Work: training(
                        {},
                        {
                            EnableManagedSpotTraining: true,
                            CheckpointConfig: { S3Uri: "s3://b/c" },
                            StoppingCondition: { MaxRuntimeInSeconds: 100, MaxWaitTimeInSeconds: 50 },
                        },
                    ),
                }),
                "States/Work/Arguments",
            ],
        ],
        good: [
            machine({
                Work: training(
                    {},
                    {
                        EnableManagedSpotTraining: true,
                        CheckpointConfig: { S3Uri: "s3://b/c" },
                        StoppingCondition: { MaxRuntimeInSeconds: 100, MaxWaitTimeInSeconds: 500 },
                    },
                ),
            }),
        ],
    },
    "throttling-unhandled": {
        bad: [[machine({ Work: training({ Retry: undefined }) }), "States/Work"]],
        good: [machine({ Work: training() })],
    },
    "retry-span": {
        bad: [
            [
                withState({ Retry: [{ ErrorEquals: ["A"], IntervalSeconds: 1, MaxAttempts: 100, BackoffRate: 1.1 }] }),
                "States/Work/Retry/0",
            ],
            [
                {
                    ...withState({
                        Retry: [{ ErrorEquals: ["A"], IntervalSeconds: 60, MaxAttempts: 10, BackoffRate: 1 }],
                    }),
                    TimeoutSeconds: 600,
                },
                "States/Work/Retry/0",
            ],
        ],
        good: [
            withState({
                Retry: [
                    { ErrorEquals: ["A"], IntervalSeconds: 1, MaxAttempts: 8, BackoffRate: 2, MaxDelaySeconds: 60 },
                ],
            }),
        ],
    },
    "retry-indiscriminate": {
        bad: [
            [
                machine({
                    Work: training({
                        Retry: [{ ErrorEquals: ["SageMaker.AmazonSageMakerException"], MaxAttempts: 2 }],
                    }),
                }),
                "States/Work/Retry/0",
            ],
            [machine({ Work: batch({ Retry: [{ ErrorEquals: ["States.ALL"] }] }) }), "States/Work/Retry/0"],
        ],
        good: [withState({ Retry: [{ ErrorEquals: ["States.ALL"] }] })],
    },
    "task-timeout": {
        bad: [
            [machine({ Work: batch({ TimeoutSeconds: undefined }) }), "States/Work"],
            [machine({ Work: batch({ TimeoutSeconds: 100_000 }) }), "States/Work"],
            [machine({ Work: training({ TimeoutSeconds: 100 }) }), "States/Work"],
        ],
        good: [machine({ Work: batch() })],
    },
    "execution-timeout": {
        bad: [
            [machine({ One: batch({ Next: "Two" }), Two: batch() }, { TimeoutSeconds: 1000 }), "TimeoutSeconds"],
            [machine({ Work: batch() }, { TimeoutSeconds: undefined }), ""],
            // All rounds together do not fit.
            [
                {
                    ...loop({ work: batch({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Again?" }] }) }),
                    TimeoutSeconds: 2000,
                },
                "TimeoutSeconds",
            ],
        ],
        good: [machine({ One: batch({ Next: "Two" }), Two: batch() }, { TimeoutSeconds: 1300 })],
    },
};

/** A loop of Batch jobs that stops at a deadline of 3,000 seconds. */
function budgetBranch(timeout: string): Json {
    return branch({
        "Begin": { Type: "Pass", Assign: { deadline: "{% $millis() + 3000000 %}" }, Next: "Left?" },
        "Left?": {
            Type: "Choice",
            Choices: [{ Condition: "{% $millis() + 1000 < $deadline %}", Next: "Pause" }],
            Default: "No",
        },
        "Pause": { Type: "Wait", Seconds: 1, Next: "Job" },
        "Job": batch({
            TimeoutSeconds: timeout,
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Left?" }],
            Next: undefined,
            End: true,
        }),
        "No": { Type: "Fail", Error: "E", Cause: "c" },
    });
}

function deep(levels: number): Json {
    let value: Json = {};
    for (let level = 0; level < levels; level += 1) {
        value = { States: value };
    }
    return value;
}

/** Rules of texts have tests of their own below. */
const ofTexts = ["json-syntax", "duplicate-key", "not-analysed"];

describe("analysis: every rule", () => {
    it("has a case", () => {
        assert.deepEqual(
            rules.map((rule) => rule.name).filter((name) => !ofTexts.includes(name) && cases[name] === undefined),
            [],
        );
    });

    for (const [name, { bad, good, options }] of Object.entries(cases)) {
        it(`${name}: reports what violates it, at its place`, () => {
            for (const [definition, where] of bad) {
                const found = analyse(definition, options).filter((finding) => finding.rule === name);
                assert.ok(
                    found.some((finding) => finding.path === where),
                    `expected ${name} at "${where}", got ${JSON.stringify(
                        analyse(definition).map((finding) => `${finding.rule} ${finding.path}: ${finding.message}`),
                        undefined,
                        1,
                    )}`,
                );
            }
        });

        it(`${name}: is silent on what complies`, () => {
            for (const definition of good) {
                const found = analyse(definition, options).filter((finding) => finding.severity !== "info");
                assert.deepEqual(
                    found.map((finding) => `${finding.rule} ${finding.path}: ${finding.message}`),
                    [],
                );
            }
        });

        it(`${name}: bears missing fields, wrong types and null anywhere`, () => {
            for (const definition of [...bad.map(([one]) => one), ...good]) {
                for (const broken of breakages(definition)) {
                    assert.ok(
                        !analyse(broken).some((finding) => finding.rule === "not-analysed"),
                        JSON.stringify(broken),
                    );
                }
            }
        });

        it(`${name}: says nothing when it is disabled`, () => {
            for (const [definition] of bad) {
                assert.deepEqual(
                    analyse(definition, { disable: [name] }).filter((finding) => finding.rule === name),
                    [],
                );
            }
        });
    }

    it("explains itself: RULES.md is made from the rules", () => {
        assert.equal(readFileSync(path.join(__dirname, "../../../asl/analysis/RULES.md"), "utf8"), rulesDocument());
    });
});

/** The definition with one value at a time removed or replaced by something wrong. */
function* breakages(definition: Json): Generator<unknown> {
    if (typeof definition !== "object" || definition === null || JSON.stringify(definition).length > 8000) {
        return;
    }
    const wrong: readonly unknown[] = [undefined, null, 7, "x", [], {}, true, [null]];
    const places: (readonly string[])[] = [];
    const work: { value: unknown; at: readonly string[] }[] = [{ value: definition, at: [] }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        if (typeof item.value === "object" && item.value !== null && item.at.length < 12) {
            for (const [key, value] of Object.entries(item.value)) {
                places.push([...item.at, key]);
                work.push({ value, at: [...item.at, key] });
            }
        }
    }
    for (const [index, place] of places.entries()) {
        const copy = structuredClone(definition);
        let target: Json = copy;
        for (const key of place.slice(0, -1)) {
            target = target[key] as Json;
        }
        target[place.at(-1)!] = wrong[index % wrong.length];
        yield copy;
    }
}

describe("analysis of texts", () => {
    it("gives line and column of a stray comma", () => {
        const [finding] = analyseText('{\n  "StartAt": "A",\n  "States": { "A": { "Type": "Succeed" }, }\n}');
        assert.deepEqual([finding.rule, finding.line, finding.column], ["json-syntax", 3, 41]);
    });

    it("reports a key that stands twice, and analyses the rest", () => {
        const text =
            '{ "StartAt": "A",\n "States": { "A": { "Type": "Pass", "End": true },\n "A": { "Type": "Pass" } } }';
        const found = analyseText(text);
        assert.deepEqual(
            found.map(({ rule, line }) => [rule, line]),
            [
                ["duplicate-key", 3],
                ["next-or-end", 3],
                ["no-terminal-state", 1],
            ],
        );
    });

    it("gives findings the place of their field", () => {
        const text = JSON.stringify(machine({ Work: lambda({ Next: "Gone" }) }), undefined, 2);
        const finding = analyseText(text).find(({ rule }) => rule === "missing-target")!;
        assert.match(text.split("\n")[finding.line! - 1], /"Next": "Gone"/);
    });

    for (const [what, text] of [
        ["nothing", ""],
        ["a byte order mark", '\uFEFF{"StartAt": 1'],
        ["deep nesting", "[".repeat(100_000)],
        ["an open text", '{"a": "'],
    ] as const) {
        it(`answers ${what} with one finding`, () => {
            assert.equal(analyseText(text).length, 1);
        });
    }
});
