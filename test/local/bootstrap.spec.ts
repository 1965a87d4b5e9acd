import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const script = pathToFileURL(path.resolve(__dirname, "../../scripts/bootstrap.mjs")).href;

/** What an expression over the bootstrap's functions gives, or the message it throws. */
function evaluate(expression: string, env: NodeJS.ProcessEnv = process.env): unknown {
    const program = `import * as b from ${JSON.stringify(script)};
        let answer; try { answer = ${expression}; } catch (error) { answer = { thrown: error.message }; }
        process.stdout.write(JSON.stringify(answer ?? null));`;
    const result = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env });
    assert.equal(result.status, 0, result.stderr);
    return JSON.parse(result.stdout);
}

describe("scripts/bootstrap", () => {
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "bootstrap-"));
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    function packages(wanted: object, installed?: object): unknown {
        writeFileSync(path.join(directory, "package-lock.json"), JSON.stringify({ packages: wanted }));
        if (installed !== undefined) {
            mkdirSync(path.join(directory, "node_modules"));
            writeFileSync(
                path.join(directory, "node_modules", ".package-lock.json"),
                JSON.stringify({ packages: installed }),
            );
        }
        return evaluate(`b.npmProblem(${JSON.stringify(directory)})`);
    }

    it("finds nothing to install where the versions fit; packages for other systems may be missing", () => {
        assert.equal(
            packages(
                {
                    "": {},
                    "node_modules/a": { version: "1.0.0" },
                    "node_modules/b": { version: "2.0.0", optional: true },
                },
                { "node_modules/a": { version: "1.0.0" } },
            ),
            null,
        );
    });

    it("tells why npm ci is needed", () => {
        assert.match(String(packages({ "node_modules/a": { version: "1.0.0" } })), /node_modules is missing/);
    });

    it("notices another version and a missing package", () => {
        const wanted = { "node_modules/a": { version: "1.0.1" } };
        assert.match(
            String(packages(wanted, { "node_modules/a": { version: "1.0.0" } })),
            /node_modules\/a is 1.0.0, the lock file says 1.0.1/,
        );
        rmSync(path.join(directory, "node_modules"), { recursive: true });
        assert.match(String(packages(wanted, {})), /node_modules\/a 1.0.1 is not installed/);
    });

    const nodes: readonly (readonly [string, boolean])[] = [
        ["20.19.0", true],
        ["22.1.0", true],
        ["20.18.9", false],
        ["18.20.0", false],
    ];
    for (const [version, fits] of nodes) {
        it(`Node ${version} is ${fits ? "taken" : "refused, with what to do"}`, () => {
            const answer = evaluate(`b.checkNode(${JSON.stringify(version)})`);
            if (fits) {
                assert.equal(answer, null);
            } else {
                assert.match(
                    (answer as { thrown: string }).thrown,
                    new RegExp(`Node 20.19.0 or newer is needed, this is ${version}.*nodejs.org`),
                );
            }
        });
    }

    it("says which Pythons were tried when none fits", () => {
        const { thrown } = evaluate('b.findPython(["no-such-python"])') as { thrown: string };
        assert.match(thrown, /Python 3\.11, 3\.12, 3\.13 is needed.*none of no-such-python is there.*ENSEMBLE_PYTHON=/);
    });
});
