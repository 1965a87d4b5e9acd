import type { RuleMetadata } from "./findings";

const spec = "https://states-language.net/spec.html";
const guide = "https://docs.aws.amazon.com/step-functions/latest/dg/";
const errorHandling = `${guide}concepts-error-handling.html`;
const quotas = `${guide}service-quotas.html`;

/** Every rule of the analysis. RULES.md and `asl-check --explain` are made from this list. */
export const rules: readonly RuleMetadata[] = [
    // ---------------------------------------------------------------- structure
    {
        name: "json-syntax", group: "structure", severity: "error",
        summary: "The text is JSON.",
        rationale: "A stray comma in a definition that is kept as a text is found only when it is deployed.",
        bad: '{ "StartAt": "A", }', good: '{ "StartAt": "A" }', links: ["https://www.rfc-editor.org/rfc/rfc8259"],
    },
    {
        name: "duplicate-key", group: "structure", severity: "error",
        summary: "No object has the same key twice.",
        rationale: "The last one silently wins: one of two states of the same name is never deployed.",
        bad: '"States": { "A": {...}, "A": {...} }', good: '"States": { "A": {...}, "B": {...} }', links: ["https://www.rfc-editor.org/rfc/rfc8259#section-4"],
    },
    {
        name: "not-a-definition", group: "structure", severity: "error",
        summary: "A definition is an object with StartAt and States, nested at most 200 deep.",
        rationale: "Nothing else can be deployed, and nothing in it can be checked.",
        bad: "[]", good: '{ "StartAt": "A", "States": { "A": { "Type": "Succeed" } } }', links: [spec],
    },
    {
        name: "definition-too-large", group: "structure", severity: "error",
        summary: "The definition has at most 1 MB as compact JSON in UTF-8.",
        rationale: "CreateStateMachine refuses a larger one.",
        bad: "1,100,000 bytes", good: "Move constants to an object in S3, or parts to a state machine of their own.", links: [quotas],
    },
    {
        name: "unknown-field", group: "structure", severity: "error",
        summary: "Objects hold only fields that the specification knows.",
        rationale: "AWS refuses unknown fields; tools that accept them ignore what a misspelt field was meant to do.",
        bad: '{ "Type": "Pass", "Nxt": "B" }', good: '{ "Type": "Pass", "Next": "B" }', links: [spec],
    },
    {
        name: "missing-field", group: "structure", severity: "error",
        summary: "Required fields are there.",
        rationale: "AWS refuses the definition.",
        bad: '{ "Type": "Task", "End": true }', good: '{ "Type": "Task", "Resource": "arn:...", "End": true }', links: [spec],
    },
    {
        name: "wrong-value", group: "structure", severity: "error",
        summary: "Fields have the type and the values that the specification gives them.",
        rationale: "AWS refuses the definition.",
        bad: '"MaxConcurrency": "many"', good: '"MaxConcurrency": 10', links: [spec],
    },
    {
        name: "state-name", group: "structure", severity: "error",
        summary: "State names have 1 to 80 characters and no control characters.",
        rationale: "AWS refuses others.",
        bad: "a name of 81 characters", good: "a name of at most 80 characters", links: [quotas],
    },
    {
        name: "duplicate-state-name", group: "structure", severity: "error",
        summary: "State names are unique in the whole state machine, branches included.",
        rationale: "AWS refuses the definition (DUPLICATE_STATE_NAME).",
        bad: 'two branches with a state "Train"', good: '"Train Text" and "Train Image"', links: [spec],
    },
    {
        name: "missing-target", group: "structure", severity: "error",
        summary: "StartAt, Next and Default name a state of the same scope.",
        rationale: "AWS refuses the definition (MISSING_TRANSITION_TARGET). A branch can be neither left nor entered by a transition.",
        bad: '"Next": "Trian"', good: '"Next": "Train"', links: [spec],
    },
    {
        name: "unreachable-state", group: "structure", severity: "error",
        summary: "A way leads from StartAt to every state, islands that form a cycle included.",
        rationale: "AWS refuses most of them; the others are steps that somebody believes to run.",
        bad: '"B" whose name no Next holds', good: '"A": { ..., "Next": "B" }', links: [spec],
    },
    {
        name: "no-terminal-state", group: "structure", severity: "error",
        summary: "A state that ends the scope can be reached.",
        rationale: "AWS refuses the definition (MISSING_END_STATE).",
        bad: "A -> B -> A", good: "A -> B -> A, and B -> C with End: true", links: [spec],
    },
    {
        name: "next-or-end", group: "structure", severity: "error",
        summary: "A Task, Pass, Wait, Parallel or Map has exactly one of Next and End.",
        rationale: "AWS refuses the definition.",
        bad: '"Next": "B", "End": true', good: '"Next": "B"', links: [spec],
    },
    {
        name: "exclusive-fields", group: "structure", severity: "error",
        summary: "Fields that exclude each other do not stand together.",
        rationale: "AWS refuses the definition.",
        bad: '"Error": "E", "ErrorPath": "$.e"', good: '"ErrorPath": "$.e"', links: [spec],
    },
    {
        name: "query-language", group: "structure", severity: "error",
        summary: "A state has only the fields of its query language, and no JSONPath state lies in a JSONata state machine.",
        rationale: "AWS refuses the definition.",
        bad: '{ "QueryLanguage": "JSONata", "Type": "Pass", "InputPath": "$.a" }', good: '{ "QueryLanguage": "JSONata", "Type": "Pass", "Output": "{% $states.input.a %}" }',
        links: [`${guide}transforming-data.html`],
    },
    {
        name: "error-names", group: "structure", severity: "error",
        summary: "ErrorEquals is a list of names; names that begin with States. are AWS's; no name stands in two entries of a list.",
        rationale: "A misspelt States.* name is refused; a second entry for the same name is never used.",
        bad: '"ErrorEquals": ["States.Timout"]', good: '"ErrorEquals": ["States.Timeout"]', links: [errorHandling],
    },
    {
        name: "states-all", group: "structure", severity: "error",
        summary: "States.ALL stands alone and in the last entry.",
        rationale: "AWS refuses the definition; entries after it would never be used.",
        bad: '"ErrorEquals": ["States.ALL", "Mine"]', good: '[{ "ErrorEquals": ["Mine"], ... }, { "ErrorEquals": ["States.ALL"], ... }]', links: [errorHandling],
    },
    {
        name: "runtime-uncatchable", group: "structure", severity: "warning",
        summary: "No Retry and no Catch names States.Runtime.",
        rationale: "AWS does not honour it (recorded): the entry promises what never happens.",
        bad: '"ErrorEquals": ["States.Runtime"]', good: "prove that the path exists, and notify by an EventBridge rule on FAILED", links: [errorHandling],
    },
    {
        name: "retry-values", group: "structure", severity: "error",
        summary: "IntervalSeconds from 1, MaxAttempts from 0, BackoffRate from 1, MaxDelaySeconds above IntervalSeconds, JitterStrategy FULL or NONE.",
        rationale: "AWS refuses other values.",
        bad: '"BackoffRate": 0.5', good: '"BackoffRate": 2', links: [errorHandling],
    },
    {
        name: "choice-rule", group: "structure", severity: "error",
        summary: "A JSONPath rule is And, Or, Not or one comparison with an operand of its type; a JSONata rule has a Condition; only the outermost rule has Next.",
        rationale: "AWS refuses other rules.",
        bad: '{ "Variable": "$.n", "NumericEquals": "1", "Next": "B" }', good: '{ "Variable": "$.n", "NumericEquals": 1, "Next": "B" }',
        links: [`${guide}state-choice.html`],
    },
    {
        name: "wait-duration", group: "structure", severity: "error",
        summary: "A Wait has exactly one of Seconds, Timestamp, SecondsPath and TimestampPath.",
        rationale: "AWS refuses the definition.",
        bad: '{ "Type": "Wait", "Seconds": 1, "Timestamp": "..." }', good: '{ "Type": "Wait", "Seconds": 1 }', links: [`${guide}state-wait.html`],
    },
    {
        name: "time-limits", group: "structure", severity: "error",
        summary: "Seconds are whole numbers from 1 (a Wait: from 0) to 99,999,999, and a heartbeat is shorter than the time-out.",
        rationale: "AWS refuses other values.",
        bad: '"TimeoutSeconds": 60, "HeartbeatSeconds": 60', good: '"TimeoutSeconds": 60, "HeartbeatSeconds": 20', links: [spec],
    },
    {
        name: "json-path", group: "structure", severity: "error",
        summary: "Paths are JSONPath, and a ResultPath is a reference path: one place in the input.",
        rationale: "AWS refuses the definition.",
        bad: '"ResultPath": "$..a"', good: '"ResultPath": "$.a"', links: [spec],
    },
    {
        name: "payload-template", group: "structure", severity: "error",
        summary: 'A field whose name ends in ".$" holds a path or a call.',
        rationale: "AWS refuses the definition.",
        bad: '"name.$": 1', good: '"name": 1', links: [spec],
    },
    {
        name: "intrinsic-function", group: "structure", severity: "error",
        summary: "Calls of intrinsic functions are well formed: known name, right number of arguments, at most 10 deep.",
        rationale: "AWS refuses the definition, or the state fails with States.Runtime, which nothing catches.",
        bad: '"id.$": "States.Uuid()"', good: '"id.$": "States.UUID()"', links: [`${guide}intrinsic-functions.html`],
    },
    {
        name: "jsonata-syntax", group: "structure", severity: "error",
        summary: "JSONata expressions parse, and {% %} encloses the whole text.",
        rationale: "AWS refuses the definition, or takes the text literally.",
        bad: '"{% $a + %}"', good: '"{% $a + 1 %}"', links: ["https://docs.jsonata.org/", `${guide}transforming-data.html`],
    },
    {
        name: "assign", group: "structure", severity: "error",
        summary: 'Assign is an object; its keys are names of variables, and not "states".',
        rationale: "AWS refuses the definition.",
        bad: '"Assign": { "states": 1 }', good: '"Assign": { "attempts": 1 }', links: [`${guide}workflow-variables.html`],
    },
    // ---------------------------------------------------------------- failure flow
    {
        name: "catch-all", group: "failure", severity: "error",
        summary: "Every Task, Parallel and Map catches States.ALL.",
        rationale: "An error that no catcher takes ends the execution at once: no state notifies, and the steps of a branch take their siblings' work with them.",
        bad: '{ "Type": "Task", "Resource": "...", "Next": "B" }',
        good: '{ "Type": "Task", "Resource": "...", "Next": "B", "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Notify Failure" }] }',
        links: [errorHandling],
    },
    {
        name: "failure-swallowed", group: "failure", severity: "error",
        summary: "Every way from a catcher ends in a Fail, or runs the failed state again, or is recorded for a join.",
        rationale: "Otherwise the execution SUCCEEDS although a step failed, and whoever uses its result does not know.",
        bad: "Train -(States.ALL)-> Log -> Publish (End)", good: "Train -(States.ALL)-> Log -> Notify -> Failed (Fail)",
        links: [errorHandling],
    },
    {
        name: "failure-unnotified", group: "failure", severity: "error",
        summary: "Every way from a failure to the Fail that ends the execution passes a notification.",
        rationale: "A failed execution is a row in a console that nobody looks at.",
        bad: "Train -(States.ALL)-> Failed (Fail)", good: "Train -(States.ALL)-> Notify Failure (sns:publish) -> Failed (Fail)",
        links: [`${guide}connect-sns.html`],
    },
    {
        name: "fail-without-cause", group: "failure", severity: "error",
        summary: "A Fail has Error and Cause.",
        rationale: "Without them the execution says nothing, and a catcher's output lacks the fields: reading $.Cause there ends in States.Runtime, which nothing catches.",
        bad: '{ "Type": "Fail" }', good: '{ "Type": "Fail", "Error": "TrainingFailed", "CausePath": "$.error.Cause" }', links: [`${guide}state-fail.html`],
    },
    {
        name: "failure-record", group: "failure", severity: "error",
        summary: "What a state records for a join (Comment `records-failure-for: <join>`) reaches that join, a Choice, on every way.",
        rationale: "A recorded failure that nobody judges is a swallowed one.",
        bad: '"Comment": "records-failure-for: Complet?"', good: '"Comment": "records-failure-for: Complete?"', links: [],
    },
    {
        name: "choice-without-default", group: "failure", severity: "error",
        summary: "A Choice has a Default, or a last rule that is always true.",
        rationale: "When no rule matches, the execution ends in States.Runtime (documented as States.NoChoiceMatched), which no Catch sees.",
        bad: '{ "Type": "Choice", "Choices": [...] }', good: '{ "Type": "Choice", "Choices": [...], "Default": "Unknown Kind" }', links: [`${guide}state-choice.html`],
    },
    {
        name: "expression-may-fail", group: "failure", severity: "error",
        summary: "JSONata in Choice, Wait, Pass, Succeed, Fail and in catchers is proven total: it has a value of the right kind whatever the variables hold.",
        rationale: "Those states have no Catch: States.QueryEvaluationError there ends the execution, and no state notifies. Tasks may be left to their Catch.",
        bad: '"Condition": "{% $run.retries < 3 %}"', good: '"Condition": "{% $type($run.retries) = \'number\' and $run.retries < 3 %}"',
        links: [`${guide}transforming-data.html`, errorHandling],
    },
    // ---------------------------------------------------------------- variables
    {
        name: "variable-unassigned", group: "variables", severity: "error",
        summary: "A variable is assigned on every way to a state that reads it.",
        rationale: "The read fails with States.QueryEvaluationError or States.Runtime.",
        bad: "a Choice over two ways of which one assigns $run, then a Task that reads $run", good: "assign $run on both ways, or before the Choice",
        links: [`${guide}workflow-variables.html`],
    },
    {
        name: "variable-shadowed", group: "variables", severity: "error",
        summary: "A branch or an iteration assigns no variable of an outer scope.",
        rationale: "Outer variables are read-only inside; AWS refuses a second variable of the name.",
        bad: 'outside "Assign": { "n": 0 }, in a branch "Assign": { "n": 1 }', good: 'in the branch "Assign": { "branchN": 1 }',
        links: [`${guide}workflow-variables.html`],
    },
];
