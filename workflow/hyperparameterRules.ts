/**
 * What a hyperparameter may be: by itself, and beside the others of its model. The trainings hold their values against
 * the same rules, read from schema.json.
 */
import { present } from "../ground/fields";
import type { HyperparameterRule, Hyperparameters } from "./contract";

/** What the trainings take, in characters. */
const LONGEST_TEXT = 256;

/** Every member of the ensemble, where names of members are asked for. */
const ALL_MEMBERS = "both";

/** A hyperparameter that does not fit the others. */
export interface HyperparameterConflict {
    readonly name: string;
    readonly value: string | number | boolean;
    readonly expected: string;
}

/**
 * Reads one hyperparameter by its rule: numbers and booleans may be written as strings, as the talk's input does.
 * @returns the typed value, or what was expected.
 */
export function readHyperparameter(
    value: unknown,
    rule: HyperparameterRule,
): { readonly value: string | number | boolean } | { readonly expected: string } {
    const expected = describeRule(rule);
    if (rule.type === "string") {
        const fits =
            typeof value === "string" &&
            value.length <= LONGEST_TEXT &&
            (rule.values === undefined || rule.values.includes(value));
        return fits ? { value } : { expected };
    }
    if (rule.type === "boolean") {
        const read = typeof value === "string" ? { true: true, false: false }[value] : value;
        return typeof read === "boolean" ? { value: read } : { expected };
    }
    const number = numberOf(value);
    return fitsBounds(number, rule) ? { value: number } : { expected };
}

function numberOf(value: unknown): number {
    if (typeof value === "number") {
        return value;
    }
    return typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
}

function fitsBounds(value: number, rule: HyperparameterRule): boolean {
    if (!Number.isFinite(value) || (rule.type === "integer" && !Number.isSafeInteger(value))) {
        return false;
    }
    const { minimum = -Infinity, maximum = Infinity } = rule;
    const above = rule.exclusiveMinimum === true ? value > minimum : value >= minimum;
    const below = rule.exclusiveMaximum === true ? value < maximum : value <= maximum;
    return above && below;
}

function describeRule(rule: HyperparameterRule): string {
    if (rule.type === "boolean") {
        return "true or false";
    }
    if (rule.type === "string") {
        return rule.values === undefined
            ? `a text of at most ${LONGEST_TEXT} characters`
            : `one of ${rule.values.join(", ")}`;
    }
    const bounds = present([
        rule.minimum === undefined
            ? undefined
            : `${rule.exclusiveMinimum === true ? "above" : "at least"} ${rule.minimum}`,
        rule.maximum === undefined
            ? undefined
            : `${rule.exclusiveMaximum === true ? "below" : "at most"} ${rule.maximum}`,
    ]);
    return (
        `${rule.type === "integer" ? "a whole number" : "a number"}` +
        `${bounds.length === 0 ? "" : ` ${bounds.join(" and ")}`}`
    );
}

/**
 * The hyperparameters that do not fit the others of their model.
 * @param values each read by its rule
 * @param members names of the ensemble's base models
 */
export function hyperparameterConflicts(
    values: Hyperparameters,
    schema: Readonly<Record<string, HyperparameterRule>>,
    members: readonly string[],
): HyperparameterConflict[] {
    return Object.entries(schema).flatMap(([name, rule]) => {
        const value = values[name];
        const expected = value === undefined ? undefined : conflict(value, rule, values, members);
        return expected === undefined ? [] : [{ name, value, expected }];
    });
}

function conflict(
    value: string | number | boolean,
    rule: HyperparameterRule,
    values: Hyperparameters,
    members: readonly string[],
): string | undefined {
    const { atMost, halvedBy } = rule;
    if (atMost !== undefined && value > values[atMost]) {
        return `at most ${atMost}, which is ${values[atMost]}`;
    }
    if (halvedBy !== undefined && Number(value) < 2 ** Number(values[halvedBy])) {
        return `at least ${2 ** Number(values[halvedBy])}: it is halved ${values[halvedBy]} times (${halvedBy})`;
    }
    if (rule.members === true && value !== ALL_MEMBERS) {
        const unknown = String(value)
            .split(",")
            .filter((name) => !members.includes(name.trim()));
        return unknown.length === 0 ? undefined : `${ALL_MEMBERS}, or names of ${members.join(", ")} with commas`;
    }
    return undefined;
}
