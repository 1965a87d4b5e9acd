import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration } from "../../ground/duration";
import { EXIT, explain, ToolError } from "../../ground/errors";
import { escapeHtml } from "../../ground/html";
import { count, formatBytes, formatDollars, formatShare } from "../../ground/quantity";
import {
    folderOfS3,
    formatS3Address,
    joinS3,
    parentOfS3,
    parseS3Address,
    S3_ADDRESS,
    S3AddressError,
} from "../../ground/s3Address";

describe("an address in S3", () => {
    it("is a bucket and a key, slashes at the key's beginning included", () => {
        for (const [address, bucket, key] of [
            ["s3://bucket", "bucket", ""],
            ["s3://bucket/", "bucket", ""],
            ["s3://bucket/a/", "bucket", "a/"],
            ["s3://bucket//a", "bucket", "/a"],
            ["s3://bucket/a b", "bucket", "a b"],
            ["s3://a.b-c/ü/😀", "a.b-c", "ü/😀"],
        ] as const) {
            assert.deepEqual(parseS3Address(address), { bucket, key }, address);
        }
    });

    it("is refused with what is wrong where S3 has no such name", () => {
        for (const [address, problem] of [
            ["S3://bucket/a", /does not begin with s3:\/\//],
            ["https://bucket/a", /does not begin with s3:\/\//],
            ["s3://", /3 to 63 lower-case/],
            ["s3://b", /3 to 63 lower-case/],
            ["s3://Bucket/a", /"Bucket" must have 3 to 63 lower-case/],
            ["s3://bu_cket/a", /"bu_cket"/],
            ["s3://-bucket/a", /letter or digit at both ends/],
            ["s3://a..b/a", /two dots in a row/],
            ["s3://192.168.0.1/a", /IP address/],
            [`s3://${"b".repeat(64)}/a`, /3 to 63/],
            [`s3://bucket/${"ü".repeat(513)}`, /1026 bytes, S3 takes 1024/],
        ] as const) {
            assert.throws(
                () => parseS3Address(address),
                (error) => error instanceof S3AddressError && problem.test(error.message),
                address,
            );
        }
        assert.deepEqual(parseS3Address(`s3://bucket/${"a".repeat(1_024)}`).key.length, 1_024);
    });

    const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    const key = fc.string({ unit: "grapheme", maxLength: 100 });

    it("is written as it was read, whatever the key", () => {
        fc.assert(
            fc.property(bucket, key, (name, text) => {
                assert.deepEqual(parseS3Address(formatS3Address({ bucket: name, key: text })), {
                    bucket: name,
                    key: text,
                });
            }),
        );
    });

    it("matches the schemas' expression whenever it is one on a line", () => {
        fc.assert(
            fc.property(bucket, fc.stringMatching(/^[^\n]{0,40}$/), (name, text) => {
                assert.match(formatS3Address({ bucket: name, key: text }), S3_ADDRESS);
            }),
        );
        assert.doesNotMatch("s3://Bucket/a", S3_ADDRESS);
    });

    it("is joined with one slash between the parts, and left again by its parent", () => {
        assert.equal(joinS3("s3://bucket/a/", "/b/", "c"), "s3://bucket/a/b/c");
        assert.equal(joinS3("s3://bucket", "a", "b/"), "s3://bucket/a/b/");
        assert.equal(joinS3("s3://bucket/a", ""), "s3://bucket/a");
        assert.equal(parentOfS3("s3://bucket/runs/x/raw_data/"), "s3://bucket/runs/x");
        assert.equal(folderOfS3("s3://bucket/text"), "s3://bucket/text/");
        assert.equal(folderOfS3("s3://bucket/text//"), "s3://bucket/text/");
    });
});

describe("a duration for people", () => {
    it("has its two largest units, rounded before it is cut", () => {
        for (const [seconds, text] of [
            [0, "0 s"],
            [-1, "0 s"],
            [0.04, "0 s"],
            [3.16, "3.2 s"],
            [9.96, "10 s"],
            [49.4, "49 s"],
            [59.96, "1 min"],
            [90, "1 min 30 s"],
            [119.6, "2 min"],
            [300, "5 min"],
            [3_599.6, "1 h"],
            [3_725, "1 h 2 min"],
            [7_199, "2 h"],
            [86_399, "1 d"],
            [90_061, "1 d 1 h"],
            [176_400, "2 d 1 h"],
            [NaN, "unknown"],
        ] as const) {
            assert.equal(formatDuration(seconds), text, String(seconds));
        }
    });

    it("never shows a unit that is full, and grows with the time", () => {
        const full = { s: 60, min: 60, h: 24, d: Infinity };
        const worth = { s: 1, min: 60, h: 3_600, d: 86_400 };
        fc.assert(
            fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (seconds) => {
                const parts = [...formatDuration(seconds).matchAll(/([\d.]+) (d|h|min|s)/g)];
                let told = 0;
                for (const [, amount, unit] of parts) {
                    const name = unit as keyof typeof full;
                    assert.ok(Number(amount) < full[name], `${seconds}: ${formatDuration(seconds)}`);
                    told += Number(amount) * worth[name];
                }
                // off by half of the smaller unit at most, which is 1/24 or less of the larger
                assert.ok(
                    Math.abs(told - seconds) <= Math.max(0.5, seconds / 48),
                    `${seconds}: ${formatDuration(seconds)}`,
                );
            }),
        );
    });
});

describe("amounts for people", () => {
    it("money has cents, and two figures that count below ten cents", () => {
        assert.deepEqual([0, 0.0021, 0.05, 0.1, 12.345, 1_234, undefined].map(formatDollars), [
            "0.00 USD",
            "0.0021 USD",
            "0.05 USD",
            "0.10 USD",
            "12.35 USD",
            "1234.00 USD",
            "unknown",
        ]);
    });

    it("bytes are told in powers of a thousand", () => {
        assert.deepEqual([0, 999, 1_000, 999_960, 4_200_000, 3e12].map(formatBytes), [
            "0 B",
            "999 B",
            "1.0 kB",
            "1.0 MB",
            "4.2 MB",
            "3.0 TB",
        ]);
    });

    it("shares are per cent with one decimal, counts agree with their word", () => {
        assert.deepEqual([0.9042, undefined].map(formatShare), ["90.4 %", "–"]);
        assert.deepEqual(
            [count(1, "job"), count(1_234, "job"), count(0, "entry", "entries")],
            ["1 job", "1,234 jobs", "0 entries"],
        );
    });
});

describe("text in HTML", () => {
    it("keeps its characters, in content and in attributes", () => {
        assert.equal(escapeHtml(`<a href="x">'&'</a>`), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
        assert.equal(escapeHtml(12), "12");
    });
});

describe("an error of the operating system", () => {
    it("is told in one line where a user can do something about it, and comes back where not", () => {
        const full = explain(Object.assign(new Error("x"), { code: "ENOSPC", path: "out.html" }), "Cannot write");
        assert.ok(full instanceof ToolError);
        assert.equal(full.exitCode, EXIT.machine);
        assert.match(full.message, /^Cannot write \(out\.html\): the disk is full: .* \(ENOSPC\)\.$/);
        const temporary = Object.assign(new Error("x"), { code: "ENOENT", syscall: "mkdtemp", path: "/nowhere/a-" });
        assert.match(String(explain(temporary, "Cannot begin")), /let TMPDIR name one that is there \(ENOENT\)\.$/);
        const other = new Error("other");
        assert.equal(explain(other, "Cannot write"), other);
        const told = new ToolError("told", EXIT.usage);
        assert.equal(explain(told, "Cannot write"), told);
    });
});
