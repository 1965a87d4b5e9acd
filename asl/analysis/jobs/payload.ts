/** A call's payload against the model of the call: fields, types, lengths, bounds, patterns, words. */
import { closest } from "fastest-levenshtein";
import type { Context } from "../context";
import { isFields, segment, type Fields } from "../definition";
import type { Reported } from "../findings";
import { expressionIn, leaves } from "../expressions";
import type { Node } from "../graph";
import { limited, relationsOf, type Integration, type Service, type Shape } from "../models";
import type { Relation } from "../models/limits";
import { isReplaced } from "../placeholders";
import { show } from "../structure";
import { constant, isNothing, kinds, only, present, type NumberRange, type TextSet, type Value } from "../values";
import type { Variables } from "../variables";
import { LIMITED_NAMES } from "./names";
import { pathValue, payloadField, payloadOf, valueOf } from "./values";

/** Fields that the service takes as a text, and Step Functions as any JSON value. */
const FREE_JSON = new Set([
    "lambda Payload",
    "lambda ClientContext",
    "sns Message",
    "sqs MessageBody",
    "events Detail",
    "states Input",
]);
const WAITS = new Set(["lambda", "sns", "sqs", "ecs", "events", "states"]);
const SYNCS = new Set(["batch", "sagemaker", "ecs", "glue", "states"]);
/** Names are cut before the nearest is looked for. */
const LONGEST_NAME = 80;
/** Texts longer than this are not held against patterns. */
const LONGEST_MATCHED = 1024;

export class PayloadCheck {
    private readonly field: string;
    private readonly isPath: boolean;
    private readonly call: string;

    constructor(
        private readonly context: Context,
        private readonly variables: Variables,
        private readonly node: Node,
        private readonly integration: Integration,
        private readonly service: Service,
    ) {
        this.field = payloadField(node);
        this.isPath = node.language === "JSONPath";
        this.call = `${integration.service}:${integration.operation}`;
    }

    check(): void {
        const { service: name, operation, pattern } = this.integration;
        const input = this.service.calls.get(operation);
        if (input === undefined) {
            const nearest = closest(operation.slice(0, LONGEST_NAME), [...this.service.calls.keys()]);
            const message = `Step Functions has no optimised call ${this.call}; the nearest is ${name}:${nearest}.`;
            this.add("api-call", "Resource", message);
            return;
        }
        if (!isSupported(name, pattern)) {
            this.add("api-call", "Resource", `${this.call} cannot be called with ".${pattern}".`);
        }
        const payload = payloadOf(this.node);
        if (pattern === "waitForTaskToken" && !sendsToken(payload)) {
            this.add(
                "task-token",
                this.field,
                "The Task waits for its token to come back, but does not send it ($states.context.Task.Token or " +
                    "$$.Task.Token): it waits for ever.",
            );
        }
        if (isFields(payload)) {
            this.value(payload, input, this.field);
        } else if (payload === undefined) {
            this.required({}, input, this.field);
        }
    }

    private add(rule: string, sub: string, message: string, more: Partial<Reported> = {}): void {
        this.context.report.add({ rule, path: `${this.node.path}/${sub}`, state: this.node.name, message, ...more });
    }

    private wrong(path: string, message: string, more: Partial<Reported> = {}): void {
        this.add("api-value", path, `${last(path)} ${message}`, more);
    }

    /** Recursion follows the models' shapes, and payloads are at most 200 deep. */
    private value(
        value: unknown,
        name: string,
        path: string,
        member = "",
        shape = this.service.shapes.get(name),
    ): void {
        const isFree = FREE_JSON.has(`${this.integration.service} ${member}`);
        if (shape === undefined || isFree || isReplaced(value)) {
            return;
        }
        const code = this.isPath ? undefined : expressionIn(value);
        if (code !== undefined) {
            this.set(valueOf(this.context, this.variables, this.node, value), shape, path, member);
        } else if (shape.type === "structure" && isFields(value)) {
            this.structure(value, name, shape, path);
        } else if (shape.type === "map" && isFields(value)) {
            this.map(value, shape, path, member);
        } else if (shape.type === "list" && Array.isArray(value)) {
            this.list(value, shape, path);
        } else {
            this.set(constant(value), shape, path, member);
        }
    }

