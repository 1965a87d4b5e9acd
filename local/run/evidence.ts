/** What a local run keeps of itself for its report, and how the report finds it again. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { HistoryEventLike } from "../../asl/history";
import type { StateMachineDefinition } from "../../asl/types";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import { loadPrices } from "../../pricing/prices";
import { bucketReader, folderReader, keepingReader, Unavailable, type ArtefactReader } from "../../report/artefacts";
import { reportOf, type ExecutionFacts } from "../../report/execution";
import type { Judgement } from "../../report/metrics";
import type { StageSettings } from "../../workflow/contract";
import { Storage } from "../../workloads/common/storage";
import type { ObjectStore } from "../storage/objectStore";
import type { RunResult } from "./report";
import { settingsOf } from "./stage";

/** Folder of a run: its artefacts by bucket and key, as far as the report reads them. */
const EVIDENCE = "evidence";

/**
 * Reads for the report while the object store is still there; what was read stays in the run's folder.
 * @returns how well every model reads the held-out pages, as far as there is something to judge.
 */
export async function keepEvidence(
    facts: ExecutionFacts,
    store: ObjectStore,
    directory: string,
): Promise<readonly Judgement[]> {
    const reader = keepingReader(bucketReader(new Storage(store.s3)), path.join(directory, EVIDENCE));
    // pictures stay where the documents are
    const { models } = await reportOf(facts, reader, { pages: 0, prices: loadPrices(), today: new Date() });
    return models.flatMap(({ result }) =>
        result === undefined
            ? []
            : [
                  {
                      model: result.model,
                      pages: result.pages,
                      pageAccuracy: result.pageAccuracy,
                      segmentF1: result.segmentF1,
                  },
              ],
    );
}

export interface KeptRun {
    readonly facts: ExecutionFacts;
    readonly reader: ArtefactReader;
    /** The documents are the bundled sample: made up, nobody's data. */
    readonly sample: boolean;
}

/**
 * Reads `.local/runs/<id>`.
 * @throws ToolError where it is none, naming the file that is missing or damaged.
 */
export function readRun(directory: string): KeptRun {
    const result = json<RunResult>(directory, "result.json");
    const definition = json<StateMachineDefinition>(directory, "definition.json");
    const events = text(directory, "history.jsonl")
        .trim()
        .split("\n")
        .map((line, index) => parsed<HistoryEventLike>(line, directory, `history.jsonl, line ${index + 1}`));
    return {
        facts: factsOf({ ...result, definition, events, settings: settingsOf(definition) }),
        reader: withPages(folderReader(path.join(directory, EVIDENCE)), result.documents.directory),
        sample: result.documents.sample,
    };
}

/** A local execution as a report takes it. */
export function factsOf(
    run: Pick<RunResult, "id" | "status" | "error" | "cause" | "executionArn" | "reductions"> & {
        readonly definition: StateMachineDefinition;
        readonly events: readonly HistoryEventLike[];
        readonly settings: StageSettings;
    },
): ExecutionFacts {
    const time = (event: HistoryEventLike | undefined): number => new Date(event?.timestamp ?? 0).getTime();
    return defined({
        where: "local",
        executionArn: run.executionArn,
        name: run.id,
        status: run.status,
        error: run.error,
        cause: run.cause,
        startedAt: time(run.events[0]),
        stoppedAt: time(run.events.at(-1)),
        definition: run.definition,
        settings: run.settings,
        events: run.events,
        remarks: run.reductions.map(
            ({ model, name, configured, local }) => `${model}: ${name} ${configured} -> ${local}`,
        ),
        missing: [],
    });
}

/** Pages come from the folder of documents that the run read. */
function withPages(reader: ArtefactReader, documents: string): ArtefactReader {
    return {
        read: async (uri, maximumBytes) => {
            const page = /\/images\/([A-Za-z0-9_-]+)\/0*(\d+)\.png$/.exec(uri);
            if (page === null) {
                return reader.read(uri, maximumBytes);
            }
            const folder = path.join(documents, "images", page[1]);
            const name = !existsSync(folder)
                ? undefined
                : readdirSync(folder).find((file) => /^0*(\d+)\.png$/.exec(file)?.[1] === page[2]);
            if (name === undefined) {
                throw new Unavailable(`${folder} has no picture of page ${page[2]}`);
            }
            return readFile(path.join(folder, name));
        },
    };
}

function text(directory: string, name: string): string {
    try {
        return readFileSync(path.join(directory, name), "utf8");
    } catch (error) {
        const missing = ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
        throw new ToolError(
            `${path.join(directory, name)}: ${missing ? "no such file" : (error as Error).message}; ` +
                "a folder of .local/runs whose run came to its end is expected",
            EXIT.usage,
        );
    }
}

function json<T>(directory: string, name: string): T {
    return parsed<T>(text(directory, name), directory, name);
}

function parsed<T>(content: string, directory: string, name: string): T {
    try {
        return JSON.parse(content) as T;
    } catch (error) {
        throw new ToolError(`${path.join(directory, name)}: no JSON: ${(error as Error).message}`, EXIT.usage);
    }
}
