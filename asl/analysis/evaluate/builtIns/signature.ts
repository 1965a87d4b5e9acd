/** What a built-in function takes and gives. */
import { elementOf, only, type Kind, type Value } from "../../values";
import { ALL_KINDS, describeKinds, KIND_NAMES } from "../truth";

export type Risk = (reason: string) => void;

export type Allowed =
    | "any"
    | "text"
    | "number"
    | "numbers"
    | "texts"
    | "object"
    | "array"
    | "boolean"
    | "function"
    | "text or function"
    | "scalar"
    | "object or array";

export interface BuiltIn {
    readonly takes: readonly Allowed[];
    /** How many arguments it needs at least. */
    readonly least: number;
    /** A first argument without a value gives no value instead of an error. */
    readonly missingFine?: boolean;
    readonly result: (values: readonly Value[], risk: Risk) => Value;
}

/** Most functions give no value for a first argument without one. */
export const takesMissing = (takes: readonly Allowed[], least: number, result: BuiltIn["result"]): BuiltIn => ({
    takes,
    least,
    missingFine: true,
    result,
});

export const takes = (allowed: readonly Allowed[], least: number, result: BuiltIn["result"]): BuiltIn => ({
    takes: allowed,
    least,
    result,
});

/** The one value that a function gives, which may fail for a reason that no set tells. */
export const uncertain =
    (why: string, value: Value): BuiltIn["result"] =>
    (_, risk) => {
        risk(why);
        return value;
    };

const KINDS: { readonly [allowed in Allowed]: readonly Kind[] } = {
    "any": ["null", "boolean", "number", "text", "array", "object", "function"],
    "array": ["null", "boolean", "number", "text", "array", "object", "function"],
    "text": ["text"],
    "number": ["number"],
    "object": ["object"],
    "boolean": ["boolean"],
    "function": ["function"],
    "text or function": ["text", "function"],
    "scalar": ["text", "number", "boolean"],
    "object or array": ["object", "array"],
    "numbers": ["number", "array"],
    "texts": ["text", "array"],
};

function fits(value: Value, allowed: Allowed, isMissingFine: boolean): boolean {
    if (allowed === "array" || allowed === "any") {
        return true;
    }
    const extra: readonly Kind[] = isMissingFine ? ["missing"] : [];
    if (!only(value, ...KINDS[allowed], ...extra)) {
        return false;
    }
    const isOfOneKind = value.array !== undefined && (allowed === "numbers" || allowed === "texts");
    return !isOfOneKind || only(elementOf(value.array), allowed === "numbers" ? "number" : "text");
}

/** Tells what arguments do not fit; false when there are too few or too many of them. */
export function checkArguments(name: string, builtIn: BuiltIn, values: readonly Value[], risk: Risk): boolean {
    const { takes: allowed, least } = builtIn;
    if (values.length < least || values.length > allowed.length) {
        // A leading "-" in JSONata's signature takes the context for a missing first argument.
        const wanted = least === allowed.length ? `${least}` : `${least} to ${allowed.length}`;
        risk(`$${name} takes ${wanted} arguments, got ${values.length}`);
        return false;
    }
    values.forEach((value, index) => {
        const one = allowed[index] ?? "any";
        const isMissingFine = index >= least || builtIn.missingFine === true;
        if (!fits(value, one, isMissingFine)) {
            const wrong = ALL_KINDS.filter((kind) => kind !== "missing" || !isMissingFine);
            const found = describeKinds(
                value,
                wrong.filter((kind) => !KINDS[one].includes(kind)),
            );
            risk(`argument ${index + 1} of $${name} may be ${found}, expected ${inWords(one)}`);
        }
    });
    return true;
}

function inWords(allowed: Allowed): string {
    return allowed === "numbers" || allowed === "texts"
        ? allowed
        : KINDS[allowed].map((kind) => KIND_NAMES[kind]).join(" or ");
}