    private structure(value: Fields, structure: string, shape: Shape, path: string): void {
        const members = new Map(Object.entries(shape.members ?? {}));
        for (const [key, given] of Object.entries(value)) {
            const isDynamic = this.isDynamic(key);
            const name = isDynamic ? key.slice(0, -2) : key;
            const at = `${path}/${segment(key)}`;
            const inner = members.get(name);
            const known = inner === undefined ? undefined : this.service.shapes.get(inner);
            if (inner === undefined) {
                this.unknown(at, name, [...members.keys()]);
            } else if (known !== undefined) {
                const bounded = limited(this.integration.service, structure, name, known);
                this.member(given, { name, inner, shape: bounded, isDynamic }, at);
            }
        }
        this.required(value, structure, path);
        for (const relation of relationsOf(this.integration.service, structure)) {
            this.relation(value, relation, path);
        }
    }

    private member(given: unknown, { name, inner, shape, isDynamic }: Member, path: string): void {
        if (!isDynamic) {
            this.value(given, inner, path, name, shape);
        } else if (typeof given === "string" && !FREE_JSON.has(`${this.integration.service} ${name}`)) {
            this.set(pathValue(given), shape, path, name);
        }
    }

    private map(value: Fields, shape: Shape, path: string, member: string): void {
        const inner = this.service.shapes.get(shape.value ?? "");
        if (inner === undefined || member === "HyperParameters") {
            return;
        }
        for (const [key, given] of Object.entries(value)) {
            const isDynamic = this.isDynamic(key);
            const name = isDynamic ? key.slice(0, -2) : key;
            this.member(given, { name, inner: shape.value ?? "", shape: inner, isDynamic }, `${path}/${segment(key)}`);
        }
    }

    private list(value: readonly unknown[], shape: Shape, path: string): void {
        const { max = Infinity, min = 0 } = shape;
        if (value.length > max || value.length < min) {
            this.wrong(path, `has ${value.length} items; ${this.integration.service} takes ${inBounds(shape)}.`);
        }
        value.forEach((item, index) => this.value(item, shape.member ?? "", `${path}/${index}`));
    }

    private readonly isDynamic = (key: string): boolean => this.isPath && key.endsWith(".$");

    private unknown(path: string, name: string, known: readonly string[]): void {
        const cut = name.slice(0, LONGEST_NAME);
        const hint = known.length === 0 ? "." : `; the nearest is "${closest(cut, [...known])}".`;
        this.add("api-unknown-field", path, `${this.call} has no field "${cut}" here${hint}`);
    }

    private required(given: Fields, structure: string, path: string): void {
        for (const name of this.service.shapes.get(structure)?.required ?? []) {
            if (!has(given, name)) {
                this.add("api-missing-field", path, `${this.call} needs ${name} here.`);
            }
        }
    }

    private relation(given: Fields, { field, needs = [], excludes = [], instead }: Relation, path: string): void {
        if (!has(given, field)) {
            return;
        }
        for (const name of needs.filter((needed) => !has(given, needed))) {
            this.add("api-missing-field", path, `${this.call} needs ${name} beside ${field}.`);
        }
        for (const name of excludes.filter((other) => has(given, other))) {
            this.add("api-value", path, `${this.call} takes ${field} or ${name}, not both.`);
        }
        if (instead !== undefined) {
            const message = `is deprecated, and not every kind of job takes it: use ${instead}.`;
            this.wrong(`${path}/${field}`, message, { severity: "warning", consequence: "advice" });
        }
    }

    private set(value: Value, shape: Shape, path: string, member: string): void {
        const known = present(value);
        if (isNothing(known)) {
            return;
        }
        const wanted = wantedKinds(shape);
        if (wanted !== undefined && !kinds(known).some((kind) => wanted.includes(kind))) {
            this.wrong(path, `is ${kinds(known).join(" or ")}, expected ${inWords(shape)}.`);
            return;
        }
        if (known.text !== undefined && only(known, "text") && shape.type === "string") {
            this.text(known.text, shape, path, member);
        }
        if (known.number !== undefined && only(known, "number")) {
            this.number(known.number, shape, path);
        }
    }

