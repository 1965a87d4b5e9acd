/** The JSON that filters and functions of a path are written in: quotes of both kinds, and words without quotes. */
import type { JsonObject, JsonValue } from "../../types";
import { setKey } from "../json";
import { endOfQuote, unescaped } from "./strings";

/** @throws Error when it is not even that. */
export function parseLenient(text: string): JsonValue {
    try {
        return JSON.parse(text) as JsonValue;
    } catch {
        return new LenientReader(text).read();
    }
}

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/u;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

class LenientReader {
    private position = 0;

    constructor(private readonly text: string) {}

    read(): JsonValue {
        const value = this.value();
        this.blanks();
        if (this.position < this.text.length) {
            throw this.wrong();
        }
        return value;
    }

    private wrong(): Error {
        return new Error(`${JSON.stringify(this.text)} is no JSON, at character ${this.position + 1}`);
    }

    private blanks(): void {
        while (/\s/u.test(this.text[this.position] ?? "")) {
            this.position += 1;
        }
    }

    private accept(character: string): boolean {
        this.blanks();
        const found = this.text[this.position] === character;
        this.position += found ? 1 : 0;
        return found;
    }

    private value(): JsonValue {
        if (this.accept("[")) {
            return this.list();
        }
        return this.accept("{") ? this.object() : this.scalar();
    }

    private list(): JsonValue[] {
        const items: JsonValue[] = [];
        while (!this.accept("]")) {
            items.push(this.value());
            if (!this.accept(",") && this.text[this.position] !== "]") {
                throw this.wrong();
            }
        }
        return items;
    }

    private object(): JsonObject {
        const object: JsonObject = {};
        while (!this.accept("}")) {
            const name = this.scalar();
            if (!this.accept(":")) {
                throw this.wrong();
            }
            setKey(object, String(name), this.value());
            if (!this.accept(",") && this.text[this.position] !== "}") {
                throw this.wrong();
            }
        }
        return object;
    }

    private scalar(): string | number | boolean | null {
        this.blanks();
        const character = this.text[this.position];
        if (character === "'" || character === '"') {
            const end = endOfQuote(this.text, this.position);
            if (end < 0) {
                throw this.wrong();
            }
            const content = this.text.slice(this.position + 1, end);
            this.position = end + 1;
            return unescaped(content);
        }
        const word = /^[^,:[\]{}]*/u.exec(this.text.slice(this.position))?.[0] ?? "";
        this.position += word.length;
        return wordValue(word.trim()) ?? this.nothing(word);
    }

    private nothing(word: string): null {
        if (word.trim() !== "null") {
            throw this.wrong();
        }
        return null;
    }
}

function wordValue(word: string): string | number | boolean | null {
    if (Object.hasOwn(WORDS, word)) {
        return WORDS[word] ?? null;
    }
    if (NUMBER.test(word)) {
        return Number(word);
    }
    return word === "" ? null : word;
}
