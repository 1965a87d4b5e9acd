import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { ToolError } from "../../ground/errors";
import { checkDocuments } from "../../local/sample/documents";
import { Storage } from "../../workloads/common/storage";
import type { ProblemCode } from "../../workloads/documents/problems";
import { setup } from "../../workloads/functions/setup/index";
import { fetch } from "../../workloads/jobs/fetch";
import specification from "../../workloads/training/common/documents.json";
import { DOCUMENT_SETS, FOLDS, writeSet } from "../support/documentSets";
import { execution, executionInput, stageSettings } from "../support/ensemble";

const PYTHON = path.resolve(__dirname, "../../.venv/bin/python");
const BUCKET = "s3://bucket";

interface Asked {
    readonly Key?: string;
    readonly Prefix?: string;
    readonly CopySource?: string;
    readonly Body?: string | Uint8Array;
}

/** S3 with one bucket whose prefix `data` is a folder of this machine; what is written is kept in memory. */
class FolderS3 {
    private readonly written = new Map<string, Buffer>();

    constructor(private readonly directory: string) {}

    send(command: { readonly constructor: { readonly name: string }; readonly input: Asked }): Promise<unknown> {
        const { name } = command.constructor;
        const { Key: key = "", Prefix: prefix = "", CopySource: source = "", Body: body = "" } = command.input;
        const answers: Readonly<Record<string, () => unknown>> = {
            ListObjectsV2Command: () => ({
                Contents: this.keys(prefix).map((found) => ({ Key: found, ...this.described(found) })),
            }),
            GetObjectCommand: () => ({ ...this.described(key), Body: this.body(key) }),
            HeadObjectCommand: () => this.described(key),
            PutObjectCommand: () => this.written.set(key, Buffer.from(body)),
            CopyObjectCommand: () => {
                this.written.set(key, this.content(decodeURIComponent(source.slice(source.indexOf("/") + 1))));
                return { CopyObjectResult: { ETag: "1" } };
            },
            DeleteObjectCommand: () => this.written.delete(key),
            GetBucketLifecycleConfigurationCommand: () => ({ Rules: [] }),
        };
        const answer = answers[name];
        assert.ok(answer !== undefined, `${name} has no answer here`);
        return Promise.resolve().then(answer);
    }

    private file(key: string): string | undefined {
        return key.startsWith("data/") ? path.join(this.directory, key.slice("data/".length)) : undefined;
    }

    private keys(prefix: string): string[] {
        const given = prefix === "data/" ? readdirSync(this.directory, { recursive: true }).map(String) : [];
        const all = [...given.map((name) => `data/${name}`), ...this.written.keys()];
        const isFile = (key: string) =>
            this.written.has(key) || statSync(this.file(key) ?? "", { throwIfNoEntry: false })?.isFile() === true;
        return all.filter((key) => key.startsWith(prefix) && isFile(key)).sort();
    }

    private content(key: string): Buffer {
        const file = this.file(key);
        const found = file !== undefined && existsSync(file) ? readFileSync(file) : this.written.get(key);
        if (found === undefined) {
            throw Object.assign(new Error(`${key}: no such key`), { name: "NoSuchKey" });
        }
        return found;
    }

    private described(key: string) {
        const { length } = this.content(key);
        return { Size: length, ContentLength: length, ETag: "1", LastModified: new Date(0) };
    }

    private body(key: string) {
        const content = this.content(key);
        return Object.assign(Readable.from([content]), { transformToByteArray: () => Promise.resolve(content) });
    }
}

function storageOf(directory: string): Storage {
    return new Storage(new FolderS3(directory) as unknown as S3Client);
}

/** The kind of problem that a line of the desk tells, known by its words. */
function told(line: string): ProblemCode | undefined {
    const codes = Object.keys(specification.problems) as ProblemCode[];
    return codes.find((code) => {
        const words = specification.problems[code].split(/\{\w+\}/).map(escaped);
        return (
            code !== "image" &&
            code !== "text" &&
            new RegExp(`^[^ ]+: ${words.join(".*")}( \\(|; \\d+ more|$)`).test(line)
        );
    });
}

