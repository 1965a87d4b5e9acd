import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "../../../asl/check/main";
import { lambda, machine, type Json } from "../analysis/machines";

const silent = machine({ Work: lambda({ Catch: undefined }) });
const worse = machine({ Work: lambda({ Catch: undefined, Next: "More" }), More: lambda({ Catch: undefined }) });

describe("asl-check for a team", () => {
    let folder: string;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), "asl-check-known-"));
    });
    after(() => {
        rmSync(folder, { recursive: true });
    });
    const write = (name: string, content: Json): string => {
        const file = join(folder, name);
        writeFileSync(file, JSON.stringify(content));
        return file;
    };
    async function check(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
        const told = { code: 0, out: "", err: "" };
        told.code = await main(args, {
            stdin: async () => Buffer.alloc(0),
            out: (text) => {
                told.out += text;
            },
            err: (text) => {
                told.err += text;
            },
        });
        return told;
    }

    it("fails only for what is new beside a baseline, and tells what is gone", async () => {
        const file = write("one.json", silent);
        const baseline = join(folder, "baseline.json");
        assert.equal((await check(file)).code, 1);
        assert.equal((await check(file, "--baseline", baseline)).code, 2, "there is none yet");
        assert.equal((await check(file, "--baseline", baseline, "--update-baseline")).code, 0);
        assert.equal((await check(file, "--baseline", baseline)).code, 0);
        write("one.json", worse);
        const found = await check(file, "--baseline", baseline);
        assert.equal(found.code, 1);
        assert.match(found.out, /More/);
        write("one.json", machine({ Work: lambda() }));
        assert.match((await check(file, "--baseline", baseline)).err, /are gone/);
        writeFileSync(baseline, '{"version": 2}');
        assert.match((await check(file, "--baseline", baseline)).err, /this is no baseline/);
        assert.equal((await check(file, "--update-baseline")).code, 2);
    });

    it("leaves out what the configuration suppresses with a reason, by rule and state", async () => {
        const file = write("two.json", worse);
        const rules = new Set<string>();
        for (const { rule } of (JSON.parse((await check(file, "--format", "json")).out) as Found).findings) {
            rules.add(rule);
        }
        const all = [...rules].map((rule) => ({ rule, file: "two.json", reason: "written before there were rules" }));
        const config = write("config.json", { suppress: all });
        assert.equal((await check(file, "--config", config)).code, 0);
        write("config.json", { suppress: all.map((entry) => ({ ...entry, state: "Work" })) });
        const left = await check(file, "--config", config);
        assert.equal(left.code, 1);
        assert.match(left.out, /More/);
        write("config.json", { suppress: [{ rule: "spot", reason: "no Spot here" }] });
        assert.match((await check(file, "--config", config)).err, /nothing needs the suppression of spot/);
        write("config.json", { suppress: [{ rule: "spot" }] });
        const without = await check(file, "--config", config);
        assert.equal(without.code, 2);
        assert.match(without.err, /suppress\.0\.reason/);
    });

    it("writes GitHub's annotations, and each machine with its count", async () => {
        const one = write("a,b.json", silent);
        const other = write("c.json", worse);
        const { out } = await check(one, other, "--format", "github");
        assert.match(
            out,
            /^::error file=[^,\n]*a%2Cb\.json,line=1,col=\d+,title=catch-all > Work::This Task has no Catch/m,
        );
        assert.doesNotMatch(out, /\n\n/);
        const people = await check(one, other);
        assert.match(people.out, /c\.json: \d errors, \d warnings?\n.*a,b\.json: \d errors?, \d warnings?\n/);
    });

    it("says in its own README how a team takes it in", () => {
        const readme = readFileSync(join(__dirname, "../../../asl/README.md"), "utf8");
        for (const word of ["--baseline", "--update-baseline", "--format github", "suppress", "pre-commit"]) {
            assert.ok(readme.includes(word), word);
        }
    });
});

interface Found {
    readonly findings: readonly { readonly rule: string }[];
}
