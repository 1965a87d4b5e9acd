/**
 * `node scripts/release.mjs v0.2.0`: refuses a tag that the packages' versions or the changelog do not bear out, and
 * prints the changelog's section, the text of the release.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { root } from "./bootstrap.mjs";

const PACKAGES = [".", "asl", "policy"];

/** The lines below `## [0.2.0] - 2026-11-28`, up to the next version; undefined where there is none. */
export function sectionOf(changelog, version) {
    const lines = changelog.split("\n");
    const start = lines.findIndex((line) => line.startsWith(`## [${version}]`));
    if (start < 0) {
        return undefined;
    }
    const after = lines.slice(start + 1);
    const end = after.findIndex((line) => line.startsWith("## "));
    return (end < 0 ? after : after.slice(0, end)).join("\n").trim();
}

/** Why a tag is no release, all at once. */
export function problemsOf(tag, { manifests, changelog }) {
    const version = tag.replace(/^v/, "");
    if (!/^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?$/.test(tag)) {
        return [`the tag is ${tag}, expected v and a version, for example v0.2.0`];
    }
    const problems = manifests
        .filter((manifest) => manifest.version !== version)
        .map(
            (manifest) =>
                `${manifest.name} has version ${manifest.version}, the tag says ${version}: set it in its package.json`,
        );
    for (const { name, dependencies = {} } of manifests) {
        for (const [dependency, wanted] of Object.entries(dependencies)) {
            if (manifests.some((manifest) => manifest.name === dependency) && wanted !== version) {
                problems.push(`${name} wants ${dependency} ${wanted}, the tag says ${version}`);
            }
        }
    }
    if ((sectionOf(changelog, version) ?? "") === "") {
        problems.push(`CHANGELOG.md has no section "## [${version}] - <date>" with entries: rename [Unreleased]`);
    }
    return problems;
}

function main(tag = "") {
    const read = (file) => readFileSync(path.join(root, file), "utf8");
    const manifests = PACKAGES.map((folder) => JSON.parse(read(path.join(folder, "package.json"))));
    const changelog = read("CHANGELOG.md");
    const problems = problemsOf(tag, { manifests, changelog });
    if (problems.length > 0) {
        process.stderr.write(`No release:\n${problems.map((problem) => `- ${problem}`).join("\n")}\n`);
        process.exitCode = 1;
        return;
    }
    process.stdout.write(`${sectionOf(changelog, tag.replace(/^v/, ""))}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    main(process.argv[2]);
}
