/**
 * Content keys: what a trained model is made of, hashed. Two executions whose key is the same would train the same
 * model, so the second one reuses the first one's; where keys differ, the identities behind them say what changed.
 */
import { createHash } from "node:crypto";
import type { Hyperparameters, ModelSettings } from "./contract";

/** One object of an input listing; the key is relative to the listed prefix. */
export interface ListedObject {
    readonly key: string;
    readonly bytes: number;
    readonly etag: string;
}

/** What a member's key is made of. Plain JSON: it is stored in `trained.json`. */
export interface MemberIdentity {
    readonly image: string;
    readonly code: string;
    /** Only those that change the model. */
    readonly hyperparameters: Hyperparameters;
    readonly data: string;
    readonly seed: number;
    /** Share of stacks held out, where the fetch job may have to draw them. */
    readonly testShare?: number;
    /** K of the split set, or the hash of a given one; only for members that train on a split set. */
    readonly folds?: number | string;
}

/**
 * What the combiner's key is made of: besides its own parts, the keys of the members whose predictions it learns from.
 */
export interface CombinerIdentity {
    readonly image: string;
    readonly code: string;
    readonly hyperparameters: Hyperparameters;
    readonly seed: number;
    readonly members: Readonly<Record<string, string>>;
}

export type Identity = MemberIdentity | CombinerIdentity;

/**
 * JSON with sorted keys and no white space: equal values give equal bytes. Undefined fields are left out.
 * @throws TypeError for what JSON cannot hold (NaN, Infinity, functions, cycles).
 */
export function canonicalJson(value: unknown): string {
    if (typeof value === "number" && !Number.isFinite(value)) {
        throw new TypeError(`canonicalJson: ${value} is no JSON number`);
    }
    if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint" || value === undefined) {
        throw new TypeError(`canonicalJson: ${typeof value} cannot be written as JSON`);
    }
    if (Array.isArray(value)) {
        return `[${value.map((entry) => canonicalJson(entry)).join(",")}]`;
    }
    if (typeof value === "object" && value !== null) {
        const entries = Object.entries(value as Record<string, unknown>).filter(([, entry]) => entry !== undefined);
        entries.sort(([a], [b]) => compare(a, b));
        return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
    }
    return JSON.stringify(value);
}

export function sha256(text: string | Uint8Array): string {
    return createHash("sha256").update(text).digest("hex");
}

/** The key of an identity: 64 hexadecimal digits. */
export function contentKey(identity: Identity): string {
    return sha256(canonicalJson(identity));
}

/** Files that jobs add to the data without changing it. */
const NOT_DATA = new Set(["manifest.json", "failure.txt"]);

/**
 * Where fetch puts each file that is a channel of its own: S3 takes a prefix for a channel, and `labels.csv` also
 * names `labels.csv.bak`.
 */
const CHANNEL_FILES = "channel-files";

/** The prefix of a channel on one file of the data, below it. */
export function channelFolder(path: string): string {
    return `${CHANNEL_FILES}/${path}/`;
}

/** Where such a file lies, below the data. */
export function channelFile(path: string): string {
    return `${channelFolder(path)}${path.split("/").at(-1)}`;
}

/** Whether an object is part of the data, and nothing that a job added. */
export function isData(key: string): boolean {
    return !NOT_DATA.has(key) && !key.startsWith(`${CHANNEL_FILES}/`);
}

/** An object of the data and what stands for its content: a checksum. */
export interface IdentifiedObject {
    readonly key: string;
    readonly bytes: number;
    readonly checksum: string;
}

/**
 * Identity of a data set: hash over relative key, checksum and size of every object, whatever the order and wherever
 * it lies.
 */
export function dataIdentity(objects: Iterable<IdentifiedObject>): string {
    return identity(objects, ({ checksum }) => checksum);
}

/**
 * Identity of a listing: as long as it is the same, nobody has written one of the objects again. It says less than
 * {@link dataIdentity}:
 * in a bucket with KMS keys every write of the same bytes has another ETag.
 */
export function listingIdentity(objects: Iterable<ListedObject>): string {
    return identity(objects, ({ etag }) => bareEtag(etag));
}

function identity<T extends { readonly key: string; readonly bytes: number }>(
    objects: Iterable<T>,
    content: (object: T) => string,
): string {
    const lines: string[] = [];
    for (const object of objects) {
        if (isData(object.key)) {
            lines.push(JSON.stringify([object.key, content(object), object.bytes]));
        }
    }
    return sha256(lines.sort(compare).join("\n"));
}

/** An ETag without the quotation marks that S3 puts around it. */
export function bareEtag(etag: string): string {
    return etag.replace(/^"|"$/g, "");
}

/** The hyperparameters that change the model; one without a rule counts as such. */
export function learningHyperparameters(values: Hyperparameters, schema: ModelSettings["schema"]): Hyperparameters {
    return Object.fromEntries(Object.entries(values).filter(([name]) => schema[name]?.learning !== false));
}

/** The first 8 hexadecimal digits of the execution ARN's hash: part of every job name of the execution. */
export function executionId(executionArn: string): string {
    return sha256(executionArn).slice(0, 8);
}

/**
 * What changed between the identity of an earlier model and the one wanted now, each in words; empty where nothing did.
 * The earlier one comes out of a file, so any shape is allowed.
 */
export function changes(earlier: Readonly<Record<string, unknown>>, wanted: Identity): string[] {
    const found: string[] = [];
    const now = wanted as unknown as Record<string, unknown>;
    const labels: Record<string, string> = {
        image: "container image",
        code: "code",
        data: "input data",
        seed: "seed",
        testShare: "test share",
        folds: "folds",
    };
    for (const [name, label] of Object.entries(labels)) {
        if (canonicalJson(earlier[name] ?? null) !== canonicalJson(now[name] ?? null)) {
            found.push(`${label} changed ${show(earlier[name])} -> ${show(now[name])}`);
        }
    }
    for (const [group, label] of [
        ["hyperparameters", "hyperparameter"],
        ["members", "member"],
    ]) {
        const before = record(earlier[group]);
        const after = record(now[group]);
        for (const name of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compare)) {
            if (canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null)) {
                found.push(`${label} ${name} changed ${show(before[name])} -> ${show(after[name])}`);
            }
        }
    }
    return found;
}

function record(value: unknown): Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value)
        ? (value as Record<string, unknown>)
        : {};
}

function show(value: unknown): string {
    if (value === undefined) {
        return "none";
    }
    const text = typeof value === "string" ? value : JSON.stringify(value);
    // A hash says enough with its beginning; an image's end (tag or digest) is what differs.
    return /^[0-9a-f]{40,}$/.test(text) ? text.slice(0, 8) : text.length > 60 ? `…${text.slice(-40)}` : text;
}

/** By code units, not by locale: the same on every machine. */
function compare(a: string, b: string): number {
    return a < b ? -1 : a > b ? 1 : 0;
}
