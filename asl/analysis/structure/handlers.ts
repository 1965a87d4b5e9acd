/** Retry and Catch: lists of handlers, the names that they take, and that none stands behind one that takes all. */
import { CATCHER_FIELDS, RETRIER_FIELDS } from "../../fields";
import { isFields } from "../definition";
import type { Node } from "../graph";
import { checkAssign } from "./assign";
import { checkReferencePath } from "./paths";
import { nearest, show, type Place } from "./report";
import type { Targets } from "./targets";
import { checkNumber, isOpen } from "./values";

/**
 * The names that AWS gives to errors.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const STATES_ERRORS = [
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
];
const MOST_DELAY_SECONDS = 31_622_399;
const MOST_ATTEMPTS = 99_999_999;

interface Handler {
    readonly place: Place;
    /** Below the state: `Catch/0`. */
    readonly path: string;
}

/** The handlers of a list that are objects. */
function handlers(place: Place, field: "Retry" | "Catch"): Handler[] {
    const list = place.fields[field];
    if (list !== undefined && !Array.isArray(list)) {
        place.wrong(field, "an array");
    }
    const entries: readonly unknown[] = Array.isArray(list) ? list : [];
    const before = new Set<string>();
    return entries.flatMap((entry, index) => {
        const path = `${field}/${index}`;
        if (!isFields(entry)) {
            place.add("wrong-value", path, `The entry is ${show(entry)}, expected an object with ErrorEquals.`);
            return [];
        }
        const names = checkNames(place, entry.ErrorEquals, `${path}/ErrorEquals`);
        if (names.includes("States.ALL") && index < entries.length - 1) {
            place.add(
                "states-all",
                path,
                `States.ALL must be in the last entry of ${field}; entries after it would never be used.`,
            );
        }
        checkEarlier(place, names, before, `${path}/ErrorEquals`, field);
        const what = field === "Retry" ? "A retrier" : "A catcher";
        return [{ place: place.inside(path, what, entry), path }];
    });
}

function checkNames(place: Place, names: unknown, path: string): readonly string[] {
    if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string")) {
        place.add("error-names", path, `ErrorEquals is ${show(names)}, expected an array of at least one error name.`);
        return [];
    }
    const known = names as readonly string[];
    for (const name of known) {
        if (name.startsWith("States.") && !STATES_ERRORS.includes(name)) {
            const like = nearest(name, STATES_ERRORS);
            place.add(
                "error-names",
                path,
                `AWS has no error "${name}", and names that begin with "States." are AWS's: ` +
                    `only a Fail or a function that uses this very name raises it. The nearest is "${like}".`,
                { severity: "warning", consequence: "advice" },
            );
        }
    }
    if (known.includes("States.ALL") && known.length > 1) {
        place.add("states-all", path, "States.ALL must stand alone in ErrorEquals.");
    }
    if (known.includes("States.Runtime")) {
        place.add(
            "runtime-uncatchable",
            path,
            "States.Runtime is never retried and never caught, also not by name: " +
                "prevent it, and let a rule outside the state machine notify.",
        );
    }
    return known;
}

/** A Task's own errors that a handler of States.TaskFailed does not take. */
const BESIDES_TASK_FAILED = ["States.ALL", "States.Timeout", "States.HeartbeatTimeout", "States.Runtime"];

/** Names that an earlier entry takes already. */
function checkEarlier(
    place: Place,
    names: readonly string[],
    before: Set<string>,
    path: string,
    field: "Retry" | "Catch",
): void {
    const takesTaskErrors = before.has("States.TaskFailed");
    for (const name of names) {
        if (before.has(name)) {
            place.add(
                "error-names",
                path,
                `"${name}" stands in an earlier entry of ${field} already: this one is never used for it.`,
                { severity: "warning", consequence: "advice" },
            );
        } else if (takesTaskErrors && !BESIDES_TASK_FAILED.includes(name)) {
            place.add(
                "handler-unused",
                path,
                `An earlier entry of ${field} takes States.TaskFailed, which stands for every error but ` +
                    `States.Timeout: this one is never used for "${name}". Put it first.`,
            );
        }
    }
    names.forEach((name) => before.add(name));
}

export function checkRetry(state: Place, node: Node): void {
    for (const { place } of handlers(state, "Retry")) {
        place.check(RETRIER_FIELDS, node.language);
        const number = (field: string, least: number, most: number | undefined, isWhole: boolean): void =>
            checkNumber(place, field, { least, most, isWhole }, false, "retry-values");
        number("IntervalSeconds", 1, MOST_ATTEMPTS, true);
        number("MaxAttempts", 0, MOST_ATTEMPTS, true);
        number("BackoffRate", 1, undefined, false);
        number("MaxDelaySeconds", 1, MOST_DELAY_SECONDS, true);
        const { JitterStrategy: jitter, MaxDelaySeconds: most, IntervalSeconds: interval } = place.fields;
        if (!isOpen(jitter, false) && jitter !== "FULL" && jitter !== "NONE") {
            place.wrong("JitterStrategy", '"FULL" or "NONE"', "retry-values");
        }
        if (typeof most === "number" && typeof interval === "number" && most <= interval) {
            place.add(
                "retry-values",
                "MaxDelaySeconds",
                `MaxDelaySeconds (${most}) must be larger than IntervalSeconds (${interval}).`,
            );
        }
    }
}

export function checkCatch(state: Place, node: Node, targets: Targets): void {
    for (const { place, path } of handlers(state, "Catch")) {
        const { fields } = place;
        place.check(CATCHER_FIELDS, node.language);
        if (fields.Next === undefined) {
            place.missing("Next");
        } else {
            targets.next(state, node.scope, fields.Next, `${path}/Next`);
        }
        if (fields.Assign !== undefined) {
            checkAssign(place, fields.Assign, "Assign", node.language);
        }
        if (node.language === "JSONPath" && fields.ResultPath !== undefined && fields.ResultPath !== null) {
            checkReferencePath(place, fields.ResultPath, "ResultPath");
        }
    }
}
