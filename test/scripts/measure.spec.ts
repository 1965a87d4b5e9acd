import assert from "node:assert/strict";
import { measure, sourcesByRoom } from "../../scripts/measure";

describe("what is measured", () => {
    const text = [
        "/** Says how many. */",
        "export function how(many: number): string {",
        '    return many === 0 ? "none" : many === 1 ? "one" : "many";',
        "}",
        "",
        "// undocumented",
        "export const built = (x?: number) => ({ ...(x !== undefined && { x }), ...(x ?? {}) });",
    ].join("\n");
    const counts = measure("sample.ts", text);

    it("tells lines of code from comments and empty ones", () => {
        assert.equal(counts.lines, 7);
        assert.equal(counts.codeLines, 4);
        assert.equal(counts.commentLines, 2);
    });

    it("counts ternaries, the nested among them, and spreads of conditions, not of defaults", () => {
        assert.equal(counts.ternaries, 2);
        assert.equal(counts.nestedTernaries, 1);
        assert.equal(counts.conditionalSpreads, 1);
    });

    it("takes as a function what has statements", () => {
        assert.deepEqual(counts.functionLines, [3]);
        assert.deepEqual(counts.complexities, [3]);
    });

    it("counts tokens of the syntax, and exports that say what they are", () => {
        assert.equal(measure("a.ts", "const a = [1, 2];").tokens, 9);
        assert.equal(counts.exported, 2);
        assert.equal(counts.documented, 1);
    });

    it("reads the sources of an unpacked archive too: it asks the folders, not git", () => {
        const rooms = sourcesByRoom();
        assert.ok(rooms.get("scripts")?.includes("scripts/measure.ts"));
        const counted = [...rooms.values()].flat();
        assert.deepEqual(
            counted.filter((file) => /(?:^|\/)(?:node_modules|dist|test|\.[^/]*)\//.test(file)),
            [],
        );
        assert.equal(counted.length, new Set(counted).size);
    });
});
