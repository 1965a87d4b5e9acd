import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

const root = path.resolve(__dirname, "../..");

describe("the program as Pulumi's language host starts it", () => {
    it("is loaded with the arguments of Pulumi.yaml alone", () => {
        const { main, runtime } = parse(readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
            main: string;
            runtime: { options: { typescript: boolean; nodeargs: string } };
        };
        assert.equal(runtime.options.typescript, false, "else the host registers ts-node after our own reader");
        const environment = { ...process.env, NODE_OPTIONS: "" };
        const kind = execFileSync(
            process.execPath,
            [
                ...runtime.options.nodeargs.split(" "),
                "-e",
                `console.log(typeof require(${JSON.stringify(path.join(root, main))}))`,
            ],
            { cwd: root, encoding: "utf8", env: environment },
        );
        assert.equal(kind.trim(), "function");
    });
});