    private text(set: TextSet, shape: Shape, path: string, member: string): void {
        const { enum: words, max = Infinity, min = 0 } = shape;
        const values = set.values?.filter((value) => !isReplaced(value)) ?? [];
        const isName = LIMITED_NAMES.has(`${this.integration.service} ${member}`);
        if (words !== undefined) {
            this.word(values, words, path);
        } else if (!isName && (set.min > max || (set.max > max && set.max < Infinity))) {
            const most = set.max < Infinity ? set.max : set.min;
            this.wrong(path, `may have ${most} characters; ${this.integration.service} takes at most ${max}.`);
        } else if (!isName && set.max < min) {
            this.wrong(path, `is too short: ${this.integration.service} wants at least ${min} characters.`);
        } else {
            const unmatched = values.find((value) => !matches(value, shape.pattern));
            if (unmatched !== undefined) {
                this.wrong(
                    path,
                    `may be ${show(unmatched)}; ${this.integration.service} takes ${shape.pattern ?? ""} only.`,
                );
            }
        }
    }

    /** A type of instance of a family that is not known may be newer than the list. */
    private word(values: readonly string[], words: readonly string[], path: string): void {
        const wrong = values.find((value) => !words.includes(value));
        if (wrong === undefined) {
            return;
        }
        const family = /^ml\.[a-z0-9-]+\./.exec(wrong)?.[0];
        const isNewer = family !== undefined && !words.some((word) => word.startsWith(family));
        const nearest = closest(wrong.slice(0, LONGEST_NAME), [...words]);
        const some = words.length > 12 ? `${words.slice(0, 12).join(", ")} or others` : words.join(", ");
        this.wrong(
            path,
            `may be ${show(wrong)}, expected one of ${some}; the nearest is "${nearest}".`,
            isNewer ? { severity: "warning" } : {},
        );
    }

    private number({ lo, hi }: NumberRange, shape: Shape, path: string): void {
        const { max = Infinity, min = -Infinity } = shape;
        if (!NUMBERS.has(shape.type) || (lo <= max && hi >= min)) {
            return;
        }
        const given = lo === hi ? String(lo) : `${lo} to ${hi}`;
        this.wrong(path, `is ${given}; ${this.integration.service} takes ${inBounds(shape)}.`);
    }
}

interface Member {
    readonly name: string;
    /** The name of its shape. */
    readonly inner: string;
    readonly shape: Shape;
    /** Is it written with ".$"? */
    readonly isDynamic: boolean;
}

const NUMBERS = new Set(["integer", "long", "float", "double"]);

const has = (given: Fields, name: string): boolean => given[name] !== undefined || given[`${name}.$`] !== undefined;

const last = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function isSupported(service: string, pattern: string): boolean {
    switch (pattern) {
        case "":
            return true;
        case "waitForTaskToken":
            return WAITS.has(service);
        case "sync":
            return SYNCS.has(service);
        default:
            return pattern === "sync:2" && service === "states";
    }
}

const sendsToken = (payload: unknown): boolean =>
    leaves(payload).some(
        ({ value }) => typeof value === "string" && (value.includes("Task.Token") || isReplaced(value)),
    );

/** Bounds in words: "2 to 10000", "at least 60". */
function inBounds({ min, max }: Shape): string {
    if (min === undefined) {
        return `at most ${max}`;
    }
    return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

function inWords({ type }: Shape): string {
    return type === "structure" || type === "map" ? "an object" : `a ${type}`;
}

const patterns = new Map<string, RegExp | undefined>();

/** Does the text match the whole pattern? One that JavaScript cannot read matches everything. */
function matches(value: string, pattern: string | undefined): boolean {
    if (pattern === undefined || value.length > LONGEST_MATCHED) {
        return true;
    }
    if (!patterns.has(pattern)) {
        patterns.set(pattern, compiled(pattern));
    }
    return patterns.get(pattern)?.test(value) ?? true;
}

function compiled(pattern: string): RegExp | undefined {
    const source = pattern.replace(/\\p\{Alnum\}/g, "A-Za-z0-9");
    try {
        return new RegExp(`^(?:${source})$`, "u");
    } catch {
        return undefined;
    }
}

/** Kinds that a shape accepts; numbers and booleans as texts are left alone, since Step Functions converts some. */
function wantedKinds(shape: Shape): readonly string[] | undefined {
    switch (shape.type) {
        case "structure":
        case "map":
            return ["object"];
        case "list":
            return ["array"];
        case "string":
            return ["text"];
        case "integer":
        case "long":
        case "float":
        case "double":
            return ["number", "text"];
        case "boolean":
            return ["boolean", "text"];
        default:
            return undefined;
    }
}
