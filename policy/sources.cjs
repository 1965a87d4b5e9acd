"use strict";
// CommonJS by need: the runner of policy packs requires this file as it is.
/* eslint-disable @typescript-eslint/no-require-imports */
// What the build was made from, shared by the build and by the loader that checks it: plain JavaScript, because it runs
// unbuilt.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const path = require("node:path");

const BUILD = path.join(__dirname, "bin", "policy.js");
const STAMP = path.join(__dirname, "bin", "sources.json");

/**
 * @param {string[]} files paths relative to this folder, with slashes
 * @returns {Record<string, string>} SHA-256 by file; "missing" for a file that is not there
 */
function hashSources(files) {
    const hashes = {};
    for (const file of [...files].sort()) {
        try {
            // Line ends are no change: git may check them out differently.
            const text = readFileSync(path.join(__dirname, file), "utf8").replaceAll("\r\n", "\n");
            hashes[file] = createHash("sha256").update(text).digest("hex");
        } catch {
            hashes[file] = "missing";
        }
    }
    return hashes;
}

/**
 * @param {Record<string, string>} stamp what the build was made from
 * @returns {string[]} the sources that are not what they were then; none where no sources are shipped beside the build
 */
function changedSources(stamp) {
    const now = hashSources(Object.keys(stamp));
    const changed = Object.keys(stamp).filter((file) => now[file] !== stamp[file]);
    return Object.values(now).every((hash) => hash === "missing") ? [] : changed;
}

module.exports = { BUILD, STAMP, hashSources, changedSources };
