/** Charts as SVG text, drawn on the server side: the page needs no script and no network. */
import * as echarts from "echarts";
import type { Visit, VisitOutcome } from "../asl/history";
import { defined, present } from "../ground/fields";
import type { Curve } from "./model";

/**
 * The library wants colours; the page wants its own, for light and dark. So each colour drawn with stands for one of
 * the page's variables, and is replaced by it in the SVG.
 */
const inks = {
    text: "#010101",
    line: "#020202",
    succeeded: "#030303",
    failed: "#040404",
    stopped: "#050505",
    running: "#060606",
    c0: "#070700",
    c1: "#070701",
    c2: "#070702",
    c3: "#070703",
    c4: "#070704",
    c5: "#070705",
    c6: "#070706",
    c7: "#070707",
} as const;
/** Colours of curves; more curves begin again. */
export const curveColours = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"] as const;
/** Rows that a timeline shows. */
export const maximumRows = 60;

function svg(option: echarts.EChartsCoreOption, width: number, height: number): string {
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
    try {
        chart.setOption({ animation: false, textStyle: { fontFamily: "system-ui, sans-serif" }, ...option });
        // the size comes from the page; the viewBox keeps the proportions
        let drawn = chart.renderToSVGString().replace(/<svg width="\d+" height="\d+"/, "<svg");
        for (const [name, colour] of Object.entries(inks)) {
            drawn = drawn.replaceAll(colour, `var(--${name})`);
        }
        return drawn;
    } finally {
        chart.dispose();
    }
}

export interface Timeline {
    readonly svg: string;
    /** States that are not drawn: those that took the least time. */
    readonly left: number;
}

interface Bar {
    readonly row: number;
    readonly from: number;
    readonly to: number;
    readonly outcome: VisitOutcome;
}

/**
 * A row for each state that took time or failed, a bar for each attempt, over time since the start.
 * @param narrow for a telephone: names stand above the bars.
 */
export function timelineChart(visits: readonly Visit[], startedAt: number, narrow: boolean): Timeline {
    const worth = visits.filter(
        (visit) =>
            (visit.attempts.length > 0 || visit.type === "Wait") &&
            (visit.to > visit.from || visit.outcome !== "succeeded"),
    );
    const time = (state: string): number =>
        worth.reduce((sum, visit) => sum + (visit.state === state ? visit.to - visit.from : 0), 0);
    const all = [...new Set(worth.map((visit) => visit.state))];
    const kept = new Set(
        all.length <= maximumRows ? all : [...all].sort((a, b) => time(b) - time(a)).slice(0, maximumRows),
    );
    const rows = all.filter((state) => kept.has(state));
    const [unit, name] = unitOf((Math.max(startedAt, ...worth.map(({ to }) => to)) - startedAt) / 1000);
    const position = (at: number): number => Math.max(0, at - startedAt) / 1000 / unit;
    const bars = worth
        .filter(({ state }) => kept.has(state))
        .flatMap((visit): Bar[] => {
            const parts = visit.attempts.length === 0 ? [visit] : visit.attempts;
            return parts.map(({ from, to, outcome }) => ({
                row: rows.indexOf(visit.state),
                from: position(from),
                to: position(to),
                outcome,
            }));
        });
    const [width, rowHeight, left] = narrow ? [380, 36, 8] : [960, 24, 262];
    const fontSize = 12;
    return {
        left: all.length - rows.length,
        svg: svg(
            {
                grid: { left, right: 24, top: 8, bottom: 34 },
                xAxis: {
                    type: "value",
                    min: 0,
                    splitNumber: narrow ? 3 : 6,
                    axisLabel: { color: inks.text, fontSize, hideOverlap: true, formatter: `{value} ${name}` },
                    splitLine: { lineStyle: { color: inks.line } },
                },
                yAxis: {
                    type: "category",
                    data: rows,
                    inverse: true,
                    axisTick: { show: false },
                    axisLine: { lineStyle: { color: inks.line } },
                    axisLabel: narrow
                        ? { show: false }
                        : { color: inks.text, fontSize, width: left - 14, overflow: "truncate", interval: 0 },
                },
                series: [
                    {
                        type: "custom",
                        silent: true,
                        data: bars.map((bar) => [bar.from, bar.to, bar.row]),
                        encode: { x: [0, 1], y: 2 },
                        renderItem: ({ dataIndex }: { dataIndex: number }, api: echarts.CustomSeriesRenderItemAPI) => {
                            const bar = bars[dataIndex];
                            const [x, y] = api.coord([bar.from, bar.row]);
                            const [end] = api.coord([bar.to, bar.row]);
                            const shift = narrow ? 8 : 0;
                            const first = bars.findIndex(({ row }) => row === bar.row) === dataIndex;
                            return {
                                type: "group",
                                children: present([
                                    {
                                        type: "rect",
                                        shape: { x, y: y - 7 + shift, width: Math.max(3, end - x), height: 14, r: 3 },
                                        style: { fill: inks[bar.outcome] },
                                    },
                                    narrow && first
                                        ? {
                                              type: "text" as const,
                                              style: {
                                                  x: left,
                                                  y: y - 11,
                                                  text: rows[bar.row],
                                                  fill: inks.text,
                                                  fontSize,
                                                  textVerticalAlign: "middle" as const,
                                              },
                                          }
                                        : undefined,
                                ]),
                            };
                        },
                    },
                ],
            },
            width,
            48 + Math.max(1, rows.length) * rowHeight,
        ),
    };
}

