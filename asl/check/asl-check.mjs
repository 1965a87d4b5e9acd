#!/usr/bin/env node
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const load = createRequire(import.meta.url);
// In the installed package there is only the build.
const source = fileURLToPath(new URL("./main.ts", import.meta.url));
if (existsSync(source)) {
    load("ts-node").register({
        project: fileURLToPath(new URL("../../tsconfig.json", import.meta.url)),
        transpileOnly: true,
    });
}
const { main } = load(existsSync(source) ? source : "../dist/asl-check.js");

const read = async () => {
    const parts = [];
    for await (const part of process.stdin) {
        parts.push(part);
    }
    return Buffer.concat(parts);
};

process.exitCode = await main(process.argv.slice(2), {
    stdin: read,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
});
