/** asl/ASSUMPTIONS.md, written from the assumptions. Run `npm run verify:docs` after a change of them. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { ASSUMPTIONS, type Expectation } from "./assumptions";

/** Rules that a machine of the verification cannot show, or only at a price. */
const OTHERS: readonly (readonly [id: string, rule: string, source: string, dependents: string, how: string])[] = [
    [
        "history-limit",
        "An execution that reaches 25,000 events ends FAILED with States.Runtime, and nothing catches that.",
        "Service quotas; seen by others (a counting loop ended after 48 seconds)",
        "the prover's bound on loops",
        "a machine of two Pass states that point at each other: 12,500 transitions, about 0.31 USD",
    ],
    [
        "missed-heartbeat",
        "A missed heartbeat is the error States.Timeout, which both States.Timeout and States.HeartbeatTimeout match.",
        "the first half is recorded; the second is the guide's",
        "the reading `missedHeartbeat`",
        "a Task on an activity that nobody polls, HeartbeatSeconds 5, one Catch for each name",
    ],
    [
        "sync-failure",
        "A `.sync` job that fails raises States.TaskFailed, its Cause is the JSON of the described job.",
        "recorded for ECS; the guide for Batch and SageMaker",
        "the classification of training failures",
        "a Batch job whose command is `false`, with submitJob.sync",
    ],
    [
        "sync-abort",
        "Stopping an execution, or a failing sibling, stops the `.sync` job too, when the role may.",
        'the guide, "Run a job"',
        "no job is left running after a failure; the price bound",
        "stop an execution in the middle of a Batch job, look at the job's status",
    ],
    [
        "event-rule-null-error",
        "The status-change event of a TIMED_OUT or ABORTED execution has no error, or a null one.",
        "EventBridge guide (the event's form), not its values",
        "the rule that notifies what no state can see",
        "stop the execution of any machine, and look at the event in a rule that targets a log group",
    ],
];

function expectation(expected: Expectation): string {
    return expected.created === false
        ? "refused at creation"
        : [
              expected.status,
              expected.error,
              expected.output === undefined ? undefined : `\`${JSON.stringify(expected.output)}\``,
          ]
              .filter((part) => part !== undefined)
              .join(" ");
}

const INTRODUCTION = [
    "Rules of Step Functions that this project's proofs rest on and that none of the recorded executions",
    "(asl/CONFORMANCE.md) shows. `npm run verify:aws` walks the machine of each rule of the first table with mocked calls",
    "of TestState on an account and says whether the rule holds; nothing is deployed, and `npm run verify:aws -- --plan`",
    "prints the calls without an account. Rules marked * only an execution shows: `npm run verify:aws -- --deploy --role",
    "ARN` runs their machines and deletes them. It has not been run on a real account yet.",
    "",
    "Where a rule is in doubt, the interpreter has both readings (`Readings` in asl/interpreter/types.ts), and the fault",
    "sweep can run under either. This file is written from asl/verify/assumptions.ts by `npm run verify:docs`; a test",
    "keeps it true, and another runs every machine in the interpreter, which must behave as this table says.",
];

export function assumptionsDocument(): string {
    const cell = (text: string): string => text.replaceAll("|", "\\|");
    const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
    const rows = ASSUMPTIONS.map(({ id, rule, source, dependents, expected, onlyInExecution }) => {
        const marked = onlyInExecution === undefined ? id : `${id} *`;
        return row([marked, rule, source, dependents, expectation(expected)]);
    });
    return [
        "# Assumptions about AWS",
        "",
        ...INTRODUCTION,
        "",
        "| id | rule | source | what depends on it | expected of its machine |",
        "|---|---|---|---|---|",
        ...rows,
        "",
        "Not run by the command:",
        "",
        "| id | rule | source | what depends on it | how to verify it by hand |",
        "|---|---|---|---|---|",
        ...OTHERS.map(row),
        "",
    ].join("\n");
}

if (require.main === module) {
    writeFileSync(path.resolve(__dirname, "../ASSUMPTIONS.md"), assumptionsDocument());
}
