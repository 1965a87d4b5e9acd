import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { CopyObjectCommand, S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import * as tar from "tar";
import { joinS3 } from "../../ground/s3Address";
import { bundleAll } from "../../workloads/bundle";
import { Storage, copySource, locate, translate } from "../../workloads/common/storage";
import { unpack } from "../../workloads/jobs/archive";
import { copyObject } from "../../workloads/jobs/copy";
import { readParameters, run } from "../../workloads/jobs/run";
import { putData, sampleLabels } from "../support/ensemble";
import { S3_KINDS, s3Client, s3Environment, startS3, useS3, type LocalS3 } from "../support/s3";

/** The endpoint of the suite that runs. */
let s3: () => LocalS3;

async function job(args: readonly string[], storage: Storage = s3().storage, signal = new AbortController().signal) {
    const lines: string[] = [];
    const errors: string[] = [];
    const code = await run(args, {
        out: (line) => lines.push(line),
        error: (line) => errors.push(line),
        signal,
        createStorage: () => storage,
    });
    return { code, lines, errors, last: errors.at(-1) ?? "" };
}

const fetchArgs = (source: string, target: string) => [
    "fetch",
    "--INPUT_PATH",
    source,
    "--OUTPUT_PATH",
    target,
    "--SEED",
    "1",
    "--TEST_SHARE",
    "0.25",
    "--COPY",
    "yes",
    "--INPUT_PATH_TXT",
    "-",
];

/** A client that counts copies and can fail from one of them on. */
function counting(failFrom = Infinity) {
    const client = s3Client(s3().endpoint);
    let copies = 0;
    client.middlewareStack.add(
        (next, context) => async (args) => {
            if (context.commandName === "CopyObjectCommand" && ++copies >= failFrom) {
                throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
            }
            return next(args);
        },
        { step: "initialize" },
    );
    return { storage: new Storage(client), copies: () => copies };
}

for (const kind of S3_KINDS) {
    describe(`jobs, with S3 that is ${kind}`, function () {
        this.timeout(60_000);
        const own = useS3(kind);
        before(() => {
            s3 = own;
        });
        let bucket: string;
        let data: string;

        before(async () => {
            bucket = await s3().bucket();
            data = `${bucket}/data`;
            await putData(s3().storage, data, sampleLabels(12));
        });

        it("say which parameter is missing or wrong, in one line", async () => {
            assert.match(
                (await job(["fly"])).last,
                /^InputError: job is "fly", expected one of fetch, split, merge, publish$/,
            );
            assert.match(
                (await job(["split"])).last,
                /^InputError: parameter K_FOLDS is missing; pass --K_FOLDS <value>$/,
            );
            const wrong = [
                "split",
                "--K_FOLDS",
                "1",
                "--INPUT_PATH",
                data,
                "--OUTPUT_PATH",
                `${bucket}/x`,
                "--SEED",
                "1",
            ];
            assert.match(
                (await job(wrong)).last,
                /^InputError: parameter K_FOLDS is "1", expected a whole number from 2 to 100/,
            );
            assert.match(
                (await job(["split", "K_FOLDS", "4"])).last,
                /^InputError: parameters: .*pass --NAME value pairs$/,
            );
        });

        it("take values that begin with a dash, and names in either spelling", () => {
            assert.deepEqual(readParameters(["--INPUT_PATH_TXT", "-", "--k-folds", "4", "--GATE", '{"a": "--b"}']), {
                INPUT_PATH_TXT: "-",
                K_FOLDS: "4",
                GATE: '{"a": "--b"}',
            });
        });

        it("leave the line in failure.txt, and take it away when they run again", async () => {
            const target = `${bucket}/failing/raw_data`;
            const { code, last } = await job(fetchArgs(`${bucket}/nowhere`, target));
            assert.equal(code, 1);
            assert.match(last, /^DataError: s3:.*\/nowhere holds no object, expected labels\.csv and pages/);
            assert.equal(await s3().storage.text(joinS3(target, "failure.txt")), `${last}\n`);
            assert.equal((await job(fetchArgs(data, target))).code, 0);
            assert.equal(await s3().storage.head(joinS3(target, "failure.txt")), undefined);
        });

        describe("fetch", () => {
            it("copies a table instead of pages, and refuses labels with nothing beside them", async () => {
                const { storage } = s3();
                const source = `${bucket}/table`;
                await storage.put(
                    joinS3(source, "labels.csv"),
                    "stack,page,class,begins_document,split\na,1,x,true,\nb,1,y,true,\n",
                    "text/csv",
                );
                const { code, last } = await job(fetchArgs(source, `${bucket}/runs/table/raw_data`));
                assert.equal(code, 1);
                assert.match(
                    last,
                    /neither text\/ nor images\/ nor any other data, such as features\.csv; put it there/,
                );
                await storage.put(joinS3(source, "features.csv"), "stack,page,x1\na,1,0.5\nb,1,1.5\n", "text/csv");
                assert.equal((await job(fetchArgs(source, `${bucket}/runs/table/raw_data`))).code, 0);
                assert.equal(
                    await storage.text(`${bucket}/runs/table/raw_data/features.csv`),
                    "stack,page,x1\na,1,0.5\nb,1,1.5\n",
                );
            });

            it("copies everything, writes the split, and its manifest last", async () => {
                const target = `${bucket}/runs/a/raw_data`;
                const { code, lines } = await job(fetchArgs(data, target));
                assert.equal(code, 0);
                assert.match(
                    lines.at(-1) ?? "",
                    /^36 pages of 12 stacks are there, 3 stacks held out \(12 drawn with seed 1\)$/,
                );
                assert.equal(
                    await s3().storage.text(joinS3(target, "text/stack-000/001.txt")),
                    "text of stack-000/001",
                );
                const manifest = (await s3().storage.json(joinS3(target, "manifest.json"))) as Record<string, unknown>;
                assert.deepEqual([manifest.objects, manifest.pages, manifest.testStacks], [73, 36, 3]);
            });

            it("that was interrupted has no manifest, and goes on where it stopped", async () => {
                const target = `${bucket}/runs/b/raw_data`;
                const dying = counting(30);
                const { code, last } = await job(fetchArgs(data, target), dying.storage);
                assert.equal(code, 1);
                assert.match(
                    last,
                    /^StorageError: could not copy s3:.*connect ECONNREFUSED; the storage is at fault, start again$/,
                );
                assert.equal(await s3().storage.head(joinS3(target, "manifest.json")), undefined);
                const again = counting();
                assert.equal((await job(fetchArgs(data, target), again.storage)).code, 0);
                assert.ok(again.copies() < 72 && again.copies() > 0, `${again.copies()} copies`);
                assert.notEqual(await s3().storage.head(joinS3(target, "manifest.json")), undefined);
            });

            it("copies nothing again that is there and complete", async () => {
                const target = `${bucket}/runs/c/raw_data`;
                await job(fetchArgs(data, target));
                const again = counting();
                const { lines } = await job(fetchArgs(data, target), again.storage);
                assert.equal(again.copies(), 0);
                assert.equal(lines[0], "all 72 objects are already there and complete");
            });

            it("refuses a labelled page without its file, and a file without its label", async () => {
                const broken = `${bucket}/broken`;
                await putData(s3().storage, broken, sampleLabels(4));
                await s3().storage.remove(joinS3(broken, "images/stack-001/002.png"));
                await s3().storage.put(joinS3(broken, "text/stack-009/001.txt"), "x");
                const { last } = await job(fetchArgs(broken, `${bucket}/runs/d/raw_data`));
                assert.match(
                    last,
                    /^DataError: s3:.*\/text\/stack-009\/001\.txt: no row in labels\.csv names this page; s3:.*labels\.csv:6: /,
                );
            });

            it("reads every page before it copies one, and tells which no training can read", async () => {
                const broken = `${bucket}/unreadable`;
                await putData(s3().storage, broken, sampleLabels(4));
                await s3().storage.put(joinS3(broken, "images/stack-001/002.png"), "a scan", "image/png");
                await s3().storage.put(joinS3(broken, "text/stack-002/001.txt"), Buffer.from("f\xfcr", "latin1"));
                const target = `${bucket}/runs/unreadable/raw_data`;
                const { last } = await job(fetchArgs(broken, target));
                assert.match(last, /text\/stack-002\/001\.txt: is not UTF-8 text \(page of s3:.*labels\.csv:8\); /);
                assert.match(last, /images\/stack-001\/002\.png: is not a PNG image \(it begins with "a sc"\) \(page/);
                assert.equal(await s3().storage.head(joinS3(target, "text/stack-000/001.txt")), undefined);
            });

            it("leaves the files of operating systems where they are", async () => {
                const given = `${bucket}/thumbs`;
                await putData(s3().storage, given, sampleLabels(4));
                await s3().storage.put(joinS3(given, "images/stack-001/Thumbs.db"), "x");
                const target = `${bucket}/runs/thumbs/raw_data`;
                assert.equal((await job(fetchArgs(given, target))).code, 0);
                assert.equal(await s3().storage.head(joinS3(target, "images/stack-001/Thumbs.db")), undefined);
            });

            it("refuses a class that is in as many stacks as there are folds: one is held out", async () => {
                const given = `${bucket}/rare`;
                const labels = sampleLabels(6).replaceAll(/(stack-00[0-3],3,)bill/g, "$1letter");
                await putData(s3().storage, given, labels);
                const args = [...fetchArgs(given, `${bucket}/runs/rare/raw_data`), "--K_FOLDS", "2"];
                assert.match(
                    (await job(args)).last,
                    /labels\.csv:16: class "bill" is in 2 stacks, expected at least 3, one for/,
                );
            });

            it("says so when the source changes while it is copied", async () => {
                // moto does not look at the condition, so S3's answer is played here.
                const client = s3Client(s3().endpoint);
                client.middlewareStack.add(
                    (next, context) => async (args) => {
                        if (context.commandName === "CopyObjectCommand") {
                            const { CopySourceIfMatch: condition } = args.input as { CopySourceIfMatch?: string };
                            assert.equal(condition, '"0123"');
                            throw Object.assign(
                                new Error("At least one of the pre-conditions you specified did not hold"),
                                { name: "PreconditionFailed" },
                            );
                        }
                        return next(args);
                    },
                    { step: "initialize" },
                );
                const source = { uri: joinS3(data, "labels.csv"), bytes: 1, etag: "0123" };
                await assert.rejects(copyObject(new Storage(client), source, `${bucket}/copy`), {
                    name: "DataError",
                    message: /the source changed meanwhile/,
                });
            });

            it("stops at SIGTERM with 143, and nothing counts as finished", async () => {
                const target = `${bucket}/runs/e/raw_data`;
                const stop = new AbortController();
                const client = s3Client(s3().endpoint);
                let copies = 0;
                client.middlewareStack.add(
                    (next, context) => async (args) => {
                        if (context.commandName === "CopyObjectCommand" && ++copies === 20) {
                            stop.abort();
                        }
                        return next(args);
                    },
                    { step: "initialize" },
                );
                const { code, last } = await job(
                    fetchArgs(data, target),
                    new Storage(client, stop.signal),
                    stop.signal,
                );
                assert.equal(code, 143);
                assert.match(last, /^stopped: nothing half-written counts as finished/);
                assert.equal(await s3().storage.head(joinS3(target, "manifest.json")), undefined);
                assert.equal(await s3().storage.head(joinS3(target, "failure.txt")), undefined);
            });
        });

        it("names the endpoint's failure when it dies in the middle", async () => {
            const server = await startS3();
            const place = await server.bucket();
            await putData(server.storage, `${place}/data`, sampleLabels(12));
            const client = s3Client(server.endpoint);
            let copies = 0;
            client.middlewareStack.add(
                (next, context) => async (args) => {
                    if (context.commandName === "CopyObjectCommand" && ++copies === 10) {
                        await server.kill();
                    }
                    return next(args);
                },
                { step: "initialize" },
            );
            const { code, errors, last } = await job(
                fetchArgs(`${place}/data`, `${place}/runs/a/raw_data`),
                new Storage(client),
            );
            assert.equal(code, 1);
            assert.match(last, /^StorageError: could not (copy|list) s3:/);
            assert.match(errors[0], /^failure\.txt could not be written: could not write/);
        });

        it("runs as one bundled program against any endpoint from the environment", async () => {
            const folder = mkdtempSync(path.join(tmpdir(), "bundle-"));
            try {
                const program = path.join(folder, "jobs.js");
                writeFileSync(program, bundleAll().jobs.code);
                const output = await new Promise<[number | null, string]>((resolve) => {
                    const child = spawn(
                        process.execPath,
                        ["--no-warnings", program, ...fetchArgs(data, `${bucket}/runs/f/raw_data`)],
                        {
                            env: { PATH: process.env.PATH, ...s3Environment(s3().endpoint) },
                        },
                    );
                    let text = "";
                    child.stdout.on("data", (chunk) => (text += chunk));
                    child.stderr.on("data", (chunk) => (text += chunk));
                    child.on("close", (code) => resolve([code, text]));
                });
                assert.equal(output[0], 0, output[1]);
                assert.match(output[1], /36 pages of 12 stacks are there/);
            } finally {
                rmSync(folder, { recursive: true });
            }
        });

        describe("copies", () => {
            it("objects of any name", async () => {
                const name = fc
                    .stringMatching(/^[A-Za-z0-9 äß漢字+%&=?#'"!*():;,~-][A-Za-z0-9 äß漢字+%&=?#'"!*():;,~./-]{0,40}$/)
                    .filter((text) => !/\/\/|\/$|(^|\/)\.{1,2}(\/|$)/.test(text));
                await fc.assert(
                    fc.asyncProperty(name, async (key) => {
                        const source = `${bucket}/names/${key}`;
                        const object = await s3().storage.put(source, key);
                        await copyObject(s3().storage, { ...object, uri: source }, `${bucket}/copies/${key}`);
                        assert.equal(await s3().storage.text(`${bucket}/copies/${key}`), key);
                        const listed = [];
                        for await (const { key: found } of s3().storage.list(`${bucket}/copies`)) {
                            listed.push(found);
                        }
                        assert.ok(listed.includes(key), `${key} in ${listed.join("|")}`);
                        await s3().storage.remove(`${bucket}/copies/${key}`);
                    }),
                    { numRuns: 40 },
                );
            });

            it("objects beyond one call in parts", async () => {
                const body = Buffer.alloc(12 * 1024 ** 2, "abc");
                const object = await s3().storage.put(`${bucket}/large`, body);
                const copied = await copyObject(
                    s3().storage,
                    { ...object, bytes: body.length },
                    `${bucket}/large-copy`,
                    {
                        single: 6 * 1024 ** 2,
                        part: 5 * 1024 ** 2,
                    },
                );
                if (kind === "plain") {
                    assert.match(copied.etag, /-3$/);
                }
                assert.equal((await s3().storage.text(`${bucket}/large-copy`))?.length, body.length);
            });

            it("encode each part of the key, not the slashes between", () => {
                assert.equal(copySource("s3://b-1/a b/c+d/ä"), "b-1/a%20b/c%2Bd/%C3%A4");
                assert.throws(() => locate("http://x"), { name: "DataError" });
            });
        });

        describe("archives", () => {
            let folder: string;
            beforeEach(() => {
                folder = mkdtempSync(path.join(tmpdir(), "unpack-"));
            });
            afterEach(() => rmSync(folder, { recursive: true }));

            function entry(header: tar.HeaderData, body = ""): Buffer {
                const block = Buffer.alloc(512);
                new tar.Header({ mode: 0o644, size: body.length, mtime: new Date(0), ...header }).encode(block, 0);
                return Buffer.concat([block, Buffer.from(body), Buffer.alloc((512 - (body.length % 512)) % 512)]);
            }

            const unsafe: readonly (readonly [string, tar.HeaderData, RegExp])[] = [
                ["a path that climbs", { path: "../evil", type: "File" }, /"\.\.\/evil" leads out of the archive/],
                ["an absolute path", { path: "/etc/evil", type: "File" }, /leads out of the archive/],
                ["a link", { path: "link", type: "SymbolicLink", linkpath: "/etc/passwd" }, /"link" is a SymbolicLink/],
                ["a hard link", { path: "hard", type: "Link", linkpath: "model.json" }, /is a Link/],
            ];
            for (const [what, header, message] of unsafe) {
                it(`with ${what} are refused, and nothing is written outside`, async () => {
                    const file = path.join(folder, "a.tar");
                    writeFileSync(
                        file,
                        Buffer.concat([entry(header, header.type === "File" ? "evil" : ""), Buffer.alloc(1024)]),
                    );
                    const inside = mkdtempSync(path.join(folder, "in-"));
                    await assert.rejects(unpack(file, inside, "model.tar.gz"), { name: "DataError", message });
                    assert.deepEqual(readdirSync(inside), []);
                    assert.ok(!readdirSync(folder).includes("evil"));
                });
            }

            it("beyond their bounds, damaged or empty are refused", async () => {
                const file = path.join(folder, "a.tar");
                writeFileSync(
                    file,
                    Buffer.concat([
                        entry({ path: "a", type: "File" }, "12345"),
                        entry({ path: "b", type: "File" }, "1"),
                        Buffer.alloc(1024),
                    ]),
                );
                const inside = mkdtempSync(path.join(folder, "in-"));
                await assert.rejects(
                    unpack(file, inside, "m", { files: 1, bytes: 100 }),
                    /m is refused: it holds more than 1 files/,
                );
                await assert.rejects(unpack(file, inside, "m", { files: 9, bytes: 5 }), /it holds more than 5 bytes/);
                writeFileSync(file, "this is no archive");
                await assert.rejects(unpack(file, inside, "m"), {
                    name: "DataError",
                    message: /m is (damaged|empty or no archive)/,
                });
            });
        });

        it("tell a full disk from a damaged archive, and a missing permission from a fault", () => {
            const full = translate(
                "write x",
                Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }),
            );
            assert.equal(full.name, "StorageError");
            assert.match(full.message, /the disk is full: raise jobs\.<job>\.ephemeralGb/);
            for (const code of ["EFBIG", "ENOTDIR", "EISDIR"]) {
                const said = translate("write x", Object.assign(new Error(`${code}: x`), { code })).message;
                assert.match(said, /^could not write x: (the file is larger|a part of the path|there is a folder)/);
            }
            const denied = translate(
                "read s3://b/x",
                Object.assign(new Error("Access Denied"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } }),
            );
            assert.equal(denied.name, "PermissionError");
            const expired = translate(
                "read s3://b/x",
                Object.assign(new Error("The provided token has expired."), {
                    name: "ExpiredToken",
                    $metadata: { httpStatusCode: 400 },
                }),
            );
            assert.equal(expired.name, "PermissionError");
            assert.match(expired.message, /get new credentials/);
            const long = translate(
                "write s3://b/x",
                Object.assign(new Error("Your key is too long"), {
                    name: "KeyTooLongError",
                    $metadata: { httpStatusCode: 400 },
                }),
            );
            assert.equal(long.name, "DataError");
            assert.match(long.message, /more than 1,024 bytes/);
            const none = translate(
                "list s3://b",
                Object.assign(new Error("x"), { name: "NoSuchBucket", $metadata: { httpStatusCode: 404 } }),
            );
            assert.equal(none.name, "DataError");
        });

        it("remove a download that the disk had no room for", async () => {
            const object = await s3().storage.put(`${bucket}/download`, "content");
            const client = new S3Client({
                region: "eu-central-1",
                credentials: { accessKeyId: "x", secretAccessKey: "x" },
            });
            client.middlewareStack.add(
                () => async () => ({
                    response: {},
                    output: {
                        $metadata: {},
                        ETag: `"${object.etag}"`,
                        ContentLength: object.bytes,
                        Body: new Readable({
                            read() {
                                this.destroy(
                                    Object.assign(new Error("ENOSPC: no space left on device, write"), {
                                        code: "ENOSPC",
                                    }),
                                );
                            },
                        }),
                    },
                }),
                { step: "initialize" },
            );
            const folder = mkdtempSync(path.join(tmpdir(), "full-"));
            try {
                await assert.rejects(new Storage(client).download(object, path.join(folder, "x")), {
                    name: "StorageError",
                    message: /the disk is full/,
                });
                assert.deepEqual(readdirSync(folder), []);
            } finally {
                rmSync(folder, { recursive: true });
            }
        });

        it("replace an object only while it is the one that was read", async () => {
            const { storage } = s3();
            const pointer = `${bucket}/pointer.json`;
            assert.equal(await storage.replaceJson(pointer, 0, "0123456789abcdef0123456789abcdef"), false);
            assert.equal(await storage.replaceJson(pointer, 1, undefined), true);
            assert.equal(await storage.replaceJson(pointer, 2, undefined), false);
            const first = await storage.version(pointer);
            assert.equal(await storage.replaceJson(pointer, 3, first?.etag), true);
            assert.equal(await storage.replaceJson(pointer, 4, first?.etag), false);
            assert.equal(await storage.json(pointer), 3);
        });

        it("refuse an artefact that is not the registered one", async () => {
            const object = await s3().storage.put(`${bucket}/artefact`, "one");
            await s3().storage.put(`${bucket}/artefact`, "two!");
            await assert.rejects(s3().storage.download(object, path.join(tmpdir(), "never")), {
                name: "DataError",
                message: /not the object that was registered/,
            });
            await s3().client.send(
                new CopyObjectCommand({
                    Bucket: locate(bucket).bucket,
                    Key: "kept",
                    CopySource: copySource(`${bucket}/artefact`),
                }),
            );
            await s3().storage.remove(`${bucket}/artefact`);
            await assert.rejects(s3().storage.download(object, path.join(tmpdir(), "never")), {
                name: "DataError",
                message: /does not exist any more/,
            });
        });
    });
}
