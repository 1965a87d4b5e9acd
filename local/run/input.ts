import { closest } from "fastest-levenshtein";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import type { StageSettings } from "../../workflow/contract";
import { reductionsOf, type Reduction, type UpperBounds } from "./reductions";

type Json = Record<string, unknown>;

/** `--set KEY=VALUE`, sorted by what it changes. */
export interface Settings {
    /** Of the stack configuration: `folds=3`, `models.image.instanceCount=4`. */
    readonly configuration: Readonly<Json>;
    /** Of the execution's input: `image.epochs=3`, `run_training_steps.image_model=false`. */
    readonly input: readonly { readonly path: readonly string[]; readonly value: unknown; readonly text: string }[];
}

/**
 * @param models name of each model to its hyperparameters
 * @param configurationKeys top-level keys of the stack configuration
 */
export function parseSettings(
    texts: readonly string[],
    models: Readonly<Record<string, readonly string[]>>,
    configurationKeys: readonly string[],
): Settings {
    const configuration: Json = {};
    const input: { path: string[]; value: unknown; text: string }[] = [];
    for (const text of texts) {
        const match = /^([A-Za-z0-9_.-]+)=(.*)$/s.exec(text);
        if (!match) {
            throw new ToolError(
                `--set ${JSON.stringify(text)}: KEY=VALUE is expected, for example --set image.epochs=3`,
                EXIT.usage,
            );
        }
        const path = match[1].split(".").filter((part) => part !== "initialization");
        const value = readValue(match[2]);
        const [first] = path;
        const model = first.replace(/_model$/, "");
        if (first in models && path.length === 2) {
            if (!models[first].includes(path[1])) {
                throw new ToolError(
                    `--set ${text}: ${first} has no hyperparameter ${path[1]}; nearest: ` +
                        `${closest(path[1], [...models[first]])}. ` +
                        `It has: ${[...models[first]].sort().join(", ")}`,
                    EXIT.usage,
                );
            }
            input.push({ path: [`${first}_model`, "hyperparameters", path[1]], value, text });
        } else if (
            ["run_training_steps", "fetch_data", "force", "output_artifact_target_base_path"].includes(first) ||
            (first.endsWith("_model") && model in models)
        ) {
            input.push({ path, value, text });
        } else if (configurationKeys.includes(first)) {
            assign(configuration, path, value);
        } else {
            const known = [
                ...configurationKeys,
                ...Object.entries(models).flatMap(([name, own]) => own.map((key) => `${name}.${key}`)),
                "run_training_steps",
                "fetch_data",
            ];
            throw new ToolError(
                `--set ${text}: unknown key ${match[1]}; nearest: ${closest(match[1], known)}. ` +
                    "Keys are <model>.<hyperparameter>, fields of the execution's input " +
                    "(run_training_steps.image_model) " +
                    `or of the stack configuration (${[...configurationKeys].sort().join(", ")})`,
                EXIT.usage,
            );
        }
    }
    return { configuration, input };
}

function readValue(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

function assign(target: Json, path: readonly string[], value: unknown): void {
    const [first, ...rest] = path;
    if (rest.length === 0) {
        target[first] = value;
        return;
    }
    const inner = typeof target[first] === "object" && target[first] !== null ? { ...(target[first] as Json) } : {};
    assign(inner, rest, value);
    target[first] = inner;
}

export interface InputOptions {
    readonly settings: StageSettings;
    /** Content of `--input`; everything in it stands. */
    readonly given?: unknown;
    /** s3:// prefix of the documents in the local object store. */
    readonly dataPath: string;
    readonly bounds: UpperBounds;
    readonly changes: Settings["input"];
    /** Train everything, also where the same model exists. */
    readonly force: boolean;
}

/** The input of the execution, and what it makes smaller than the stage is configured. */
export function executionInput(options: InputOptions): {
    readonly input: unknown;
    readonly reductions: readonly Reduction[];
} {
    const { settings, given, dataPath } = options;
    const models = { ...settings.members, [settings.combiner.name]: settings.combiner };
    const input = structuredClone(
        given ?? {
            initialization: defined({
                fetch_data: { preprocessed_data_path: dataPath },
                run_training_steps: {
                    fetch_preprocessing_artifacts: true,
                    generate_image_model_split: true,
                    ...Object.fromEntries(Object.keys(settings.members).map((name) => [`${name}_model`, true])),
                },
                force: options.force ? Object.keys(models) : undefined,
            }),
        },
    );
    const initialization = (input as { initialization?: unknown }).initialization;
    if (typeof initialization !== "object" || initialization === null) {
        // Setup says what is missing, as it does on AWS
        return { input, reductions: [] };
    }
    const fields = initialization as Json;
    const fetchData = fields.fetch_data as Json | undefined;
    if (
        given !== undefined &&
        typeof fetchData === "object" &&
        fetchData !== null &&
        !fetchData.preprocessed_data_path
    ) {
        fetchData.preprocessed_data_path = dataPath;
    }
    if (given !== undefined && options.force && fields.force === undefined) {
        fields.force = Object.keys(models);
    }
    for (const { path, value } of options.changes) {
        assign(fields, path, value);
    }
    const reductions: Reduction[] = [];
    for (const [model, { hyperparameters }] of Object.entries(models)) {
        const own = (fields[`${model}_model`] ?? {}) as Json;
        const set = (own.hyperparameters ?? {}) as Json;
        // what the user says himself is not overruled; batch_size has two places
        const fixed = new Set([...Object.keys(set), ...Object.keys(own)]);
        const smaller = reductionsOf(model, hyperparameters, options.bounds, fixed);
        if (smaller.length > 0) {
            const values = Object.fromEntries(smaller.map(({ name, local }) => [name, local]));
            fields[`${model}_model`] = { ...own, hyperparameters: { ...set, ...values } };
            reductions.push(...smaller);
        }
    }
    return { input, reductions };
}
