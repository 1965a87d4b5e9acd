import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "../cli/support";

/** What bash offers for a command line whose last word is being typed, with the script really sourced. */
function offered(script: string, ...words: readonly string[]): string[] {
    const line = words.join(" ");
    const program = `
        source "${script}"
        compopt() { :; }
        COMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")}); COMP_CWORD=${words.length - 1}; COMP_LINE="${line}"; COMP_POINT=${line.length}
        "$(complete -p ensemble | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" ensemble
        printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync("bash", ["--norc", "-c", program], { cwd: root, encoding: "utf8" });
    assert.deepEqual([stderr, status], ["", 0]);
    return stdout
        .split("\n")
        .map((word) => word.trim())
        .filter((word) => word !== "");
}

function tool(...args: readonly string[]) {
    return spawnSync(process.execPath, [path.join(root, "scripts", "ensemble.mjs"), ...args], {
        cwd: root,
        encoding: "utf8",
    });
}

describe("shell completion", function () {
    this.timeout(240_000);
    let directory: string;
    let script: string;

    before(() => {
        directory = mkdtempSync(path.join(tmpdir(), "completion-"));
        script = path.join(directory, "ensemble.bash");
        const { stdout, status, stderr } = tool("completion", "bash");
        assert.equal(status, 0, stderr);
        writeFileSync(script, stdout);
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    it("offers commands in bash", () => {
        const commands = offered(script, "ensemble", "");
        assert.ok(
            ["local", "plan", "start", "watch", "completion"].every((name) => commands.includes(name)),
            String(commands),
        );
        assert.deepEqual(offered(script, "ensemble", "expl"), ["explain"]);
    });

    it("offers a command's options, and the project's stages for --stack", () => {
        assert.deepEqual(offered(script, "ensemble", "start", "--inp"), ["--input"]);
        assert.deepEqual(offered(script, "ensemble", "watch", "--stack", ""), ["dev", "prod"]);
        assert.deepEqual(offered(script, "ensemble", "diff", "--to-stack", "p"), ["prod"]);
    });

    it("offers files where a file is wanted", () => {
        assert.deepEqual(offered(script, "ensemble", "start", "--input", "docs/input.sch"), ["docs/input.schema.json"]);
    });

    it("prints a script for zsh and for fish, and refuses a shell that it does not know", () => {
        assert.match(tool("completion", "zsh").stdout, /^#compdef ensemble\n[\s\S]*scripts\/ensemble\.mjs/);
        assert.match(tool("completion", "fish").stdout, /complete -c ensemble[\s\S]*/);
        const refused = tool("completion", "tcsh");
        assert.equal(refused.status, 2);
        assert.match(refused.stderr, /'tcsh'.*bash/);
    });
});
