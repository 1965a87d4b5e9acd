import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { program } from "../../cli/ensemble";
import { argumentsOf, commandsOf, documents, root, unlabelled, workflowCommands } from "./commands";
import { fill, shellOf } from "./running";
import { WAYS } from "./ways";

const { scripts, bin } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
    bin: Record<string, string>;
};
const found = [...documents().flatMap(commandsOf), ...workflowCommands()];
const texts = [...new Set(found.map(({ text }) => text))];
/** A command's help, or its mere name in a sentence: that it exists is tried below. */
const isName = (text: string): boolean => /^ensemble [a-z]+( [a-z]+)?( --help)?$/.test(text);

describe("the commands in the documents", () => {
    it("are each tried in a known way", () => {
        const unknown = found
            .filter(({ text }) => WAYS[text] === undefined && !isName(text))
            .map(({ file, text }) => `${file}: ${text}`);
        assert.deepEqual(
            [...new Set(unknown)],
            [],
            "add an entry to test/docs/ways.ts that says how the command is tried",
        );
    });

    it("have no way without a command", () => {
        assert.deepEqual(
            Object.keys(WAYS).filter((text) => !texts.includes(text)),
            [],
            "the documents no longer hold these: remove them from test/docs/ways.ts",
        );
    });

    it("stand in blocks that say what they are", () => {
        assert.deepEqual(
            documents().flatMap((file) =>
                unlabelled(file).map((line) => `${file}: \`\`\` before "${line}" names no language`),
            ),
            [],
        );
    });

    it("are run by the suites that are said to run them", () => {
        // However the formatter breaks the lines of a call.
        const dense = (source: string) => source.replace(/\s+/g, "").replace(/,(?=[)\]}])/g, "");
        const missing: string[] = [];
        for (const [text, way] of Object.entries(WAYS)) {
            if (way.way !== "suite") {
                continue;
            }
            const file = path.join(root, way.file);
            if (!existsSync(file)) {
                missing.push(`${text}: there is no ${way.file}`);
            } else if (!dense(readFileSync(file, "utf8")).includes(dense(way.words))) {
                missing.push(`${text}: ${way.file} does not hold ${way.words}`);
            }
        }
        assert.deepEqual(missing, []);
    });

    it("call npm scripts and programs that are there", () => {
        const missing = texts
            .filter((text) => !text.startsWith("("))
            .flatMap((text) => {
                const words = argumentsOf(text);
                const at = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
                const [tool, name, script] = words.slice(at);
                const wanted = tool === "npm" && name === "run" ? script?.replace(/\$$/, "") : undefined;
                return (wanted !== undefined && !wanted.includes("$") && scripts[wanted] === undefined) ||
                    (tool === "npx" &&
                        !existsSync(path.join(root, "node_modules/.bin", name)) &&
                        bin[name] === undefined) ||
                    (["node", "bash"].includes(tool) &&
                        /\.(m?js|ts)$|^\.ci/.test(name) &&
                        name !== "jobs.js" &&
                        !existsSync(path.join(root, name)))
                    ? [text]
                    : [];
            });
        assert.deepEqual(missing, []);
    });

    it("name commands and options of the ensemble tool that there are, with all that they require", () => {
        const wrong = texts
            .filter((text) => text.startsWith("ensemble "))
            .flatMap((text) => problemOf(argumentsOf(text).slice(1)).map((problem) => `${text}: ${problem}`));
        assert.deepEqual(wrong, []);
    });

    for (const [text, way] of Object.entries(WAYS)) {
        if (way.way === "quick") {
            it(`\`${text}\` does what it says`, () => {
                const scratch = mkdtempSync(path.join(tmpdir(), "documents-"));
                try {
                    fill(scratch);
                    const env = { ...process.env, NO_COLOR: "1" };
                    const { status, stdout, stderr } = spawnSync("bash", ["-c", shellOf(text)], {
                        cwd: scratch,
                        encoding: "utf8",
                        env,
                    });
                    assert.equal(status, way.exit ?? 0, stdout + stderr);
                    assert.match(stdout + stderr, way.says ?? /^/);
                } finally {
                    rmSync(scratch, { recursive: true, force: true });
                }
            });
        }
    }
});

/** What the tool would refuse of these arguments before it does anything. */
function problemOf(given: readonly string[]): string[] {
    const below = (one: Command, name: string): Command | undefined =>
        one.commands.find((other) => other.name() === name);
    let command: Command = program();
    let rest = [...given];
    for (let next = below(command, rest[0]); next !== undefined; next = below(command, rest[0])) {
        command = next;
        rest = rest.slice(1);
    }
    if (command.parent === null) {
        return rest[0] === "COMMAND" ? [] : [`there is no command ${rest[0]}`];
    }
    if (rest.length === 0 || rest[0] === "--help") {
        return [];
    }
    const problems: string[] = [];
    command
        .configureOutput({ writeErr: (text) => void problems.push(text.trim()) })
        .exitOverride()
        .action(() => undefined);
    try {
        command.parse(rest, { from: "user" });
    } catch (error) {
        problems.push((error as Error).message);
    }
    return problems;
}
