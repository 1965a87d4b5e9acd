/** How structure rules report: at a state or at an object inside it, and values in words. */
import { closest } from "fastest-levenshtein";
import { namesOf, type Field, type Fields as KnownFields } from "../../fields";
import type { QueryLanguage } from "../../types";
import type { Reported, Reporter } from "../findings";
import { segment, type Fields } from "../definition";
import type { Node } from "../graph";
import { isReplaced } from "../placeholders";

/** Names longer than this are cut before the nearest one is looked for. */
export const LONGEST_NAME = 80;
const LONGEST_SHOWN = 120;

export const joinPath = (path: string, rest: string): string => {
    if (path === "" || rest === "") {
        return path + rest;
    }
    return `${path}/${rest}`;
};

/** A value for a message: short, on one line. */
export function show(value: unknown): string {
    if (value === undefined) {
        return "missing";
    }
    if (Array.isArray(value)) {
        return showArray(value);
    }
    if (typeof value === "object" && value !== null) {
        return Object.keys(value).length === 0 ? "an empty object" : "an object";
    }
    const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
    return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 3)}...` : text;
}

function showArray(value: readonly unknown[]): string {
    if (value.length === 0) {
        return "an empty array";
    }
    return value.length <= 4 && value.every((item) => typeof item === "string")
        ? `[${value.map((item) => show(item)).join(", ")}]`
        : `an array of ${value.length}`;
}

/** The nearest of some names to one that is wrong. */
export const nearest = (name: string, known: readonly string[]): string =>
    closest(name.slice(0, LONGEST_NAME), [...known]);

/** An object of the definition, as a place to report at. */
export class Place {
    constructor(
        private readonly report: Reporter,
        /** As in Finding.path. */
        readonly path: string,
        /** The state that it lies in. */
        readonly state: string | undefined,
        /** "A Task state" */
        readonly what: string,
        readonly fields: Fields,
    ) {}

    static of(report: Reporter, node: Node): Place {
        return new Place(report, node.path, node.name, `A ${node.type ?? "state"} state`, node.fields);
    }

    /** An object inside this one. */
    inside(sub: string, what: string, fields: Fields): Place {
        return new Place(this.report, joinPath(this.path, sub), this.state, what, fields);
    }

    add(rule: string, sub: string, message: string, more: Partial<Reported> = {}): void {
        this.report.add({ rule, path: joinPath(this.path, sub), state: this.state, message, ...more });
    }

    missing(field: string): void {
        this.add("missing-field", "", `${this.what} needs the field ${field}.`);
    }

    wrong(field: string, expected: string, rule = "wrong-value"): void {
        const name = field.split("/").at(-1) ?? field;
        this.add(rule, field, `${name} is ${show(this.fields[field])}, expected ${expected}.`);
    }

    unknown(field: string, known: readonly string[]): void {
        const name = field.slice(0, 100);
        this.add(
            "unknown-field",
            segment(field),
            `${this.what} has no field "${name}"; the nearest is "${nearest(field, known)}".`,
        );
    }

    /** Reports fields that the object does not have, and those of the other query language. */
    check(known: KnownFields, language: QueryLanguage): void {
        const other = language === "JSONata" ? "JSONPath" : "JSONata";
        for (const field of Object.keys(this.fields)) {
            const found = Object.hasOwn(known, field) ? known[field] : undefined;
            if (found === undefined) {
                this.unknown(field, [...namesOf(known, language)]);
            } else if (found.only === other) {
                this.add("query-language", field, `${field} ${foreign(other, language)}`);
            }
        }
    }

    exclusive(one: string, other: string): void {
        if (this.fields[one] !== undefined && this.fields[other] !== undefined) {
            this.add("exclusive-fields", other, `${this.what} has ${one} and ${other}: keep one.`);
        }
    }

    /** A field that takes one of the words that are known for it. */
    oneOf(field: string, { values = [] }: Field): void {
        const value = this.fields[field];
        const isOpen = isReplaced(value) || (typeof value === "string" && value.startsWith("{%"));
        if (value !== undefined && !isOpen && !(values as readonly unknown[]).includes(value)) {
            this.wrong(field, `one of ${values.map((known) => `"${known}"`).join(", ")}`);
        }
    }

    text(field: string): void {
        const value = this.fields[field];
        if (value !== undefined && typeof value !== "string") {
            this.wrong(field, "a text");
        }
    }
}

function foreign(other: QueryLanguage, language: QueryLanguage): string {
    const counterpart =
        language === "JSONata"
            ? "use Arguments, Output and Assign"
            : "use InputPath, Parameters, ResultSelector, ResultPath and OutputPath, or QueryLanguage JSONata";
    return `belongs to ${other}, but this state's query language is ${language}: ${counterpart}.`;
}