function escaped(text: string): string {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** What the desk tells, a line a kind, without the folder and without words around it. */
function linesOf(text: string, directory: string): string[] {
    const plain = text.replaceAll(`${directory}/`, "").replaceAll(" (there is a link that leads nowhere)", "");
    return plain.split("\n").slice(1, -1);
}

/** Told of a page's content by the reason, not by words of its own. */
const isContent = (code: ProblemCode) => code === "image" || code === "text";
/** Told by Setup in its own words, which name the model that reads the folder. */
const BY_SETUP: readonly ProblemCode[] = ["folder-missing", "labels-missing"];

async function message(what: () => unknown): Promise<string> {
    try {
        await what();
        return "";
    } catch (error) {
        const { name } = error as Error;
        assert.ok(error instanceof ToolError || ["InputError", "DataError"].includes(name), String(error));
        return (error as Error).message;
    }
}

describe("documents are judged alike by", function () {
    this.timeout(120_000);
    let directory: string;
    const folderOf = (name: string) => path.join(directory, name.replaceAll(/[^\w]+/g, "-"));

    /** What the desk says of each set. */
    const desk = new Map<string, readonly string[]>();

    before(async () => {
        directory = mkdtempSync(path.join(tmpdir(), "document-sets-"));
        for (const set of DOCUMENT_SETS) {
            mkdirSync(folderOf(set.name));
            const folder = folderOf(set.name);
            writeSet(set, folder);
            desk.set(set.name, linesOf(await message(() => checkDocuments(folder, FOLDS)), folder));
        }
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    const deskOf = (name: string) => desk.get(name) ?? [];

    it(`the desk, in ${DOCUMENT_SETS.length} sets: one line for each kind of problem`, () => {
        for (const { name, problems } of DOCUMENT_SETS) {
            const lines = deskOf(name);
            assert.equal(lines.length, problems.length, `${name}: ${lines.join("\n")}`);
            const codes = lines.map(told).filter((code) => code !== undefined);
            assert.deepEqual(codes.sort(), problems.filter((code) => !isContent(code)).sort(), name);
        }
    });

    it("Setup, as far as a listing goes", async () => {
        for (const { name, problems } of DOCUMENT_SETS) {
            const text = await message(() => setupOf(folderOf(name)));
            const listed = problems.filter((code) => !isContent(code));
            assert.equal(text !== "", listed.length > 0, `${name}: ${text}`);
            if (!listed.some((code) => BY_SETUP.includes(code))) {
                const lines = deskOf(name).slice(0, listed.length);
                lines.forEach((line) => assert.ok(text.includes(line), `${name}: ${text}\nhas no ${line}`));
                assert.ok(lines.length === 0 || text.startsWith(`${lines.length} problem`), `${name}: ${text}`);
            }
        }
    });

    it("Fetch, which reads every page", async () => {
        for (const { name, problems } of DOCUMENT_SETS.filter((set) => !set.problems.includes("folder-missing"))) {
            const text = await message(() => fetchOf(folderOf(name)));
            assert.equal(text !== "", problems.length > 0, `${name}: ${text}`);
            const plain = text.replaceAll(`${BUCKET}/data/`, "");
            deskOf(name).forEach((line) => assert.ok(plain.includes(line), `${name}: ${text}\nhas no ${line}`));
        }
    });

    it("the trainings, and predict where there are no labels", function () {
        if (!existsSync(PYTHON)) {
            this.skip();
        }
        const script = path.resolve(__dirname, "../training/verdicts.py");
        const { stdout, stderr, status } = spawnSync(PYTHON, [script, directory, "--folds", String(FOLDS)], {
            encoding: "utf8",
            maxBuffer: 10_000_000,
        });
        assert.equal(status, 0, stderr);
        const verdicts = JSON.parse(stdout) as Record<string, unknown>;
        const wanted = DOCUMENT_SETS.map(({ name, problems, unlabelled }) => [
            path.basename(folderOf(name)),
            { training: [...problems].sort(), predict: [...unlabelled].sort() },
        ]);
        assert.deepEqual(verdicts, Object.fromEntries(wanted));
    });
});

function setupOf(directory: string) {
    const settings = stageSettings(BUCKET, { folds: FOLDS, dataLocations: [BUCKET] });
    return setup(
        { settings, input: executionInput(`${BUCKET}/data`), execution: execution("run") },
        { storage: storageOf(directory), print: () => undefined },
    );
}

function fetchOf(directory: string): Promise<void> {
    return fetch({
        parameters: {
            INPUT_PATH: `${BUCKET}/data`,
            OUTPUT_PATH: `${BUCKET}/runs/run/raw_data`,
            SEED: "1",
            TEST_SHARE: "0.2",
            K_FOLDS: String(FOLDS),
            COPY: "yes",
        },
        storage: storageOf(directory),
        scratch: "",
        signal: new AbortController().signal,
        print: () => undefined,
    });
}
