/** Regular expressions that end: a pattern that would go on for ever must not stop the process. */
import { createContext, Script } from "node:vm";

/** A pattern took too long on a text. */
export class PatternTimeout extends Error {}

/** Milliseconds for one match. */
export const LONGEST_MATCH = 1000;

/** Up to this length, a pattern with one repetition ends at once. */
const SHORT = 10_000;

// Not the pattern's own method, which may be what calls here.
const { exec } = RegExp.prototype;

interface Sandbox {
    pattern?: RegExp;
    text?: string;
    readonly exec: typeof exec;
}

const sandbox = createContext({ exec }) as Sandbox;
const script = new Script("exec.call(pattern, text)");

/**
 * As `pattern.exec(text)`.
 * @param milliseconds how long it may take; default a second.
 * @throws PatternTimeout when it takes longer.
 */
export function boundedExec(pattern: RegExp, text: string, milliseconds = LONGEST_MATCH): RegExpExecArray | null {
    if (endsAtOnce(pattern.source, text.length)) {
        return exec.call(pattern, text);
    }
    sandbox.pattern = pattern;
    sandbox.text = text;
    try {
        return script.runInContext(sandbox, { timeout: milliseconds }) as RegExpExecArray | null;
    } catch (error) {
        if ((error as { code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
            throw new PatternTimeout(`the pattern /${pattern.source}/ takes too long on a text`);
        }
        throw error;
    } finally {
        delete sandbox.pattern;
        delete sandbox.text;
    }
}

/** A match without repetition takes as long as the pattern is; with one, the square of the text's length at most. */
function endsAtOnce(source: string, length: number): boolean {
    const repetitions = source.match(/[*+{]/gu)?.length ?? 0;
    const ends = repetitions === 0 || (repetitions === 1 && length <= SHORT);
    return ends && !/\\[\dk]/u.test(source);
}
