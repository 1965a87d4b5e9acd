/**
 * `npm run mutation [-- ROOM ... --write]`: what would the tests not notice? Stryker changes the sources of each room
 * in small ways and runs the tests that reach the change. With --write the scores go into docs/measures.md.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ROOMS } from "../stryker.config.mjs";
import { root } from "./bootstrap.mjs";

const DOCUMENT = path.join(root, "docs/measures.md");
const stryker = path.join(
    path.dirname(createRequire(import.meta.url).resolve("@stryker-mutator/core/package.json")),
    "bin/stryker.js",
);

/** How many mutants of a report ended how. */
export function scoreOf(report) {
    const counts = { Killed: 0, Timeout: 0, Survived: 0, NoCoverage: 0 };
    for (const { mutants } of Object.values(report.files)) {
        for (const { status } of mutants) {
            if (status in counts) {
                counts[status] += 1;
            }
        }
    }
    const { Killed, Timeout, Survived, NoCoverage } = counts;
    const noticed = Killed + Timeout;
    return { noticed, survived: Survived, unreached: NoCoverage, all: noticed + Survived + NoCoverage };
}

/** The table of the rooms whose reports are there. */
export function scoreTable(reports) {
    const rows = Object.entries(reports).map(([room, report]) => {
        const { all, noticed, survived, unreached } = scoreOf(report);
        const score = all === 0 ? "-" : `${((100 * noticed) / all).toFixed(1)} %`;
        return `| ${room} | ${all} | ${noticed} | ${survived} | ${unreached} | ${score} |`;
    });
    return ["| room | mutants | noticed | survived | not reached | score |", "|---|---|---|---|---|---|", ...rows].join(
        "\n",
    );
}

function reports() {
    const files = Object.keys(ROOMS).map((room) => [room, path.join(root, ".build/mutation", `${room}.json`)]);
    return Object.fromEntries(
        files.filter(([, file]) => existsSync(file)).map(([room, file]) => [room, JSON.parse(readFileSync(file))]),
    );
}

/** One room after the other: each takes all processors. */
function run(room) {
    const { status, signal } = spawnSync(process.execPath, [stryker, "run"], {
        cwd: root,
        stdio: "inherit",
        env: { ...process.env, MUTATION_ROOM: room },
    });
    if (signal !== null || status !== 0) {
        process.exitCode = status ?? 130;
        return false;
    }
    return true;
}

function main(args) {
    const rooms = args.filter((arg) => arg !== "--write");
    const unknown = rooms.filter((room) => !(room in ROOMS));
    if (unknown.length > 0) {
        process.stderr.write(
            `No room "${unknown.join('", "')}" is mutated; expected ${Object.keys(ROOMS).join(", ")}.\n`,
        );
        process.exitCode = 2;
        return;
    }
    if (!(rooms.length > 0 ? rooms : Object.keys(ROOMS)).every(run)) {
        return;
    }
    const table = scoreTable(reports());
    process.stdout.write(`${table}\n`);
    if (args.includes("--write")) {
        const written = readFileSync(DOCUMENT, "utf8").replace(
            /(<!-- generated: mutation -->\n)[\s\S]*?(<!-- \/generated -->)/,
            (_all, begin, end) => `${begin}${table}\n${end}`,
        );
        writeFileSync(DOCUMENT, written);
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    main(process.argv.slice(2));
}
