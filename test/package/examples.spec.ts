import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { cleanUp, inCheckout, project, root, runIn } from "./installed";

const tsc = path.join(root, "node_modules/typescript/bin/tsc");

/** Runs a test file of node's own runner; a failing test is a failing process. */
const testFile = (folder: string, file: string, env: NodeJS.ProcessEnv = {}) =>
    runIn(folder, process.execPath, ["--require", "ts-node/register/transpile-only", "--test", file], env);

describe("the examples, with the installed package", () => {
    after(cleanUp);

    for (const example of ["workflow", "tabular"]) {
        it(`${example} is installed from what the checkout packs: its packages are on no registry`, async () => {
            const folder = await inCheckout(example);
            // what npm would install, without a hundred megabytes of peers
            const args = ["install", "--package-lock-only", "--ignore-scripts", "--prefer-offline", "--no-audit"];
            await runIn(folder, "npm", args);
            const lock = JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")) as {
                readonly packages: Readonly<Record<string, { readonly resolved?: string }>>;
            };
            const own = Object.entries(lock.packages).filter(([name]) => name.includes("@ensemble-training/"));
            assert.equal(own.length, 2);
            for (const [name, { resolved }] of own) {
                assert.match(
                    resolved ?? "",
                    /^file:\.\.\/\.\.\/\.build\/packages\/ensemble-training-\w+-[\d.]+\.tgz$/,
                    name,
                );
            }
        });
    }

    it("a workflow of one's own holds its types, is proven, and runs on this machine", async () => {
        const folder = await project("workflow");
        await runIn(folder, process.execPath, [tsc, "--noEmit", "-p", "."]);
        await testFile(folder, "test/workflow.test.ts");
    });

    it(
        "four models of a table hold their types, and are really trained: the ensemble is no worse than " +
            "its best member",
        async function () {
            const python = path.join(root, ".venv/bin/python");
            const folder = await project("tabular");
            await runIn(folder, process.execPath, [tsc, "--noEmit", "-p", "."]);
            if (!existsSync(python)) {
                console.log("        without trainings: there is no .venv (node scripts/bootstrap.mjs)");
                this.skip();
            }
            await testFile(folder, "test/ensemble.test.ts", { ENSEMBLE_PYTHON: python });
            // The commands are about the project that they are started in.
            const { stdout } = await runIn(folder, path.join(folder, "node_modules/.bin/ensemble"), [
                "plan",
                "--stack",
                "dev",
            ]);
            assert.match(stdout, /tabular-model-training-dev/);
            assert.match(stdout, /stacking/);
        },
    );
});
