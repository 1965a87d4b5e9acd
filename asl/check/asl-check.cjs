#!/usr/bin/env node
"use strict";
const { join } = require("node:path");

require("ts-node").register({ project: join(__dirname, "../../tsconfig.json"), transpileOnly: true });
const { main } = require("./main");

const read = async () => {
    const parts = [];
    for await (const part of process.stdin) {
        parts.push(part);
    }
    return Buffer.concat(parts);
};

main(process.argv.slice(2), { stdin: read, out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) })
    .then((code) => {
        process.exitCode = code;
    });
