import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import fc from "fast-check";
import { parseUpperBounds, reductionsOf } from "../../local/run/reductions";
import { settingsOf } from "../../local/run/stage";
import { evaluateStage } from "../../project/evaluate";
import { HYPERPARAMETERS } from "../../workflow/hyperparameters";

const FILE = path.resolve(__dirname, "../../local/hyperparameters.json");

describe("what a local run makes smaller", () => {
    const bounds = parseUpperBounds(fs.readFileSync(FILE, "utf8"), FILE);

    it("nothing ever becomes larger, or another kind of value", () => {
        const value = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.string(), fc.boolean());
        fc.assert(
            fc.property(fc.dictionary(fc.string(), value), fc.integer(), (configured, atMost) => {
                const own = {
                    image: Object.fromEntries(Object.keys(configured).map((name) => [name, { atMost, because: "-" }])),
                };
                for (const { name, configured: before, local } of reductionsOf("image", configured, own)) {
                    assert.equal(before, configured[name]);
                    assert.ok(local < before);
                }
            }),
        );
    });

    it("what the user has set stands, and so does what no bound speaks of", () => {
        const own = { image: { epochs: { atMost: 6, because: "-" } } };
        assert.deepEqual(reductionsOf("image", { epochs: 80 }, own, new Set(["epochs"])), []);
        assert.deepEqual(reductionsOf("text", { epochs: 80 }, own), []);
        assert.deepEqual(reductionsOf("image", { depth: 5 }, own), []);
    });

    for (const [text, message] of [
        ['{"text": {"analyzer": "word"}}', /file\.json: text\.analyzer: .*--set text\.analyzer=word/],
        ['{"text": {"analyzer": {"atMost": "word", "because": "-"}}}', /text\.analyzer\.atMost: .*expected number/],
        ['{"image": {"epochs": {"atMost": 6}}}', /image\.epochs\.because/],
        ["{", /file\.json: no JSON: /],
    ] as const) {
        it(`${text} is refused, with what is expected`, () => {
            assert.throws(() => parseUpperBounds(text, "file.json"), message);
        });
    }

    it("this machine's bounds are of numbers that models have, and each makes a shipped stage smaller", async () => {
        const smaller = new Set<string>();
        for (const stage of ["dev", "prod"]) {
            const { members, combiner } = settingsOf((await evaluateStage(stage)).stateMachine.definition);
            for (const [model, { hyperparameters }] of Object.entries({ ...members, [combiner.name]: combiner })) {
                reductionsOf(model, hyperparameters, bounds).forEach(({ name }) => smaller.add(`${model}.${name}`));
            }
        }
        const all = Object.entries(bounds).flatMap(([model, own]) =>
            Object.keys(own).map((name) => `${model}.${name}`),
        );
        assert.deepEqual([...smaller].sort(), [...all].sort());
        for (const [model, own] of Object.entries(bounds)) {
            const table: Readonly<Record<string, { readonly default: unknown }>> =
                HYPERPARAMETERS[model as keyof typeof HYPERPARAMETERS];
            assert.ok(
                Object.keys(own).every((name) => typeof table[name].default === "number"),
                model,
            );
        }
    });
});
