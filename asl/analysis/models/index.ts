/**
 * The inputs of the service calls that Step Functions optimises, as data (see generate.py for where it comes from).
 */
import api from "./api.json";

export interface Shape {
    readonly type: string;
    readonly members?: { readonly [name: string]: string };
    readonly required?: readonly string[];
    readonly member?: string;
    readonly key?: string;
    readonly value?: string;
    readonly min?: number;
    readonly max?: number;
    readonly enum?: readonly string[];
}

export interface Service {
    readonly calls: { readonly [operation: string]: string };
    readonly shapes: { readonly [name: string]: Shape };
}

export const services = (api as unknown as { readonly services: { readonly [name: string]: Service } }).services;

/** Where the data come from, with the version. */
export const source = api.source;

export interface Integration {
    readonly service: string;
    readonly operation: string;
    /** "" (request response), "sync", "sync:2" or "waitForTaskToken". */
    readonly pattern: string;
}

/** An optimised integration: arn:aws:states:::batch:submitJob.sync. Undefined for function ARNs, activities and aws-sdk calls. */
export function integrationOf(resource: unknown): Integration | undefined {
    const match =
        typeof resource === "string"
            ? /^arn:[^:]*:states:[^:]*:[^:]*:([a-z0-9]+):([A-Za-z0-9]+)(?:\.([A-Za-z:0-9]+))?$/.exec(resource)
            : null;
    return match === null || match[1] === "activity"
        ? undefined
        : { service: match[1], operation: match[2], pattern: match[3] ?? "" };
}
