/**
 * The input of an execution: its schema, its validation against a stage's settings, and its completion. Pure; the Setup
 * function adds what only S3 and the service quotas know. `docs/input.schema.json` is generated from the schema here.
 */
import { closest } from "fastest-levenshtein";
import * as z from "zod";
import { defined } from "../ground/fields";
import type { Capacity, HyperparameterRule, Hyperparameters, StageSettings } from "./contract";
import { hyperparameterConflicts, readHyperparameter } from "./hyperparameterRules";
import { PLACES } from "./places";

/** What validation needs of a stage; a `StageSettings` is one. */
export interface InputShape {
    readonly artifactBase: string;
    readonly dataLocations: readonly string[];
    readonly members: Readonly<Record<string, ModelShape & { readonly splitSet: boolean }>>;
    readonly combiner: ModelShape & { readonly name: string };
}

interface ModelShape {
    readonly hyperparameters: Hyperparameters;
    readonly schema: Readonly<Record<string, HyperparameterRule>>;
    readonly capacity: readonly Capacity[];
}

/** One thing that is wrong with an input. */
export interface Problem {
    /** Where, for example `initialization.image_model.hyperparameters.max_lr`. */
    readonly path: string;
    /** The value found, as JSON, shortened; `nothing` where it is missing. */
    readonly got: string;
    /** The bound that it breaks. */
    readonly expected: string;
    readonly advice: string;
}

/** A validated input with every default filled in; paths without trailing slashes. */
export interface CompletedInput {
    /** s3:// prefix below which this execution writes. */
    readonly target: string;
    readonly dataPath: string;
    readonly fetchData: boolean;
    readonly generateSplit: boolean;
    /** A split set made earlier; used when `generateSplit` is false. */
    readonly splitPath?: string;
    readonly members: Readonly<Record<string, CompletedModel>>;
    readonly combiner: CompletedModel;
    /** What was given but has no effect, in words. */
    readonly notes: readonly string[];
}

export interface CompletedModel {
    /** False: never train; then `given` is set. */
    readonly train: boolean;
    readonly forced: boolean;
    /** An existing model to use instead of training one. */
    readonly given?: string;
    /** Defaults with this execution's overrides, typed by their rules. */
    readonly hyperparameters: Hyperparameters;
    /** The ladder with this execution's instance type at its front. */
    readonly capacity: readonly Capacity[];
}

const s3Pattern = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/;
const bucketPattern = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Zod schemas of hyperparameters, so that the JSON Schema can show their rules. */
const rules = new WeakMap<object, HyperparameterRule>();

const s3Path = () => z.string().regex(s3Pattern, "an address s3://bucket/prefix");
const optionalPath = () => z.union([z.literal(""), s3Path()]).optional();

function hyperparameter(rule: HyperparameterRule): z.ZodType {
    const schema = z.union([z.number(), z.string(), z.boolean()]).superRefine((value, context) => {
        const read = readHyperparameter(value, rule);
        if ("expected" in read) {
            context.addIssue({ code: "custom", message: read.expected });
        }
    });
    rules.set(schema, rule);
    return schema.optional();
}

function modelSchema(model: ModelShape): z.ZodType {
    const types = [...new Set(model.capacity.map((rung) => rung.instanceType))];
    const hyperparameters = Object.fromEntries(
        Object.entries(model.schema).map(([name, rule]) => [name, hyperparameter(rule)]),
    );
    return z
        .strictObject(
            defined({
                batch_size: "batch_size" in model.schema ? hyperparameter(model.schema.batch_size) : undefined,
                instance_type: (types.length > 0
                    ? z.enum(types)
                    : z
                          .string()
                          .regex(
                              /^ml\.[a-z0-9-]+\.[a-z0-9-]+$/,
                              "a SageMaker training instance type, ml.<family>.<size>",
                          )
                )
                    .describe("Must be on the model's capacity ladder; moves to its front.")
                    .optional(),
                log_bucket: z
                    .union([z.literal(""), z.string().regex(bucketPattern, "the name of an S3 bucket")])
                    .describe("Bucket for the training's own logs (hyperparameter `bucket`).")
                    .optional(),
                hyperparameters: z
                    .strictObject(hyperparameters)
                    .describe("Overrides of the stage's hyperparameters, for this execution.")
                    .optional(),
            }),
        )
        .optional();
}

