/**
 * Evaluates a path as Jayway's library does. What it makes of a missing name, which is easy to get wrong: a name that
 * only other definite steps precede must be there, also in an indefinite path (`$.missing[*]` fails), while behind a
 * wildcard, slice, filter or scan whatever is missing is left out. An index outside its list is always left out.
 */
import type { JsonObject, JsonValue } from "../../types";
import { isObject, setKey } from "../json";
import { accepts } from "./filter";
import { call } from "./functions";
import { valueAt, type Place } from "./place";
import { isDefinite, NoMatch, type PathTree, type Token } from "./tree";

/** Visits of one evaluation; `$..*..*..*` on a deep document would go on for days. */
const MOST_VISITS = 1_000_000;

/**
 * The value of a definite path, the list of matches of another.
 * @throws NoMatch where a definite path leads nowhere or a step cannot be applied, Error where a function fails.
 */
export function evaluatePath(tree: PathTree, document: JsonValue): JsonValue {
    const budget = { left: MOST_VISITS };
    return valueAt(tree, { document, item: document, budget, strict: false, matchesOf });
}

function matchesOf(tree: PathTree, place: Place, start: JsonValue): JsonValue[] {
    const walk = new Walk(tree.tokens, place);
    walk.visit(start, 0, true);
    return walk.found;
}

class Walk {
    readonly found: JsonValue[] = [];

    constructor(
        private readonly tokens: readonly Token[],
        private readonly place: Place,
    ) {}

    /** @param certain whether only definite steps precede. */
    visit(value: JsonValue, index: number, certain: boolean): void {
        this.place.budget.left -= 1;
        if (this.place.budget.left < 0) {
            throw new Error(`a path visits more than ${MOST_VISITS} values`);
        }
        const token = this.tokens[index];
        if (token === undefined) {
            this.found.push(value);
            return;
        }
        const after = certain && isDefinite(token, index === this.tokens.length - 1);
        const next = (child: JsonValue): void => this.visit(child, index + 1, after);
        switch (token.kind) {
            case "names":
                this.names(value, token.names, index, certain, next);
                break;
            case "indices":
            case "slice":
                this.elements(value, token, certain, next);
                break;
            case "wildcard":
                this.children(value, next);
                break;
            case "scan":
                this.scan(value, index + 1);
                break;
            case "filter":
                this.filter(value, token, certain, next);
                break;
            default:
                next(call(token, value, this.place));
        }
    }

    /** An item of a list from which the rest of the path leads nowhere is left out. */
    private children(value: JsonValue, next: (child: JsonValue) => void): void {
        for (const child of childrenOf(value)) {
            try {
                next(child);
            } catch (error) {
                const isLeft = error instanceof NoMatch && error.missing && Array.isArray(value);
                if (!isLeft || this.place.strict) {
                    throw error;
                }
            }
        }
    }

    private names(
        value: JsonValue,
        names: readonly string[],
        index: number,
        certain: boolean,
        next: (child: JsonValue) => void,
    ): void {
        if (!isObject(value)) {
            if (certain) {
                throw new NoMatch(`an object with ${JSON.stringify(names)} is expected`, true);
            }
            return;
        }
        const isLast = index === this.tokens.length - 1;
        if (isLast && names.length > 1) {
            next(this.picked(value, names));
            return;
        }
        for (const name of names) {
            const child = Object.hasOwn(value, name) ? value[name] : undefined;
            if (child !== undefined) {
                next(child);
            } else if (this.place.strict || (certain && !isLast && names.length === 1)) {
                throw new NoMatch(`missing ${JSON.stringify(name)}`, true);
            }
        }
    }

    /** Several names at the end of a path: an object of those that are there. */
    private picked(value: JsonObject, names: readonly string[]): JsonObject {
        const picked: JsonObject = {};
        for (const name of names) {
            const child = Object.hasOwn(value, name) ? value[name] : undefined;
            if (child !== undefined) {
                setKey(picked, name, child);
            } else if (this.place.strict) {
                throw new NoMatch(`missing ${JSON.stringify(name)}`, true);
            }
        }
        return picked;
    }

    private elements(
        value: JsonValue,
        token: Token & { readonly kind: "indices" | "slice" },
        certain: boolean,
        next: (child: JsonValue) => void,
    ): void {
        if (!Array.isArray(value)) {
            if (certain) {
                throw new NoMatch("a list is expected", true);
            }
            return;
        }
        const indices = token.kind === "indices" ? token.indices : sliceOf(token, value.length);
        for (const index of indices) {
            const child = value[index < 0 ? value.length + index : index];
            if (child !== undefined) {
                next(child);
            }
        }
    }

    private filter(
        value: JsonValue,
        { test }: Token & { readonly kind: "filter" },
        certain: boolean,
        next: (child: JsonValue) => void,
    ): void {
        if (isObject(value)) {
            if (accepts(test, value, this.place)) {
                next(value);
            }
        } else if (Array.isArray(value)) {
            value.filter((item) => accepts(test, item, this.place)).forEach(next);
        } else if (certain) {
            throw new NoMatch("a filter cannot be applied to a single value", false);
        }
    }

    /** The step at `index`, at every depth of the value: an object or list comes before what is in it. */
    private scan(value: JsonValue, index: number): void {
        if (typeof value !== "object" || value === null) {
            return;
        }
        if (this.isScanned(value, this.tokens[index] as Token, index)) {
            this.visit(value, index, false);
        }
        for (const child of childrenOf(value)) {
            this.place.budget.left -= 1;
            this.scan(child, index);
        }
    }

    private isScanned(value: JsonObject | JsonValue[], token: Token, index: number): boolean {
        switch (token.kind) {
            case "names":
                return isObject(value) && this.mayHave(value, token.names, index);
            case "indices":
            case "slice":
                return Array.isArray(value);
            case "filter":
                // A list is filtered only where it satisfies the condition itself; its items are met one by one.
                return accepts(token.test, value, this.place);
            default:
                return token.kind === "wildcard";
        }
    }

    /** Several names with more behind them are looked for one by one, others must all be there. */
    private mayHave(value: JsonObject, names: readonly string[], index: number): boolean {
        const isLast = index === this.tokens.length - 1;
        return (!isLast && names.length > 1) || names.every((name) => Object.hasOwn(value, name));
    }
}

function childrenOf(value: JsonValue): readonly JsonValue[] {
    if (Array.isArray(value)) {
        return value;
    }
    return isObject(value) ? Object.values(value) : [];
}

/** From a negative start counts from the end; with both ends given, a negative end is before all (as Jayway has it). */
function sliceOf({ from, to }: { readonly from: number | undefined; readonly to: number | undefined }, length: number) {
    const indices: number[] = [];
    const start = startOf(from, to, length);
    const end = endOf(from, to, length);
    for (let index = start; index < end; index += 1) {
        indices.push(index);
    }
    return indices;
}

function startOf(from: number | undefined, to: number | undefined, length: number): number {
    if (from === undefined) {
        return 0;
    }
    return to === undefined && from < 0 ? Math.max(0, length + from) : from;
}

function endOf(from: number | undefined, to: number | undefined, length: number): number {
    if (to === undefined) {
        return length;
    }
    return Math.min(length, from === undefined && to < 0 ? length + to : to);
}
