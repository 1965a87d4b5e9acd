/** A plan for people: text, and one self-contained HTML file. */
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import Table from "cli-table3";
import pc from "picocolors";
import { toDot } from "../../asl/drawing";
import type { StateMachineDefinition } from "../../asl/types";
import { formatDuration } from "../../ground/duration";
import { present } from "../../ground/fields";
import { escapeHtml } from "../../ground/html";
import { formatDollars } from "../../ground/quantity";
import { outline } from "./outline";
import type { Plan, PlannedModel } from "./plan";

function sum({ known, unknown }: { readonly known: number; readonly unknown: readonly string[] }): [string, string] {
    return unknown.length === 0
        ? [formatDollars(known), ""]
        : ["unknown", `what is known sums to ${formatDollars(known)}`];
}

const HAPPENS: Readonly<Record<PlannedModel["action"], string>> = {
    given: "is given",
    reused: "reused",
    trains: "trains",
};

function happens({ action }: PlannedModel): string {
    return HAPPENS[action];
}

function budgetLine({ budget }: Plan): string | undefined {
    if (budget === undefined) {
        return undefined;
    }
    return budget.verdict === "within"
        ? `Within the budget of ${formatDollars(budget.dollars)}.`
        : `Budget ${budget.verdict}: ${budget.message}`;
}

/** The sections of a plan in order: a heading, and lines or a table. */
function sections(plan: Plan): { heading: string; head?: string[]; rows?: string[][]; lines?: string[] }[] {
    const { bill } = plan;
    return present([
        {
            heading: "Models",
            head: [
                "model",
                "what happens",
                "machines, in the order tried",
                "count",
                "one job at most",
                "all attempts at most",
            ],
            rows: plan.models.map((model) => [
                model.model,
                [happens(model), model.note].filter((text) => text !== "").join(": "),
                model.capacity.join(", "),
                String(model.instances),
                formatDuration(model.jobSeconds),
                formatDuration(model.budgetSeconds),
            ]),
        },
        plan.changes === undefined ? undefined : { heading: "What the input says", lines: [...plan.changes] },
        { heading: "Reuse", lines: [...plan.reuse] },
        {
            heading: `Price of one run (${bill.region}, prices of ${bill.pricesAsOf})`,
            head: ["item", "at most", "how", "expected", "how"],
            rows: [
                ...[...new Set([...bill.lines, ...plan.expected.lines].map(({ item }) => item))].map((item) => {
                    const worst = bill.lines.find((line) => line.item === item);
                    const expected = plan.expected.lines.find((line) => line.item === item);
                    return [
                        item,
                        worst === undefined ? "-" : formatDollars(worst.worst),
                        worst?.how ?? "",
                        formatDollars(expected?.expected),
                        expected?.how ?? "",
                    ];
                }),
                ["together", ...sum(bill), ...sum(plan.expected)],
            ],
            lines: present([
                bill.unknown.length === 0 ? undefined : `No price is known for: ${bill.unknown.join("; ")}.`,
                bill.warning,
                "At most: Spot counts at the on-demand price, and what is trained already is trained again. " +
                    "Expected: the first machine of the ladder, " +
                    "and nothing for what is reused. Not counted: reading from S3, logs, messages and transfer" +
                    `${bill.lines.some(({ item }) => item === "storage") ? "." : "; storage, while the data is not known."}`,
                budgetLine(plan),
            ]),
        },
        {
            heading: "Bounds",
            lines: [
                `longest possible duration: ${formatDuration(plan.longestSeconds)}`,
                `state transitions: at most ${plan.transitions} (AWS ends an execution at 25,000 events)`,
            ],
        },
        {
            heading: "Quotas of SageMaker that a run needs",
            head: ["quota", "instances", "models"],
            rows: plan.quotas.map(({ quota, instances, models }) => [quota, String(instances), models.join(", ")]),
        },
    ]);
}

export function planText(plan: Plan, definition: StateMachineDefinition): string {
    const parts = sections(plan).map(({ heading, head, rows, lines }) => {
        const table = head === undefined || rows === undefined ? [] : [tableOf(head, rows)];
        return [pc.bold(heading), ...table, ...(lines ?? []).map((line) => `  ${line}`)].join("\n");
    });
    return [
        pc.bold(`${plan.service}, stage ${plan.stage}: ${plan.stateMachine}`),
        [
            pc.bold("Workflow (without what only a Catch reaches; --mermaid, --svg and --html draw it)"),
            ...outline(definition).map((line) => `  ${line}`),
        ].join("\n"),
        ...parts,
    ].join("\n\n");
}

function tableOf(head: string[], rows: string[][]): string {
    const table = new Table({ head, style: { head: [], border: [] }, wordWrap: true });
    table.push(...rows);
    return table.toString();
}

/** The workflow as SVG, with its failure paths; deterministic. */
export async function workflowSvg(definition: StateMachineDefinition): Promise<string> {
    const drawn = (await Graphviz.load()).dot(toDot(definition), "svg");
    return drawn.slice(drawn.indexOf("<svg"));
}

/** The plan as one HTML file without script and network, light and dark. */
export async function planHtml(plan: Plan, definition: StateMachineDefinition): Promise<string> {
    const svg = (await workflowSvg(definition))
        .replace(/ (?:fill|stroke)="(?:black|none|transparent|#000000)"/g, "")
        .replace(/<title>[^<]*<\/title>/g, "");
    const body = sections(plan).map(({ heading, head, rows, lines }) => {
        const table =
            head === undefined || rows === undefined
                ? ""
                : `<div class="scroll"><table><thead><tr>${head
                      .map((cell) => `<th>${escapeHtml(cell)}</th>`)
                      .join("")}</tr></thead><tbody>${rows
                      .map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`)
                      .join("\n")}</tbody></table></div>`;
        const list =
            lines === undefined ? "" : `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;
        return `<section><h2>${escapeHtml(heading)}</h2>${table}${list}</section>`;
    });
    return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><link rel="icon" href="data:,">
<title>Plan of ${escapeHtml(plan.stateMachine)}</title><style>${STYLE}</style></head>
<body><main><h1>Plan of ${escapeHtml(plan.stateMachine)}</h1>
${body.join("\n")}
<section><h2>Workflow</h2><div class="scroll workflow" role="img" aria-label="The workflow">${svg}</div></section>
</main></body></html>
`;
}

const STYLE = [
    ":root{color-scheme:light dark;--text:#1f2328;--back:#fff;--line:#d0d7de;--quiet:#59636e}",
    "@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--line:#30363d;--quiet:#9198a1}}",
    "body{margin:0;font:16px/1.5 " +
        "system-ui,sans-serif;color:var(--text);background:var(--back)}main{max-width:1000px;margin:0 " +
        "auto;padding:1rem}",
    "h1{font-size:1.5rem}h2{font-size:1.15rem}.scroll{overflow-x:auto}li{overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}",
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line)}.workflow " +
        "svg{max-width:none}.workflow text{fill:var(--text)}",
    ".workflow path,.workflow polygon,.workflow ellipse,.workflow polyline{fill:none;stroke:var(--quiet)}.workflow " +
        ".edge polygon{fill:var(--quiet)}",
    ".workflow .graph>polygon{stroke:none}",
].join("");
