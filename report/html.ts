/** The report: one HTML file that needs no network and no script, light and dark, readable on a phone and on paper. */
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { toDot } from "../asl/drawing";
import type { State, StateGraph } from "../asl/types";
import { mapInnerGraphs, statesIn } from "../asl/walk";
import { formatDuration } from "../ground/duration";
import { present } from "../ground/fields";
import { escapeHtml } from "../ground/html";
import { formatDollars, formatShare } from "../ground/quantity";
import { curveColours, curvesChart, timelineChart } from "./charts";
import type { Curve, FailureReport, Mistakes, ModelReport, ModelResult, PriceReport, ReportData } from "./model";
import { qualityHtml } from "./quality";
import { style } from "./style";

/** States of a workflow that can be laid out and read. */
const maximumStates = 400;
/** Classes of a confusion matrix that can be read. */
const maximumClasses = 24;
/** Rows of a long table. */
const maximumLines = 100;

interface Section {
    readonly id: string;
    readonly title: string;
    readonly html: string;
    readonly className?: string;
}

/**
 * Draws a report.
 * @returns a complete HTML document; the same data gives the same bytes.
 */
export async function renderReport(data: ReportData): Promise<string> {
    const sections: Section[] = present([
        data.status === "SUCCEEDED" || data.status === "RUNNING"
            ? undefined
            : {
                  id: "failure",
                  title: data.error ?? data.status,
                  className: "failure",
                  html: failureText(data),
              },
        { id: "results", title: "Results on held-out stacks", html: resultsTable(data) },
        ...data.models.flatMap(({ quality }) =>
            quality === undefined
                ? []
                : [{ id: "quality", title: "What the ensemble gains, and how sure it is", html: qualityHtml(quality) }],
        ),
        data.failures.length === 0
            ? undefined
            : { id: "attempts", title: "Failed attempts", html: failuresTable(data) },
        { id: "timeline", title: "Timeline", html: timeline(data) },
        { id: "workflow", title: "Workflow", html: await workflowPicture(data) },
        ...data.models
            .filter(hasDetails)
            .map((model, index) => ({ id: `model-${index}`, title: model.name, html: modelDetails(model, index) })),
        data.mistakes === undefined
            ? undefined
            : { id: "pages", title: "Some wrongly read pages", html: mistakesCards(data.mistakes) },
        {
            id: "price",
            title: data.where === "aws" ? "Price" : "Price it would have had on AWS",
            html: priceTable(data.price),
        },
        data.remarks.length === 0
            ? undefined
            : { id: "remarks", title: "What differs from the stage's configuration", html: list(data.remarks) },
        data.notes.length === 0 ? undefined : { id: "notes", title: "Data and notes", html: list(data.notes) },
        data.missing.length === 0
            ? undefined
            : {
                  id: "missing",
                  title: "What is missing here, and why",
                  html: list(data.missing.map(({ what, why }) => `${what}: ${why}`)),
              },
    ]);
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escapeHtml(data.stage)} ${escapeHtml(name(data))}: ${data.status}</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<main>
${header(data, sections)}
${sections
    .map(
        ({
            id,
            title,
            html,
            className,
        }) => `<section id="${id}" aria-labelledby="${id}-title"${className === undefined ? "" : ` class="${className}"`}>
<h2 id="${id}-title">${escapeHtml(title)}</h2>
${html}
</section>`,
    )
    .join("\n")}
