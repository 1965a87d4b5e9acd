/** One state: its fields, where it leads, and what its type demands. */
import { STATE_FIELDS } from "../../fields";
import type { StateType } from "../../types";
import type { Context } from "../context";
import { isFields, STATE_TYPES } from "../definition";
import type { Node } from "../graph";
import { isReplaced } from "../placeholders";
import { checkAssign } from "./assign";
import { checkChoice } from "./choices";
import { checkExpressions } from "./expressions";
import { checkCatch, checkRetry } from "./handlers";
import { checkMap } from "./maps";
import { checkPaths } from "./paths";
import { nearest, Place, show } from "./report";
import { checkCredentials, checkExpress, checkResource } from "./resources";
import type { Targets } from "./targets";
import { checkDuration, isOpen, isTimestamp } from "./values";

export function checkState(context: Context, node: Node, targets: Targets): void {
    const place = Place.of(context.report, node);
    const { type, language } = node;
    if (type === undefined) {
        checkType(place);
        return;
    }
    checkLanguage(context, place);
    place.text("Comment");
    place.check(STATE_FIELDS[type], language);
    if (type !== "Choice" && type !== "Succeed" && type !== "Fail") {
        checkTransition(place, node, targets);
    }
    if (node.fields.Assign !== undefined && type !== "Succeed" && type !== "Fail") {
        checkAssign(place, node.fields.Assign, "Assign", language);
    }
    OWN[type]?.(place, node, targets, context);
    if (type === "Task" || type === "Parallel" || type === "Map") {
        checkRetry(place, node);
        checkCatch(place, node, targets);
        checkExpress(context, place, node);
    }
    if (language === "JSONPath") {
        checkPaths(place, node);
    } else {
        checkExpressions(context, place, node);
    }
}

function checkType(place: Place): void {
    const { Type: type } = place.fields;
    if (type === undefined) {
        place.inside("", "A state", place.fields).missing("Type");
        return;
    }
    const hint = typeof type === "string" ? `; did you mean "${nearest(type.slice(0, 40), STATE_TYPES)}"?` : "";
    place.add("wrong-value", "Type", `Type is ${show(type)}, expected one of ${STATE_TYPES.join(", ")}${hint}`);
}

function checkLanguage(context: Context, place: Place): void {
    const { QueryLanguage: language } = place.fields;
    if (language !== undefined && language !== "JSONata" && language !== "JSONPath") {
        place.wrong("QueryLanguage", '"JSONata" or "JSONPath"');
    } else if (language === "JSONPath" && context.graph.language === "JSONata") {
        place.add(
            "query-language",
            "QueryLanguage",
            "A state of a JSONata state machine cannot be JSONPath: AWS refuses the definition.",
        );
    }
}

function checkTransition(place: Place, node: Node, targets: Targets): void {
    const { Next: next, End: end } = node.fields;
    if (end !== undefined && typeof end !== "boolean") {
        place.wrong("End", "true");
    }
    if (next !== undefined && end === true) {
        place.add("next-or-end", "", "The state has Next and End: keep exactly one.");
    } else if (next === undefined && end !== true) {
        place.add("next-or-end", "", 'The state has neither Next nor "End": true: say where the execution goes on.');
    }
    if (next !== undefined) {
        targets.next(place, node.scope, next, "Next");
    }
}

type Check = (place: Place, node: Node, targets: Targets, context: Context) => void;

const OWN: { readonly [type in StateType]?: Check } = {
    Task: checkTask,
    Choice: checkChoice,
    Wait: checkWait,
    Fail: checkFail,
    Parallel: checkParallel,
    Map: checkMap,
};

function checkTask(place: Place, node: Node): void {
    const { TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = node.fields;
    const isJsonata = node.language === "JSONata";
    checkResource(place);
    checkDuration(place, "TimeoutSeconds", 1, isJsonata);
    checkDuration(place, "HeartbeatSeconds", 1, isJsonata);
    place.exclusive("TimeoutSeconds", "TimeoutSecondsPath");
    place.exclusive("HeartbeatSeconds", "HeartbeatSecondsPath");
    if (typeof heartbeat === "number" && typeof timeout === "number" && heartbeat >= timeout) {
        place.add(
            "time-limits",
            "HeartbeatSeconds",
            `HeartbeatSeconds (${heartbeat}) must be smaller than TimeoutSeconds (${timeout}).`,
        );
    }
    checkCredentials(place, node);
}

function checkWait(place: Place, node: Node): void {
    const isJsonata = node.language === "JSONata";
    const names = isJsonata ? ["Seconds", "Timestamp"] : ["Seconds", "Timestamp", "SecondsPath", "TimestampPath"];
    const given = names.filter((name) => node.fields[name] !== undefined);
    if (given.length !== 1) {
        const got = given.length === 0 ? "none" : given.join(" and ");
        place.add("wait-duration", "", `A Wait needs exactly one of ${names.join(", ")}, got ${got}.`);
    }
    checkDuration(place, "Seconds", 0, isJsonata);
    const time = node.fields.Timestamp;
    if (!isOpen(time, isJsonata) && !isTimestamp(time)) {
        place.wrong("Timestamp", 'a time such as "2026-01-31T12:00:00Z"');
    }
}

function checkFail(place: Place): void {
    place.exclusive("Error", "ErrorPath");
    place.exclusive("Cause", "CausePath");
    place.text("Error");
    place.text("Cause");
}

function checkParallel(place: Place, node: Node): void {
    const branches = node.fields.Branches;
    if (branches === undefined) {
        place.missing("Branches");
    } else if (!isReplaced(branches) && (!Array.isArray(branches) || branches.length === 0)) {
        place.wrong("Branches", "an array of at least one branch");
    }
    const list: readonly unknown[] = Array.isArray(branches) ? branches : [];
    list.forEach((branch, index) => {
        if (!isFields(branch)) {
            const got = show(branch);
            place.add(
                "wrong-value",
                `Branches/${index}`,
                `The branch is ${got}, expected an object with StartAt and States.`,
            );
        }
    });
}
