/** Functions about numbers. */
import {
    arrayOf,
    isNothing,
    join,
    missing,
    nothing,
    number,
    numberValue,
    orMissing,
    type NumberRange,
    type Value,
} from "../../values";
import { allOf, itemsOf, lengthOf } from "../sequences";
import { takes, takesMissing, uncertain, type BuiltIn, type Risk } from "./signature";

const rangesOf = (values: readonly Value[]): NumberRange[] =>
    values.flatMap(({ number: range }) => (range === undefined ? [] : [range]));

/** Items that are surely there, of an array whose length is not known, too. */
function certainItems(value: Value): readonly Value[] {
    const items = itemsOf(value);
    if (items.exact) {
        return items.sure;
    }
    return isNothing({ ...value, array: undefined }) ? (value.array?.some ?? []) : [];
}

/** $min and $max; an item that is certain bounds the result from one side. */
function extreme([value = nothing]: readonly Value[], pick: "min" | "max"): Value {
    const all = rangesOf(allOf(itemsOf(value)));
    if (all.length === 0) {
        return missing;
    }
    const certain = rangesOf(certainItems(value));
    const lows = all.map(({ lo }) => lo);
    const highs = all.map(({ hi }) => hi);
    let result: Value;
    if (pick === "min") {
        const most = certain.length > 0 ? Math.min(...certain.map(({ hi }) => hi)) : Math.max(...highs);
        result = number(Math.min(...lows), most);
    } else {
        const least = certain.length > 0 ? Math.max(...certain.map(({ lo }) => lo)) : Math.min(...lows);
        result = number(least, Math.max(...highs));
    }
    return lengthOf(value).lo === 0 ? orMissing(result) : result;
}

const rounded =
    (apply: (value: number) => number): BuiltIn["result"] =>
    ([{ number: range } = nothing]) =>
        range === undefined ? missing : number(apply(range.lo), apply(range.hi));

function absolute([{ number: range } = nothing]: readonly Value[]): Value {
    if (range === undefined) {
        return missing;
    }
    const [a, b] = [Math.abs(range.lo), Math.abs(range.hi)];
    return number(range.lo <= 0 && range.hi >= 0 ? 0 : Math.min(a, b), Math.max(a, b));
}

function power([{ number: base } = nothing, { number: exponent } = nothing]: readonly Value[], risk: Risk): Value {
    if (base === undefined || exponent === undefined || base.lo < 1 || exponent.lo < 0) {
        risk("$power may have no number as its result");
        return numberValue;
    }
    const hi = base.hi ** exponent.hi;
    if (!Number.isFinite(hi)) {
        risk("$power may be infinite, which is no JSON");
    }
    return number(base.lo ** exponent.lo, hi);
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([Ee][-+]?\d+)?$/;

/** $number of a text, of a number, of true and false. */
function toNumber([value = nothing]: readonly Value[], risk: Risk): Value {
    const parts: Value[] = [];
    if (value.text !== undefined) {
        const converted = value.text.values?.map((item) => (NUMBER.test(item) ? Number(item) : NaN)) ?? [NaN];
        const isKnown = converted.length > 0 && converted.every(Number.isFinite);
        if (!converted.every(Number.isFinite)) {
            risk("$number fails on a text that is no number");
        }
        parts.push(isKnown ? number(Math.min(...converted), Math.max(...converted)) : numberValue);
    }
    if (value.number !== undefined) {
        parts.push(number(value.number.lo, value.number.hi));
    }
    if (value.true || value.false) {
        parts.push(number(0, 1));
    }
    return parts.reduce((all, part) => join(all, part), nothing);
}

export const NUMBERS: { readonly [name: string]: BuiltIn } = {
    abs: takesMissing(["number"], 1, absolute),
    average: takesMissing(["numbers"], 1, ([value = nothing]) =>
        lengthOf(value).lo === 0 ? orMissing(numberValue) : numberValue,
    ),
    ceil: takesMissing(["number"], 1, rounded(Math.ceil)),
    floor: takesMissing(["number"], 1, rounded(Math.floor)),
    max: takesMissing(["numbers"], 1, (values) => extreme(values, "max")),
    min: takesMissing(["numbers"], 1, (values) => extreme(values, "min")),
    number: takesMissing(["scalar"], 1, toNumber),
    parseInteger: takesMissing(["text", "text"], 2, uncertain("$parseInteger fails on other texts", numberValue)),
    power: takesMissing(["number", "number"], 2, power),
    random: takes(["number"], 0, () => number(0, 1)),
    range: takes(
        ["number", "number", "number"],
        3,
        uncertain("$range fails on a step of 0 or more than 1,000 items", arrayOf(numberValue)),
    ),
    round: takesMissing(["number", "number"], 1, ([{ number: range } = nothing]) =>
        range === undefined ? missing : number(Math.floor(range.lo), Math.ceil(range.hi)),
    ),
    sqrt: takesMissing(["number"], 1, ([{ number: range } = nothing], risk) => {
        if ((range?.lo ?? 0) < 0) {
            risk("$sqrt fails on a negative number");
        }
        return number(0, Infinity);
    }),
    sum: takesMissing(["numbers"], 1, () => numberValue),
};
