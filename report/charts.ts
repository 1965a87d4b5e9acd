/** Charts as SVG text, drawn on the server side: the page needs no script and no network. */
import * as echarts from "echarts";
import type { ModelReport, Visit } from "./model";

/** Two palettes: the page shows one or the other by the reader's preference. */
export const themes = {
    light: { text: "#1f2328", line: "#d0d7de", good: "#1a7f37", bad: "#cf222e", heat: ["#f6f8fa", "#0969da"] },
    dark: { text: "#e6edf3", line: "#30363d", good: "#3fb950", bad: "#f85149", heat: ["#161b22", "#58a6ff"] },
} as const;
export type Theme = keyof typeof themes;

function svg(option: echarts.EChartsCoreOption, width: number, height: number): string {
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
    try {
        chart.setOption({ animation: false, ...option });
        // the size comes from the page; the viewBox keeps the proportions
        return chart.renderToSVGString().replace(/<svg width="\d+" height="\d+"/, "<svg");
    } finally {
        chart.dispose();
    }
}

/** One bar for each visit of a state, over time in seconds since the start. */
export function timelineChart(visits: readonly Visit[], startedAt: number, theme: Theme): string {
    const colours = themes[theme];
    const shown = visits.filter((visit) => visit.to > visit.from || visit.outcome === "failed");
    const rows = [...new Set(shown.map((visit) => visit.state))];
    const seconds = (time: number): number => Math.round((time - startedAt) / 10) / 100;
    const height = 60 + rows.length * 24;
    return svg({
        grid: { left: 250, right: 20, top: 10, bottom: 40 },
        xAxis: { type: "value", name: "s", axisLabel: { color: colours.text }, nameTextStyle: { color: colours.text },
            splitLine: { lineStyle: { color: colours.line } } },
        yAxis: { type: "category", data: rows, inverse: true, axisLabel: { color: colours.text, width: 235, overflow: "truncate" },
            axisLine: { lineStyle: { color: colours.line } } },
        series: [{
            type: "custom",
            silent: true,
            data: shown.map((visit) => [rows.indexOf(visit.state), seconds(visit.from), seconds(visit.to), visit.outcome === "failed" ? 1 : 0]),
            encode: { x: [1, 2], y: 0 },
            renderItem: (_params: unknown, api: echarts.CustomSeriesRenderItemAPI) => {
                const from = api.coord([api.value(1), api.value(0)]);
                const to = api.coord([api.value(2), api.value(0)]);
                return {
                    type: "rect",
                    shape: { x: from[0], y: from[1] - 7, width: Math.max(2, to[0] - from[0]), height: 14, r: 2 },
                    style: { fill: api.value(3) === 1 ? colours.bad : colours.good },
                };
            },
        }],
    }, 900, height);
}

/** Rows: true class; columns: predicted class; the number of pages in each cell, shaded by its share of the row. */
export function confusionChart(model: ModelReport, theme: Theme): string {
    const colours = themes[theme];
    const share = (row: readonly number[], value: number): number => {
        const sum = row.reduce((total, count) => total + count, 0);
        return sum === 0 ? 0 : value / sum;
    };
    const side = 150 + model.classes.length * 42;
    return svg({
        grid: { left: 140, right: 10, top: 10, bottom: 130 },
        xAxis: { type: "category", data: model.classes, name: "predicted", nameLocation: "middle", nameGap: 112,
            axisLabel: { color: colours.text, rotate: 60, interval: 0 }, nameTextStyle: { color: colours.text } },
        yAxis: { type: "category", data: model.classes, inverse: true, axisLabel: { color: colours.text, interval: 0 } },
        visualMap: { show: false, min: 0, max: 1, dimension: 3, inRange: { color: [...colours.heat] } },
        series: [{
            type: "heatmap",
            silent: true,
            label: { show: true, formatter: (item: { value: number[] }) => item.value[2] === 0 ? "" : String(item.value[2]) },
            data: model.confusion.flatMap((row, truth) => row.map((count, predicted) => [predicted, truth, count, share(row, count)])),
        }],
    }, side + 20, side + 20);
}

/** Learning curves: one line a curve over epochs. */
export function curvesChart(model: ModelReport, theme: Theme): string {
    const colours = themes[theme];
    return svg({
        legend: { textStyle: { color: colours.text }, type: "plain", top: 0 },
        grid: { left: 50, right: 20, top: 70, bottom: 40 },
        xAxis: { type: "value", name: "epoch", minInterval: 1, min: 1, axisLabel: { color: colours.text }, nameTextStyle: { color: colours.text },
            splitLine: { show: false } },
        yAxis: { type: "value", axisLabel: { color: colours.text }, splitLine: { lineStyle: { color: colours.line } } },
        series: Object.entries(model.curves).map(([name, values]) => ({
            type: "line", name, silent: true, showSymbol: values.length < 2, data: values.map((value, index) => [index + 1, value]),
        })),
    }, 560, 320);
}
