/**
 * What a rule sees of a resource: plain data, in which a value that the engine does not know yet is an {@link Unknown}.
 *
 * The SDK hands rules a proxy that throws at the first touch of an unknown leaf, which ends a walk half-way and loses
 * every violation behind it. A snapshot makes the unknown an ordinary value, so a rule can judge what is known and name
 * what is not.
 */

/**
 * A value that is not known until the update; `path` says where it is, `cause` is what the SDK threw when it was read.
 */
export class Unknown {
    constructor(
        readonly path: string,
        readonly cause?: unknown,
    ) {}
}

/** A property value as a rule sees it. */
export type Fact = null | boolean | number | string | Unknown | readonly Fact[] | Facts;

/** An object of facts. */
export interface Facts {
    readonly [key: string]: Fact | undefined;
}

/** A resource as a rule sees it. */
export interface ResourceFacts {
    /** Type token, for example `aws:sfn/stateMachine:StateMachine`. */
    readonly type: string;
    /** The resource's Pulumi name. */
    readonly name: string;
    readonly urn: string;
    readonly props: Facts;
    /** Whether the engine refuses to delete the resource. */
    readonly protect: boolean;
    /** By property: the URNs of the resources that its value comes from. Only known to stack rules. */
    readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
}

export function isUnknown(value: unknown): value is Unknown {
    return value instanceof Unknown;
}

export function isFacts(value: unknown): value is Facts {
    return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown);
}

/**
 * Copies what the SDK hands over into facts.
 *
 * @param value any value, the SDK's proxies included
 * @param path where the value is, for {@link Unknown.path}
 */
export function snapshot(value: unknown, path = ""): Fact {
    if (value === null || value === undefined) {
        return null;
    }
    if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") {
        return value;
    }
    if (value instanceof Unknown) {
        return value;
    }
    if (typeof value !== "object") {
        return null;
    }
    if (Array.isArray(value)) {
        return Array.from({ length: value.length }, (_, index) =>
            read(value as unknown as Record<string, unknown>, String(index), path),
        );
    }
    return snapshotObject(value as Record<string, unknown>, path);
}

/** As {@link snapshot}, for a resource's properties: anything but an object yields no properties at all. */
export function snapshotObject(value: unknown, path = ""): Facts {
    const facts: Record<string, Fact> = {};
    if (typeof value !== "object" || value === null) {
        return facts;
    }
    for (const key of Object.keys(value)) {
        // A defined property, and never an assignment: "__proto__" is a key like any other here.
        Object.defineProperty(facts, key, {
            value: read(value as Record<string, unknown>, key, path),
            enumerable: true,
            configurable: true,
            writable: true,
        });
    }
    return facts;
}

function read(holder: Record<string, unknown>, key: string, path: string): Fact {
    const here = path === "" ? key : `${path}.${key}`;
    let value: unknown;
    try {
        value = holder[key];
    } catch (error) {
        return new Unknown(here, error);
    }
    return snapshot(value, here);
}

/**
 * Reads a property by a dotted path (`tracingConfiguration.enabled`, `rules.0.apply`).
 * Below an unknown value everything is that unknown; below anything that holds no such key it is `undefined`.
 */
export function get(facts: Fact | undefined, path: string): Fact | undefined {
    let current: Fact | undefined = facts;
    for (const key of path.split(".")) {
        if (isUnknown(current) || current === null || current === undefined) {
            break;
        }
        if (Array.isArray(current)) {
            current = (current as readonly Fact[])[Number(key)];
        } else if (isFacts(current) && Object.hasOwn(current, key)) {
            current = current[key];
        } else {
            return undefined;
        }
    }
    return current === null ? undefined : current;
}

/** A list of facts: a list is itself, a missing value is empty, anything else is a list of one. */
export function list(value: Fact | undefined): readonly Fact[] {
    if (value === undefined || value === null) {
        return [];
    }
    return Array.isArray(value) ? (value as readonly Fact[]) : [value as Fact];
}

/** The strings in a list of facts; other values are left out. */
export function strings(value: Fact | undefined): string[] {
    return list(value).filter((item): item is string => typeof item === "string");
}

/** The first unknown at or below a value, if there is one. */
export function firstUnknown(value: Fact | undefined): Unknown | undefined {
    const pending: (Fact | undefined)[] = [value];
    while (pending.length > 0) {
        const item = pending.pop();
        if (isUnknown(item)) {
            return item;
        }
        if (Array.isArray(item)) {
            pending.push(...[...(item as readonly Fact[])].reverse());
        } else if (isFacts(item)) {
            pending.push(...Object.values(item).reverse());
        }
    }
    return undefined;
}

/** A property that AWS takes as JSON text: the text's content, or the object where the provider takes that too. */
export function parseJson(value: Fact | undefined): { readonly value: Fact } | { readonly problem: string } {
    if (typeof value !== "string") {
        return value === undefined || value === null ? { problem: "is missing" } : { value };
    }
    try {
        return { value: snapshot(JSON.parse(value)) };
    } catch (error) {
        // V8's message quotes the text, which may be a secret; the position alone says enough.
        const position = /position (\d+)/.exec(String((error as Error).message))?.[1];
        return { problem: `is not JSON${position === undefined ? "" : ` (at character ${position})`}` };
    }
}

/** A value for a message: scalars as they are, at most 80 characters, the rest by kind. */
export function show(value: Fact | undefined): string {
    if (value === undefined || value === null) {
        return "nothing";
    }
    if (isUnknown(value)) {
        return "a value that is not known yet";
    }
    if (Array.isArray(value)) {
        return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
    }
    if (typeof value === "object") {
        return "an object";
    }
    const text = typeof value === "string" ? JSON.stringify(value) : String(value);
    return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
