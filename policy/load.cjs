"use strict";
// CommonJS by need: the runner of policy packs requires this file as it is.
/* eslint-disable @typescript-eslint/no-require-imports */
// The pack's entry point: runs the build, and refuses one that was made from other sources than those beside it.
const { existsSync, readFileSync } = require("node:fs");
const path = require("node:path");
const { BUILD, STAMP, changedSources } = require("./sources.cjs");

const REBUILD = "Run `npm ci` or `npm run policy:build` in the project's folder, and try again.";

function refuse(problem) {
    console.error(`Policy pack: ${problem} ${REBUILD}`);
    process.exit(1);
}

if (!existsSync(BUILD) || !existsSync(STAMP)) {
    refuse("it has not been built (policy/bin/ is missing).");
}
let stamp;
try {
    stamp = JSON.parse(readFileSync(STAMP, "utf8"));
} catch {
    refuse("policy/bin/sources.json cannot be read.");
}
const changed = changedSources(stamp);
if (changed.length > 0) {
    const names = changed
        .slice(0, 3)
        .map((file) => path.posix.join("policy", file))
        .join(", ");
    refuse(
        `its build is stale: ${names}${changed.length > 3 ? ` and ${changed.length - 3} more` : ""} changed since it ` +
            "was made.",
    );
}
require(BUILD);