/** One measure over epochs: training as a line, validation dashed, a colour for each fold. */
export function curvesChart(curves: readonly Curve[], measure: "loss" | "accuracy"): string {
    const validation = measure === "loss" ? "validationLoss" : "validationAccuracy";
    const series = curves.flatMap((curve, index) => {
        const colour = inks[curveColours[index % curveColours.length]];
        const one = (values: readonly number[] | undefined, dashed: boolean) =>
            values === undefined
                ? []
                : [
                      {
                          type: "line",
                          silent: true,
                          showSymbol: values.length < 2,
                          data: values.map((value, at) => [curve.epochs[at], value]),
                          lineStyle: { color: colour, width: dashed ? 1.75 : 2.25, type: dashed ? "dashed" : "solid" },
                          itemStyle: { color: colour },
                      },
                  ];
        return [...one(curve[measure], false), ...one(curve[validation], true)];
    });
    const fontSize = 12;
    return svg(
        {
            grid: { left: 46, right: 16, top: 12, bottom: 40 },
            xAxis: {
                type: "value",
                name: "epoch",
                nameLocation: "middle",
                nameGap: 26,
                minInterval: 1,
                min: "dataMin",
                max: "dataMax",
                axisLabel: { color: inks.text, fontSize, hideOverlap: true },
                nameTextStyle: { color: inks.text, fontSize },
                splitLine: { show: false },
                axisLine: { lineStyle: { color: inks.line } },
            },
            yAxis: defined({
                type: "value",
                scale: measure === "loss",
                min: measure === "accuracy" ? 0 : undefined,
                max: measure === "accuracy" ? 1 : undefined,
                interval: measure === "accuracy" ? 0.25 : undefined,
                splitNumber: 4,
                axisLabel: { color: inks.text, fontSize },
                splitLine: { lineStyle: { color: inks.line } },
            }),
            series,
        },
        430,
        250,
    );
}

/** How often documents are right against how probable they were said to be; the line is where both are equal. */
export function reliabilityChart(
    bins: readonly { readonly count: number; readonly probability: number; readonly right: number }[],
): string {
    const fontSize = 12;
    const most = Math.max(1, ...bins.map(({ count }) => count));
    const axis = (name: string, nameGap: number) => ({
        type: "value",
        name,
        nameLocation: "middle",
        nameGap,
        min: 0,
        max: 1,
        interval: 0.25,
        axisLabel: { color: inks.text, fontSize },
        nameTextStyle: { color: inks.text, fontSize },
        splitLine: { lineStyle: { color: inks.line } },
    });
    return svg(
        {
            grid: { left: 58, right: 16, top: 12, bottom: 42 },
            xAxis: axis("probability that was given", 26),
            yAxis: axis("share that is right", 40),
            series: [
                {
                    type: "line",
                    silent: true,
                    showSymbol: false,
                    data: [
                        [0, 0],
                        [1, 1],
                    ],
                    lineStyle: { color: inks.stopped, width: 1.5, type: "dashed" },
                },
                {
                    type: "scatter",
                    silent: true,
                    data: bins.map(({ count, probability, right }) => ({
                        value: [probability, right],
                        symbolSize: 6 + 16 * Math.sqrt(count / most),
                    })),
                    itemStyle: { color: inks.c0 },
                },
            ],
        },
        430,
        300,
    );
}

/** The unit of a time axis, in seconds, by the longest time that it shows. */
function unitOf(seconds: number): readonly [seconds: number, name: string] {
    return seconds < 180
        ? [1, "s"]
        : seconds < 3 * 3600
          ? [60, "min"]
          : seconds < 3 * 86_400
            ? [3600, "h"]
            : [86_400, "d"];
}