/** The schema of an execution's input for a stage's models. Unknown keys are refused everywhere. */
function inputSchema(shape: InputShape) {
    const members = Object.keys(shape.members);
    const split = members.some((name) => shape.members[name].splitSet);
    const each = <T>(make: (name: string) => readonly [string, T]) => Object.fromEntries(members.map(make));
    return z.strictObject({
        initialization: z.strictObject({
            fetch_data: z.strictObject({
                preprocessed_data_path: s3Path().describe(
                    "The preprocessed documents: the folder of labels.csv and the pages, or its labels.csv or " +
                        "manifest.json.",
                ),
                image_model_split_path: optionalPath().describe(
                    "A split set made earlier; required when generate_image_model_split is false.",
                ),
                ...each((name) => [
                    `${name}_model_artifact_path`,
                    optionalPath().describe(
                        `An existing ${name} model with its predictions for this data; required when ${name}_model ` +
                            "is false.",
                    ),
                ]),
            }),
            ...each((name) => [`${name}_model`, modelSchema(shape.members[name])]),
            [`${shape.combiner.name}_model`]: modelSchema(shape.combiner),
            output_artifact_target_base_path: optionalPath().describe(
                "Where executions write; by default the stage's artifact bucket.",
            ),
            run_training_steps: z.strictObject({
                fetch_preprocessing_artifacts: z
                    .boolean()
                    .describe(
                        "Copy the data into this execution's own prefix; false: use it where it is, in the layout " +
                            "that Fetch writes.",
                    ),
                generate_image_model_split: (split ? z.boolean() : z.boolean().optional()).describe(
                    "Make the folds; false: use image_model_split_path.",
                ),
                ...each((name) => [
                    `${name}_model`,
                    z
                        .boolean()
                        .optional()
                        .describe("true (default): train unless the same model exists; false: never train."),
                ]),
            }),
            force: z
                .array(z.enum([...members, shape.combiner.name]))
                .describe("Models that train even where the same model exists.")
                .optional(),
        }),
    });
}

/** The JSON Schema (draft 2020-12) of an input. */
export function inputJsonSchema(shape: InputShape): Record<string, unknown> {
    return {
        ...z.toJSONSchema(inputSchema(shape), {
            io: "input",
            override: ({ zodSchema, jsonSchema }) => {
                const rule = rules.get(zodSchema);
                if (rule !== undefined) {
                    delete jsonSchema.anyOf;
                    Object.assign(jsonSchema, ruleSchema(rule));
                }
            },
        }),
        title: "Input of an execution",
    };
}

function ruleSchema(rule: HyperparameterRule): Record<string, unknown> {
    const description = `${rule.description ?? ""}${rule.learning ? "" : " Does not change the model."}`.trim();
    if (rule.type === "string") {
        return defined({ type: "string", enum: rule.values === undefined ? undefined : [...rule.values], description });
    }
    if (rule.type === "boolean") {
        return { anyOf: [{ type: "boolean" }, { enum: ["true", "false"] }], description };
    }
    const bounds = defined({
        [rule.exclusiveMinimum === true ? "exclusiveMinimum" : "minimum"]: rule.minimum,
        [rule.exclusiveMaximum === true ? "exclusiveMaximum" : "maximum"]: rule.maximum,
    });
    const pattern = rule.type === "integer" ? "^-?[0-9]+$" : "^-?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?$";
    return {
        anyOf: [
            { type: rule.type, ...bounds },
            { type: "string", pattern },
        ],
        description,
    };
}

