/**
 * The inputs of the service calls that Step Functions optimises: as data from AWS's own models (see generate.py), and
 * in `limits.ts` what only the services' references tell.
 */
import api from "./api.json";

export { limited, relationsOf } from "./limits";

export interface Shape {
    readonly type: string;
    readonly members?: { readonly [name: string]: string };
    readonly required?: readonly string[];
    readonly member?: string;
    readonly key?: string;
    readonly value?: string;
    /** Of a number its value, of a text its characters, of a list its items. */
    readonly min?: number;
    readonly max?: number;
    readonly pattern?: string;
    readonly enum?: readonly string[];
}

/** A call of a service that Step Functions optimises. */
export interface Integration {
    readonly service: string;
    readonly operation: string;
    /** "" (request response), "sync", "sync:2" or "waitForTaskToken". */
    readonly pattern: string;
}

const RESOURCE = /^arn:[^:]*:states:[^:]*:[^:]*:([a-z0-9]+):([A-Za-z0-9]+)(?:\.([A-Za-z:0-9]+))?$/;

/**
 * The optimised integration of arn:aws:states:::batch:submitJob.sync or the like. Undefined for function ARNs,
 * activities and aws-sdk calls.
 */
export function integrationOf(resource: unknown): Integration | undefined {
    const [, service, operation, pattern = ""] = typeof resource === "string" ? (RESOURCE.exec(resource) ?? []) : [];
    return service === undefined || operation === undefined || service === "activity"
        ? undefined
        : { service, operation, pattern };
}

/** What is known of a service: its calls by name, with the name of the input's shape, and its shapes. */
export interface Service {
    readonly calls: ReadonlyMap<string, string>;
    readonly shapes: ReadonlyMap<string, Shape>;
}

interface Data {
    readonly calls: { readonly [operation: string]: string };
    readonly shapes: { readonly [name: string]: Shape };
}

const SERVICES: ReadonlyMap<string, Service> = new Map(
    Object.entries(api.services as unknown as { readonly [name: string]: Data }).map(([name, { calls, shapes }]) => [
        name,
        { calls: new Map(Object.entries(calls)), shapes: new Map(Object.entries(shapes)) },
    ]),
);

/** The service, if its calls are known here. */
export const serviceOf = (name: string): Service | undefined => SERVICES.get(name);
