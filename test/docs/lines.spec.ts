import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "../..");
const LONGEST = 120;
const NO_DOCUMENTS = /^(?:\..*|node_modules|dist|test|api)$/;

function* documents(folder: string): Generator<string> {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
        const name = path.posix.join(folder, entry.name);
        if (entry.isDirectory() && !NO_DOCUMENTS.test(entry.name)) {
            yield* documents(name);
        } else if (entry.isFile() && name.endsWith(".md")) {
            yield name;
        }
    }
}

/** Lines of prose that are too long: rows of tables, printed output and what is generated cannot be wrapped. */
function longLines(text: string): string[] {
    const prose = text
        .replace(/^( *)(?:```|~~~)[\s\S]*?^\1(?:```|~~~)/gm, "")
        .replace(/^<!-- generated[\s\S]*?^<!-- \/generated -->/gm, "");
    return prose
        .split("\n")
        .filter((line) => line.length > LONGEST)
        .filter((line) => !/^\s*(?:\||!?\[[^\]]*\]:|<|#)/.test(line))
        .filter((line) => !isOnePiece(line));
}

/** A code span or a link is never broken. */
function isOnePiece(line: string): boolean {
    const breakable = line.replace(/`[^`]*`|\[[^\]]*\]\([^)]*\)/g, (piece) => piece.replaceAll(" ", "_"));
    return breakable.trim().split(" ").length <= 2;
}

describe("the prose of the documents", () => {
    for (const file of documents("")) {
        const text = readFileSync(path.join(root, file), "utf8");
        // written by the code as a whole
        if (path.basename(file) === "RULES.md") {
            continue;
        }
        it(`${file} has lines of at most ${LONGEST} characters`, () => assert.deepEqual(longLines(text), []));
    }
});
