import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { crc32, deflateSync } from "node:zlib";
import type { ToolError } from "../../ground/errors";
import { checkDocuments } from "../../local/sample/documents";
import { pngProblem } from "../../workloads/documents/png";

/** A grey picture, made by hand so that the check is not tested with its own code. */
function png(width = 4, height = 3): Buffer {
    const part = (type: string, data: Buffer) => {
        const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
        const head = Buffer.alloc(4);
        head.writeUInt32BE(data.length);
        const tail = Buffer.alloc(4);
        tail.writeUInt32BE(crc32(body));
        return Buffer.concat([head, body, tail]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header[8] = 8;
    return Buffer.concat([
        Buffer.from("89504e470d0a1a0a", "hex"),
        part("IHDR", header),
        part("IDAT", deflateSync(Buffer.alloc(height * (1 + width)))),
        part("IEND", Buffer.alloc(0)),
    ]);
}

const HEADER = "stack,page,class,begins_document,split";

describe("local/sample/documents: a user's own documents", () => {
    let directory: string;
    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "documents-"));
        const rows: string[] = [];
        for (const [index, split] of ["train", "train", "train", "test"].entries()) {
            for (const [page, label] of ["payslip", "contract"].entries()) {
                const name = `s${index}/${String(page + 1).padStart(3, "0")}`;
                for (const folder of ["text", "images"]) {
                    mkdirSync(path.join(directory, folder, `s${index}`), { recursive: true });
                }
                writeFileSync(path.join(directory, "text", `${name}.txt`), "text of a page");
                writeFileSync(path.join(directory, "images", `${name}.png`), png());
                rows.push(`s${index},${page + 1},${label},true,${split}`);
            }
        }
        writeFileSync(path.join(directory, "labels.csv"), `${HEADER}\n${rows.join("\n")}\n`);
    });
    afterEach(() => rmSync(directory, { recursive: true }));

    const labels = () => path.join(directory, "labels.csv");
    const change = (from: string | RegExp, to: string) =>
        writeFileSync(labels(), readFileSync(labels(), "utf8").replace(from, to));
    const refused = (folds = 3) => {
        try {
            checkDocuments(directory, folds);
        } catch (error) {
            assert.equal((error as ToolError).exitCode, 2);
            return (error as Error).message.replaceAll(directory, "DIR");
        }
        return assert.fail("the documents should have been refused");
    };

    it("that are right are counted", () => {
        const documents = checkDocuments(directory, 3);
        assert.deepEqual([documents.stacks, documents.documents, documents.pages.length], [4, 8, 8]);
        assert.deepEqual(documents.classes, ["contract", "payslip"]);
        assert.equal(documents.files.length, 17);
    });

    it("of models that read other data need that data, and no pages", () => {
        for (const folder of ["text", "images"]) {
            rmSync(path.join(directory, folder), { recursive: true });
        }
        assert.throws(
            () => checkDocuments(directory, 3, ["features.csv", "scans"]),
            /features\.csv: missing; a member reads it; 1 more like it: scans/,
        );
        writeFileSync(path.join(directory, "features.csv"), "stack,page,x\n");
        mkdirSync(path.join(directory, "scans", "a"), { recursive: true });
        writeFileSync(path.join(directory, "scans", "a", "1.bin"), "1");
        assert.deepEqual(checkDocuments(directory, 3, ["features.csv", "scans"]).files, [
            "labels.csv",
            "features.csv",
            "scans/a/1.bin",
        ]);
    });

    const cases: readonly (readonly [string, () => void, RegExp])[] = [
        ["no labels.csv", () => unlinkSync(labels()), /DIR\/labels.csv: is missing; every page needs a row/],
        [
            "a misspelt column",
            () => change("class", "klass"),
            /labels.csv:1: the column class is missing.*\(is "klass" meant\?\)/,
        ],
        ["a header and nothing else", () => writeFileSync(labels(), `${HEADER}\n`), /no pages below the header/],
        [
            "a row with too few fields",
            () => change("s0,2,contract,true,train", "s0,2,contract"),
            /labels.csv:3: 3 values, expected 5 as in the header/,
        ],
        [
            "a row of a page without files",
            () => change(/$/, "s0,3,contract,true,train\n"),
            /labels.csv:10: text\/s0\/003.txt is missing/,
        ],
        [
            "a duplicate",
            () => change("s0,2,contract", "s0,1,contract"),
            /labels.csv:3: page 1 of stack s0 is there already, in line 2; remove one/,
        ],
        [
            "a gap in the pages",
            () => change("s0,1,", "s0,3,"),
            /labels.csv:3: stack s0 goes on with page 2, expected page 1/,
        ],
        [
            "a page that is no number",
            () => change("s0,1,", "s0,one,"),
            /labels.csv:2: page is "one", expected a whole number from 1 to 999999/,
        ],
        ["a class without a name", () => change("s1,1,payslip", "s1,1,"), /labels.csv:4: class is "", expected a name/],
        [
            "begins_document that is neither",
            () => change("payslip,true", "payslip,yes"),
            /labels.csv:2: begins_document is "yes", expected true or false/,
        ],
        [
            "a stack that begins in a document",
            () => change("payslip,true", "payslip,false"),
            /labels.csv:2: the first page of stack s0/,
        ],
        [
            "an unknown split",
            () => change("s3,1,payslip,true,test", "s3,1,payslip,true,tset"),
            /labels.csv:8: split is "tset", expected train, test or nothing/,
        ],
        [
            "a stack in both splits",
            () => change("s3,1,payslip,true,test", "s3,1,payslip,true,train"),
            /labels.csv:9: stack s3 has split test here and train in line 8/,
        ],
        [
            "nothing held out",
            () => writeFileSync(labels(), readFileSync(labels(), "utf8").replaceAll(",test", ",train")),
            /no stack is held out/,
        ],
        [
            "a misspelt class, so too few of it",
            () => change("s1,1,payslip", "s1,1,paysilp"),
            /class "paysilp" is in 1 training stack, expected at least 3, one for each fold.*\(is "payslip" meant\?\)/,
        ],
        [
            "an image that is text",
            () => writeFileSync(path.join(directory, "images/s0/001.png"), "hello"),
            /images\/s0\/001.png: is not a PNG image \(it begins with "hell"\) \(page of DIR\/labels.csv:2\)/,
        ],
        [
            "an image that was cut",
            () => writeFileSync(path.join(directory, "images/s0/001.png"), png().subarray(0, 50)),
            /001.png: .*cut file/,
        ],
        ["an empty image", () => writeFileSync(path.join(directory, "images/s0/001.png"), ""), /001.png: is empty/],
        [
            "a text that is no UTF-8",
            () => writeFileSync(path.join(directory, "text/s0/001.txt"), Buffer.from([0xff, 0xfe])),
            /001.txt: is not UTF-8/,
        ],
        [
            "a page that no row names",
            () => writeFileSync(path.join(directory, "images/s0/009.png"), png()),
            /009.png: no row in labels.csv names/,
        ],
        [
            "a missing text",
            () => unlinkSync(path.join(directory, "text/s2/002.txt")),
            /labels.csv:7: text\/s2\/002.txt is missing/,
        ],
        [
            "labels that are no UTF-8",
            () => writeFileSync(labels(), Buffer.from([0x73, 0xff])),
            /labels.csv:1: not UTF-8, read as Windows-1252 the line is/,
        ],
    ];
    for (const [what, breaking, message] of cases) {
        it(`${what} is told with file and line`, () => {
            breaking();
            assert.match(refused(), message);
        });
    }

    it("all problems are told at once", () => {
        change("s0,1,", "s0,one,");
        change("s3,1,payslip,true,test", "s3,1,payslip,true,tset");
        unlinkSync(path.join(directory, "text/s2/002.txt"));
        assert.match(refused(), /3 problems; nothing was run\.\n.*:2: .*\n.*:8: .*\n.*:7: /);
    });

    it("a folder that is not there is told", () => {
        assert.throws(() => checkDocuments(path.join(directory, "nowhere"), 3), /nowhere: no such folder/);
    });

    it("a picture with a wrong checksum or broken pixels is told", () => {
        const flipped = png();
        flipped[20] ^= 1;
        assert.match(pngProblem(flipped, 100) ?? "", /damaged in its part IHDR/);
        assert.equal(pngProblem(png(), 100), undefined);
        assert.match(pngProblem(png(0), 100) ?? "", /0 x 3 pixels/);
        assert.match(pngProblem(png(50, 3), 100) ?? "", /50 x 3 pixels; 1 to 100 in all/);
    });
});
