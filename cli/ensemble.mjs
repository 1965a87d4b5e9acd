#!/usr/bin/env node
// In a checkout the sources run, and what is missing is installed first; in the installed package the build runs.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const checkout = new URL("../scripts/ensemble.mjs", import.meta.url);
if (existsSync(checkout)) {
    await import(checkout.href);
} else {
    await createRequire(import.meta.url)("../dist/tool/ensemble.js").main(process.argv);
}
