/**
 * Mutation tests by Stryker: what the tests would not notice. `npm run mutation -- ROOM`, one of ROOMS, or several.
 *
 * A mutant is a small change of the source; all mutants of a room are compiled in at once and switched on one by one,
 * and only the tests that reach a mutant run against it. The score is the share of mutants that a test noticed.
 */
import process from "node:process";

/** Rooms with what is mutated and the specs that are to notice. */
export const ROOMS = {
    pricing: { mutate: ["pricing/**/*.ts"], spec: ["test/pricing/*.spec.ts"] },
    workflow: { mutate: ["workflow/**/*.ts"], spec: ["test/workflow/*.spec.ts"] },
    analysis: { mutate: ["asl/analysis/**/*.ts"], spec: ["test/asl/analysis/*.spec.ts", "test/asl/check/*.spec.ts"] },
    history: { mutate: ["asl/history/*.ts"], spec: ["test/asl/history/*.spec.ts"] },
};

const room = process.env.MUTATION_ROOM ?? "pricing";

export default {
    mutate: ROOMS[room].mutate,
    testRunner: "mocha",
    mochaOptions: { config: ".mocharc.json", spec: ROOMS[room].spec },
    coverageAnalysis: "perTest",
    plugins: ["@stryker-mutator/mocha-runner"],
    tempDirName: ".build/stryker",
    ignorePatterns: ["/.venv", "/.local", "/.build", "/.cache", "/dist", "/docs/api", "/examples", "/bench", "*.tgz"],
    reporters: ["progress-append-only", "json", "html", "clear-text"],
    jsonReporter: { fileName: `.build/mutation/${room}.json` },
    htmlReporter: { fileName: `.build/mutation/${room}.html` },
    clearTextReporter: { logTests: false, allowColor: false, reportMutants: true, reportTests: false },
    // what only prints has no test of its own, and a text that changes is no fault
    mutator: { excludedMutations: ["StringLiteral"] },
    checkers: [],
    concurrency: Number(process.env.MUTATION_CONCURRENCY ?? 2),
    timeoutMS: 30_000,
};
