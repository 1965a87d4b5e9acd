/** Functions about times. */
import { nothing, number, numberValue, orMissing, textOf, textValue, type Value } from "../../values";
import { takes, takesMissing, type BuiltIn, type Risk } from "./signature";

/** 9999-12-31T23:59:59.999Z */
const LAST_MILLISECOND = 253_402_300_799_999;
/** The greatest time of ECMAScript, in milliseconds. */
const GREATEST_TIME = 8.64e15;

const TIMESTAMP: Value = textOf({ min: 20, max: 29, prefix: "", timestamp: true });

function toMillis([{ text } = nothing, picture]: readonly Value[], risk: Risk): Value {
    if (text?.timestamp === true && picture === undefined) {
        return number(0, LAST_MILLISECOND);
    }
    risk("$toMillis fails on a text that is no time");
    return orMissing(numberValue);
}

function fromMillis([{ number: range } = nothing, ...pictures]: readonly Value[], risk: Risk): Value {
    const isInRange = range !== undefined && range.lo >= -GREATEST_TIME && range.hi <= GREATEST_TIME;
    if (pictures.length > 0 || !isInRange) {
        risk("$fromMillis fails on a wrong picture or a time out of range");
        return textValue;
    }
    return textOf({ min: 20, max: 27, prefix: "", timestamp: true });
}

export const TIMES: { readonly [name: string]: BuiltIn } = {
    fromMillis: takesMissing(["number", "text", "text"], 1, fromMillis),
    millis: takes([], 0, () => number(0, LAST_MILLISECOND)),
    now: takes(["text", "text"], 0, () => TIMESTAMP),
    toMillis: takesMissing(["text", "text"], 1, toMillis),
};
