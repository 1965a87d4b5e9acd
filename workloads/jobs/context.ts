/**
 * What every job has: its parameters, the storage, a place for files, progress, and a signal that says stop.
 */
import { InputError } from "../common/errors";
import type { Storage } from "../common/storage";

export type Parameters = Readonly<Record<string, string>>;

export interface JobContext {
    readonly parameters: Parameters;
    readonly storage: Storage;
    /** An empty folder for this job alone; removed afterwards. */
    readonly scratch: string;
    readonly signal: AbortSignal;
    readonly print: (line: string) => void;
}

export type Job = (context: JobContext) => Promise<void>;

/** Parameter that names no path: a member that is not there. */
export const NOTHING = "-";

export function required(parameters: Parameters, name: string): string {
    const value = parameters[name];
    if (value === undefined || value === "") {
        throw new InputError(`parameter ${name} is missing; pass --${name} <value>`);
    }
    return value;
}

export function number(
    parameters: Parameters,
    name: string,
    expected: string,
    holds: (value: number) => boolean,
): number {
    const text = required(parameters, name);
    const value = Number(text);
    if (!Number.isFinite(value) || !holds(value)) {
        throw new InputError(
            `parameter ${name} is ${JSON.stringify(text)}, expected ${expected}; correct the stage's configuration`,
        );
    }
    return value;
}

/** The parameters of members: `INPUT_PATH_<suffix>`, by suffix, in the order in which they were given. */
export function memberPaths(
    parameters: Parameters,
    without: readonly string[] = [],
): readonly (readonly [string, string])[] {
    return Object.entries(parameters)
        .filter(([name]) => name.startsWith("INPUT_PATH_") && !without.includes(name))
        .map(([name, value]) => [name.slice("INPUT_PATH_".length), value] as const);
}

/** Tells how far something is, at most every two seconds. */
export class Progress {
    private done = 0;
    private bytes = 0;
    private told: number;

    constructor(
        private readonly print: (line: string) => void,
        private readonly what: string,
        private readonly total: number,
        private readonly now: () => number = Date.now,
    ) {
        this.told = now();
    }

    add(count: number, bytes = 0): void {
        this.done += count;
        this.bytes += bytes;
        const now = this.now();
        if (now - this.told >= 2_000) {
            this.told = now;
            this.print(
                `${this.what}: ${this.done} of ${this.total}${this.bytes > 0 ? `, ${megabytes(this.bytes)}` : ""}`,
            );
        }
    }
}

export function megabytes(bytes: number): string {
    return `${(bytes / 1e6).toFixed(1)} MB`;
}
