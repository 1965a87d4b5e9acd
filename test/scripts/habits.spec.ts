import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

const root = path.resolve(__dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

function tracked(pattern: string): string[] {
    const { stdout } = spawnSync("git", ["ls-files", "--", pattern], { cwd: root, encoding: "utf8" });
    return stdout.split("\n").filter((file) => file !== "");
}

describe("whoever comes next", () => {
    it("gets the Node that the packages want, by every version manager and in the container", () => {
        const version = read(".node-version").trim();
        const engines = (JSON.parse(read("package.json")) as { engines: { node: string } }).engines.node;
        const [, major, minor] = /^>=(\d+)\.(\d+)$/.exec(engines) ?? [];
        const [gotMajor, gotMinor] = version.split(".").map(Number);
        assert.equal(gotMajor, Number(major), "the oldest Node that must work is the one that is worked with");
        assert.ok((gotMinor ?? 0) >= Number(minor));
        assert.ok(read(".devcontainer/devcontainer.json").includes(`"version": "${version}"`));
    });

    it("has the toolchains of every suite in the container", () => {
        for (const toolchain of ["node", "python", "go", "java"]) {
            assert.match(read(".devcontainer/devcontainer.json"), new RegExp(`features/${toolchain}:`));
        }
    });

    it("hears of what ages: every kind and every place of pinned dependencies is watched", () => {
        interface Update {
            readonly "package-ecosystem": string;
            readonly "directory"?: string;
            readonly "directories"?: readonly string[];
        }
        const { updates } = parse(read(".github/dependabot.yml")) as { readonly updates: readonly Update[] };
        const watched = (ecosystem: string): string[] =>
            updates
                .filter((update) => update["package-ecosystem"] === ecosystem)
                .flatMap(({ directory, directories = [] }) => [...directories, directory ?? ""])
                .filter((folder) => folder !== "");
        const folders = (pattern: string): string[] =>
            tracked(pattern).map((file) => path.posix.join("/", path.posix.dirname(file)));
        const missing = (ecosystem: string, pattern: string): string[] =>
            folders(pattern).filter((folder) => !watched(ecosystem).includes(folder));
        assert.deepEqual(missing("npm", "*package-lock.json"), []);
        assert.deepEqual(missing("pip", "*requirements.txt"), []);
        assert.deepEqual(missing("docker", "*Dockerfile"), []);
        assert.deepEqual(missing("gomod", "*go.mod"), []);
        assert.deepEqual(missing("maven", "*pom.xml"), []);
    });

    it("finds every decision in the list, and every link leads somewhere", () => {
        const folder = path.join(root, "docs/decisions");
        const pages = readdirSync(folder).filter((name) => name !== "README.md");
        for (const page of pages) {
            assert.ok(read("docs/decisions/README.md").includes(`](${page})`), page);
            const links = [...readFileSync(path.join(folder, page), "utf8").matchAll(/\]\(([^)#]+)\)/g)];
            for (const [, target = ""] of links) {
                assert.ok(existsSync(path.join(folder, target)), `${page}: ${target}`);
            }
        }
    });

    it("is asked for by folders that there are", () => {
        const owned = read(".github/CODEOWNERS")
            .split("\n")
            .filter((line) => line.startsWith("/"))
            .map((line) => line.split(/\s+/)[0] ?? "");
        assert.ok(owned.length > 0);
        assert.deepEqual(
            owned.filter((folder) => !existsSync(path.join(root, folder))),
            [],
        );
    });
});
