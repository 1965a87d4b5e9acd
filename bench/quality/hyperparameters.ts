/**
 * The hyperparameters of a stage's models as JSON, as its configuration says or as a local run trains:
 *
 *     node -r ./scripts/typescript.cjs bench/quality/hyperparameters.ts STAGE [--local]
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseUpperBounds, reductionsOf } from "../../local/run/reductions";
import { settingsOf } from "../../local/run/stage";
import { evaluateStage } from "../../project/evaluate";

const ROOT = path.resolve(__dirname, "../..");

async function main([stage, ...options]: readonly string[]): Promise<void> {
    const settings = settingsOf((await evaluateStage(stage)).stateMachine.definition);
    const source = path.join(ROOT, "local", "hyperparameters.json");
    const bounds = options.includes("--local") ? parseUpperBounds(fs.readFileSync(source, "utf8"), source) : {};
    const models = { ...settings.members, [settings.combiner.name]: settings.combiner };
    const values = Object.entries(models).map(([name, { hyperparameters }]) => {
        const smaller = reductionsOf(name, hyperparameters, bounds).map((one) => [one.name, one.local]);
        return [name, { ...hyperparameters, ...Object.fromEntries(smaller) }];
    });
    console.log(JSON.stringify(Object.fromEntries(values)));
}

void main(process.argv.slice(2));
