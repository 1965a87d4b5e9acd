/**
 * Completion markers: what tells a finished model from a half-written one.
 */
import * as z from "zod";
import type { TrainedModel } from "../../workflow/contract";
import { DataError } from "./errors";
import { sameContent, type Storage } from "./storage";

const storedObject = z.object({
    uri: z.string(),
    bytes: z.number(),
    etag: z.string(),
    checksum: z.string().optional(),
});
const trainedModel = z.object({
    format: z.literal(1),
    model: z.string(),
    key: z.string().regex(/^[0-9a-f]{64}$/),
    jobName: z.string(),
    execution: z.string(),
    trainedAt: z.string(),
    billableSeconds: z.number().optional(),
    artifacts: z.object({ model: storedObject, output: storedObject }),
    identity: z.record(z.string(), z.unknown()),
    reason: z.string().optional(),
    missing: z.array(z.string()).optional(),
});

/** Reads a completion marker; undefined where there is none. A marker of another shape is a DataError. */
export async function readTrained(storage: Storage, uri: string): Promise<TrainedModel | undefined> {
    const value = await storage.json(uri, 1024 * 1024);
    if (value === undefined) {
        return undefined;
    }
    const parsed = trainedModel.safeParse(value);
    if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new DataError(
            `${uri} is no completion marker: ${issue?.path.join(".")}: ${issue?.message}; train the model again ` +
                "(force)",
        );
    }
    return parsed.data;
}

/** What is wrong with the artefacts behind a marker, in words; undefined where they are as recorded. */
export async function damage(storage: Storage, trained: TrainedModel): Promise<string | undefined> {
    for (const recorded of [trained.artifacts.model, trained.artifacts.output]) {
        const found = await storage.head(recorded.uri);
        if (found === undefined) {
            return `${recorded.uri} is gone`;
        }
        if (!sameContent(found, recorded)) {
            return `${recorded.uri} is not what was registered (${found.bytes} bytes, registered ${recorded.bytes})`;
        }
    }
    return undefined;
}
