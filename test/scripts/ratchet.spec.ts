import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

const root = path.resolve(__dirname, "../..");
const FILE = "eslint-suppressions.json";

/** What ESLint lets pass, by file and rule. */
type Suppressions = Readonly<Record<string, Readonly<Record<string, { readonly count: number }>>>>;

/** How many places of each rule are let pass; by rule, so that a file may be renamed or cut. */
function places(suppressions: Suppressions): Map<string, number> {
    const sums = new Map<string, number>();
    for (const rules of Object.values(suppressions)) {
        for (const [rule, { count }] of Object.entries(rules)) {
            sums.set(rule, (sums.get(rule) ?? 0) + count);
        }
    }
    return sums;
}

function grown(before: Suppressions, after: Suppressions): string[] {
    const had = places(before);
    return [...places(after)]
        .filter(([rule, count]) => count > (had.get(rule) ?? 0))
        .map(([rule, count]) => `${rule}: ${count}, was ${had.get(rule) ?? 0}`);
}

/** The file as a commit has it; undefined where there is no such commit, no git, or no such file in it. */
function committed(commit: string): Suppressions | undefined {
    try {
        const text = execFileSync("git", ["show", `${commit}:${FILE}`], { cwd: root, stdio: "pipe", encoding: "utf8" });
        return JSON.parse(text) as Suppressions;
    } catch {
        return undefined;
    }
}

describe("what ESLint lets pass", () => {
    const file = path.join(root, FILE);
    const now = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Suppressions) : {};

    it("only shrinks, from commit to commit and in the working tree", () => {
        const head = committed("HEAD");
        const parent = committed("HEAD^");
        assert.deepEqual(head === undefined ? [] : grown(head, now), []);
        assert.deepEqual(parent === undefined || head === undefined ? [] : grown(parent, head), []);
    });

    it("is counted by rule: a moved place is no new one, one more is", () => {
        const one = { "a.ts": { "no-nested-ternary": { count: 1 } } };
        assert.deepEqual(grown(one, { "b.ts": { "no-nested-ternary": { count: 1 } } }), []);
        assert.deepEqual(grown(one, { ...one, "b.ts": { "no-nested-ternary": { count: 1 } } }), [
            "no-nested-ternary: 2, was 1",
        ]);
        assert.deepEqual(grown(one, { "a.ts": { curly: { count: 1 } } }), ["curly: 1, was 0"]);
    });
});
