/** What a combiner's own metrics.json says beyond accuracy: its gains, and how far its probabilities can be trusted. */
import { z } from "zod";
import { escapeHtml } from "../ground/html";
import { formatShare } from "../ground/quantity";
import { reliabilityChart } from "./charts";

const GAIN = z.object({ value: z.number(), gain: z.number(), low: z.number(), high: z.number() });
const GAINS = z.record(z.string(), z.object({ page_accuracy: GAIN, segment_f1: GAIN }));
const QUALITY = z.object({
    page_accuracy: z.number(),
    segment_f1: z.number(),
    boundary_f1: z.number(),
    stacks_right: z.number(),
    expected_calibration_error: z.number(),
    comparison: z.object({ best_member: z.string(), members: GAINS, baselines: GAINS }),
    reliability: z.object({
        bins: z.array(z.object({ count: z.number(), probability: z.number(), right: z.number() })),
    }),
    review: z.array(
        z.object({
            precision: z.number(),
            threshold: z.number().nullable(),
            share: z.number(),
            right: z.number().nullable(),
        }),
    ),
    test: z.object({
        per_class: z.record(
            z.string(),
            z.object({
                pages: z.number(),
                documents: z.number(),
                precision: z.number(),
                recall: z.number(),
                segment_f1: z.number(),
            }),
        ),
    }),
});

/** Shares are between 0 and 1; the trainings' README describes every key. */
export type Quality = z.infer<typeof QUALITY>;

/**
 * Of metrics.json; undefined where a combiner of another kind compares itself with nothing.
 * @throws Error naming the first key that is not as it should be.
 */
export function readQuality(text: string): Quality | undefined {
    const value = JSON.parse(text) as { readonly comparison?: unknown };
    if (value.comparison === undefined) {
        return undefined;
    }
    const parsed = QUALITY.safeParse(value);
    if (!parsed.success) {
        const [{ path, message }] = parsed.error.issues;
        throw new Error(`metrics.json: ${path.join(".")}: ${message}`);
    }
    return parsed.data;
}

const COMPARED = ["page accuracy", "segment F1", "the ensemble's page accuracy is higher by", "its segment F1 by"];
const REVIEWED = ["from this probability on", "documents without a human", "of these are right here"];
const CLASSED = ["pages", "precision", "recall", "documents", "documents' F1"];

/** The ensemble beside its members and simple baselines; how sure it may be; what needs no human; class by class. */
export function qualityHtml(quality: Quality): string {
    return [comparison(quality), calibration(quality), perClass(quality)].join("\n");
}

function comparison({ comparison: { best_member: best, members, baselines }, ...own }: Quality): string {
    const interval = ({ gain, low, high }: z.infer<typeof GAIN>): string =>
        `${points(gain)} <span class="quiet">[${points(low)}, ${points(high)}]</span>`;
    const rows = [...Object.entries(members), ...Object.entries(baselines)].map(([name, gains]) => {
        const remark = name === best ? ' <span class="quiet">(best member)</span>' : "";
        return row(`${escapeHtml(name.replaceAll("_", " "))}${remark}`, COMPARED, [
            formatShare(gains.page_accuracy.value),
            formatShare(gains.segment_f1.value),
            interval(gains.page_accuracy),
            interval(gains.segment_f1),
        ]);
    });
    const ensemble = row("ensemble", COMPARED, [formatShare(own.page_accuracy), formatShare(own.segment_f1), "", ""]);
    const titles = ["model", ...COMPARED];
    return `<h3>Beside its members and simple baselines</h3>
${table(titles, [ensemble, ...rows])}
<p class="quiet">Percentage points, with the 95 % interval of a paired bootstrap over held-out stacks.
Boundary F1 ${formatShare(own.boundary_f1)}; ${formatShare(own.stacks_right)} of the stacks are entirely right.</p>`;
}

function calibration({ reliability: { bins }, review, expected_calibration_error: error }: Quality): string {
    const said = bins.map(
        ({ count, probability, right }) =>
            `${count} documents said to be right with ${formatShare(probability)}: ${formatShare(right)} are`,
    );
    const rows = review.map(({ precision, threshold, share, right }) =>
        row(formatShare(precision), REVIEWED, [
            threshold === null ? "never reached" : threshold.toFixed(3),
            formatShare(share),
            right === null ? "–" : formatShare(right),
        ]),
    );
    const label = escapeHtml(`Reliability: ${said.join("; ")}`);
    return `<h3>How far its probabilities can be trusted</h3>
<div class="charts"><figure><div class="chart" role="img" aria-label="${label}">${reliabilityChart(bins)}</div>
<figcaption>Documents by the probability they were given, against the share that is right; on the line both are equal.
Expected calibration error ${formatShare(error)}.</figcaption></figure>
<div>${table(["precision wanted", ...REVIEWED], rows)}
<p class="quiet">Thresholds are learnt on training stacks and tried on held-out ones:
<code>predict --review-below</code> takes one.</p></div></div>`;
}

function perClass({ test: { per_class: classes } }: Quality): string {
    const rows = Object.entries(classes).map(([name, own]) =>
        row(escapeHtml(name), CLASSED, [
            String(own.pages),
            formatShare(own.precision),
            formatShare(own.recall),
            String(own.documents),
            formatShare(own.segment_f1),
        ]),
    );
    return `<h3>By class</h3>
${table(["class", ...CLASSED], rows)}`;
}

/** Percentage points with their sign. */
function points(value: number): string {
    return `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`;
}

/** `head` is HTML, and so are the cells, each under its title. */
function row(head: string, titles: readonly string[], cells: readonly string[]): string {
    const own = cells.map((html, place) => `<td data-head="${escapeHtml(titles[place])}">${html}</td>`);
    return `<tr><th scope="row">${head}</th>${own.join("")}</tr>`;
}

function table(titles: readonly string[], rows: readonly string[]): string {
    const heads = titles.map((title) => `<th scope="col">${escapeHtml(title)}</th>`);
    return `<table class="stack"><thead><tr>${heads.join("")}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}
