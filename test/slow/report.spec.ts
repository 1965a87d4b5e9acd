import assert from "node:assert/strict";
import {
    accessSync,
    constants,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DescribeExecutionCommand, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { chromium, type Browser, type Page } from "playwright-core";
import { findStage } from "../../cli/aws/executions";
import { reportCommand } from "../../cli/commands/report";
import { renderReport } from "../../report/html";
import { ensemble, run } from "../cli/support";
import { input, machine, startStage, type FixtureStage } from "../report/fixture";
import { sampleReport } from "../report/sample";
import { s3Environment, useS3 } from "../support/s3";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) => {
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
});

describe("the report in a browser", () => {
    let browser: Browser;
    let html: string;

    before(async function () {
        if (executablePath === undefined) {
            // where CI runs everything, a missing browser is a failure, not a silent pass
            assert.equal(process.env.CI, undefined, "Chromium is not installed: apt-get install chromium");
            console.log("      skipped: Chromium is not installed (apt-get install chromium)");
            this.skip();
        }
        browser = await chromium.launch({
            executablePath,
            args: [
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        });
        html = await renderReport(
            sampleReport({ status: "FAILED", error: "Notified.Capacity", cause: "no instances ".repeat(40) }),
        );
    });

    after(() => browser?.close());

    async function open(
        colorScheme: "light" | "dark",
        width: number,
        content = html,
    ): Promise<{ page: Page; problems: string[] }> {
        const context = await browser.newContext({
            colorScheme,
            viewport: { width, height: 900 },
            javaScriptEnabled: true,
        });
        const page = await context.newPage();
        const problems: string[] = [];
        page.on("console", (message) =>
            message.type() === "error" || message.type() === "warning" ? problems.push(message.text()) : undefined,
        );
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("request", (request) =>
            request.url().startsWith("http") ? problems.push(`request of ${request.url()}`) : undefined,
        );
        await page.setContent(content, { waitUntil: "load" });
        return { page, problems };
    }

    for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [1200, 390]) {
            it(
                `shows every part in ${colorScheme} at ${width} pixels: no error, no request, no sideways ` +
                    "scrolling",
                async () => {
                    const { page, problems } = await open(colorScheme, width);
                    const overflow = await page.evaluate(
                        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
                    );
                    assert.equal(overflow, 0);
                    for (const heading of [
                        "Results on held-out stacks",
                        "Failed attempts",
                        "Timeline",
                        "Workflow",
                        "image",
                        "Some wrongly read pages",
                        "Price",
                    ]) {
                        assert.ok(await page.getByRole("heading", { name: heading, exact: true }).isVisible(), heading);
                    }
                    const charts = page.locator(".chart:visible svg");
                    // the timeline, loss and accuracy of two models
                    assert.equal(await charts.count(), 5);
                    for (const chart of await charts.all()) {
                        const box = await chart.boundingBox();
                        assert.ok(
                            box !== null && box.width > 280 && box.height > 50 && box.x + box.width <= width,
                            JSON.stringify(box),
                        );
                    }
                    assert.deepEqual(problems, []);
                    await page.context().close();
                },
            );
        }
    }

    it(
        "draws the bars of the timeline in proportion to their time and in the colour of their outcome, in both " +
            "palettes",
        async () => {
            for (const [colorScheme, good, bad] of [
                ["light", "rgb(45, 164, 78)", "rgb(207, 34, 46)"],
                ["dark", "rgb(63, 185, 80)", "rgb(248, 81, 73)"],
            ] as const) {
                const { page } = await open(colorScheme, 1200);
                const boxes =
                    (await page.evaluate(`[...document.querySelectorAll("#timeline .wide path")].filter((bar) => /succeeded|failed/.test(bar.getAttribute("fill")))
                .map((bar) => ({ width: bar.getBoundingClientRect().width, fill: getComputedStyle(bar).fill }))`)) as {
                        width: number;
                        fill: string;
                    }[];
                assert.deepEqual(
                    boxes.map((box) => box.fill),
                    [good, bad, good],
                );
                assert.ok(Math.abs(boxes[2].width / boxes[1].width - 2) < 0.1, JSON.stringify(boxes));
                await page.context().close();
            }
        },
    );

    it("draws a curve for training and one for validation of each fold, each fold in a colour of its own", async () => {
        const { page } = await open("light", 1200);
        const drawn =
            (await page.evaluate(`[...document.querySelectorAll("[aria-label^='loss of image by epoch'] path[stroke^='var(--c']")]
            .map((line) => [getComputedStyle(line).stroke, line.hasAttribute("stroke-dasharray")])`)) as [
                string,
                boolean,
            ][];
        assert.equal(drawn.length, 8);
        assert.equal(new Set(drawn.map(([colour]) => colour)).size, 4);
        assert.equal(drawn.filter(([, dashed]) => dashed).length, 4);
        await page.context().close();
    });

    it(
        "has readable text: contrast of at least 4.5 in both palettes, on the page, in badges, " + "cells and charts",
        async () => {
            for (const colorScheme of ["light", "dark"] as const) {
                const { page } = await open(colorScheme, 1200);
                const places = [
                    ["body", "body"],
                    [".quiet", "section"],
                    [".badge", ".badge"],
                    [".warn", "section"],
                    [".page .bad", ".page figcaption"],
                    ["thead th", "section"],
                    ["a", "section"],
                    [".heat td.right", ".heat td.right"],
                    [".heat td.wrong", ".heat td.wrong"],
                ];
                for (const [text, back] of places) {
                    const [front, behind] = (await page.evaluate(`(() => {
                    const canvas = document.createElement("canvas").getContext("2d");
                    // a transparent background lets the one below through
                    const behind = (one) => /, 0\\)$|^transparent$/.test(getComputedStyle(one).backgroundColor) && one.parentElement
                        ? behind(one.parentElement) : getComputedStyle(one).backgroundColor;
                    return [getComputedStyle(document.querySelector(${JSON.stringify(text)})).color, behind(document.querySelector(${JSON.stringify(back)}))].map((colour) => {
                        canvas.fillStyle = colour;
                        canvas.fillRect(0, 0, 1, 1);
                        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
                    });
                })()`)) as [number[], number[]];
                    assert.ok(
                        contrast(front, behind) >= 4.5,
                        `${colorScheme}, ${text}: ${contrast(front, behind)} (${front} on ${behind})`,
                    );
                }
                await page.context().close();
            }
        },
    );

    it("can be used with the keyboard, and its parts have names", async () => {
        const { page } = await open("light", 1200);
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to the results");
        const names = (await page.evaluate(`[...document.querySelectorAll("section, [role]")].map((one) =>
            one.getAttribute("aria-label") ?? document.getElementById(one.getAttribute("aria-labelledby"))?.textContent ?? "")`)) as string[];
        assert.ok(names.length > 15 && !names.includes(""), names.join("; "));
        const details = page.locator("#timeline details");
        await details.locator("summary").focus();
        await page.keyboard.press("Enter");
        assert.ok(await details.getByRole("table").isVisible());
        assert.deepEqual(await page.locator("img:not([alt])").count(), 0);
        await page.context().close();
    });

    it("prints without cutting anything off", async () => {
        const { page } = await open("dark", 794);
        await page.emulateMedia({ media: "print", colorScheme: "dark" });
        assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
        assert.equal(await page.evaluate("getComputedStyle(document.body).color"), "rgb(31, 35, 40)");
        const cut = await page.evaluate(
            "[...document.querySelectorAll('main svg, main table')].filter((one) => " +
                "one.getBoundingClientRect().right > innerWidth + 1).length",
        );
        assert.equal(cut, 0);
        assert.ok((await page.pdf({ format: "A4" })).length > 10_000);
        await page.context().close();
    });

    it("draws a failed, a running and an empty execution", async () => {
        for (const status of ["TIMED_OUT", "RUNNING", "ABORTED"] as const) {
            const { page, problems } = await open(
                "light",
                390,
                await renderReport(sampleReport({ status, models: [], mistakes: undefined, visits: [], failures: [] })),
            );
            assert.ok(await page.getByText(status.replace("_", " "), { exact: true }).first().isVisible());
            assert.deepEqual(problems, []);
            await page.context().close();
        }
    });
});

