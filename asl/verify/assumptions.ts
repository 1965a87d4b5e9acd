/**
 * The rules of AWS that proofs of this project rest on and that no recording at hand shows, each with the machine that would show it.
 * asl/ASSUMPTIONS.md is written from this file; `npm run verify:aws` runs the machines on an account.
 */
import type { JsonValue, StateMachineDefinition } from "../types";

/** What a machine must do on AWS for the rule to hold. Only what is given is compared. */
export interface Expectation {
    /** False: CreateStateMachine refuses the definition. */
    readonly created?: false;
    readonly status?: "SUCCEEDED" | "FAILED" | "TIMED_OUT";
    readonly error?: string;
    /** A regular expression. */
    readonly cause?: string;
    readonly output?: JsonValue;
}

/** What a machine did. */
export interface Observation {
    readonly created: boolean;
    readonly status?: string;
    readonly error?: string;
    readonly cause?: string;
    readonly output?: JsonValue;
}

export interface Assumption {
    readonly id: string;
    readonly rule: string;
    readonly source: string;
    /** What would be wrong if the rule did not hold. */
    readonly dependents: string;
    readonly definition: StateMachineDefinition;
    readonly input?: JsonValue;
    readonly expected: Expectation;
    /** Why TestState, which runs one state, cannot show the rule; only an execution can. Absent where it can. */
    readonly onlyInExecution?: string;
}

/** Answers on every account without any permission. */
export const WORKS = "arn:aws:states:::aws-sdk:sts:getCallerIdentity";
/** Fails on every account: it describes a machine of an account that does not exist. */
export const FAILS = "arn:aws:states:::aws-sdk:sfn:describeStateMachine";
const failing = {
    Type: "Task",
    Resource: FAILS,
    Arguments: { StateMachineArn: "arn:aws:states:us-east-1:000000000000:stateMachine:none" },
} as const;

const GUIDE = "Step Functions Developer Guide";
const PROVER = "the failure-path prover (asl/analysis) and the fault sweep";

function machine(states: object, more: object = {}): StateMachineDefinition {
    return {
        QueryLanguage: "JSONata",
        StartAt: Object.keys(states)[0],
        States: states,
        ...more,
    } as unknown as StateMachineDefinition;
}

const caught = { Type: "Pass", Output: "caught", End: true } as const;
const catchAll = [{ ErrorEquals: ["States.ALL"], Next: "Caught" }] as const;

function parallel(states: object, more: object = {}): object {
    return {
        Type: "Parallel",
        Branches: [{ StartAt: Object.keys(states)[0], States: states }],
        Catch: catchAll,
        End: true,
        ...more,
    };
}

