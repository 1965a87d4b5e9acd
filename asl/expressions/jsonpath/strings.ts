const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** A quoted text's content, with its escapes resolved: \n, \u0041, and every other character for itself. */
export function unescaped(text: string): string {
    return text.replace(/\\(?:u([\da-fA-F]{4})|(.))/gsu, (_, code: string | undefined, character: string) =>
        code === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16)),
    );
}

/** The position of the quote that closes the one at `start`, or -1. */
export function endOfQuote(text: string, start: number): number {
    for (let index = start + 1; index < text.length; index += 1) {
        if (text[index] === "\\") {
            index += 1;
        } else if (text[index] === text[start]) {
            return index;
        }
    }
    return -1;
}
