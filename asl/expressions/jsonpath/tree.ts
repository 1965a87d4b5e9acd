/** The syntax tree of a JSONPath, and what evaluating one can end in. */
import type { JsonValue } from "../../types";

/** A path below its root. */
export interface PathTree {
    /** "$" the document, "@" the item that a filter looks at. */
    readonly root: "$" | "@";
    readonly tokens: readonly Token[];
    /** Whether the path gives one value; else it gives the list of its matches. */
    readonly definite: boolean;
}

/** One step of a path. */
export type Token =
    | { readonly kind: "names"; readonly names: readonly string[] }
    | { readonly kind: "indices"; readonly indices: readonly number[] }
    | { readonly kind: "slice"; readonly from: number | undefined; readonly to: number | undefined }
    | { readonly kind: "wildcard" }
    /** `..`: what follows is looked for at every depth. */
    | { readonly kind: "scan" }
    | { readonly kind: "filter"; readonly test: Test }
    | { readonly kind: "function"; readonly name: string; readonly parameters: readonly Parameter[] };

/** An argument of a function: a path from the document's root, or a JSON value. */
export type Parameter = { readonly path: PathTree } | { readonly value: JsonValue };

/** A filter's condition. */
export type Test =
    | { readonly kind: "or" | "and"; readonly tests: readonly Test[] }
    | { readonly kind: "not"; readonly test: Test }
    | { readonly kind: "exists"; readonly path: PathTree; readonly wanted: boolean }
    | { readonly kind: "compare"; readonly left: Operand; readonly operator: Operator; readonly right: Operand };

/** What stands beside an operator. */
export type Operand =
    | { readonly kind: "path"; readonly path: PathTree }
    | { readonly kind: "literal"; readonly value: string | number | boolean | null }
    /** A list or object, written out. */
    | { readonly kind: "json"; readonly value: JsonValue }
    | { readonly kind: "pattern"; readonly pattern: RegExp };

export const OPERATORS = [
    ">=",
    "<=",
    "==",
    "===",
    "!=",
    "!==",
    "<",
    ">",
    "=~",
    "nin",
    "in",
    "contains",
    "all",
    "size",
    "exists",
    "type",
    "matches",
    "empty",
    "subsetof",
    "anyof",
    "noneof",
] as const;

export type Operator = (typeof OPERATORS)[number];

/** A path leads nowhere, or is applied to a value that it cannot be applied to; a filter then lets the item go. */
export class NoMatch extends Error {
    constructor(
        message: string,
        /** Whether it leads nowhere, which in a filter makes a value undefined. */
        readonly missing: boolean,
    ) {
        super(message);
    }
}

/** Whether a token gives at most one value of what it is applied to. */
export function isDefinite(token: Token, isLast: boolean): boolean {
    switch (token.kind) {
        case "names":
            return isLast || token.names.length === 1;
        case "indices":
            return token.indices.length === 1;
        case "function":
            return true;
        default:
            return false;
    }
}
