/** The report: one HTML file that needs no network and no script, light and dark, readable on a phone. */
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { toDot } from "../asl/drawing";
import { confusionChart, curvesChart, timelineChart, type Theme, themes } from "./charts";
import type { Mistake, ModelReport, ReportData } from "./model";

/**
 * Draws a report.
 * @returns a complete HTML document; the same data gives the same bytes.
 */
export async function renderReport(data: ReportData): Promise<string> {
    const workflow = await workflowPicture(data);
    const seconds = Math.round((data.stoppedAt - data.startedAt) / 1000);
    const failure = data.status === "SUCCEEDED" ? "" : `
<section class="failure"><h2>${text(data.error ?? data.status)}</h2><pre>${text(data.cause ?? "No cause was given.")}</pre></section>`;
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${text(data.title)}: ${data.status}</title>
<style>${style()}</style>
</head>
<body>
<main>
<header>
<h1>${text(data.title)}</h1>
<p><span class="badge ${data.status === "SUCCEEDED" ? "good" : "bad"}">${data.status}</span>
stage <b>${text(data.stage)}</b> · ${new Date(data.startedAt).toISOString().replace("T", " ").slice(0, 19)} UTC · ${duration(seconds)}</p>
<p class="quiet">${text(data.execution)}</p>
</header>${failure}
<section>
<h2>Results on held-out stacks</h2>
${resultsTable(data.models)}
<p><b>Price:</b> ${text(data.price)}</p>
</section>
<section>
<h2>Timeline</h2>
${both((theme) => timelineChart(data.visits, data.startedAt, theme), "Timeline of the states")}
</section>
<section>
<h2>Workflow</h2>
<div class="scroll workflow" role="img" aria-label="The workflow with the outcome of each state">${workflow}</div>
<p class="quiet">Green: succeeded. Red: failed. Grey: not entered.</p>
</section>
${data.models.map(modelSection).join("\n")}
${mistakesSection(data.mistakes)}
${data.remarks.length === 0 ? "" : `<section><h2>What differs from the stage's configuration</h2>
<ul>${data.remarks.map((line) => `<li>${text(line)}</li>`).join("")}</ul></section>`}
</main>
</body>
</html>
`;
}

async function workflowPicture(data: ReportData): Promise<string> {
    const classes: Record<string, string> = {};
    for (const visit of data.visits) {
        // the last visit decides: a training that failed and then succeeded is a success
        classes[visit.state] = visit.outcome;
    }
    const dot = toDot(data.definition, { failures: data.status !== "SUCCEEDED", labels: false, classes });
    const drawn = (await Graphviz.load()).dot(dot, "svg");
    // no fixed colours: the page's style sheet has them, by class
    return drawn.slice(drawn.indexOf("<svg"))
        .replace(/<title>[^<]*<\/title>/g, "")
        .replace(/ (?:fill|stroke)="(?:black|none|transparent|#000000)"/g, "")
        .replace(/<svg width="([\d.]+)pt" height="[\d.]+pt"/, "<svg style=\"width:$1pt\"");
}

function resultsTable(models: readonly ModelReport[]): string {
    const rows = models.map((model) => `<tr><th scope="row">${text(model.name)}</th><td>${percent(model.pageAccuracy)}</td>`
        + `<td>${percent(model.segmentF1)}</td><td>${text(model.reason)}</td></tr>`);
    return models.length === 0 ? "<p>No model was trained.</p>" : `<div class="scroll"><table>
<thead><tr><th>model</th><th>page accuracy</th><th>segment F1</th><th>trained or reused</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function modelSection(model: ModelReport): string {
    const curves = Object.keys(model.curves).length === 0 ? ""
        : `<figure>${both((theme) => curvesChart(model, theme), `Learning curves of ${model.name}`)}<figcaption>Learning curves</figcaption></figure>`;
    return `<section><h2>${text(model.name)}</h2><div class="charts">
<figure>${both((theme) => confusionChart(model, theme), `Confusion matrix of ${model.name}`)}
<figcaption>Pages by true class (rows) and predicted class (columns)</figcaption></figure>
${curves}</div></section>`;
}

function mistakesSection(mistakes: readonly Mistake[]): string {
    if (mistakes.length === 0) {
        return "";
    }
    const cards = mistakes.map((mistake) => `<figure class="page">${mistake.image === undefined ? ""
        : `<img alt="Page ${mistake.page} of ${text(mistake.stack)}" src="data:image/png;base64,${Buffer.from(mistake.image).toString("base64")}">`}
<figcaption><b>${text(mistake.stack)}</b>, page ${mistake.page}<br>is ${text(mistake.truth)}<br>read as ${text(mistake.predicted)} (${mistake.probability.toFixed(2)})</figcaption></figure>`);
    return `<section><h2>Some wrongly read pages</h2><div class="pages">${cards.join("\n")}</div></section>`;
}

/** A chart in both palettes; the style sheet shows one. */
function both(draw: (theme: Theme) => string, label: string): string {
    return (Object.keys(themes) as Theme[])
        .map((theme) => `<div class="chart only-${theme} scroll" role="img" aria-label="${text(label)}">${uniqueIds(draw(theme), label, theme)}</div>`).join("");
}

/** Identifiers and classes inside SVGs are the document's: numbered by chart, they neither clash nor differ between runs. */
function uniqueIds(svg: string, label: string, theme: Theme): string {
    const prefix = `${label}-${theme}`.replace(/[^A-Za-z0-9]+/g, "-");
    const names = new Map<string, string>();
    return svg.replace(/\bzr\d*-(?:cls-)?[a-z]*\d+\b/g, (name) => {
        const fresh = names.get(name) ?? `${prefix}-${names.size}`;
        names.set(name, fresh);
        return fresh;
    });
}

function style(): string {
    return `
:root{color-scheme:light dark;--text:#1f2328;--back:#fff;--quiet:#59636e;--line:#d0d7de;--good:#1a7f37;--bad:#cf222e}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--back:#0d1117;--quiet:#9198a1;--line:#30363d;--good:#3fb950;--bad:#f85149}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back)}
main{max-width:1000px;margin:0 auto;padding:1rem}h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
.quiet{color:var(--quiet);font-size:.85rem;overflow-wrap:anywhere}.badge{color:var(--back);padding:.1rem .5rem;border-radius:1rem;font-weight:600}
.badge.good{background:var(--good)}.badge.bad{background:var(--bad)}.failure{border:1px solid var(--bad);border-radius:.4rem;padding:0 1rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line)}figure{margin:0}figcaption{color:var(--quiet);font-size:.85rem}
.chart svg{display:block;width:100%;height:auto;min-width:520px;max-width:900px}.only-dark{display:none}
@media (prefers-color-scheme:dark){.only-light{display:none}.only-dark{display:block}}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:1rem;align-items:start}
.pages{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:1rem}.page img{width:100%;border:1px solid var(--line);background:#fff}
.workflow svg{max-width:none;height:auto}.workflow text{fill:var(--text)}.workflow .edge path{fill:none;stroke:var(--quiet)}
.workflow .edge polygon{fill:var(--quiet);stroke:var(--quiet)}.workflow .node polygon,.workflow .node path,.workflow .node ellipse,.workflow .node polyline{fill:var(--back);stroke:var(--quiet)}
.workflow .cluster path,.workflow .cluster polygon{fill:none;stroke:var(--line)}.workflow .graph>polygon{fill:none;stroke:none}
.workflow .succeeded path,.workflow .succeeded polygon,.workflow .succeeded polyline{stroke:var(--good);stroke-width:2}
.workflow .failed path,.workflow .failed polygon,.workflow .failed polyline{stroke:var(--bad);stroke-width:2.5}
@media print{.scroll{overflow:visible}}
`.replace(/\n/g, "");
}

function text(value: string): string {
    return value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

function percent(value: number): string {
    return `${(value * 100).toFixed(1)} %`;
}

function duration(seconds: number): string {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds % 3600 / 60);
    return [...hours > 0 ? [`${hours} h`] : [], ...hours > 0 || minutes > 0 ? [`${minutes} min`] : [], `${seconds % 60} s`].join(" ");
}
