import { mkdirSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { StateMachineDefinition } from "../../asl/types";
import { ToolError } from "../../ground/errors";
import type { EvaluatedStage, RecordedResource } from "../../project/evaluate";
import type { StageSettings } from "../../workflow/contract";
import { definitionName, type JobDefinition } from "../services/batch";
import type { LocalFunction } from "../services/lambda";

/** A program in place of an image: the image's own build context, as the Pulumi program wrote it. */
export interface LocalImage {
    readonly directory: string;
    /** Folder of the Dockerfile in the context; empty for the context itself. */
    readonly folder: string;
}

/** What a stage deploys, in the form in which this machine can run it. */
export interface LocalStage {
    readonly name: string;
    readonly region: string;
    readonly account: string;
    readonly stateMachine: EvaluatedStage["stateMachine"];
    /** The settings that the definition hands to Setup. */
    readonly settings: StageSettings;
    readonly jobDefinitions: ReadonlyMap<string, JobDefinition>;
    readonly functions: ReadonlyMap<string, LocalFunction>;
    readonly images: ReadonlyMap<string, LocalImage>;
    readonly buckets: readonly string[];
    /** Objects that the program itself uploads: the code of script mode, and what the stage points at. */
    readonly objects: readonly { readonly bucket: string; readonly key: string; readonly file: string }[];
}

type Inputs = Record<string, unknown>;

/** Takes everything that runs out of the recorded resources; the functions' code is written to `directory`. */
export async function localStage(evaluated: EvaluatedStage, root: string, directory: string): Promise<LocalStage> {
    const ofType = (type: string): readonly RecordedResource[] =>
        evaluated.resources.filter((resource) => resource.type === type);
    const buckets = ofType("aws:s3/bucket:Bucket").map(({ inputs }) => String(inputs.bucket));
    const objects = await Promise.all(
        ofType("aws:s3/bucketObjectv2:BucketObjectv2").map(async ({ name, inputs }) => ({
            bucket: String(inputs.bucket),
            key: String(inputs.key),
            file:
                typeof inputs.content === "string"
                    ? writtenObject(inputs.content, path.join(directory, "objects", String(inputs.key)))
                    : path.resolve(root, await assetPath(inputs.source, name)),
        })),
    );
    const images = new Map(
        ofType("docker-build:index:Image").flatMap(({ inputs }) => {
            const location = String((inputs.context as Inputs).location);
            const dockerfile = String((inputs.dockerfile as Inputs).location);
            const image = {
                directory: path.resolve(root, location),
                folder: path.relative(location, path.dirname(dockerfile)),
            };
            return (inputs.tags as string[]).map((tag) => [tag, image] as const);
        }),
    );
    const functions = new Map<string, LocalFunction>();
    for (const { name, inputs } of ofType("aws:lambda/function:Function")) {
        const bundle = path.join(directory, String(inputs.name), "index.js");
        await mkdir(path.dirname(bundle), { recursive: true });
        await writeFile(bundle, await functionCode(inputs.code, name));
        functions.set(String(inputs.name), {
            name: String(inputs.name),
            bundle,
            handler: String(inputs.handler).split(".").at(-1) as string,
            environment: ((inputs.environment as Inputs | undefined)?.variables ?? {}) as Record<string, string>,
            timeoutSeconds: Number(inputs.timeout),
            memoryMb: Number(inputs.memorySize),
        });
    }
    return {
        name: evaluated.stage,
        region: evaluated.identity.region,
        account: evaluated.identity.account,
        stateMachine: evaluated.stateMachine,
        settings: settingsOf(evaluated.stateMachine.definition),
        jobDefinitions: new Map(
            ofType("aws:batch/jobDefinition:JobDefinition").map(({ inputs }) => [
                definitionName(String(inputs.name)),
                jobDefinition(inputs),
            ]),
        ),
        functions,
        images,
        buckets,
        objects,
    };
}

/** The settings are the Arguments of the first state, so that the run sees exactly what the definition says. */
export function settingsOf(definition: StateMachineDefinition): StageSettings {
    const start = definition.States[definition.StartAt] as unknown as {
        Arguments?: { Payload?: { settings?: StageSettings } };
    };
    const settings = start.Arguments?.Payload?.settings;
    if (settings === undefined) {
        throw new ToolError(
            `The definition's first state ${definition.StartAt} hands no settings to a Setup function: ` +
                "is it stubbed by configuration? Remove the stub for a local run.",
        );
    }
    return settings;
}

function jobDefinition(inputs: Readonly<Inputs>): JobDefinition {
    const container = JSON.parse(String(inputs.containerProperties)) as {
        image: string;
        command: string[];
        environment?: { name: string; value: string }[];
        resourceRequirements?: { type: string; value: string }[];
    };
    const retry = inputs.retryStrategy as
        { attempts?: number; evaluateOnExits?: JobDefinition["evaluateOnExit"] } | undefined;
    return {
        name: String(inputs.name),
        image: container.image,
        command: container.command,
        environment: Object.fromEntries((container.environment ?? []).map(({ name, value }) => [name, value])),
        resources: (container.resourceRequirements ?? []).map(({ type, value }) => ({ Type: type, Value: value })),
        attempts: retry?.attempts ?? 1,
        evaluateOnExit: retry?.evaluateOnExits ?? [],
        timeoutSeconds: (inputs.timeout as { attemptDurationSeconds?: number } | undefined)?.attemptDurationSeconds,
    };
}

/** An object whose content the program says itself, as a file. */
function writtenObject(content: string, file: string): string {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
}

/** Pulumi's assets hold promises of their content. */
async function assetPath(asset: unknown, name: string): Promise<string> {
    const file = await (asset as { path?: Promise<string> | string }).path;
    if (typeof file !== "string") {
        throw new ToolError(
            `The object ${name} of the program is no file: only file assets can be put into the local object store.`,
        );
    }
    return file;
}

async function functionCode(archive: unknown, name: string): Promise<string> {
    const assets = await (archive as { assets?: Promise<Record<string, { text?: Promise<string> | string }>> }).assets;
    const text = await assets?.["index.js"]?.text;
    if (typeof text !== "string") {
        throw new ToolError(
            `The function ${name} of the program has no index.js as text: the local run cannot start it.`,
        );
    }
    return text;
}
