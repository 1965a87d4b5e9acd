/** Functions about texts. */
import {
    anyBoolean,
    anyJson,
    arrayOf,
    isNothing,
    missing,
    nothing,
    number,
    only,
    orMissing,
    present,
    text,
    textOf,
    textValue,
    type Value,
} from "../../values";
import { exact, scalarText } from "../operators";
import { onlyText } from "../paths";
import { takes, takesMissing, uncertain, type BuiltIn, type Risk } from "./signature";

const shorter: BuiltIn["result"] = ([{ text: set } = nothing]) =>
    set === undefined ? missing : textOf({ min: 0, max: set.max, prefix: "" });

/** Upper and lower case: one character may become three ("ß", "ŉ" and their like). */
const converted =
    (convert: (value: string) => string): BuiltIn["result"] =>
    ([value = nothing]) => {
        const known = onlyText(value);
        if (known !== undefined) {
            return text(convert(known));
        }
        return value.text === undefined ? missing : textOf({ min: 0, max: value.text.max * 3, prefix: "" });
    };

const anyTextOf: BuiltIn["result"] = () => textValue;

function toText([given = nothing]: readonly Value[]): Value {
    const value = present(given);
    if (isNothing(value)) {
        return missing;
    }
    const one = exact(value);
    if (one !== undefined) {
        return scalarText(one.value);
    }
    if (value.text !== undefined && only(value, "text")) {
        return textOf(value.text);
    }
    return only(value, "number", "boolean", "null") ? textOf({ min: 1, max: 25, prefix: "" }) : textValue;
}

function substring([{ text: set } = nothing, , length]: readonly Value[]): Value {
    if (set === undefined) {
        return missing;
    }
    const most = Math.max(0, length?.number?.hi ?? Infinity);
    return textOf({ min: 0, max: Math.min(set.max, most), prefix: "" });
}

function replace([, pattern]: readonly Value[], risk: Risk): Value {
    if (pattern?.function === true || (pattern?.text?.min ?? 0) === 0) {
        risk("$replace fails when its pattern matches the empty text");
    }
    return textValue;
}

const HASHES = ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"];

function hash([, algorithm]: readonly Value[], risk: Risk): Value {
    const isKnown = algorithm?.text?.values?.every((name) => HASHES.includes(name)) === true;
    if (algorithm !== undefined && !isKnown) {
        risk("$hash fails on an unknown algorithm");
    }
    return textOf({ min: 32, max: 128, prefix: "" });
}

const malformed = (name: string, what: string): BuiltIn =>
    takesMissing(["text"], 1, uncertain(`$${name} fails on ${what}`, textValue));

export const TEXTS: { readonly [name: string]: BuiltIn } = {
    base64decode: takesMissing(["text"], 1, anyTextOf),
    base64encode: takesMissing(["text"], 1, anyTextOf),
    contains: takesMissing(["text", "text or function"], 2, () => anyBoolean),
    decodeUrl: malformed("decodeUrl", "a malformed text"),
    decodeUrlComponent: malformed("decodeUrlComponent", "a malformed text"),
    encodeUrl: malformed("encodeUrl", "half a surrogate pair"),
    encodeUrlComponent: malformed("encodeUrlComponent", "half a surrogate pair"),
    formatBase: takesMissing(["number", "number"], 1, uncertain("$formatBase fails on a wrong radix", textValue)),
    formatInteger: takesMissing(["number", "text"], 2, uncertain("$formatInteger fails on a wrong picture", textValue)),
    formatNumber: takesMissing(
        ["number", "text", "object"],
        2,
        uncertain("$formatNumber fails on a wrong picture", textValue),
    ),
    hash: takesMissing(["text", "text"], 1, hash),
    join: takesMissing(["texts", "text"], 1, anyTextOf),
    length: takesMissing(["text"], 1, ([{ text: set } = nothing]) =>
        set === undefined ? missing : number(0, set.max),
    ),
    lowercase: takesMissing(
        ["text"],
        1,
        converted((value) => value.toLowerCase()),
    ),
    match: takesMissing(["text", "function", "number"], 2, () => orMissing(anyJson)),
    pad: takesMissing(["text", "number", "text"], 2, anyTextOf),
    parse: takesMissing(["text"], 1, uncertain("$parse fails on a text that is no JSON", anyJson)),
    replace: takesMissing(["text", "text or function", "text or function", "number"], 3, replace),
    split: takesMissing(["text", "text or function", "number"], 2, () => arrayOf(textValue)),
    string: takesMissing(["any", "boolean"], 1, toText),
    substring: takesMissing(["text", "number", "number"], 2, substring),
    substringAfter: takesMissing(["text", "text"], 2, shorter),
    substringBefore: takesMissing(["text", "text"], 2, shorter),
    trim: takesMissing(["text"], 1, shorter),
    uppercase: takesMissing(
        ["text"],
        1,
        converted((value) => value.toUpperCase()),
    ),
    uuid: takes([], 0, () => textOf({ min: 36, max: 36, prefix: "" })),
};
