import path from "node:path";
import Table from "cli-table3";
import pc from "picocolors";
import { formatDuration } from "../../ground/duration";
import type { Judgement } from "../../report/metrics";
import type { Reduction } from "./reductions";

export interface RunResult {
    readonly format: 1;
    readonly id: string;
    readonly stage: string;
    readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
    readonly error?: string;
    readonly cause?: string;
    readonly startedAt: string;
    /** Wall time of all, milliseconds; and of the execution alone. */
    readonly milliseconds: number;
    readonly executionMilliseconds: number;
    readonly stateMachine: string;
    readonly executionArn: string;
    readonly documents: {
        readonly directory: string;
        readonly stacks: number;
        readonly documents: number;
        readonly pages: number;
        /** The bundled sample: made up, nobody's data. */
        readonly sample: boolean;
    };
    /** By model: what Setup decided and why. */
    readonly models: Readonly<Record<string, { readonly action: string; readonly reason: string }>>;
    readonly metrics: readonly Judgement[];
    readonly reductions: readonly Reduction[];
    /** Faults of `--fail` that did not happen as often as they were to, in words. */
    readonly unrehearsed: readonly string[];
    readonly skippedWaits: readonly { readonly state: string; readonly kind: string; readonly seconds: number }[];
    readonly messages: number;
    readonly transitions: number;
    readonly events: number;
    /** Folders and files, absolute. */
    readonly directory: string;
    readonly artifacts?: string;
    readonly history: string;
    readonly logs: readonly string[];
}

/** The end of a run, for people. */
export function renderResult(result: RunResult, root: string): string {
    const relative = (file: string) => path.relative(root, file) || ".";
    const lines: string[] = [""];
    lines.push(
        result.status === "SUCCEEDED"
            ? pc.green(pc.bold(`SUCCEEDED in ${formatDuration(result.milliseconds / 1000)}`))
            : pc.red(
                  pc.bold(
                      `${result.status} after ${formatDuration(result.milliseconds / 1000)}` +
                          `${result.error ? `: ${result.error}` : ""}`,
                  ),
              ),
    );
    if (result.status !== "SUCCEEDED" && result.cause) {
        lines.push(...readable(result.cause));
    }
    if (result.metrics.length > 0) {
        const table = new Table({
            head: ["model", "page accuracy", "segment F1", "held-out pages"],
            style: { head: [], border: [] },
            colAligns: ["left", "right", "right", "right"],
        });
        for (const { model, pageAccuracy, segmentF1, pages } of result.metrics) {
            table.push([model, percent(pageAccuracy), percent(segmentF1), String(pages)]);
        }
        lines.push(
            "",
            "On held-out stacks (a segment counts when first page, last page and class are right):",
            table.toString(),
        );
    }
    if (result.artifacts !== undefined) {
        lines.push(
            "",
            `Artefacts: ${relative(result.artifacts)}`,
            `    use them: npx ensemble predict --model ${relative(result.artifacts)} FOLDER`.replace(
                "npx ensemble",
                "npm run --silent ensemble --",
            ),
        );
    }
    if (result.reductions.length > 0) {
        lines.push("", "Smaller on this machine than the stage is configured (local/hyperparameters.json):");
        for (const model of [...new Set(result.reductions.map((reduction) => reduction.model))]) {
            const own = result.reductions.filter((reduction) => reduction.model === model);
            lines.push(
                `    ${model}: ${own.map(({ name, configured, local }) => `${name} ${configured} -> ${local}`).join(", ")}`,
            );
        }
    }
    if (result.skippedWaits.length > 0) {
        lines.push(
            "",
            "Skipped waits:",
            ...result.skippedWaits.map(
                (wait) => `    ${wait.state}: ${wait.seconds} s${wait.kind === "Retry" ? " before a retry" : ""}`,
            ),
        );
    }
    lines.push(
        "",
        "Logs:",
        ...result.logs.map((log) => `    ${relative(log)}`),
        `History: ${relative(result.history)}`,
    );
    if (result.messages > 0) {
        lines.push(`Notifications: ${relative(path.join(result.directory, "messages.jsonl"))} (${result.messages})`);
    }
    lines.push(`Result as JSON: ${relative(path.join(result.directory, "result.json"))}`);
    lines.push(
        pc.dim(`${result.transitions} state transitions. What the same jobs would cost on AWS is in the report.`),
    );
    return lines.join("\n");
}

function percent(share: number): string {
    return `${(100 * share).toFixed(1)} %`;
}

/** A cause is JSON or text; of JSON the fields that a person looks for. */
function readable(cause: string): string[] {
    try {
        const parsed = JSON.parse(cause) as Record<string, unknown>;
        const text = parsed.reason ?? parsed.message ?? parsed.errorMessage;
        return (typeof text === "string" ? text : JSON.stringify(parsed)).split("\n").map((line) => `    ${line}`);
    } catch {
        return cause.split("\n").map((line) => `    ${line}`);
    }
}
