import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";

const root = path.resolve(__dirname, "../..");

/** Calls a function of one of the scripts, which are modules that run before anything is compiled. */
async function script<T>(name: string): Promise<T> {
    return (await import(pathToFileURL(path.join(root, "scripts", name)).href)) as T;
}

describe("messages of commits", () => {
    let problemsOf: (message: string) => string[];
    before(async () => {
        ({ problemsOf } = await script<{ problemsOf: typeof problemsOf }>("commits.mjs"));
    });

    it("have a subject of at most 72 characters, and a body that is wrapped there", () => {
        assert.deepEqual(problemsOf(`${"s".repeat(72)}\n\n${"w ".repeat(36)}\n`), []);
        assert.match(problemsOf("s".repeat(73)).join(), /subject has 73 characters/);
        assert.match(problemsOf(`subject\nbody`).join(), /below the subject/);
        assert.match(problemsOf(`subject\n\n${"w ".repeat(40)}w`).join(), /a line of the body/);
    });

    it("may hold what cannot be wrapped: addresses, printed lines, trailers", () => {
        const long = "x".repeat(80);
        assert.deepEqual(problemsOf(`subject\n\nhttps://example.org/${long} says so\n    $ ${long} -x\n${long}`), []);
        assert.deepEqual(problemsOf(`subject\n\nCo-authored-by: ${long} <a@example.org>`), []);
    });

    it("hold since the check came", () => {
        const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/commits.mjs"], {
            cwd: root,
            encoding: "utf8",
        });
        assert.equal(status, 0, stdout + stderr);
    });

    it("of a range that there is not are no success", () => {
        const { status, stderr } = spawnSync(process.execPath, ["scripts/commits.mjs", "no-such-branch..HEAD"], {
            cwd: root,
            encoding: "utf8",
        });
        assert.equal(status, 2);
        assert.match(stderr, /no-such-branch/);
    });
});

describe("a release", () => {
    interface Manifest {
        readonly name: string;
        readonly version: string;
        readonly dependencies?: Readonly<Record<string, string>>;
    }
    interface Release {
        problemsOf(tag: string, found: { manifests: readonly Manifest[]; changelog: string }): string[];
        sectionOf(changelog: string, version: string): string | undefined;
    }
    const changelog = "# Changelog\n\n## [1.2.3] - 2026-11-28\n\n- new\n\n## [1.2.2] - 2026-10-01\n\n- old\n";
    const manifests = [
        { name: "a", version: "1.2.3", dependencies: { b: "1.2.3" } },
        { name: "b", version: "1.2.3" },
    ];
    let release: Release;
    before(async () => {
        release = await script<Release>("release.mjs");
    });

    it("is a tag that versions and changelog bear out, with that version's changes as its text", () => {
        assert.deepEqual(release.problemsOf("v1.2.3", { manifests, changelog }), []);
        assert.equal(release.sectionOf(changelog, "1.2.3"), "- new");
        assert.equal(release.sectionOf(changelog, "1.2.2"), "- old");
    });

    it("is refused with all reasons at once", () => {
        const problems = release.problemsOf("v1.2.4", { manifests, changelog });
        assert.match(problems[0] ?? "", /a has version 1\.2\.3, the tag says 1\.2\.4/);
        assert.match(problems[1] ?? "", /b has version/);
        assert.match(problems[2] ?? "", /a wants b 1\.2\.3/);
        assert.match(problems[3] ?? "", /no section "## \[1\.2\.4\]/);
        assert.match(release.problemsOf("1.2.3", { manifests, changelog }).join(), /expected v and a version/);
    });
});
