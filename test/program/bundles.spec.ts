import assert from "node:assert/strict";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { BUNDLED_ROOMS, loadBundles } from "../../stacks/bundles";
import { functionNames } from "../../workloads/bundle";

const root = path.resolve(__dirname, "../..");

describe("the cache of the bundles", function () {
    this.timeout(60_000);

    it("looks at every file of this project that goes into a bundle", () => {
        const entries = [
            ...functionNames.map((name) => `workloads/functions/${name}/index.ts`),
            "workloads/jobs/index.ts",
        ];
        const { metafile } = buildSync({
            entryPoints: entries,
            outdir: "x",
            bundle: true,
            platform: "node",
            packages: "external",
            metafile: true,
            write: false,
            absWorkingDir: root,
        });
        const outside = Object.keys(metafile.inputs).filter(
            (file) => !BUNDLED_ROOMS.some((room) => file.startsWith(`${room}/`)),
        );
        assert.ok(Object.keys(metafile.inputs).length > entries.length);
        assert.deepEqual(outside, []);
    });

    it("gives the same code from the cache as from the bundler", () => {
        const first = loadBundles();
        const second = loadBundles();
        assert.deepEqual(Object.keys(first).sort(), [...functionNames, "jobs"].sort());
        for (const name of functionNames) {
            assert.equal(first[name].code, second[name].code);
            assert.match(first[name].code, /handler/);
        }
    });
});
