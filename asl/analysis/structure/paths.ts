/** JSONPath: where paths, payload templates and calls of intrinsic functions stand, and that each is well formed. */
import { STATE_FIELDS } from "../../fields";
import type { Node } from "../graph";
import { INTRINSICS, parseIntrinsic, parsePath } from "../paths";
import { isReplaced } from "../placeholders";
import { templateLeaves } from "../templates";
import { joinPath, nearest, show, type Place } from "./report";

/** Fields that hold a path. */
const PATH_FIELDS = [
    ...["ItemsPath", "SecondsPath", "TimestampPath", "TimeoutSecondsPath", "HeartbeatSecondsPath"],
    ...["MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath"],
];
/** Fields that hold a path, or null for nothing. */
const NULLABLE_PATH_FIELDS = ["InputPath", "OutputPath"];
/** Fields in which a key that ends in ".$" holds a path or a call. */
const TEMPLATE_FIELDS = [
    ...["Parameters", "ResultSelector", "ItemSelector", "Credentials", "ItemReader", "ResultWriter", "ItemBatcher"],
];

const lastPart = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export function checkPaths(place: Place, node: Node): void {
    const { fields, type } = node;
    const own = type === undefined ? {} : STATE_FIELDS[type];
    for (const field of NULLABLE_PATH_FIELDS) {
        if (fields[field] !== undefined && fields[field] !== null) {
            checkPath(place, fields[field], field);
        }
    }
    if (Object.hasOwn(own, "ResultPath") && fields.ResultPath !== undefined && fields.ResultPath !== null) {
        checkReferencePath(place, fields.ResultPath, "ResultPath");
    }
    for (const field of PATH_FIELDS.filter((name) => Object.hasOwn(own, name))) {
        if (fields[field] !== undefined) {
            checkPath(place, fields[field], field);
        }
    }
    if (type === "Fail") {
        checkPathOrCall(place, fields.ErrorPath, "ErrorPath");
        checkPathOrCall(place, fields.CausePath, "CausePath");
    }
    for (const field of TEMPLATE_FIELDS) {
        if (fields[field] !== undefined) {
            checkTemplate(place, fields[field], field);
        }
    }
}

function checkPathOrCall(place: Place, value: unknown, path: string): void {
    if (typeof value === "string" && value.startsWith("States.")) {
        checkIntrinsic(place, value, path);
    } else if (value !== undefined) {
        checkPath(place, value, path);
    }
}

/** A payload template: a field whose name ends in ".$" holds a path or a call, and has its name for itself. */
export function checkTemplate(place: Place, template: unknown, path: string): void {
    for (const leaf of templateLeaves(template)) {
        const where = joinPath(path, leaf.path);
        if (leaf.hasTwin) {
            const name = leaf.key.slice(0, -2);
            place.add(
                "payload-template",
                where,
                `"${name}" and "${leaf.key}" stand side by side, and both make the field "${name}": keep one.`,
            );
        }
        if (typeof leaf.value !== "string") {
            const got = show(leaf.value);
            place.add("payload-template", where, `A field whose name ends in ".$" holds a path or a call, got ${got}.`);
        } else if (leaf.value.startsWith("$") || isReplaced(leaf.value)) {
            checkPath(place, leaf.value, where);
        } else {
            checkIntrinsic(place, leaf.value, where);
        }
    }
}

function checkIntrinsic(place: Place, text: string, path: string): void {
    const call = parseIntrinsic(text);
    if (typeof call !== "string") {
        return;
    }
    const name = /^[\w.]+/.exec(text)?.[0] ?? "";
    const hint =
        name.startsWith("States") && !Object.hasOwn(INTRINSICS, name)
            ? ` The nearest is ${nearest(name, Object.keys(INTRINSICS))}.`
            : "";
    place.add(
        "intrinsic-function",
        path,
        `${show(text)} is neither a path nor a call of an intrinsic function: ${call}.${hint}`,
    );
}

export function checkPath(place: Place, value: unknown, path: string): void {
    if (isReplaced(value)) {
        return;
    }
    if (typeof value !== "string") {
        place.add("json-path", path, `${lastPart(path)} is ${show(value)}, expected a path such as "$.field".`);
        return;
    }
    const parsed = parsePath(value);
    if (typeof parsed === "string") {
        place.add("json-path", path, `${show(value)} is no JSONPath: ${parsed}.`);
    }
}

/** A path that names one place in the input, where something may be written. */
export function checkReferencePath(place: Place, value: unknown, path: string): void {
    if (isReplaced(value)) {
        return;
    }
    const wrong = whyNoReference(value, path);
    if (wrong !== undefined) {
        place.add("json-path", path, wrong);
    }
}

function whyNoReference(value: unknown, path: string): string | undefined {
    if (typeof value !== "string") {
        return `${lastPart(path)} is ${show(value)}, expected a reference path such as "$.field", or null.`;
    }
    const parsed = parsePath(value);
    if (typeof parsed === "string") {
        return `${show(value)} is no reference path: ${parsed}.`;
    }
    if (!parsed.definite) {
        const one = 'it must name one place, without wildcards, slices, filters or ".."';
        return `${show(value)} is no reference path: ${one}.`;
    }
    return parsed.root === "input"
        ? undefined
        : `${show(value)} cannot be written: a ResultPath begins with "$." or is "$".`;
}
