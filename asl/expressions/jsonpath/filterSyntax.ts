/** Reads the condition of a filter, `(@.a == 1 && (@.b || !@.c))`, with Jayway's precedence: ! before && before ||. */
import { javaPattern } from "./javaPattern";
import { parseLenient } from "./lenient";
import { endOfQuote, unescaped } from "./strings";
import { OPERATORS, type Operand, type Operator, type PathTree, type Test } from "./tree";

type ParsePath = (text: string) => PathTree;

/**
 * @param text the condition with its parentheses.
 * @param parsePath reads the paths in it.
 * @throws Error, saying what is wrong.
 */
export function parseFilter(text: string, parsePath: ParsePath): Test {
    return new FilterReader(text, parsePath).read();
}

const SYMBOL = /^[<>=~!]+/u;
const NUMBER = /^[-\d.eE]+/u;
const DECIMAL = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE]-?\d+)?$/u;
const FLAGS = /^[dixmsuU]*/u;

class FilterReader {
    private position = 0;

    constructor(
        private readonly text: string,
        private readonly parsePath: ParsePath,
    ) {}

    read(): Test {
        const test = this.or();
        if (this.peek() !== undefined) {
            throw this.wrong("the end of the filter");
        }
        return test;
    }

    private wrong(expected: string): Error {
        const at = `character ${this.position + 1} of the filter ${JSON.stringify(this.text)}`;
        return new Error(`expected ${expected} at ${at}`);
    }

    /** The next character that is no blank. */
    private peek(): string | undefined {
        while (this.text[this.position] === " ") {
            this.position += 1;
        }
        return this.text[this.position];
    }

    private accept(text: string): boolean {
        this.peek();
        const found = this.text.startsWith(text, this.position);
        this.position += found ? text.length : 0;
        return found;
    }

    private or(): Test {
        const tests = [this.and()];
        while (this.accept("||")) {
            tests.push(this.and());
        }
        return one(tests) ?? { kind: "or", tests };
    }

    private and(): Test {
        const tests = [this.term()];
        while (this.accept("&&")) {
            tests.push(this.term());
        }
        return one(tests) ?? { kind: "and", tests };
    }

    private term(): Test {
        const begin = this.position;
        if (this.accept("!")) {
            const next = this.peek();
            if (next !== "$" && next !== "@") {
                return { kind: "not", test: this.term() };
            }
            this.position = begin;
        }
        if (this.accept("(")) {
            const test = this.or();
            if (!this.accept(")")) {
                throw this.wrong(")");
            }
            return test;
        }
        return this.comparison();
    }

    private comparison(): Test {
        // Before a path that is compared, ! has no meaning.
        const wanted = !this.accept("!");
        const left = this.operand();
        const begin = this.position;
        const operator = this.operator();
        if (operator !== undefined) {
            this.accept("!");
            return { kind: "compare", left, operator, right: this.operand() };
        }
        this.position = begin;
        if (left.kind !== "path") {
            throw this.wrong("an operator");
        }
        return { kind: "exists", path: left.path, wanted };
    }

    private operator(): Operator | undefined {
        this.peek();
        const rest = this.text.slice(this.position);
        const word = SYMBOL.exec(rest)?.[0] ?? /^[^ ]*/u.exec(rest)?.[0] ?? "";
        this.position += word.length;
        return OPERATORS.find((operator) => operator === word.toLowerCase());
    }

    private operand(): Operand {
        const character = this.peek();
        switch (character) {
            case "$":
            case "@":
                return { kind: "path", path: this.parsePath(this.pathText()) };
            case "'":
            case '"':
                return { kind: "literal", value: unescaped(this.quoted().slice(1, -1)) };
            case "/":
                return { kind: "pattern", pattern: this.pattern() };
            case "[":
                return { kind: "json", value: parseLenient(this.balanced("[", "]")) };
            case "{":
                return { kind: "json", value: parseLenient(this.balanced("{", "}")) };
            default:
                return { kind: "literal", value: this.word() };
        }
    }

    private quoted(): string {
        const end = endOfQuote(this.text, this.position);
        if (end < 0) {
            throw this.wrong("a closed text");
        }
        const quoted = this.text.slice(this.position, end + 1);
        this.position = end + 1;
        return quoted;
    }

    private pattern(): RegExp {
        const source = this.quoted().slice(1, -1);
        const flags = FLAGS.exec(this.text.slice(this.position))?.[0] ?? "";
        this.position += flags.length;
        return javaPattern(source, flags);
    }

    private balanced(open: string, close: string): string {
        let depth = 0;
        for (let index = this.position; index < this.text.length; index += 1) {
            const character = this.text[index] ?? "";
            if (character === "'" || character === '"') {
                index = Math.max(index, endOfQuote(this.text, index));
            } else if (character === open) {
                depth += 1;
            } else if (character === close) {
                depth -= 1;
                if (depth === 0) {
                    const found = this.text.slice(this.position, index + 1);
                    this.position = index + 1;
                    return found;
                }
            }
        }
        throw this.wrong(close);
    }

    private word(): number | boolean | null {
        const rest = this.text.slice(this.position);
        for (const [word, value] of [
            ["true", true],
            ["false", false],
            ["null", null],
        ] as const) {
            if (rest.startsWith(word)) {
                this.position += word.length;
                return value;
            }
        }
        const number = NUMBER.exec(rest)?.[0] ?? "";
        if (!DECIMAL.test(number)) {
            throw this.wrong("a path, a text, a number, true, false, null, a list, an object or a /pattern/");
        }
        this.position += number.length;
        return Number(number);
    }

    /** A path ends at a blank, an operator's sign or a closing parenthesis that is not a function's. */
    private pathText(): string {
        const begin = this.position;
        this.position += 1;
        while (this.position < this.text.length) {
            if (this.text[this.position] === "[") {
                this.balanced("[", "]");
            }
            const character = this.text[this.position] ?? " ";
            if (" <>=~!".includes(character) || (character === ")" && !this.closesFunction(begin))) {
                break;
            }
            this.position += 1;
        }
        return this.text.slice(begin, this.position);
    }

    private closesFunction(begin: number): boolean {
        const before = this.text.slice(begin + 1, this.position).trimEnd();
        return before.endsWith("(") && before.includes(".");
    }
}

function one(tests: readonly Test[]): Test | undefined {
    return tests.length === 1 ? tests[0] : undefined;
}
