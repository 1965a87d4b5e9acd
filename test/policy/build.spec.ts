import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
    appendFileSync,
    cpSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, changedSources, STAMP } from "../../policy/sources.cjs";

const root = path.resolve(__dirname, "../..");

function node(folder: string, ...args: string[]): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
        cwd: folder,
        encoding: "utf8",
        timeout: 60_000,
    });
    return { status, output: stdout + stderr };
}

describe("the build of the policy pack", function () {
    this.timeout(60_000);
    let copy: string;
    let folder: string;

    before(() => {
        copy = mkdtempSync(path.join(tmpdir(), "policy-build-"));
        folder = path.join(copy, "policy");
        for (const room of ["policy", "asl", "ground", "pricing", "stacks", "workflow"]) {
            cpSync(path.join(root, room), path.join(copy, room), {
                recursive: true,
                filter: (file) => !["bin", "dist"].includes(path.basename(file)),
            });
        }
        mkdirSync(path.join(copy, "node_modules"), { recursive: true });
        rmSync(path.join(copy, "node_modules"), { recursive: true });
        symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
    });

    after(() => rmSync(copy, { recursive: true, force: true }));

    it("is asked for where there is none", () => {
        const { status, output } = node(folder, "load.cjs");
        assert.equal(status, 1);
        assert.match(output, /^Policy pack: it has not been built .* Run `npm ci` or `npm run policy:build`/);
    });

    it("is the project's pack, which tells the engine its port", async () => {
        assert.deepEqual(node(folder, "build.mjs"), { status: 0, output: "" });
        const pack = spawn(process.execPath, ["load.cjs"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
        try {
            const [told] = (await once(pack.stdout, "data")) as [Buffer];
            assert.match(told.toString(), /^\d+\n$/);
        } finally {
            pack.kill();
        }
    });

    it("loads when it is fresh", () => {
        // What the pack does is the engine suite's matter; from here on it is enough to see that it was loaded.
        writeFileSync(
            path.join(copy, "stacks/policyPack.ts"),
            `import { rules } from "../policy/rules";\nconsole.log(\`loaded \${rules.length > 0}\`);\n`,
        );
        assert.deepEqual(node(folder, "build.mjs"), { status: 0, output: "" });
        assert.deepEqual(node(folder, "load.cjs"), { status: 0, output: "loaded true\n" });
    });

    for (const file of ["policy/rules/sfnTracing.ts", "asl/analysis/index.ts"]) {
        it(`is refused as stale when ${file} has changed, and taken again after the next build`, () => {
            const source = path.join(copy, file);
            appendFileSync(source, "\n// changed\n");
            const stale = node(folder, "load.cjs");
            assert.equal(stale.status, 1);
            assert.match(stale.output, new RegExp(`build is stale: ${file.replace(".", "\\.")} changed`));
            assert.doesNotMatch(stale.output, /\n {4}at /);
            assert.equal(node(folder, "build.mjs").status, 0);
            assert.equal(node(folder, "load.cjs").status, 0);
        });
    }

    it("is refused when a source is gone", () => {
        rmSync(path.join(folder, "rules", "sfnTracing.ts"));
        assert.match(node(folder, "load.cjs").output, /stale: policy\/rules\/sfnTracing\.ts changed/);
    });

    it("takes a checkout with other line ends for the same", () => {
        cpSync(path.join(root, "policy", "rules", "sfnTracing.ts"), path.join(folder, "rules", "sfnTracing.ts"));
        assert.equal(node(folder, "build.mjs").status, 0);
        const source = path.join(folder, "rules", "sfnTracing.ts");
        writeFileSync(source, readFileSync(source, "utf8").replaceAll("\n", "\r\n"));
        assert.equal(node(folder, "load.cjs").status, 0);
    });

    it("is refused with one line when its stamp is broken", () => {
        writeFileSync(path.join(folder, "bin", "sources.json"), "{");
        const { status, output } = node(folder, "load.cjs");
        assert.equal(status, 1);
        assert.match(output, /^Policy pack: policy\/bin\/sources\.json cannot be read\. .*\n$/);
    });

    it("needs no sources where none are shipped", () => {
        assert.deepEqual(changedSources({ "nowhere/one.ts": "0", "nowhere/two.ts": "0" }), []);
    });

    it("holds nothing of the AWS SDK, neither Pulumi's nor Amazon's", () => {
        assert.ok(existsSync(BUILD) && existsSync(STAMP), "run `npm run policy:build` first");
        assert.doesNotMatch(readFileSync(BUILD, "utf8"), /require\("@pulumi\/aws|node_modules\/@aws-sdk/);
    });
});
