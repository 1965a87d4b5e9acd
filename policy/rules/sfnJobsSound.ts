import type { ResourceRule } from "../lib/rule";
import { errorsOf, STATE_MACHINE } from "../lib/stateMachine";

export const sfnJobsSound: ResourceRule = {
    kind: "resource",
    name: "sfn-jobs-sound",
    description:
        "Every job that a definition starts has a name of its own at each attempt, valid fields, and time-outs that " +
        "fit the execution's.",
    why: "SageMaker refuses a training job's name that was used before, so a retry with a fixed name never succeeds.",
    remediation: "Put right what the message names; `asl-check --explain RULE` says more about a rule.",
    severity: "high",
    level: "mandatory",
    types: [STATE_MACHINE],
    references: {},
    check: errorsOf("jobs"),
};
