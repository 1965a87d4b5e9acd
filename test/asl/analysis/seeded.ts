/* eslint @stylistic/max-len: off -- a table of definitions reads best with one on a line */
/**
 * One definition for each seeded defect that validators were compared on, and sound ones. Used by the tests and the
 * bench.
 */
import { defined } from "../../../ground/fields";
import {
    catchAll,
    done,
    failurePath,
    failurePathOfPaths,
    lambda,
    machine,
    pathLambda,
    pathMachine,
    type Json,
} from "./machines";

const pass = (more: Json = {}): Json => ({ Type: "Pass", Next: "Done", ...more });
const ask = (rule: Json): Json =>
    pathMachine({
        Seed: { Type: "Pass", Result: { n: 1 }, Next: "Ask" },
        Ask: { Type: "Choice", Choices: [rule], Default: "Done" },
    });
const branch = (states: Json): Json => ({ StartAt: Object.keys(states)[0], States: states });
const map = (more: Json = {}, config?: Json): Json => ({
    Type: "Map",
    ItemProcessor: defined({
        ProcessorConfig: config ? config : undefined,
        ...branch({ Item: { Type: "Pass", End: true } }),
    }),
    Catch: catchAll,
    Next: "Done",
    ...more,
});

export interface Seeded {
    readonly name: string;
    readonly definition: Json;
    /** The rule that must report it. */
    readonly rule: string;
    /** A defect that AWS accepts and no other tool looks for. */
    readonly policy?: boolean;
}

