import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { decodeConfig, loadStageConfig } from "../../stacks/config";
import { readStackConfig } from "../../project/evaluate";
import { stageSettings } from "../../simulation/sampleStages";
import { readInput } from "../../workflow/input";
import { documents, root } from "./commands";

const PROJECT = "ensemble-training:";
const guide = readFileSync(path.join(root, "docs/guide.md"), "utf8");
const blocks = (language: string): string[] =>
    [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, text]) => text);

describe("the guide's own examples", () => {
    it("of configuration are accepted as the dev stage's", () => {
        const examples = blocks("yaml").map((text) => parse(text) as Record<string, unknown>);
        assert.ok(examples.length >= 4);
        for (const example of examples) {
            const given = (example.config ?? example) as Record<string, unknown>;
            const own = Object.fromEntries(
                Object.entries(given)
                    .filter(([key]) => key.startsWith(PROJECT))
                    .map(([key, value]) => [key.slice(PROJECT.length), value]),
            );
            assert.ok(Object.keys(own).length > 0);
            const dev = decodeConfig(readStackConfig("dev"), "ensemble-training");
            assert.doesNotThrow(() => loadStageConfig("dev", { ...dev, ...own }));
        }
    });

    it("of an execution's input is valid", () => {
        const [input] = blocks("json").map((text) => JSON.parse(text) as Record<string, unknown>);
        const settings = { ...stageSettings("prod"), dataLocations: ["s3://my-data"] };
        const problems = readInput(input, settings).problems.filter(({ path: place }) => !place.includes("batch_size"));
        assert.deepEqual(problems, []);
    });
});

describe("the links in the documents", () => {
    for (const file of documents()) {
        it(`${file}: lead to files that are there`, () => {
            const text = readFileSync(path.join(root, file), "utf8").replace(/^```[\s\S]*?^```/gm, "");
            const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
                .map(([, target]) => target)
                .filter((target) => !/^[a-z]+:/.test(target));
            assert.deepEqual(
                targets.filter((target) => !existsSync(path.resolve(root, path.dirname(file), target))),
                [],
            );
        });
    }
});
