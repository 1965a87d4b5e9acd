import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { Mirror } from "../../local/storage/mirror";
import { startObjectStore, type ObjectStore } from "../../local/storage/objectStore";
import { downloadObject, listObjects } from "../../local/storage/transfer";
import { objectStore, python, sandbox, type Sandbox } from "./support";

const BUCKET = "ensemble-mirror-test";

describe("local/storage", () => {
    let box: Sandbox;
    let store: ObjectStore;
    let file: string;

    before(async function () {
        box = sandbox();
        file = path.join(box.directory, "seed.txt");
        writeFileSync(file, "seed");
        await objectStore(this, box).then((probe) => probe.stop());
        store = await startObjectStore({
            supervisor: box.supervisor,
            python,
            region: "eu-central-1",
            log: path.join(box.directory, "loaded.log"),
            cwd: box.directory,
            objects: { [BUCKET]: { "data/seed.txt": file } },
        });
    });
    after(() => box?.clean());

    const put = (key: string, body: string) =>
        store.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));

    it("a store holds its objects from the start, with the ETag that an upload would have", async () => {
        assert.deepEqual(await listObjects(store.s3, BUCKET, "data/"), [
            { key: "data/seed.txt", bytes: 4, etag: "fe4c0f30aa359c41d9f9a5f69c8c4192" },
        ]);
    });

    it("a copy brings everything that is wanted to a new store, equal content once", async () => {
        const mirror = new Mirror(path.join(box.directory, "mirror"), (key) => !key.startsWith("data/"));
        await put("trained/a.json", "same");
        await put("runs/a/trained.json", "same");
        await put("runs/a/model", "model");
        await mirror.save(store.s3, [BUCKET]);
        assert.equal(readdirSync(path.join(box.directory, "mirror", "objects")).length, 2);
        const objects = await new Mirror(path.join(box.directory, "mirror")).objects();
        assert.deepEqual(Object.keys(objects[BUCKET]).sort(), [
            "runs/a/model",
            "runs/a/trained.json",
            "trained/a.json",
        ]);
        assert.equal(readFileSync(objects[BUCKET]["runs/a/model"], "utf8"), "model");
    });

    it("an overwritten object is copied again, and what nobody needs is removed", async () => {
        const directory = path.join(box.directory, "mirror-2");
        const mirror = new Mirror(directory);
        await put("x", "old");
        await mirror.save(store.s3, [BUCKET]);
        await put("x", "new");
        await mirror.save(store.s3, [BUCKET]);
        await mirror.prune();
        const objects = await mirror.objects();
        assert.equal(readFileSync(objects[BUCKET].x, "utf8"), "new");
        assert.equal(readdirSync(path.join(directory, "objects")).length, new Set(Object.values(objects[BUCKET])).size);
    });

    it("content that was lost is left out, not served as something else", async () => {
        const mirror = new Mirror(path.join(box.directory, "mirror-3"));
        await mirror.save(store.s3, [BUCKET]);
        const [key, content] = Object.entries((await mirror.objects())[BUCKET])[0];
        rmSync(content);
        assert.equal(key in (await mirror.objects())[BUCKET], false);
    });

    it("a failed download leaves no file", async () => {
        const target = path.join(box.directory, "missing");
        await assert.rejects(downloadObject(store.s3, { bucket: BUCKET, key: "not/there" }, target));
        assert.equal(existsSync(target), false);
        assert.deepEqual(
            readdirSync(box.directory).filter((name) => name.startsWith("missing")),
            [],
        );
    });

    it("a port in use is told as such", async () => {
        await assert.rejects(
            startObjectStore({
                supervisor: box.supervisor,
                python,
                region: "eu-central-1",
                log: path.join(box.directory, "busy.log"),
                cwd: box.directory,
                port: Number(new URL(store.endpoint).port),
            }),
            /Port \d+ on 127\.0\.0\.1 is in use by another program/,
        );
    });
});
