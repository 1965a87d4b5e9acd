/** What the typed states say of their fields: unit, bound, default and source, as far as a program can see. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const FOLDER = path.resolve(__dirname, "../../asl/states");

interface Field {
    readonly place: string;
    readonly comment: string;
    readonly isOptional: boolean;
    readonly isNumber: boolean;
}

const commentOf = (node: ts.Node): string =>
    ts
        .getJSDocCommentsAndTags(node)
        .map((found) => found.getText().replaceAll(/\s*\n\s*\*?\s*/g, " "))
        .join(" ");

/** Symbols are the room's own. */
const isNamed = (member: ts.TypeElement): member is ts.PropertySignature =>
    ts.isPropertySignature(member) && ts.isIdentifier(member.name);

function fieldsOf(file: string, source: ts.SourceFile): Field[] {
    return source.statements.filter(ts.isInterfaceDeclaration).flatMap((declared) =>
        declared.members.filter(isNamed).map((member) => ({
            place: `${file}: ${declared.name.text}.${member.name.getText()}`,
            comment: commentOf(member),
            isOptional: member.questionToken !== undefined,
            isNumber: /\bnumber\b|\bSeconds\b/.test(member.type?.getText() ?? ""),
        })),
    );
}

describe("the options of typed states", () => {
    const sources = readdirSync(FOLDER).map((file) => {
        const text = readFileSync(path.join(FOLDER, file), "utf8");
        return { file, text, parsed: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true) };
    });
    const fields = sources.flatMap(({ file, parsed }) => fieldsOf(file, parsed));
    const without = (isMissing: (field: Field) => boolean): string[] =>
        fields.filter(isMissing).map(({ place }) => place);

    it("say of every field what it is", () => {
        assert.ok(fields.length > 100, `${fields.length} fields`);
        assert.deepEqual(
            without(({ comment }) => comment === ""),
            [],
        );
    });

    it("say what holds where an optional field is left out", () => {
        const isSaid = /default|demanded|given together/i;
        assert.deepEqual(
            without(({ comment, isOptional }) => isOptional && !isSaid.test(comment)),
            [],
        );
    });

    it("say the bounds of every number of an options object", () => {
        assert.deepEqual(
            without(
                ({ place, comment, isNumber }) => isNumber && /(Options|Retry)\./.test(place) && !/\d/.test(comment),
            ),
            [],
        );
    });

    it("name the source of the bounds, in every file that has an options object", () => {
        const silent = sources.filter(
            ({ text }) => /^export interface \w+Options\b/m.test(text) && !/Source/.test(text),
        );
        assert.deepEqual(
            silent.map(({ file }) => file),
            [],
        );
    });
});