/** Validates and completes an input; either `input` or at least one problem. */
export function readInput(
    raw: unknown,
    shape: InputShape,
): { readonly input?: CompletedInput; readonly problems: readonly Problem[] } {
    const schema = inputSchema(shape);
    const parsed = schema.safeParse(raw);
    const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, raw, schema));
    const found = crossCheck(raw, shape);
    problems.push(...found.problems.filter((problem) => !problems.some(({ path }) => path === problem.path)));
    return problems.length > 0 ? { problems } : { input: found.input, problems };
}

/**
 * In how many folds the training stacks are cut, at most: by the split job, or by a member with a hyperparameter
 * `k_folds`. 1 where nobody makes folds. Every class must be in as many training stacks.
 */
export function mostFolds(stage: Pick<StageSettings, "folds" | "members">, input: CompletedInput): number {
    const folds = Object.entries(stage.members).map(([name, { splitSet }]) => {
        const member = input.members[name];
        const own = Number(member?.hyperparameters.k_folds ?? 1);
        return member?.train === true ? Math.max(own, splitSet ? stage.folds : 1) : 1;
    });
    return Math.max(1, ...folds);
}

/** One line a problem: path, value, bound, what to do. */
export function describeProblem({ path, got, expected, advice }: Problem): string {
    return `${path}: got ${got}, expected ${expected}; ${advice}`;
}

/** True if `uri` is one of the prefixes or lies below one; `s3://data` does not hold `s3://database`. */
export function isInside(uri: string, prefixes: readonly string[]): boolean {
    return prefixes.some((prefix) => {
        const bare = withoutSlash(prefix);
        return uri === bare || uri.startsWith(`${bare}/`);
    });
}

/**
 * Whether what executions write below a target would become part of the data, or the data lies where they write. Data
 * below `runs/` is an
 * earlier execution's own, which later ones leave alone.
 */
function overlaps(target: string, data: string): boolean {
    return Object.keys(PLACES).some((folder) => {
        const written = `${target}/${folder}`;
        return isInside(written, [data]) || (folder !== "runs" && isInside(data, [written]));
    });
}

/**
 * The files that may be named in place of the data's folder: one of them is the last of a new data set, and its event
 * is what is known.
 */
export const DATA_MARKERS = ["manifest.json", "labels.csv"] as const;

/** The folder of a data set, where its marker is named. */
function dataFolder(uri: string): string {
    const end = uri.lastIndexOf("/");
    return (DATA_MARKERS as readonly string[]).includes(uri.slice(end + 1)) ? uri.slice(0, end) : uri;
}

export function withoutSlash(uri: string): string {
    return uri.replace(/\/+$/, "");
}

/** A value for a message: JSON, at most 80 characters. */
export function showValue(value: unknown): string {
    const text = value === undefined ? "nothing" : JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

type Issue = z.core.$ZodIssue;

function explain(issue: Issue, raw: unknown, schema: z.ZodType): Problem[] {
    const value = at(raw, issue.path);
    if (issue.code === "unrecognized_keys") {
        const known = knownKeys(schema, issue.path);
        return issue.keys.map((key) => ({
            path: [...issue.path, key].join("."),
            got: showValue(at(value, [key])),
            expected: known.length === 0 ? "no key here" : `one of the keys ${known.join(", ")}`,
            advice: known.length === 0 ? "remove it" : `did you mean ${closest(key, known)}? Rename or remove it`,
        }));
    }
    const path = issue.path.join(".") || "input";
    const expected =
        issue.code === "invalid_type"
            ? issue.expected === "object"
                ? "an object"
                : `a ${issue.expected}`
            : issue.code === "invalid_value"
              ? `one of ${issue.values.join(", ")}`
              : issue.code === "invalid_union"
                ? (innermost(issue.errors) ?? "another type")
                : issue.message;
    const near =
        issue.code === "invalid_value" && typeof value === "string" && issue.values.length > 1
            ? `did you mean ${closest(value, issue.values.map(String))}?`
            : undefined;
    return [{ path, got: showValue(value), expected, advice: value === undefined ? "add it" : (near ?? "change it") }];
}

/** Of a union's errors the one that says most: a text of our own rather than a type. */
function innermost(errors: readonly (readonly Issue[])[]): string | undefined {
    const all = errors.flat();
    return (
        all.find((issue) => issue.code === "invalid_format" || issue.code === "custom")?.message ??
        (all.some((issue) => issue.code === "invalid_type") ? "a number, a string or true/false" : undefined)
    );
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
    let current: z.ZodType | undefined = schema;
    for (const key of path) {
        const object = unwrapped(current);
        current = object instanceof z.ZodObject ? (object.shape[String(key)] as z.ZodType) : undefined;
    }
    const object = unwrapped(current);
    return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
    return schema instanceof z.ZodOptional ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (current, key) =>
            Object.hasOwn(Object(current), key) ? (current as Record<PropertyKey, unknown>)[key] : undefined,
        value,
    );
}

