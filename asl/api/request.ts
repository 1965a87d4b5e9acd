/**
 * Requests held against the service's model, with AWS's messages: a value of the wrong type is a
 * SerializationException, every other problem is told in one ValidationException.
 */
import { ServiceError } from "./errors";
import { requestShape, shapeOf, type Shape } from "./model";

/** Checks a request. @throws ServiceError SerializationException or ValidationException, with AWS's text. */
export function checkRequest(operation: string, body: unknown): asserts body is Record<string, unknown> {
    const problems: string[] = [];
    check(requestShape(operation), body, "", problems);
    if (problems.length > 0) {
        const count = `${problems.length} validation error${problems.length === 1 ? "" : "s"} detected`;
        throw new ServiceError("ValidationException", `${count}: ${problems.join("; ")}`);
    }
}

/** A value of the shape's type whose constraints are still to be checked. */
function check(shape: Shape, value: unknown, at: string, problems: string[]): void {
    checkType(shape, value);
    const constraint = constraintOf(shape, value);
    if (constraint !== undefined) {
        problems.push(`Value '${shown(value)}' at '${at}' failed to satisfy constraint: ${constraint}`);
        return;
    }
    if (shape.type === "structure") {
        checkMembers(shape, value as Readonly<Record<string, unknown>>, at, problems);
    } else if (shape.type === "list") {
        const member = shapeOf(shape.member ?? "");
        (value as readonly unknown[]).forEach((item, index) =>
            check(member, item, `${at}.${index + 1}.member`, problems),
        );
    } else if (shape.type === "map") {
        const member = shapeOf(shape.value ?? "");
        Object.entries(value as object).forEach(([key, item]) => check(member, item, `${at}.${key}.member`, problems));
    }
}

function checkMembers(
    { members = {}, required = [] }: Shape,
    value: Readonly<Record<string, unknown>>,
    at: string,
    problems: string[],
): void {
    for (const [name, shape] of Object.entries(members)) {
        const given = value[name];
        const place = at === "" ? name : `${at}.${name}`;
        if (given !== undefined && given !== null) {
            check(shapeOf(shape), given, place, problems);
        } else if (required.includes(name)) {
            problems.push(`Value null at '${place}' failed to satisfy constraint: Member must not be null`);
        }
    }
}

/** What JSON has to be for each type, and what AWS calls it otherwise. */
const TYPES: Readonly<Record<Shape["type"], readonly [is: (value: unknown) => boolean, name: string]>> = {
    boolean: [(value) => typeof value === "boolean", "Boolean"],
    double: [(value) => typeof value === "number", "Double"],
    float: [(value) => typeof value === "number", "Float"],
    integer: [Number.isInteger, "Integer"],
    list: [Array.isArray, "Collection"],
    long: [Number.isInteger, "Long"],
    map: [isObject, "Map"],
    string: [(value) => typeof value === "string", "String"],
    structure: [isObject, "Structure"],
};

function isObject(value: unknown): boolean {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkType(shape: Shape, value: unknown): void {
    const [is, name] = TYPES[shape.type];
    if (is(value)) {
        return;
    }
    if (Array.isArray(value)) {
        throw new ServiceError(
            "SerializationException",
            "Unexpected list (or start of list) found where not expected.",
        );
    }
    if (isObject(value)) {
        const message = "Start of structure or map found where not expected.";
        throw new ServiceError("SerializationException", message);
    }
    const token =
        typeof value === "boolean" ? `${String(value).toUpperCase()}_VALUE` : `${typeof value}_VALUE`.toUpperCase();
    throw new ServiceError("SerializationException", `${token} can not be converted to ${aOrAn(name)}`);
}

function aOrAn(name: string): string {
    return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

/** The first constraint that a value breaks. */
function constraintOf(shape: Shape, value: unknown): string | undefined {
    const { min, max, pattern } = shape;
    if (shape.enum !== undefined && !shape.enum.includes(value as string)) {
        return `Member must satisfy enum value set: [${shape.enum.join(", ")}]`;
    }
    const size = sizeOf(shape, value);
    const what = typeof value === "number" ? "value" : "length";
    if (size !== undefined && max !== undefined && size > max) {
        return `Member must have ${what} less than or equal to ${max}`;
    }
    if (size !== undefined && min !== undefined && size < min) {
        return `Member must have ${what} greater than or equal to ${min}`;
    }
    if (pattern !== undefined && !new RegExp(pattern, "u").test(value as string)) {
        return `Member must satisfy regular expression pattern: ${pattern}`;
    }
    return undefined;
}

function sizeOf({ type }: Shape, value: unknown): number | undefined {
    if (type === "string") {
        return (value as string).length;
    }
    if (type === "list") {
        return (value as readonly unknown[]).length;
    }
    return typeof value === "number" ? value : undefined;
}

/** A value as AWS shows it: structures by their fields. */
function shown(value: unknown): string {
    if (Array.isArray(value)) {
        return `[${value.map(shown).join(", ")}]`;
    }
    if (isObject(value)) {
        return `{${Object.entries(value as object)
            .map(([name, item]) => `${name}=${shown(item)}`)
            .join(", ")}}`;
    }
    return String(value);
}