</main>
</body>
</html>
`;
}

function name(data: ReportData): string {
    return data.execution.split(":").at(-1) ?? data.execution;
}

function header(data: ReportData, sections: readonly Section[]): string {
    const tone = { SUCCEEDED: "good", RUNNING: "live", ABORTED: "off" }[data.status as string] ?? "bad";
    const combiner = data.models.find((model) => model.role === "combiner")?.result;
    const members = data.models.filter((model) => model.role === "member" && model.result !== undefined);
    const best = members.sort((a, b) => (b.result?.pageAccuracy ?? 0) - (a.result?.pageAccuracy ?? 0))[0];
    const count = (outcome: ModelReport["outcome"]) => data.models.filter((model) => model.outcome === outcome).length;
    const counted = (["trained", "reused", "given", "failed", "stopped", "running", "not trained"] as const).flatMap(
        (outcome) => (count(outcome) === 0 ? [] : [`${count(outcome)} ${outcome}`]),
    );
    const headline = combiner ?? best?.result;
    const tiles = present([
        tile(
            data.status === "RUNNING" ? "Running for" : "Took",
            formatDuration((data.stoppedAt - data.startedAt) / 1000),
            new Date(data.startedAt).toISOString().replace("T", " ").slice(0, 16) + " UTC",
        ),
        ...(headline === undefined
            ? []
            : [
                  tile(
                      "Page accuracy",
                      formatShare(headline.pageAccuracy),
                      combiner === undefined
                          ? `${headline.model} alone`
                          : best?.result === undefined
                            ? headline.model
                            : `ensemble; ${best.name} alone ${formatShare(best.result.pageAccuracy)}`,
                  ),
                  tile(
                      "Segment F1",
                      formatShare(headline.segmentF1),
                      combiner === undefined
                          ? `${headline.model} alone`
                          : best?.result === undefined
                            ? headline.model
                            : `ensemble; ${best.name} alone ${formatShare(best.result.segmentF1)}`,
                  ),
              ]),
        data.models.length === 0 ? undefined : tile("Models", counted[0] ?? "none", counted.slice(1).join(", ")),
        tile(
            data.where === "aws" ? "Price" : "Would cost on AWS",
            data.price.unknown.length > 0 ? "unknown" : formatDollars(data.price.known),
            data.price.unknown.length > 0
                ? `known: ${formatDollars(data.price.known)}`
                : `prices of ${data.price.pricesAsOf}`,
        ),
    ]);
    return `<header>
<p><span class="badge ${tone}">${data.status.replace("_", " ")}</span> <span class="quiet">stage <b>${escapeHtml(data.stage)}</b>${data.where === "local" ? ", on this machine" : ""}</span></p>
<h1>${escapeHtml(data.title)}</h1>
<p class="quiet wrap">${escapeHtml(data.execution)}</p>
<dl class="tiles">${tiles.join("")}</dl>
<nav aria-label="Parts of this report"><ul>${sections.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join("")}</ul></nav>
</header>`;
}

function tile(title: string, value: string, small: string): string {
    return (
        `<div class="tile"><dt>${escapeHtml(title)}</dt><dd>${escapeHtml(value)}` +
        `${small === "" ? "" : `<small>${escapeHtml(small)}</small>`}</dd></div>`
    );
}

function failureText(data: ReportData): string {
    const decisive = data.failures.filter((failure) => !failure.overcome);
    const said = decisive.map(
        (failure) => `<p><b>${escapeHtml(failure.state)}</b>: ${escapeHtml(failure.reason)}</p>
<p><b>What to do:</b> ${escapeHtml(failure.advice)}</p>${logLink(failure)}`,
    );
    const cause = data.cause ?? "No cause was given.";
    return `${said.join("\n")}${
        said.length === 0
            ? `<pre tabindex="0">${escapeHtml(cause)}</pre>`
            : `<details><summary>The execution's own cause</summary><pre tabindex="0">${escapeHtml(cause)}</pre></details>`
    }`;
}

function logLink(failure: FailureReport): string {
    return failure.logUrl === undefined
        ? ""
        : `<p><a href="${escapeHtml(failure.logUrl)}" rel="noreferrer">Log of the job in CloudWatch</a></p>`;
}

function resultsTable({ models, status }: ReportData): string {
    if (models.length === 0) {
        return `<p>No model was trained${status === "RUNNING" ? " yet" : ""}.</p>`;
    }
    const measure = (value: number | undefined) =>
        value === undefined
            ? "–"
            : `${formatShare(value)}<span class="bar" aria-hidden="true"><i ` +
              `style="width:${(value * 100).toFixed(1)}%"></i></span>`;
    const rows = models.map(
        (
            model,
        ) => `<tr><th scope="row">${escapeHtml(model.name)}${model.role === "combiner" ? ' <span class="quiet">(ensemble)</span>' : ""}</th>
<td data-head="page accuracy">${measure(model.result?.pageAccuracy)}</td><td data-head="segment F1">${measure(model.result?.segmentF1)}</td>
<td data-head="outcome"><span class="${{ failed: "bad", trained: "good", reused: "good", given: "good" }[model.outcome as string] ?? "quiet"}">${model.outcome}</span>${
            model.jobs === 0
                ? ""
                : ` <span class="quiet">in ${formatDuration(model.seconds)}${model.jobs > 1 ? `, ${model.jobs} jobs` : ""}</span>`
        }</td><td class="any" data-head="why">${escapeHtml(model.reason)}</td></tr>`,
    );
    const judged = models.find((model) => model.result !== undefined)?.result;
    return `<table class="stack">
