/**
 * The operations of AWS Step Functions and the shapes of their requests, as data (generate.py says where they come
 * from).
 */
import api from "./stepFunctions.json";

/** What a value must be like. */
export interface Shape {
    readonly type: "boolean" | "double" | "float" | "integer" | "list" | "long" | "map" | "string" | "structure";
    readonly members?: { readonly [name: string]: string };
    readonly required?: readonly string[];
    /** Of a list's entries. */
    readonly member?: string;
    /** Of a map's values. */
    readonly value?: string;
    /** Least length or value. */
    readonly min?: number;
    /** Greatest length or value. */
    readonly max?: number;
    readonly enum?: readonly string[];
    readonly pattern?: string;
}

interface ServiceModel {
    readonly source: string;
    readonly operations: {
        readonly [name: string]: { readonly input: string; readonly errors: readonly string[] };
    };
    readonly shapes: { readonly [name: string]: Shape };
}

const model = api as unknown as ServiceModel;

/** Names of all operations that AWS has. */
export const OPERATIONS: readonly string[] = Object.keys(model.operations);

/** Names of the errors that AWS declares for an operation. */
export function errorsOf(operation: string): readonly string[] {
    return model.operations[operation]?.errors ?? [];
}

/** The shape of an operation's request. */
export function requestShape(operation: string): Shape {
    const found = model.operations[operation];
    if (found === undefined) {
        throw new Error(`Step Functions has no operation ${operation}`);
    }
    return shapeOf(found.input);
}

/** A shape by its name. */
export function shapeOf(name: string): Shape {
    const found = model.shapes[name];
    if (found === undefined) {
        throw new Error(`the model of Step Functions has no shape ${name}`);
    }
    return found;
}
