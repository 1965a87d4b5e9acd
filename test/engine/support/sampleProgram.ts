import * as pulumi from "@pulumi/pulumi";
import type { SampleResource } from "../../policy/sampleStage";
import { isReference } from "../../policy/sampleStage";

/** A resource of any type: the SDK has no such class, because programs name what they make. */
class AnyResource extends pulumi.CustomResource {}

/** A Pulumi program that registers resources given as data, references among them as outputs. */
export function sampleProgram(resources: readonly SampleResource[]): () => Promise<void> {
    return async () => {
        const registered = new Map<string, pulumi.CustomResource>();
        const resolve = (value: unknown): unknown => {
            if (isReference(value)) {
                const target = registered.get(value.resource) as unknown as Record<string, unknown> | undefined;
                if (target === undefined) {
                    throw new Error(`${value.resource} must stand before what refers to it.`);
                }
                return target[value.output];
            }
            if (Array.isArray(value)) {
                return value.map(resolve);
            }
            if (typeof value === "object" && value !== null && !pulumi.Output.isInstance(value)) {
                return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
            }
            return value;
        };
        for (const { type, name, props, protect } of resources) {
            // Declared here, so that the SDK makes outputs of them.
            const outputs = { arn: undefined, url: undefined, name: undefined };
            registered.set(
                name,
                new AnyResource(
                    type,
                    name,
                    { ...outputs, ...(resolve(props) as object) },
                    { protect: protect === true },
                ),
            );
        }
    };
}