<thead><tr><th scope="col">model</th><th scope="col">page accuracy</th><th scope="col">segment F1</th><th scope="col">outcome</th><th scope="col">why</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>
<p class="quiet">${
        judged === undefined
            ? "No model could be judged; the last section says why."
            : `${judged.pages} pages of stacks that no training saw. A segment counts when its first page, last page and class are right.`
    }</p>`;
}

function failuresTable(data: ReportData): string {
    const rows = data.failures.slice(0, maximumLines).map(
        (failure) => `<tr><th scope="row">${escapeHtml(failure.state)}</th>
<td data-head="error">${escapeHtml(failure.error)}${failure.count > 1 ? ` <b>× ${failure.count}</b>` : ""}</td><td data-head="class">${escapeHtml(failure.class)}</td>
<td class="any" data-head="reason">${escapeHtml(failure.reason)}${failure.logUrl === undefined ? "" : ` <a href="${escapeHtml(failure.logUrl)}" rel="noreferrer">log</a>`}</td>
<td data-head="then">${failure.overcome ? '<span class="good">succeeded later</span>' : `<span class="bad">not overcome</span><br><span class="quiet">${escapeHtml(failure.advice)}</span>`}</td></tr>`,
    );
    return `<table class="stack"><thead><tr><th scope="col">state</th><th scope="col">error</th><th scope="col">class</th><th scope="col">reason</th><th scope="col">then</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table>${more(data.failures.length)}`;
}

function timeline(data: ReportData): string {
    const timed = data.visits.filter((visit) => visit.attempts.length > 0 || visit.type === "Wait");
    if (timed.length === 0) {
        return "<p>Nothing that takes time has begun.</p>";
    }
    const [wide, narrow] = [
        timelineChart(data.visits, data.startedAt, false),
        timelineChart(data.visits, data.startedAt, true),
    ];
    const longest = [...timed]
        .sort((a, b) => b.to - b.from - (a.to - a.from))
        .slice(0, 3)
        .map((visit) => `${visit.state} ${formatDuration((visit.to - visit.from) / 1000)}`);
    const label =
        `Timeline: ${timed.length} steps in ${formatDuration((data.stoppedAt - data.startedAt) / 1000)}; longest: ` +
        `${longest.join(", ")}. The table below has all of them.`;
    const rows = timed.slice(0, maximumLines).map(
        (visit) => `<tr><th scope="row">${escapeHtml(visit.state)}</th>
<td class="n" data-head="begins after">${formatDuration((visit.from - data.startedAt) / 1000)}</td><td class="n" data-head="takes">${formatDuration((visit.to - visit.from) / 1000)}</td>
<td class="n" data-head="attempts">${visit.attempts.length}</td><td data-head="outcome">${visit.outcome}${errorsOf(visit.attempts)}</td></tr>`,
    );
    const used = new Set(timed.flatMap((visit) => [visit.outcome, ...visit.attempts.map(({ outcome }) => outcome)]));
    return `<ul class="legend">${(["succeeded", "failed", "stopped", "running"] as const)
        .filter((outcome) => used.has(outcome))
        .map((outcome) => `<li><b style="background:var(--${outcome})"></b>${outcome}</li>`)
        .join("")}<li>a bar for each attempt</li></ul>