export const defects: readonly Seeded[] = [
    {
        name: "Next target missing",
        rule: "missing-target",
        definition: pathMachine({ A: pass({ Next: "Nowhere" }), B: pass() }),
    },
    { name: "unreachable state", rule: "unreachable-state", definition: pathMachine({ A: pass(), B: pass() }) },
    {
        name: "island cycle nobody enters",
        rule: "unreachable-state",
        definition: pathMachine({ A: pass(), B: pass({ Next: "C" }), C: pass({ Next: "B" }) }),
    },
    {
        name: "trapped cycle",
        rule: "trapped-cycle",
        definition: pathMachine({
            Seed: { Type: "Pass", Result: { n: 1 }, Next: "Ask" },
            Ask: { Type: "Choice", Choices: [{ Variable: "$.n", NumericEquals: 1, Next: "A" }], Default: "Done" },
            A: pass({ Next: "B" }),
            B: pass({ Next: "A" }),
        }),
    },
    {
        name: "no terminal state",
        rule: "no-terminal-state",
        definition: { StartAt: "A", States: { A: { Type: "Pass", Next: "B" }, B: { Type: "Pass", Next: "A" } } },
    },
    { name: "StartAt missing", rule: "missing-field", definition: { States: { A: { Type: "Pass", End: true } } } },
    {
        name: "Catch target missing",
        rule: "missing-target",
        definition: pathMachine({ A: pathLambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Nobody" }] }) }),
    },
    {
        name: "Parallel cross-branch Next",
        rule: "missing-target",
        definition: pathMachine({
            Both: {
                Type: "Parallel",
                Branches: [branch({ A: { Type: "Pass", Next: "B" } }), branch({ B: { Type: "Pass", End: true } })],
                Catch: catchAll,
                Next: "Done",
            },
        }),
    },
    {
        name: "States.ALL not last",
        rule: "states-all",
        definition: pathMachine({ A: pathLambda({ Catch: [...catchAll, { ErrorEquals: ["Mine"], Next: "Notify" }] }) }),
    },
    {
        name: "States.ALL with other names",
        rule: "states-all",
        definition: pathMachine({
            A: pathLambda({ Catch: [{ ErrorEquals: ["States.ALL", "Mine"], Next: "Notify" }] }),
        }),
    },
    {
        name: "unknown States.Bogus error name",
        rule: "error-names",
        definition: pathMachine({ A: pathLambda({ Retry: [{ ErrorEquals: ["States.Bogus"] }] }) }),
    },
    {
        name: "Fail with Error and ErrorPath",
        rule: "exclusive-fields",
        definition: pathMachine({
            Seed: { Type: "Pass", Result: { e: "E" }, Next: "No" },
            No: { Type: "Fail", Error: "E", ErrorPath: "$.e", Cause: "c" },
        }),
    },
    {
        name: "Fail with Next",
        rule: "unknown-field",
        definition: pathMachine({ No: { Type: "Fail", Error: "E", Cause: "c", Next: "Done" } }),
    },
    { name: "Pass with Catch", rule: "unknown-field", definition: pathMachine({ A: pass({ Catch: catchAll }) }) },
    { name: "Next and End", rule: "next-or-end", definition: pathMachine({ A: pass({ End: true }) }) },
    {
        name: "Wait with two durations",
        rule: "wait-duration",
        definition: pathMachine({ A: { Type: "Wait", Seconds: 1, Timestamp: "2026-01-01T00:00:00Z", Next: "Done" } }),
    },
    { name: "name of 81 characters", rule: "state-name", definition: pathMachine({ ["x".repeat(81)]: pass() }) },
    {
        name: "MaxAttempts -1, BackoffRate 0.5",
        rule: "retry-values",
        definition: pathMachine({
            A: pathLambda({ Retry: [{ ErrorEquals: ["Mine"], MaxAttempts: -1, BackoffRate: 0.5 }] }),
        }),
    },
    {
        name: "JitterStrategy HALF, MaxDelaySeconds 0",
        rule: "retry-values",
        definition: pathMachine({
            A: pathLambda({ Retry: [{ ErrorEquals: ["Mine"], JitterStrategy: "HALF", MaxDelaySeconds: 0 }] }),
        }),
    },
    {
        name: "Heartbeat >= Timeout",
        rule: "time-limits",
        definition: pathMachine({ A: pathLambda({ TimeoutSeconds: 60, HeartbeatSeconds: 60 }) }),
    },
    {
        name: "TimeoutSeconds 0",
        rule: "time-limits",
        definition: pathMachine({ A: pathLambda({ TimeoutSeconds: 0 }) }),
    },
    {
        name: "TimeoutSeconds on a Map",
        rule: "unknown-field",
        definition: pathMachine({ A: map({ TimeoutSeconds: 60 }) }),
    },
    {
        name: "nested choice rule with Next",
        rule: "choice-rule",
        definition: ask({ And: [{ Variable: "$.n", NumericEquals: 1, Next: "Done" }], Next: "Done" }),
    },
    {
        name: "empty Choices",
        rule: "wrong-value",
        definition: pathMachine({ Ask: { Type: "Choice", Choices: [], Default: "Done" } }),
    },
    {
        name: "bad JSONPath in InputPath",
        rule: "json-path",
        definition: pathMachine({ A: pass({ InputPath: "$.a[" }) }),
    },
    { name: "ResultPath $..a", rule: "json-path", definition: pathMachine({ A: pathLambda({ ResultPath: "$..a" }) }) },
    {
        name: "x.$ not a path",
        rule: "intrinsic-function",
        definition: pathMachine({ A: pass({ Parameters: { "x.$": "plain" } }) }),
    },
    {
        name: "unknown intrinsic",
        rule: "intrinsic-function",
        definition: pathMachine({ A: pass({ Parameters: { "x.$": "States.Bogus()" } }) }),
    },
    {
        name: "intrinsic arity",
        rule: "intrinsic-function",
        definition: pathMachine({ A: pass({ Parameters: { "x.$": "States.MathAdd(1)" } }) }),
    },
    {
        name: "same state name in two branches",
        rule: "duplicate-state-name",
        definition: pathMachine({
            Both: {
                Type: "Parallel",
                Branches: [branch({ A: { Type: "Pass", End: true } }), branch({ A: { Type: "Pass", End: true } })],
                Catch: catchAll,
                Next: "Done",
            },
        }),
    },
    { name: "typo field", rule: "unknown-field", definition: pathMachine({ A: pass({ Nxt: "Done" }) }) },
    {
        name: "JSONata state with InputPath",
        rule: "query-language",
        definition: machine({ A: pass({ InputPath: "$.a" }) }),
    },
    {
        name: "Arguments in a JSONPath state",
        rule: "query-language",
        definition: pathMachine({ A: pathLambda({ Arguments: {} }) }),
    },
    { name: "JSONata syntax error", rule: "jsonata-syntax", definition: machine({ A: pass({ Output: "{% 1 + %}" }) }) },
    { name: "Assign to reserved states", rule: "assign", definition: machine({ A: pass({ Assign: { states: 1 } }) }) },
    {
        name: "JSONPath state under JSONata top level",
        rule: "query-language",
        definition: machine({ A: pass({ QueryLanguage: "JSONPath" }) }),
    },
    {
        name: "Task without Catch",
        rule: "catch-all",
        policy: true,
        definition: pathMachine({ A: pathLambda({ Catch: undefined }) }),
    },
    {
        name: "Choice on a path that may be missing",
        rule: "choice-on-missing-field",
        policy: true,
        definition: pathMachine({
            Ask: {
                Type: "Choice",
                Choices: [{ Variable: "$.a.b", BooleanEquals: true, Next: "Done" }],
                Default: "Done",
            },
        }),
    },
    {
        name: "Catch, Wait, retry without a bound",
        rule: "unbounded-loop",
        policy: true,
        definition: pathMachine({
            A: pathLambda({
                ResultPath: "$.r",
                Catch: [{ ErrorEquals: ["States.ALL"], ResultPath: "$.e", Next: "Pause" }],
            }),
            Pause: { Type: "Wait", Seconds: 5, Next: "A" },
        }),
    },
    {
        name: "failure path without a notification",
        rule: "failure-unnotified",
        policy: true,
        definition: pathMachine({
            A: pathLambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Bad" }] }),
            Bad: { Type: "Fail", Error: "E", Cause: "c" },
        }),
    },
    {
        name: "failure told twice",
        rule: "notified-twice",
        policy: true,
        definition: pathMachine({
            A: pathLambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
            Tell: { ...(failurePathOfPaths.Notify as Json), Next: "Notify" },
        }),
    },
    {
        name: "undefined variable",
        rule: "variable-unassigned",
        policy: true,
        definition: machine({ A: lambda({ Output: "{% $nobody %}" }) }),
    },
];

/** Sound definitions with what some validators stumble over. */
export const sound: readonly { readonly name: string; readonly definition: Json }[] = [
    {
        name: "chain with Retry and Catch",
        definition: pathMachine({
            A: pathLambda({ Retry: [{ ErrorEquals: ["States.Timeout"], BackoffRate: 2, IntervalSeconds: 1 }] }),
        }),
    },
    {
        name: "Retry written behind Catch",
        definition: pathMachine({ A: { ...pathLambda(), Retry: [{ ErrorEquals: ["Mine"] }] } }),
    },
    {
        name: "JSONata with Assign and Output",
        definition: machine({
            A: lambda({ Assign: { a: "{% $states.result.Payload %}" }, Output: { b: "{% $states.input %}" } }),
        }),
    },
    {
        name: "JSONata state in a JSONPath machine",
        definition: pathMachine({ A: { ...lambda(), QueryLanguage: "JSONata" } }),
    },
    {
        name: "variables in JSONPath",
        definition: pathMachine({
            Set: pass({ Assign: { n: 1 }, Next: "A" }),
            A: pathLambda({ Parameters: { FunctionName: "work", Payload: { "n.$": "$n" } } }),
        }),
    },
    {
        name: "inline Map with ItemSelector",
        definition: pathMachine({
            Seed: { Type: "Pass", Result: { items: [1] }, Next: "A" },
            A: map({ ItemsPath: "$.items", ItemSelector: { "v.$": "$$.Map.Item.Value" } }),
        }),
    },
    {
        name: "distributed Map with Label",
        definition: machine({
            A: map({ Label: "work", MaxConcurrency: 5 }, { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" }),
        }),
    },
    {
        name: "Parallel with JSONata Arguments",
        definition: machine({
            A: {
                Type: "Parallel",
                Arguments: { a: 1 },
                Branches: [branch({ B: { Type: "Pass", End: true } })],
                Catch: catchAll,
                Next: "Done",
            },
        }),
    },
    {
        name: "nested choice rules with IsPresent",
        definition: pathMachine({
            Ask: {
                Type: "Choice",
                Choices: [
                    {
                        And: [{ Variable: "$.a", IsPresent: true }, { Not: { Variable: "$.a", StringMatches: "x*" } }],
                        Next: "Done",
                    },
                ],
                Default: "Done",
            },
        }),
    },
    {
        name: "end in a Succeed with Output",
        definition: { QueryLanguage: "JSONata", StartAt: "A", States: { A: { ...done, Output: { ok: true } } } },
    },
    {
        name: "the failure path itself",
        definition: { QueryLanguage: "JSONata", StartAt: "Notify", TimeoutSeconds: 60, States: failurePath },
    },
];
