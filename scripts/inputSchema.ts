/** Writes docs/input.schema.json: the JSON Schema of an execution's input, for the models of this ensemble. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { COMBINER, hyperparametersOf, MEMBERS } from "../stacks/models";
import type { ModelSpec } from "../stacks/models";
import { inputJsonSchema } from "../workflow/input";

export const schemaFile = path.resolve(__dirname, "../docs/input.schema.json");

/**
 * The file's text. Ladders differ by stage, so any training instance type is allowed here; Setup checks it against the
 * stage's.
 */
export function inputSchemaText(): string {
    const shape = (spec: ModelSpec) => {
        const { schema, defaults } = hyperparametersOf(spec);
        return { schema, hyperparameters: defaults, capacity: [] };
    };
    const schema = inputJsonSchema({
        artifactBase: "",
        dataLocations: [],
        members: Object.fromEntries(
            Object.entries(MEMBERS).map(([name, spec]) => [name, { ...shape(spec), splitSet: spec.splitSet ?? false }]),
        ),
        combiner: { ...shape(COMBINER), name: COMBINER.name },
    });
    return `${JSON.stringify(schema, null, 2)}\n`;
}

if (require.main === module) {
    mkdirSync(path.dirname(schemaFile), { recursive: true });
    writeFileSync(schemaFile, inputSchemaText());
}