<div class="chart wide" role="img" aria-label="${escapeHtml(label)}">${uniqueIds(wide.svg, "timeline-wide")}</div>
<div class="chart narrow" role="img" aria-label="${escapeHtml(label)}">${uniqueIds(narrow.svg, "timeline-narrow")}</div>
${wide.left === 0 ? "" : `<p class="quiet">${wide.left} shorter steps are not drawn.</p>`}
<details><summary>As a table</summary><table class="stack"><thead><tr><th scope="col">state</th><th scope="col" class="n">begins after</th><th scope="col" class="n">takes</th>
<th scope="col" class="n">attempts</th><th scope="col">outcome</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>${more(timed.length)}</details>`;
}

function errorsOf(attempts: readonly { readonly error?: string }[]): string {
    const errors = [...new Set(attempts.flatMap(({ error }) => (error === undefined ? [] : [error])))];
    return errors.length === 0 ? "" : ` <span class="quiet">(${escapeHtml(errors.join(", "))})</span>`;
}

async function workflowPicture(data: ReportData): Promise<string> {
    const classes: Record<string, string> = {};
    for (const visit of data.visits) {
        // the last visit decides: a training that failed and then succeeded is a success
        classes[visit.state] = visit.outcome;
    }
    const entered = new Set(Object.keys(classes));
    const count = statesIn(data.definition).length;
    const names = (outcome: string) =>
        Object.entries(classes)
            .filter(([, one]) => one === outcome)
            .map(([state]) => state);
    const failed = names("failed");
    const label =
        `${names("succeeded").length} states succeeded, ${failed.length} ` +
        `failed${failed.length === 0 ? "" : ` (${failed.join(", ")})`}, ` +
        `${Math.max(0, count - entered.size)} of ${count} were not entered`;
    const whole =
        count > maximumStates
            ? `<p class="quiet">The whole workflow has ${count} states, too many for a picture: \`ensemble plan ` +
              `--mermaid\` draws it for a viewer with zoom.</p>`
            : `<details${entered.size === 0 ? " open" : ""}><summary>The whole workflow, ${count} ` +
              `states</summary>${await graphPicture(data.definition, classes, "whole", label)}</details>`;
    return `<ul class="legend"><li><b style="background:var(--succeeded)"></b>succeeded</li><li><b style="background:var(--failed)"></b>failed</li>
${data.status === "RUNNING" ? '<li><b style="background:var(--running)"></b>running</li>' : ""}<li><b style="background:var(--stopped)"></b>not entered or stopped</li></ul>
${entered.size === 0 || entered.size > maximumStates ? "" : await graphPicture(partEntered(data.definition, entered), classes, "path", `The path taken: ${label}`)}
${whole}`;
}

async function graphPicture(
    graph: StateGraph,
    classes: Readonly<Record<string, string>>,
    kind: "path" | "whole",
    label: string,
): Promise<string> {
    const drawn = (await Graphviz.load()).dot(toDot(graph, { labels: false, classes }), "svg");
    // no fixed colours: the page's style sheet has them, by class
    const picture = drawn
        .slice(drawn.indexOf("<svg"))
        .replace(/<title>[^<]*<\/title>/g, "")
        .replace(/ (?:fill|stroke)="(?:black|none|transparent|#000000)"/g, "")
        .replace(/ id="(?:graph|node|edge|clust)\d+"/g, "")
        .replace(/<svg width="([\d.]+)pt" height="[\d.]+pt"/, '<svg style="width:$1pt"');
    return (
        `<div class="scroll" tabindex="0" role="region" aria-label="Picture of the workflow, may scroll ` +
        `sideways"><div class="workflow ${kind}" role="img" aria-label="${escapeHtml(label)}">${picture}</div></div>`
    );
}

/** A graph of the states that were entered, and the routes between them. */
function partEntered({ StartAt, States }: StateGraph, entered: ReadonlySet<string>): StateGraph {
    type Route = { readonly Next?: string };
    type Routes = Route & {
        readonly Default?: string;
        readonly Choices?: readonly Route[];
        readonly Catch?: readonly Route[];
    };
    const isKept = (to: string | undefined): boolean => to === StartAt || (to !== undefined && entered.has(to));
    const drawn: { [name: string]: State } = {};
    for (const [name, state] of Object.entries(States).filter(([name]) => isKept(name))) {
        const inside = mapInnerGraphs(state, (graph) =>
            entered.has(graph.StartAt) ? partEntered(graph, entered) : undefined,
        );
        const { Next, Default, Choices, Catch, ...rest } = inside as unknown as Routes;
        drawn[name] = {
            ...rest,
            Next: isKept(Next) ? Next : undefined,
            Default: isKept(Default) ? Default : undefined,
            Choices: Choices?.filter((rule) => isKept(rule.Next)),
            Catch: Catch?.filter((catcher) => isKept(catcher.Next)),
        } as unknown as State;
    }
    return { StartAt, States: drawn };
}

function hasDetails(model: ModelReport): boolean {
    return model.result !== undefined || model.curves.length > 0 || model.folds.length > 0;
}

function modelDetails(model: ModelReport, index: number): string {
    const parts = present([
        ...curveFigures(model.name, model.curves, index),
        model.folds.length === 0 ? undefined : foldFigure(model),
        model.result === undefined ? undefined : confusionFigure(model.result),
    ]);
    return `<div class="charts">${parts.join("\n")}</div>`;
}

