/**
 * merge: one table with, per page, the class probabilities of every member. Training pages have out-of-fold
 * predictions, so that the combiner never learns from leaked ones; anything that does not fit is refused, all of it
 * reported in `mismatches.json`.
 */
import { createReadStream } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "csv-stringify/sync";
import { joinS3, parentOfS3 } from "../../ground/s3Address";
import { sha256 } from "../../workflow/keys";
import { DataError } from "../common/errors";
import { readPlan } from "../common/plan";
import { required } from "./context";
import type { JobContext } from "./context";
import { COLUMNS } from "../documents/labels";
import { pageId, type Page } from "../documents/pages";
import { readMembers, unpackArtifact } from "./members";
import type { PresentMember } from "./members";
import { PredictionReader } from "./predictions";
import type { MemberPredictions, Mismatch } from "./predictions";
import { readLabels } from "./split";

/** `mismatches.json` holds the first so many. */
const maximumMismatches = 10_000;

export async function merge(context: JobContext): Promise<void> {
    const { parameters, storage, print } = context;
    const output = required(parameters, "OUTPUT_PATH");
    const pages = await readLabels(storage, joinS3(required(parameters, "INPUT_PATH"), "labels.csv"));
    const plan = await readPlan(storage, parentOfS3(output));
    const { present, missing } = await readMembers(context, plan, "mergeParameter");
    await storage.remove(joinS3(output, "manifest.json"));

    const predictions = new Map<string, MemberPredictions>();
    const mismatches: Mismatch[] = [];
    for (const member of present) {
        context.signal.throwIfAborted();
        const [read, wrong] = await readPredictions(context, member, pages);
        predictions.set(member.name, read);
        mismatches.push(...wrong);
        print(
            `${member.name}: predictions of ${read.probabilities.size} of ${pages.length} pages, ${wrong.length} ` +
                "mismatches",
        );
    }
    const [first, ...others] = [...predictions];
    for (const [name, { classes }] of others.filter(
        ([, read]) => read.classes.join("\n") !== first[1].classes.join("\n"),
    )) {
        mismatches.push({
            member: name,
            what: `predicts the classes ${classes.join(", ")}, ${first[0]} ${first[1].classes.join(", ")}`,
        });
    }
    if (mismatches.length > 0) {
        const report = joinS3(output, "mismatches.json");
        await storage.putJson(report, { count: mismatches.length, mismatches: mismatches.slice(0, maximumMismatches) });
        const { member, page, what, where } = mismatches[0];
        throw new DataError(
            `${mismatches.length} mismatch${mismatches.length === 1 ? "" : "es"} between predictions and labels, the ` +
                `first: ${member}` +
                `${page === undefined ? "" : ` page ${page}`}: ${what}${where === undefined ? "" : ` (${where})`}; ` +
                `all are in ${report}: ` +
                "train the member again on this data (force)",
        );
    }
    await storage.remove(joinS3(output, "mismatches.json"));
    const table = formatTable(pages, predictions);
    await storage.put(joinS3(output, "dataframe.csv"), table, "text/csv");
    await storage.putJson(joinS3(output, "manifest.json"), {
        format: 1,
        job: "merge",
        rows: pages.length,
        sha256: sha256(table),
        missing,
        members: Object.fromEntries(
            present.map(({ name, trained }) => [name, { key: trained.key, classes: predictions.get(name)?.classes }]),
        ),
    });
    print(
        `${pages.length} pages of ${present.map(({ name }) => name).join(", ")} ` +
            `joined${missing.length > 0 ? `, without ${missing.join(", ")}` : ""}`,
    );
}

/**
 * `dataframe.csv`: rows as the labels are sorted, columns `<member>:<class>`, and `<member>::begins_document` of a
 * member that says whether a document begins on a page (no class's name has a colon).
 */
export function formatTable(pages: readonly Page[], predictions: ReadonlyMap<string, MemberPredictions>): string {
    const members = [...predictions];
    const header = [...COLUMNS, ...members.flatMap(([name, { classes, begins }]) => columnsOf(name, classes, begins))];
    const rows = pages.map((page) => {
        const id = pageId(page);
        const values = members.flatMap(([, { probabilities, begins }]) => {
            const begin = begins?.get(id);
            const values = probabilities.get(id) ?? [];
            return begin === undefined ? values : [...values, begin];
        });
        return [
            page.stack,
            page.page,
            page.class,
            String(page.begins_document),
            page.split ?? "",
            // Means of six-digit numbers need no more digits than nine.
            ...values.map((value) => Number(value.toFixed(9))),
        ];
    });
    return stringify([header, ...rows]);
}

function columnsOf(member: string, classes: readonly string[], begins: unknown): string[] {
    const own = classes.map((label) => `${member}:${label}`);
    return begins === undefined ? own : [...own, `${member}::begins_document`];
}

async function readPredictions(
    context: JobContext,
    { name, trained }: PresentMember,
    pages: readonly Page[],
): Promise<[MemberPredictions, readonly Mismatch[]]> {
    const folder = await unpackArtifact(context, trained, "output");
    const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile() && entry.name === "predictions.jsonl")
        .map((entry) => path.join(entry.parentPath, entry.name))
        .sort();
    if (files.length === 0) {
        throw new DataError(
            `${trained.artifacts.output.uri} holds no predictions.jsonl; the training of ${name} must write its ` +
                "predictions",
        );
    }
    const reader = new PredictionReader(name, pages);
    for (const file of files) {
        let number = 0;
        for await (const line of createInterface({ input: createReadStream(file, "utf-8"), crlfDelay: Infinity })) {
            number += 1;
            if (line.trim() !== "") {
                reader.read(line, `${path.relative(folder, file)} line ${number}`);
            }
        }
    }
    const read = reader.finish();
    await rm(folder, { recursive: true, force: true });
    return [read, reader.mismatches];
}
