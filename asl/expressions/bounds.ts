/**
 * How far one evaluation of JSONata may go, as AWS bounds it: nesting, memory and time. Measured on AWS in August 2026
 * (reported in github.com/floci-io/floci/issues/2737): a nesting of 100 succeeds, 873,782 numbers and a text of
 * 4,194,304 characters succeed, one number and one doubling more do not. How long AWS lets an expression run is not
 * known; here it is five seconds.
 */
import type jsonata from "jsonata";
import { boundNesting } from "./nesting";
import { boundedExec, LONGEST_MATCH, PatternTimeout } from "./pattern";

/** Milliseconds. */
const LONGEST = 5000;

/** Bytes of one value: eight an item of a list, one a character. */
const LARGEST = 6_990_256;
const BYTES_AN_ITEM = 8;

class TooLarge extends Error {}

/** A pattern that is bounded in time: a single match, and all its matches in an evaluation. */
class BoundedRegExp extends RegExp {
    private left = LONGEST;

    override exec(text: string): RegExpExecArray | null {
        const begin = performance.now();
        try {
            return boundedExec(this, text, Math.max(1, Math.min(LONGEST_MATCH, Math.floor(this.left))));
        } finally {
            this.left -= performance.now() - begin;
        }
    }
}

/** The package's options. */
export const BOUNDS: jsonata.JsonataOptions = {
    timeout: LONGEST,
    // Only ever called with new.
    RegexEngine: BoundedRegExp as unknown as RegExpConstructor,
};

/** Bounds the nesting and the values of an expression, too. */
export function boundEvaluation(expression: jsonata.Expression): void {
    boundNesting(expression, (value) => {
        if (bytesOf(value) > LARGEST) {
            throw new TooLarge();
        }
    });
}

function bytesOf(value: unknown): number {
    if (Array.isArray(value)) {
        return value.length * BYTES_AN_ITEM;
    }
    return typeof value === "string" ? value.length : 0;
}

const WORDS: Readonly<Record<string, string>> = {
    D1011: "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive.",
    D1012: "Expression evaluation timeout: Check for infinite loop",
};

const MEMORY = "Expression evaluation memory limit exceeded: Check for excessive memory usage";

/** What AWS says when a bound is passed; undefined for another failure. */
export function boundPassed(error: unknown): string | undefined {
    const { code } = error as { readonly code?: string };
    // D2014: the package's own bound on a range is wider than AWS's.
    if (error instanceof TooLarge || code === "D2014" || isTooLong(error)) {
        return MEMORY;
    }
    return error instanceof PatternTimeout ? WORDS.D1012 : WORDS[code ?? ""];
}

/** What the engine says of a text or list that it cannot hold. */
function isTooLong(error: unknown): boolean {
    return error instanceof RangeError && /Invalid (?:string|array) length/u.test(error.message);
}