function curveFigures(model: string, curves: readonly Curve[], index: number): string[] {
    const called = (curve: Curve) => (curve.fold === undefined ? "" : `fold ${curve.fold}`);
    return (["loss", "accuracy"] as const).flatMap((measure) => {
        const validation = measure === "loss" ? ("validationLoss" as const) : ("validationAccuracy" as const);
        const own = curves.filter((curve) => curve[measure] !== undefined || curve[validation] !== undefined);
        if (own.length === 0) {
            return [];
        }
        const course = (values: readonly number[] | undefined) =>
            values === undefined ? undefined : `${round(values[0])} to ${round(values[values.length - 1])}`;
        const label =
            `${measure} of ${model} by epoch, first to last. ` +
            own
                .map((curve) =>
                    present([
                        called(curve) === "" ? undefined : called(curve),
                        curve[measure] === undefined ? undefined : `training ${course(curve[measure])}`,
                        curve[validation] === undefined ? undefined : `validation ${course(curve[validation])}`,
                    ]).join(", "),
                )
                .join("; ");
        const last = (values: readonly number[] | undefined) =>
            values === undefined ? "–" : round(values[values.length - 1]);
        const legend =
            own.length === 1
                ? ""
                : own
                      .map(
                          (curve, at) =>
                              `<li><i style="border-color:var(--${curveColours[at % curveColours.length]})"></i>` +
                              `${escapeHtml(called(curve))}</li>`,
                      )
                      .join("");
        return [
            `<figure><h3>${measure === "loss" ? "Loss" : "Accuracy"} by epoch</h3>
<ul class="legend">${legend}<li><i></i>training</li>${own.some((curve) => curve[validation] !== undefined) ? '<li><i class="dash"></i>validation</li>' : ""}</ul>
<div class="chart" role="img" aria-label="${escapeHtml(label)}">${uniqueIds(curvesChart(own, measure), `curve-${index}-${measure}`)}</div>
<details><summary>Last epoch as a table</summary><table><thead><tr><th scope="col">${own.length > 1 ? "fold" : "epoch"}</th><th scope="col" class="n">training</th><th scope="col" class="n">validation</th></tr></thead>
<tbody>${own.map((curve) => `<tr><th scope="row">${own.length > 1 ? (curve.fold ?? "") : (curve.epochs.at(-1) ?? "")}</th><td ` + `class="n">${last(curve[measure])}</td><td ` + `class="n">${last(curve[validation])}</td></tr>`).join("")}</tbody></table></details></figure>`,
        ];
    });
}

function foldFigure(model: ModelReport): string {
    return `<figure><h3>Accuracy by fold</h3><table><thead><tr><th scope="col">fold</th><th scope="col">pages held out</th><th scope="col">accuracy</th></tr></thead>
<tbody>${model.folds
        .map(
            ({ fold, pages, accuracy }) => `<tr><th scope="row">${fold}</th><td>${pages}</td>
<td>${formatShare(accuracy)}<span class="bar" aria-hidden="true"><i style="width:${(accuracy * 100).toFixed(1)}%"></i></span></td></tr>`,
        )
        .join("")}</tbody></table>
<figcaption>This model is fitted at once, without epochs: each fold's pages were read by a model that had not seen them.</figcaption></figure>`;
}

function confusionFigure(result: ModelResult): string {
    const { classes, confusion } = result;
    const cells = confusion.flatMap((row, truth) =>
        row.map((count, predicted) => ({ truth: classes[truth], predicted: classes[predicted], count })),
    );
    const wrong = cells
        .filter(({ truth, predicted, count }) => truth !== predicted && count > 0)
        .sort((a, b) => b.count - a.count);
    const often = wrong
        .slice(0, 5)
        .map(({ truth, predicted, count }) => `${spoken(truth)} as ${spoken(predicted)} (${count})`)
        .join(", ");
    const caption = `<figcaption>Rows: true class; columns: read as. ${
        wrong.length === 0 ? "No page was read wrongly." : `Most often: ${escapeHtml(often)}.`
    }</figcaption>`;
    if (classes.length > maximumClasses) {
        return (
            `<figure><h3>Confusion matrix</h3><p>${classes.length} classes are too many for a matrix that can be ` +
            `read.</p>${caption}</figure>`
        );
    }
    const rows = confusion.map((row, truth) => {
        const sum = row.reduce((total, count) => total + count, 0);
        return `<tr><th scope="row" title="${escapeHtml(classes[truth])}">${escapeHtml(spoken(classes[truth]))}</th>${row
            .map((count, predicted) => {
                const share = sum === 0 ? 0 : count / sum;
                const kind = count === 0 ? "" : truth === predicted ? ' class="right"' : ' class="wrong"';
                return `<td${kind} style="--s:${share.toFixed(3)}">${count === 0 ? "" : count}</td>`;
            })
            .join("")}</tr>`;
    });
    return `<figure><h3>Confusion matrix</h3><div class="scroll"><table class="heat"><thead><tr><td style="visibility:hidden"></td>${classes
        .map((one) => `<th scope="col" title="${escapeHtml(one)}"><span>${escapeHtml(spoken(one))}</span></th>`)
        .join("")}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>${caption}</figure>`;
}

