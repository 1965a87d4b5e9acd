/**
 * The parts of the documents that come from the code: pictures, tables, what commands and messages print.
 * `npm run docs` writes them between their marks; a test says when they are stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { main } from "../asl/check/main";
import { type EvaluatedStage, evaluateStage } from "../project/evaluate";
import { commandReference, commandTable } from "./commandReference";
import * as pictures from "./pictures";
import * as tables from "./tables";

const root = join(__dirname, "..");
/** Documents with generated parts. */
export const documents = [
    "README.md",
    "docs/architecture.md",
    "docs/cli.md",
    "docs/configuration.md",
    "docs/guide.md",
    "docs/local-run.md",
    "docs/roles.md",
] as const;

let stage: Promise<EvaluatedStage> | undefined;
/** The dev stage, evaluated once. */
function dev(): Promise<EvaluatedStage> {
    return (stage ??= evaluateStage("dev"));
}

/** What asl-check prints of the example: run as a user runs it, from the repository's root. */
async function silentFailure(): Promise<string> {
    const file = "docs/silent-failure.asl.json";
    let printed = "";
    const keep = (text: string): void => {
        printed += text;
    };
    await main([join(root, file)], { out: keep, err: keep, stdin: () => Promise.resolve(Buffer.alloc(0)) });
    return (
        `\`\`\`console\n$ npx asl-check ` +
        `${file}\n${stripVTControlCharacters(printed).replaceAll(`${root}/`, "").trimEnd()}\n\`\`\``
    );
}

/** The message about an execution whose text training fails of its own code, from the workflow in virtual time. */
async function failureMessage(): Promise<string> {
    const { world } = await pictures.simulated(await dev(), {
        faults: [{ state: "Text Model Training", fault: "algorithm" }],
    });
    return world.messages
        .map(({ subject, message }) => `\`\`\`text\nSubject: ${subject}\n\n${message}\n\`\`\``)
        .join("\n\n");
}

const parts: Readonly<Record<string, () => string | Promise<string>>> = {
    "commands": commandTable,
    "command-reference": commandReference,
    "configuration": tables.configurationTable,
    "hyperparameters": tables.hyperparameterTables,
    "document-columns": tables.documentColumns,
    "error-classes": tables.errorClassTable,
    "failure-message": failureMessage,
    "failure-routes": async () => pictures.failureRoutes(await dev()),
    "life": async () => pictures.life(await dev()),
    "resources": async () => pictures.resources(await dev()),
    "demands": () => tables.demandTable(),
    "roles": async () => tables.roleTables(await dev()),
    "rooms": pictures.rooms,
    "room-table": tables.roomTable,
    "silent-failure": silentFailure,
    "workflow-overview": async () => pictures.overview((await dev()).stateMachine.definition),
    "workflow-with-failures": async () => pictures.workflow((await dev()).stateMachine.definition, true),
};

/**
 * The document with its generated parts made anew.
 * @throws Error for a mark that names no known part or has no end.
 */
export async function generated(document: string): Promise<string> {
    const text = readFileSync(join(root, document), "utf8");
    const pieces: string[] = [];
    let from = 0;
    for (const mark of text.matchAll(/<!-- generated: ([a-z-]+) -->\n/g)) {
        const part = Object.hasOwn(parts, mark[1]) ? parts[mark[1]] : undefined;
        const begin = (mark.index ?? 0) + mark[0].length;
        const end = text.indexOf("<!-- /generated -->", begin);
        if (part === undefined || end < 0) {
            throw new Error(
                `${document}: the mark "${mark[1]}" ` +
                    `${part === undefined ? `is none of ${Object.keys(parts).join(", ")}` : "has no end"}.`,
            );
        }
        pieces.push(text.slice(from, begin), await part(), "\n");
        from = end;
    }
    return pieces.join("") + text.slice(from);
}

if (require.main === module) {
    void (async () => {
        for (const document of documents) {
            writeFileSync(join(root, document), await generated(document));
        }
    })();
}
