/**
 * Errors whose name says what class of failure they are. A function's error name reaches the workflow as it is; a job
 * prints `<name>: <message>` as its last line. Names are set as text because bundling renames classes.
 */

abstract class NamedError extends Error {
    constructor(name: string, message: string, options?: ErrorOptions) {
        super(message, options);
        this.name = name;
    }
}

/** The execution's input, or a job's parameters, are wrong. */
export class InputError extends NamedError {
    constructor(message: string, options?: ErrorOptions) {
        super("InputError", message, options);
    }
}

/** The data, or an artefact, is wrong. */
export class DataError extends NamedError {
    constructor(message: string, options?: ErrorOptions) {
        super("DataError", message, options);
    }
}

/** A metric is below its bound. */
export class QualityGateError extends NamedError {
    constructor(message: string, options?: ErrorOptions) {
        super("QualityGate", message, options);
    }
}

/** A role lacks a permission. */
export class PermissionError extends NamedError {
    constructor(message: string, options?: ErrorOptions) {
        super("PermissionError", message, options);
    }
}

/** The storage did not answer, or the disk is full: worth another try. */
export class StorageError extends NamedError {
    constructor(message: string, options?: ErrorOptions) {
        super("StorageError", message, options);
    }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