describe("report as a process", function () {
    this.timeout(240_000);
    const s3 = useS3();
    let stage: FixtureStage;
    let directory: string;

    before(async () => {
        stage = await startStage(s3());
        directory = mkdtempSync(path.join(tmpdir(), "ensemble-report-"));
        Object.assign(process.env, s3Environment(s3().endpoint));
        const { stateMachineArn } = await findStage(stage.client, machine);
        const { executionArn } = await stage.client.send(
            new StartExecutionCommand({ stateMachineArn, name: "good", input: JSON.stringify(input) }),
        );
        while ((await stage.client.send(new DescribeExecutionCommand({ executionArn }))).status === "RUNNING") {
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    });
    after(async () => {
        Object.keys(s3Environment("")).forEach((name) => delete process.env[name]);
        await stage?.close();
        rmSync(directory, { recursive: true, force: true });
    });

    const report = (...args: string[]) =>
        ensemble(["report", "--stack", "dev", "--endpoint", stage.api.endpoint, ...args]);

    it(
        "writes the report of the newest execution, its path on standard output, its progress on " + "standard error",
        async () => {
            const out = path.join(directory, "out.html");
            const { code, out: printed, err } = await report("--out", out, "--pages", "3");
            assert.equal(code, 0, err);
            assert.equal(printed, `${out}\n`);
            assert.match(
                err,
                /History of the newest execution[\s\S]*SUCCEEDED, \d+ events[\s\S]*Artefacts[\s\S]*Drawing/,
            );
            const html = readFileSync(out, "utf8");
            assert.match(html, /execution:ensemble-model-training-dev:good/);
            assert.equal(html.match(/data:image\/png/g)?.length, 1);
            assert.ok(html.length < 8_000_000);
        },
    );

    it("takes only so many pages", async () => {
        const { code, err } = await report("--pages", "49");
        assert.equal(code, 2);
        assert.match(err, /A whole number from 0 to 48 is expected\./);
    });

    it("leaves the old file, and no other, on Ctrl-C", async () => {
        const own = path.join(directory, "interrupted");
        const out = path.join(own, "out.html");
        mkdirSync(own);
        writeFileSync(out, "old");
        const { code, err } = await ensemble(
            ["report", "--stack", "dev", "--endpoint", stage.api.endpoint, "--out", out],
            (child) => {
                child.stderr?.once("data", () => child.kill("SIGINT"));
            },
        );
        assert.equal(code, 130, err);
        assert.match(err, /Interrupted: no report was written\.\n$/);
        assert.deepEqual([readFileSync(out, "utf8"), readdirSync(own)], ["old", ["out.html"]]);
    });

    const wrong: [string, () => string[], number, RegExp][] = [
        ["an execution that is not there", () => ["never"], 2, /There is no execution arn:.*:never\. [^\n]*\n$/],
        ["a stage that does not exist", () => ["--stack", "prd"], 2, /There is no stage "prd"[^\n]*\n$/],
        [
            "a stage that is not deployed",
            () => ["--stack", "prod"],
            2,
            /There is no state machine "ensemble-model-training-prod"[^\n]*\n$/,
        ],
        [
            "a folder that is not there",
            () => ["--out", path.join(directory, "no", "out.html")],
            2,
            /^--out .*: there is no folder .*\n$/,
        ],
        [
            "a folder in place of a file",
            () => ["--out", directory],
            2,
            /^--out .*: it is a folder, a file is expected\n$/,
        ],
        [
            "a folder that is no run",
            () => ["--run", directory],
            2,
            /result\.json: no such file; a folder of \.local\/runs[^\n]*\n$/,
        ],
        [
            "a run and an execution",
            () => ["--run", directory, "good"],
            2,
            /is a local run and good an execution on AWS: give one of them\n$/,
        ],
        [
            "nobody at the endpoint",
            () => ["--endpoint", "http://127.0.0.1:9"],
            3,
            /Cannot write the report: AWS cannot be reached[^\n]*\n$/,
        ],
    ];
    for (const [what, args, code, expected] of wrong) {
        it(`says in one line, without a stack: ${what}`, async () => {
            const own = args();
            const ended = await run(reportCommand(), [
                "--stack",
                "dev",
                "--endpoint",
                stage.api.endpoint,
                ...(own.includes("--out") ? own : ["--out", path.join(directory, "wrong.html")]),
                ...own,
            ]);
            assert.equal(ended.code, code, ended.err);
            assert.match(ended.err, expected);
            assert.doesNotMatch(ended.err, /\n {4}at /);
            assert.equal(existsSync(path.join(directory, "wrong.html")), false);
        });
    }
});

/** Contrast ratio of two sRGB colours as WCAG 2 defines it. */
function contrast(a: readonly number[], b: readonly number[]): number {
    const luminance = (colour: readonly number[]): number => {
        const [red, green, blue] = colour
            .map((value) => value / 255)
            .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
}
