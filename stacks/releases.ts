/**
 * What earlier deployments of a stage made and executions may still call, as the stack itself remembers it: it reads
 * its own last outputs. Without that memory an alias would go as soon as a deployment takes another one, or stay for
 * ever and be in the way when a deployment goes back.
 */
import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import type { Release } from "../components/functions";
import type { PushedImages } from "../components/trainingImage";

/** What deployments of a stage left for executions that still run. */
export interface Releases {
    /** By function, newest first. */
    readonly functions: Readonly<Record<string, readonly Release[]>>;
    /** By image. */
    readonly images: Readonly<Record<string, PushedImages>>;
}

export const NO_RELEASES: Releases = { functions: {}, images: {} };

const schema = z.object({
    functions: z.record(
        z.string(),
        z.array(z.object({ alias: z.string(), version: z.string(), retired: z.string().optional() })),
    ),
    images: z.record(z.string(), z.object({ pushed: z.array(z.string()), held: z.string().optional() })),
});

/** Reads the stack output `releases`; a stack without it, as a new one, has none. */
export function readReleases(output: unknown): Releases {
    const result = schema.safeParse(output);
    return result.success ? result.data : NO_RELEASES;
}

/** The memory of the stack that the program runs for. */
export async function previousReleases(): Promise<Releases> {
    const itself = new pulumi.StackReference("previous", {
        name: `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`,
    });
    return readReleases((await itself.getOutputDetails("releases")).value);
}
