import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { renderReport } from "../../report/html";
import { sampleReport } from "../report/sample";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => {
    try {
        accessSync(path, constants.X_OK);
        return true;
    } catch {
        return false;
    }
});

describe("the report in a browser", function () {
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
            args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync"],
        });
        html = await renderReport(sampleReport({ status: "FAILED", error: "Notified.Capacity", cause: "no instances ".repeat(40) }));
    });

    after(() => browser?.close());

    async function open(colorScheme: "light" | "dark", width: number): Promise<{ page: Page; problems: string[] }> {
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, javaScriptEnabled: true });
        const page = await context.newPage();
        const problems: string[] = [];
        page.on("console", (message) => message.type() === "error" || message.type() === "warning" ? problems.push(message.text()) : undefined);
        page.on("pageerror", (error) => problems.push(error.message));
        page.on("request", (request) => request.url().startsWith("http") ? problems.push(`request of ${request.url()}`) : undefined);
        await page.setContent(html, { waitUntil: "load" });
        return { page, problems };
    }

    for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [1200, 375]) {
            it(`shows every part in ${colorScheme} at ${width} pixels: no error, no request, no sideways scrolling`, async () => {
                const { page, problems } = await open(colorScheme, width);
                const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
                assert.equal(overflow, 0);
                for (const heading of ["Results on held-out stacks", "Timeline", "Workflow", "image", "Some wrongly read pages"]) {
                    assert.ok(await page.getByRole("heading", { name: heading, exact: true }).isVisible(), heading);
                }
                const charts = page.locator(`.only-${colorScheme} svg`);
                assert.equal(await charts.count(), 3);
                for (let i = 0; i < 3; i++) {
                    const box = await charts.nth(i).boundingBox();
                    assert.ok(box !== null && box.width > 200 && box.height > 50, `chart ${i}: ${JSON.stringify(box)}`);
                }
                const other = colorScheme === "light" ? "dark" : "light";
                assert.ok(!await page.locator(`.only-${other}`).first().isVisible());
                assert.deepEqual(problems, []);
                await page.context().close();
            });
        }
    }

    it("draws the bars of the timeline in proportion to their time and in the colour of their outcome", async () => {
        const { page } = await open("light", 1200);
        const bars = page.locator(".only-light[aria-label='Timeline of the states'] path[ecmeta_ssr_type=chart], "
            + ".only-light[aria-label='Timeline of the states'] path[fill='#1a7f37'], .only-light[aria-label='Timeline of the states'] path[fill='#cf222e']");
        const boxes = await Promise.all((await bars.all()).map(async (bar) =>
            ({ width: (await bar.boundingBox())?.width ?? 0, fill: await bar.getAttribute("fill") })));
        assert.deepEqual(boxes.map((box) => box.fill), ["#1a7f37", "#cf222e", "#1a7f37"]);
        assert.ok(Math.abs(boxes[2].width / boxes[1].width - 2) < 0.1, JSON.stringify(boxes));
        await page.context().close();
    });

    it("has readable text: contrast of at least 4.5 in both palettes", async () => {
        for (const colorScheme of ["light", "dark"] as const) {
            const { page } = await open(colorScheme, 1200);
            const [text, back] = await page.evaluate(`(() => {
                const style = getComputedStyle(document.body);
                return [style.color, style.backgroundColor].map((value) => value.match(/[\\d.]+/g).slice(0, 3).map(Number));
            })()`) as [number[], number[]];
            assert.ok(contrast(text, back) >= 4.5, `${colorScheme}: ${contrast(text, back)}`);
            await page.context().close();
        }
    });
});

/** Contrast ratio of two sRGB colours as WCAG 2 defines it. */
function contrast(a: readonly number[], b: readonly number[]): number {
    const luminance = (colour: readonly number[]): number => {
        const [red, green, blue] = colour.map((value) => value / 255)
            .map((share) => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
}
