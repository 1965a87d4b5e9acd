/**
 * The parts of the documents that come from the code: the picture of the workflow, the tables of configuration, of hyperparameters
 * and of error classes. `npm run docs` writes them between their marks; a test says when they are stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { main } from "../asl/check/main";
import { toMermaid } from "../asl/drawing";
import { CONFIG_KEYS } from "../stacks/config";
import { evaluateStage } from "../stacks/evaluate";
import { COMBINER, hyperparametersOf, MEMBERS } from "../stacks/models";
import { ERROR_CLASSES, type ErrorPolicy } from "../workflow/errorClasses";
import { advice } from "../workflow/failures";
import type { ErrorClass, HyperparameterRule } from "../workflow/contract";

const root = join(__dirname, "..");
/** Documents with generated parts. */
export const documents = ["README.md", "docs/configuration.md", "docs/architecture.md", "docs/guide.md"] as const;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replace(/\|/g, "\\|").replace(/\n/g, " ")).join(" | ")} |`;
    return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function configurationTable(): string {
    return table(["key", "meaning", "default"], Object.entries(CONFIG_KEYS).map(([key, schema]): string[] => {
        const parsed = schema.safeParse(undefined);
        const value = key === "models" ? "see below" : parsed.success && parsed.data !== undefined ? `\`${JSON.stringify(parsed.data)}\`` : "none";
        return [`\`${key}\``, schema.description ?? "", value];
    }));
}

function bounds(rule: HyperparameterRule): string {
    if (rule.values !== undefined) {
        return rule.values.join(", ");
    }
    return [
        rule.type,
        ...rule.minimum === undefined ? [] : [`${rule.exclusiveMinimum === true ? "above" : "from"} ${rule.minimum}`],
        ...rule.maximum === undefined ? [] : [`${rule.exclusiveMaximum === true ? "below" : "to"} ${rule.maximum}`],
    ].join(" ");
}

function hyperparameterTables(): string {
    return [...Object.entries(MEMBERS), [COMBINER.name, COMBINER] as const].map(([name, spec]) => {
        const { schema, defaults } = hyperparametersOf(spec);
        const rows = Object.entries(schema).map(([key, rule]) =>
            [`\`${key}\``, rule.description ?? "", bounds(rule), `\`${String(defaults[key])}\``, rule.learning ? "yes" : "no"]);
        return `**${name}**\n\n${table(["hyperparameter", "meaning", "bounds", "default", "part of the content key"], rows)}`;
    }).join("\n\n");
}

function errorClassTable(): string {
    const retried = ({ nextRung, retries, waitSeconds, maximumWaitSeconds }: ErrorPolicy): string => retries === 0 ? "never"
        : `${nextRung ? "next rung at once; after the last " : ""}${retries} waits of ${nextRung ? waitSeconds : `${waitSeconds} to ${maximumWaitSeconds}`} s`;
    return table(["class", "what it is", "tried again", "what you can do"], Object.entries(ERROR_CLASSES).map(([name, policy]) =>
        [name, policy.description, retried(policy), advice[name as ErrorClass]]));
}

async function picture(failures: boolean): Promise<string> {
    const { stateMachine } = await evaluateStage("dev");
    return `\`\`\`mermaid\n${toMermaid(stateMachine.definition, { failures, labels: failures })}\`\`\``;
}

/** What asl-check prints of the example: run as a user runs it, from the repository's root. */
async function silentFailure(): Promise<string> {
    const file = "docs/silent-failure.asl.json";
    let printed = "";
    const keep = (text: string): void => {
        printed += text;
    };
    await main([join(root, file)], { out: keep, err: keep, stdin: () => Promise.resolve(Buffer.alloc(0)) });
    return `\`\`\`\n$ npx asl-check ${file}\n${stripVTControlCharacters(printed).replaceAll(`${root}/`, "").trimEnd()}\n\`\`\``;
}

const parts: Readonly<Record<string, () => string | Promise<string>>> = {
    configuration: configurationTable,
    hyperparameters: hyperparameterTables,
    "error-classes": errorClassTable,
    "silent-failure": silentFailure,
    workflow: () => picture(false),
    "workflow-with-failures": () => picture(true),
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
            throw new Error(`${document}: the mark "${mark[1]}" ${part === undefined ? `is none of ${Object.keys(parts).join(", ")}` : "has no end"}.`);
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