/**
 * The rules that tie fields together. Reads leniently, so that all problems are told at once even where the schema
 * found some.
 */
function crossCheck(raw: unknown, shape: InputShape): { readonly input: CompletedInput; readonly problems: Problem[] } {
    const problems: Problem[] = [];
    const notes: string[] = [];
    const get = (...path: string[]) => at(raw, ["initialization", ...path]);
    const path = (...parts: string[]) => {
        const value = get(...parts);
        return typeof value === "string" && value !== "" ? withoutSlash(value) : undefined;
    };
    const allowed = [...shape.dataLocations, shape.artifactBase];
    const permitted = (...parts: string[]) => {
        const uri = path(...parts);
        if (uri !== undefined && s3Pattern.test(uri) && !isInside(uri, allowed)) {
            problems.push({
                path: ["initialization", ...parts].join("."),
                got: showValue(uri),
                expected: `a place inside ${[...new Set(allowed)].join(", ")}`,
                advice:
                    "the stage's roles reach nothing else: copy the data there, or add its prefix to the stage's " +
                    "dataLocations",
            });
        }
        return uri;
    };
    const steps = (name: string) => get("run_training_steps", name);
    const forced = Array.isArray(get("force")) ? (get("force") as unknown[]) : [];

    const members = Object.fromEntries(
        Object.entries(shape.members).map(([name, member]) => {
            const flag = `${name}_model`;
            const train = steps(flag) !== false;
            const field = `${name}_model_artifact_path`;
            const given = permitted("fetch_data", field);
            if (!train && given === undefined) {
                problems.push({
                    path: `initialization.fetch_data.${field}`,
                    got: showValue(get("fetch_data", field)),
                    expected: `the prefix of an existing ${name} model, since run_training_steps.${flag} is false`,
                    advice:
                        `name one (for example runs/<execution>/${name} of an earlier execution), or set ` +
                        `${flag} to true`,
                });
            }
            if (train && given !== undefined) {
                notes.push(`fetch_data.${field} has no effect, since run_training_steps.${flag} is true`);
            }
            if (!train && forced.includes(name)) {
                problems.push({
                    path: "initialization.force",
                    got: showValue(name),
                    expected: `no model whose run_training_steps.${flag} is false`,
                    advice: `remove ${name} from force, or set ${flag} to true`,
                });
            }
            return [
                name,
                { train, forced: forced.includes(name), given: train ? undefined : given, ...model(name, member) },
            ];
        }),
    );

    const generateSplit = steps("generate_image_model_split") !== false;
    const splitPath = permitted("fetch_data", "image_model_split_path");
    const splitting = Object.keys(shape.members).filter((name) => shape.members[name].splitSet && members[name].train);
    if (!generateSplit && splitPath === undefined && splitting.length > 0) {
        problems.push({
            path: "initialization.fetch_data.image_model_split_path",
            got: showValue(get("fetch_data", "image_model_split_path")),
            expected:
                "the prefix of a split set (folds.json), since run_training_steps.generate_image_model_split is false",
            advice: `name one for ${splitting.join(", ")}, or set generate_image_model_split to true`,
        });
    }
    if (generateSplit && splitPath !== undefined) {
        notes.push(
            "fetch_data.image_model_split_path has no effect, since " +
                "run_training_steps.generate_image_model_split is true",
        );
    }

    function model(name: string, settings: ModelShape): Pick<CompletedModel, "hyperparameters" | "capacity"> {
        const where = `initialization.${name}_model`;
        const overrides = { ...(Object(get(`${name}_model`, "hyperparameters")) as Record<string, unknown>) };
        const batchSize = get(`${name}_model`, "batch_size");
        if (batchSize !== undefined) {
            if (overrides.batch_size !== undefined && String(overrides.batch_size) !== String(batchSize)) {
                problems.push({
                    path: `${where}.batch_size`,
                    got: showValue(batchSize),
                    expected: `the same as hyperparameters.batch_size (${showValue(overrides.batch_size)})`,
                    advice: "give it in one place only",
                });
            }
            overrides.batch_size = batchSize;
        }
        const hyperparameters: Record<string, string | number | boolean> = { ...settings.hyperparameters };
        for (const [key, value] of Object.entries(overrides)) {
            const read = Object.hasOwn(settings.schema, key)
                ? readHyperparameter(value, settings.schema[key])
                : undefined;
            if (read !== undefined && "value" in read) {
                hyperparameters[key] = read.value;
            }
        }
        for (const { name: key, value, expected } of hyperparameterConflicts(
            hyperparameters,
            settings.schema,
            Object.keys(shape.members),
        )) {
            problems.push({
                path: `${where}.hyperparameters.${key}`,
                got: showValue(value),
                expected,
                advice: "change one of them; what the input leaves out is the stage's",
            });
        }
        const bucket = get(`${name}_model`, "log_bucket");
        if (typeof bucket === "string" && bucket !== "") {
            const buckets = [...new Set(allowed.map((uri) => uri.split("/")[2]))];
            if (!buckets.includes(bucket)) {
                problems.push({
                    path: `${where}.log_bucket`,
                    got: showValue(bucket),
                    expected: `one of the stage's buckets: ${buckets.join(", ")}`,
                    advice: "change it, or add the bucket to the stage's dataLocations",
                });
            }
            hyperparameters.bucket = bucket;
        }
        const type = get(`${name}_model`, "instance_type");
        return {
            hyperparameters,
            capacity: [
                ...settings.capacity.filter((rung) => rung.instanceType === type),
                ...settings.capacity.filter((rung) => rung.instanceType !== type),
            ],
        };
    }

    const target = permitted("output_artifact_target_base_path") ?? withoutSlash(shape.artifactBase);
    const dataPath = dataFolder(permitted("fetch_data", "preprocessed_data_path") ?? "");
    if (overlaps(target, dataPath)) {
        problems.push({
            path: "initialization.output_artifact_target_base_path",
            got: showValue(target),
            expected:
                `a place whose folders (${Object.keys(PLACES).join(", ")}) neither hold the data ` +
                `${dataPath} nor lie in it`,
            advice:
                "what an execution writes would become data of the next one: give the data a folder of its " +
                "own, or write elsewhere",
        });
    }

    return {
        problems,
        input: {
            target,
            dataPath,
            fetchData: steps("fetch_preprocessing_artifacts") !== false,
            generateSplit,
            splitPath: generateSplit ? undefined : splitPath,
            members,
            combiner: {
                train: true,
                forced: forced.includes(shape.combiner.name),
                ...model(shape.combiner.name, shape.combiner),
            },
            notes,
        },
    };
}
