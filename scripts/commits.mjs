/**
 * `node scripts/commits.mjs [<range>]`: subjects of commits have at most 72 characters, and what stands below them is
 * wrapped there, so that every log shows them whole. Without a range: all commits since this check came.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "./bootstrap.mjs";

const MOST = 72;

/** What is wrong with a commit's message; nothing where all is well. */
export function problemsOf(message) {
    const [subject, second = "", ...rest] = message.trimEnd().split("\n");
    const problems = [];
    if (subject.length > MOST) {
        problems.push(
            `the subject has ${subject.length} characters, at most ${MOST} are shown whole; the why goes into the body`,
        );
    }
    if (second !== "") {
        problems.push("the line below the subject is not empty");
    }
    // an address or a printed line cannot be wrapped
    const isWhole = /^\s{4}|^[A-Z][\w-]+: |:\/\//;
    const long = rest.filter((line) => line.length > MOST && line.trim().includes(" ") && !isWhole.test(line));
    if (long.length > 0) {
        problems.push(
            `${long.length === 1 ? "a line" : `${long.length} lines`} of the body have more than ${MOST} characters: ` +
                `"${long[0]}"`,
        );
    }
    return problems;
}

function git(...args) {
    const { status, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });
    return status === 0 ? stdout : { problem: stderr.trim() };
}

/** Everything since the commit that brought this check. */
function sinceTheCheck() {
    const came = git("log", "--diff-filter=A", "--format=%H", "--", "scripts/commits.mjs");
    const commit = typeof came === "string" ? came.trim().split("\n").at(-1) : "";
    return commit === "" ? undefined : `${commit}..HEAD`;
}

function main(range = sinceTheCheck()) {
    if (range === undefined) {
        process.stdout.write(
            "No history to check: this is no checkout, or it does not reach back to the first checked commit.\n",
        );
        return;
    }
    const log = git("log", "--no-merges", "-z", "--format=%h%n%B", range);
    if (typeof log !== "string") {
        process.stderr.write(`The commits ${range} cannot be read: ${log.problem}\n`);
        process.exitCode = 2;
        return;
    }
    const commits = log.split("\0").filter((text) => text !== "");
    for (const text of commits) {
        const [hash, ...message] = text.split("\n");
        for (const problem of problemsOf(message.join("\n"))) {
            process.stderr.write(`${hash} "${message[0].slice(0, MOST)}": ${problem}\n`);
            process.exitCode = 1;
        }
    }
    if (process.exitCode === undefined) {
        process.stdout.write(`${commits.length} commits, every subject of at most ${MOST} characters\n`);
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    main(process.argv[2]);
}