export const ASSUMPTIONS: readonly Assumption[] = [
    {
        id: "query-error-arguments",
        rule: "States.ALL of a Task catches the States.QueryEvaluationError of the Task's own Arguments.",
        source: `${GUIDE}, "Handling errors" (the error may be caught); recorded only where nobody caught it`,
        dependents: PROVER,
        definition: machine({
            T: {
                Type: "Task",
                Resource: WORKS,
                Arguments: { X: "{% $states.input.missing %}" },
                Catch: catchAll,
                End: true,
            },
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "query-error-output",
        rule: "States.ALL of a Task catches the States.QueryEvaluationError of the Task's own Output and Assign, after the work was done.",
        source: `${GUIDE}, "Handling errors"`,
        dependents: PROVER,
        definition: machine({
            T: { Type: "Task", Resource: WORKS, Output: "{% $states.result.missing %}", Catch: catchAll, End: true },
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "query-error-assign",
        rule: "States.ALL of a Task catches the States.QueryEvaluationError of the Task's own Assign.",
        source: `${GUIDE}, "Handling errors"`,
        dependents: PROVER,
        definition: machine({
            T: {
                Type: "Task",
                Resource: WORKS,
                Assign: { x: "{% $states.result.missing %}" },
                Catch: catchAll,
                End: true,
            },
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "query-error-parallel-output",
        rule: "States.ALL of a Parallel catches the States.QueryEvaluationError of the Parallel's own Output.",
        source: `${GUIDE}, "Handling errors"`,
        dependents: PROVER,
        definition: machine({
            P: parallel({ A: { Type: "Pass", End: true } }, { Output: "{% $states.result[5].x %}" }),
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "query-error-in-branch",
        rule: "A States.QueryEvaluationError of a Pass inside a branch is caught by States.ALL of the Parallel around it.",
        source: `${GUIDE}, "Handling errors"`,
        dependents: `${PROVER}; the recording Parallel around each ensemble member`,
        definition: machine({
            P: parallel({ A: { Type: "Pass", Output: "{% $states.input.missing %}", End: true } }),
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "query-error-in-catcher",
        rule: "A failure of a catcher's own Output is not caught by the state that the catcher belongs to, but by the Parallel around it.",
        source: "no source; the order in which the interpreter of the specification works",
        dependents: `${PROVER}: catchers' expressions must be total`,
        definition: machine({
            P: parallel({
                T: {
                    ...failing,
                    Catch: [{ ErrorEquals: ["States.ALL"], Output: "{% $states.errorOutput.missing %}", Next: "B" }],
                    End: true,
                },
                B: { Type: "Pass", Output: "inner", End: true },
            }),
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "task-failed-matches-query-error",
        rule: "States.TaskFailed in a Catch matches States.QueryEvaluationError.",
        source: `${GUIDE}, "Handling errors": a wildcard for every known name but States.Timeout`,
        dependents: "the reading `taskFailedMatchesAll` of the interpreter",
        definition: machine({
            T: {
                Type: "Task",
                Resource: WORKS,
                Output: "{% $states.result.missing %}",
                Catch: [{ ErrorEquals: ["States.TaskFailed"], Next: "Caught" }],
                End: true,
            },
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "no-choice-matched",
        rule: "A Choice in which nothing matches and that has no Default ends the execution with States.Runtime.",
        source: `${GUIDE}: States.NoChoiceMatched is reserved; the name is in none of 5,166 recorded events`,
        dependents: `${PROVER}: every Choice needs a Default`,
        definition: machine({
            C: { Type: "Choice", Choices: [{ Condition: "{% false %}", Next: "E" }] },
            E: { Type: "Succeed" },
        }),
        expected: { status: "FAILED", error: "States.Runtime" },
    },
    {
        id: "runtime-in-branch",
        rule: "A States.Runtime error in a branch is not caught by States.ALL of the Parallel around it.",
        source: `${GUIDE}, "Handling errors" (States.ALL leaves States.Runtime out)`,
        dependents: PROVER,
        definition: machine({
            P: parallel({
                C: { Type: "Choice", Choices: [{ Condition: "{% false %}", Next: "E" }] },
                E: { Type: "Succeed" },
            }),
            Caught: caught,
        }),
        expected: { status: "FAILED", error: "States.Runtime" },
    },
    {
        id: "data-limit-own-output",
        rule: "States.ALL of a Task catches the States.DataLimitExceeded that its own Output raises.",
        source: "recorded for a Lambda's result (2024-03), not for Output; the guide says that States.ALL does not catch it",
        dependents: "the reading `allCatchesDataLimit`; the fault sweep runs both",
        definition: machine({
            T: {
                Type: "Task",
                Resource: WORKS,
                Output: "{% $join([1..300].$pad('x', 1000)) %}",
                Catch: catchAll,
                End: true,
            },
            Caught: caught,
        }),
        expected: { status: "SUCCEEDED", output: "caught" },
    },
    {
        id: "scope-read",
        rule: "A branch reads the variables of the scope around it, and its own end with it.",
        source: `${GUIDE}, "Passing data between states with variables"`,
        dependents: "the workflow's `run` variable; the interpreter's scopes",
        definition: machine({
            A: { Type: "Pass", Assign: { outer: 1 }, Next: "P" },
            P: {
                Type: "Parallel",
                Branches: [
                    {
                        StartAt: "B",
                        States: {
                            B: {
                                Type: "Pass",
                                Assign: { inner: "{% $outer + 1 %}" },
                                Output: "{% $outer %}",
                                End: true,
                            },
                        },
                    },
                ],
                Next: "C",
            },
            C: { Type: "Pass", Output: { result: "{% $states.input %}", inner: "{% $exists($inner) %}" }, End: true },
        }),
        onlyInExecution: "the scopes of variables are the execution's",
        expected: { status: "SUCCEEDED", output: { result: [1], inner: false } },
    },
    {
        id: "scope-assign-refused",
        rule: "A branch that assigns a variable of the scope around it is refused when the machine is created.",
        source: `${GUIDE}, "Passing data between states with variables"`,
        dependents: "asl/analysis (scopes); the interpreter refuses such a definition too",
        definition: machine({
            A: { Type: "Pass", Assign: { x: 1 }, Next: "P" },
            P: {
                Type: "Parallel",
                Branches: [{ StartAt: "B", States: { B: { Type: "Pass", Assign: { x: 2 }, End: true } } }],
                End: true,
            },
        }),
        expected: { created: false },
    },
    {
        id: "assign-and-output-simultaneous",
        rule: "Assign and Output of a JSONata state both see the variables from before the state.",
        source: `recorded for JSONPath; ${GUIDE} for JSONata`,
        dependents: "the workflow's counters; asl/analysis (values of variables)",
        definition: machine({
            A: { Type: "Pass", Assign: { n: 1 }, Next: "B" },
            B: { Type: "Pass", Assign: { n: "{% $n + 1 %}" }, Output: "{% $n %}", Next: "C" },
            C: { Type: "Pass", Output: { before: "{% $states.input %}", after: "{% $n %}" }, End: true },
        }),
        expected: { status: "SUCCEEDED", output: { before: 1, after: 2 } },
    },
    {
        id: "catcher-assign",
        rule: "A catcher's Assign sees $states.errorOutput and the state's input, and the next state sees what it assigned.",
        source: `${GUIDE}, "Handling errors"`,
        dependents: "the notification and capacity ladder of the workflow",
        definition: machine({
            T: {
                ...failing,
                Catch: [
                    {
                        ErrorEquals: ["States.ALL"],
                        Assign: {
                            failed: "{% {'named': $exists($states.errorOutput.Error), 'input': $states.input.a} %}",
                        },
                        Next: "C",
                    },
                ],
                End: true,
            },
            C: { Type: "Pass", Output: "{% $failed %}", End: true },
        }),
        input: { a: 1 },
        expected: { status: "SUCCEEDED", output: { named: true, input: 1 } },
    },
    {
        id: "fail-cause-through-parallel",
        rule: "The Cause of a Fail in a branch, a JSON text, reaches the Parallel's catcher unchanged.",
        source: "recorded for JSONPath with a short literal Cause",
        dependents: "the record of a failed ensemble member",
        definition: machine({
            P: parallel(
                { F: { Type: "Fail", Error: "Member", Cause: "{% $string({'member': 'text', 'n': 1}) %}" } },
                {
                    Catch: [
                        { ErrorEquals: ["States.ALL"], Output: "{% $parse($states.errorOutput.Cause) %}", Next: "C" },
                    ],
                },
            ),
            C: { Type: "Pass", End: true },
        }),
        onlyInExecution: "the Cause would pass through the verifier's hands",
        expected: { status: "SUCCEEDED", output: { member: "text", n: 1 } },
    },
    {
        id: "fail-cause-length",
        rule: "A Fail's Cause of 32,768 characters is kept whole.",
        source: "API reference: the length constraint of `cause`",
        dependents: "the record of a failed ensemble member",
        definition: machine({
            P: parallel(
                { F: { Type: "Fail", Error: "Long", Cause: "{% $pad('', 32768, 'x') %}" } },
                {
                    Catch: [
                        { ErrorEquals: ["States.ALL"], Output: "{% $length($states.errorOutput.Cause) %}", Next: "C" },
                    ],
                },
            ),
            C: { Type: "Pass", End: true },
        }),
        expected: { status: "SUCCEEDED", output: 32768 },
    },
    {
        id: "fail-without-cause",
        rule: "A Fail without Cause in a branch gives the Parallel's catcher an error output whose Cause is null.",
        source: "recorded of a task token that failed without Error and Cause, not of a Fail",
        dependents: "the reading `unnamed`; catchers must not rely on Cause",
        definition: machine({
            P: parallel(
                { F: { Type: "Fail", Error: "Bare" } },
                { Catch: [{ ErrorEquals: ["States.ALL"], Output: "{% $states.errorOutput %}", Next: "C" }] },
            ),
            C: { Type: "Pass", End: true },
        }),
        expected: { status: "SUCCEEDED", output: { Error: "Bare", Cause: null } },
    },
    {
        id: "retry-count-restarts",
        rule: "State.RetryCount counts the retries of one entry of the state and is 0 again at the next entry.",
        source: `${GUIDE}, "Context object"`,
        dependents: "the uniqueness of training job names (attempt, retry)",
        definition: machine({
            A: { Type: "Pass", Assign: { log: [], n: 0 }, Next: "T" },
            T: {
                ...failing,
                Retry: [{ ErrorEquals: ["States.ALL"], IntervalSeconds: 1, MaxAttempts: 1 }],
                Catch: [
                    {
                        ErrorEquals: ["States.ALL"],
                        Assign: { log: "{% $append($log, [$states.context.State.RetryCount]) %}", n: "{% $n + 1 %}" },
                        Next: "C",
                    },
                ],
                End: true,
            },
            C: { Type: "Choice", Choices: [{ Condition: "{% $n < 2 %}", Next: "T" }], Default: "D" },
            D: { Type: "Succeed", Output: "{% $log %}" },
        }),
        onlyInExecution: "the caller of TestState counts the retries",
        expected: { status: "SUCCEEDED", output: [1, 1] },
    },
    {
        id: "redrive-count",
        rule: "$states.context.Execution.RedriveCount is 0 in an execution that was never redriven.",
        source: "recorded for JSONPath ($$); not for JSONata",
        dependents: "the names of training jobs, which hold it",
        definition: machine({ A: { Type: "Pass", Output: "{% $states.context.Execution.RedriveCount %}", End: true } }),
        onlyInExecution: "TestState's context object has no RedriveCount",
        expected: { status: "SUCCEEDED", output: 0 },
    },
    {
        id: "undefined-field",
        rule: "A field of a template whose expression gives nothing fails the state; it is not left out.",
        source: `${GUIDE}, "Transforming data with JSONata"`,
        dependents: "asl/analysis (totality of expressions)",
        definition: machine({ A: { Type: "Pass", Output: { a: 1, b: "{% $states.input.missing %}" }, End: true } }),
        expected: { status: "FAILED", error: "States.QueryEvaluationError", cause: "missing" },
    },
    {
        id: "undefined-in-constructor",
        rule: "An object that an expression builds leaves out a key whose value is nothing.",
        source: "JSONata documentation, object constructors",
        dependents: "asl/analysis (totality of expressions)",
        definition: machine({ A: { Type: "Pass", Output: "{% {'a': 1, 'b': $states.input.missing} %}", End: true } }),
        expected: { status: "SUCCEEDED", output: { a: 1 } },
    },
    {
        id: "choice-condition-type",
        rule: "A Condition that gives no boolean fails the Choice with States.QueryEvaluationError.",
        source: `${GUIDE}, "Choice workflow state"`,
        dependents: "asl/analysis (conditions must be boolean)",
        definition: machine({
            C: { Type: "Choice", Choices: [{ Condition: "{% 'yes' %}", Next: "E" }], Default: "E" },
            E: { Type: "Succeed" },
        }),
        expected: { status: "FAILED", error: "States.QueryEvaluationError" },
    },
    {
        id: "wait-zero",
        rule: "A Wait of 0 seconds, given by an expression, ends at once.",
        source: "the specification (non-negative); recorded only from 1 second",
        dependents: "the capacity ladder's waits",
        definition: machine({
            W: { Type: "Wait", Seconds: "{% 0 %}", Next: "E" },
            E: { Type: "Succeed", Output: "ok" },
        }),
        expected: { status: "SUCCEEDED", output: "ok" },
    },
    {
        id: "execution-timeout",
        rule: "The machine's TimeoutSeconds ends the execution TIMED_OUT, also inside a Parallel that catches States.ALL.",
        source: `${GUIDE}, "State machine structure"`,
        dependents: `${PROVER}; the rule outside of the machine that notifies`,
        definition: machine(
            { P: parallel({ W: { Type: "Wait", Seconds: 20, End: true } }), Caught: caught },
            { TimeoutSeconds: 2 },
        ),
        onlyInExecution: "a state that is tested has no machine around it",
        expected: { status: "TIMED_OUT" },
    },
    {
        id: "task-timeout",
        rule: "A Task's TimeoutSeconds may be an expression.",
        source: `${GUIDE}, "Task workflow state"`,
        dependents: "the members' total budgets",
        definition: machine({
            T: { Type: "Task", Resource: WORKS, TimeoutSeconds: "{% 30 * 2 %}", Output: "done", End: true },
        }),
        expected: { status: "SUCCEEDED", output: "done" },
    },
    {
        id: "aws-functions",
        rule: "$partition, $range, $hash and $parse give what the guide says.",
        source: `${GUIDE}, "Transforming data with JSONata"`,
        dependents: "asl/expressions",
        definition: machine({
            A: {
                Type: "Pass",
                End: true,
                Output: {
                    partition: "{% $partition([1,2,3,4,5], 2) %}",
                    range: "{% $range(1, 9, 4) %}",
                    parse: "{% $parse('{\"a\": [1]}') %}",
                    hash: "{% $hash('input', 'SHA-1') %}",
                },
            },
        }),
        expected: {
            status: "SUCCEEDED",
            output: {
                partition: [[1, 2], [3, 4], [5]],
                range: [1, 5, 9],
                parse: { a: [1] },
                hash: "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1",
            },
        },
    },
    {
        id: "eval-fails",
        rule: "A machine whose expression calls $eval is created, and the call fails: there is no such function.",
        source: "TestState, as reported in github.com/floci-io/floci/issues/2737 (August 2026)",
        dependents: "asl/expressions, asl/analysis",
        definition: machine({ A: { Type: "Pass", Output: "{% $eval('1') %}", End: true } }),
        expected: { status: "FAILED", error: "States.QueryEvaluationError" },
    },
    {
        id: "syntax-error-refused",
        rule: "An expression that is not JSONata is refused when the machine is created.",
        source: "asl-validator and others; not recorded",
        dependents: "asl/analysis",
        definition: machine({ A: { Type: "Pass", Output: "{% 1 + %}", End: true } }),
        expected: { created: false },
    },
    {
        id: "input-is-state-input-in-output",
        rule: "$states.input in a Task's Output is the state's input, not its Arguments or its result.",
        source: `${GUIDE}, "Transforming data with JSONata"`,
        dependents: "the typed handles of the workflow",
        definition: machine({
            T: { Type: "Task", Resource: WORKS, Arguments: {}, Output: "{% $states.input %}", End: true },
        }),
        input: { a: 1 },
        expected: { status: "SUCCEEDED", output: { a: 1 } },
    },
    {
        id: "sibling-stopped",
        rule: "A branch that fails stops the other branches of its Parallel at once.",
        source: "recorded with a Task in the sibling (TaskStateAborted); here with a Wait",
        dependents: "the members' isolation: each catches in its own Parallel",
        definition: machine({
            P: {
                Type: "Parallel",
                Catch: catchAll,
                End: true,
                Branches: [
                    { StartAt: "F", States: { F: { Type: "Fail", Error: "E" } } },
                    { StartAt: "W", States: { W: { Type: "Wait", Seconds: 3600, End: true } } },
                ],
            },
            Caught: caught,
        }),
        onlyInExecution: "the branches of a Parallel do not run in TestState",
        expected: { status: "SUCCEEDED", output: "caught" },
    },
];