/** `land_register` as people write it. */
function spoken(name: string): string {
    return name.replaceAll("_", " ");
}

function mistakesCards({ model, total, shown, note }: Mistakes): string {
    const cards = shown.map(
        (mistake) => `<figure class="page">${
            mistake.image === undefined
                ? '<div class="none">no picture</div>'
                : `<img alt="Page ${mistake.page} of ${escapeHtml(mistake.stack)}" src="data:image/png;base64,${Buffer.from(mistake.image).toString("base64")}">`
        }
<figcaption>is <b>${escapeHtml(spoken(mistake.truth))}</b><br>read as <b class="bad">${escapeHtml(spoken(mistake.predicted))}</b> (${mistake.probability.toFixed(2)})<br>${escapeHtml(mistake.stack)}, page ${mistake.page}</figcaption></figure>`,
    );
    return `<p>${
        total === 0
            ? `${escapeHtml(model)} read no held-out page wrongly.`
            : `${escapeHtml(model)} read ${total} held-out page${total === 1 ? "" : "s"} wrongly${
                  shown.length === 0
                      ? ""
                      : shown.length < total
                        ? `; here the ${shown.length} of which it was surest, one a stack first`
                        : ""
              }.`
    }</p>
${note === undefined ? "" : `<p class="quiet">${escapeHtml(note)}</p>`}${cards.length === 0 ? "" : `<div class="pages">${cards.join("\n")}</div>`}`;
}

function priceTable(price: PriceReport): string {
    const rows = price.lines.slice(0, maximumLines).map(
        ({
            item,
            how,
            dollars: value,
        }) => `<tr><th scope="row">${escapeHtml(item)}</th><td data-head="on">${escapeHtml(how)}</td>
<td class="n" data-head="US dollars">${value === undefined ? '<span class="warn">unknown</span>' : formatDollars(value)}</td></tr>`,
    );
    const sum = price.unknown.length === 0 ? formatDollars(price.known) : `${formatDollars(price.known)} + unknown`;
    return `<table class="stack"><thead><tr><th scope="col">item</th><th scope="col">on</th><th scope="col" class="n">US dollars</th></tr></thead>
<tbody>${rows.join("\n")}<tr><th scope="row">sum</th><td></td><td class="n" data-head="US dollars"><b>${sum}</b></td></tr></tbody></table>${more(price.lines.length)}
${price.unknown.length === 0 ? "" : `<p class="warn">No price is known for ${escapeHtml(price.unknown.join(", "))}.</p>`}
${price.warning === undefined ? "" : `<p class="warn">${escapeHtml(price.warning)}</p>`}
<p class="quiet">${escapeHtml(price.basis)} ${price.trainingsAtMost === undefined ? "" : `With every attempt that the stage allows, the trainings of one run cost at most ${formatDollars(price.trainingsAtMost)}. `}\`ensemble plan\` says what a whole run can cost at most. Prices of ${price.pricesAsOf}; without functions, storage, logs and messages.</p>`;
}

function list(lines: readonly string[]): string {
    return `<ul class="wrap">${lines
        .slice(0, maximumLines)
        .map((line) => `<li>${escapeHtml(line)}</li>`)
        .join("")}</ul>${more(lines.length)}`;
}

function more(count: number): string {
    return count <= maximumLines ? "" : `<p class="quiet">${count - maximumLines} more are not shown.</p>`;
}

/**
 * Identifiers and classes inside SVGs are the document's: numbered by chart, they neither clash nor differ between
 * runs.
 */
function uniqueIds(svg: string, prefix: string): string {
    const names = new Map<string, string>();
    return svg.replace(/\bzr\d*-(?:cls-)?[a-z]*\d+\b/g, (name) => {
        const fresh = names.get(name) ?? `${prefix}-${names.size}`;
        names.set(name, fresh);
        return fresh;
    });
}

function round(value: number): string {
    return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
