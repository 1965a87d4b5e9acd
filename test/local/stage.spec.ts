import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EXIT, type ToolError } from "../../ground/errors";
import { executionInput, parseSettings } from "../../local/run/input";
import { refuseInput } from "../../local/run/session";
import { localStage } from "../../local/run/stage";
import { evaluateStage } from "../../project/evaluate";

describe("local/run/stage: what a stage deploys, for this machine", function () {
    this.timeout(60_000);

    it("has every object of the program as a file, and refuses an input that Setup would refuse", async () => {
        const directory = mkdtempSync(path.join(tmpdir(), "stage-"));
        try {
            const stage = await localStage(await evaluateStage("dev"), path.resolve(__dirname, "../.."), directory);
            assert.ok(stage.objects.every(({ file }) => existsSync(file)));
            const keys = stage.objects.map(({ key }) => key);
            assert.ok(
                keys.some((key) => key.endsWith("/sourcedir.tar.gz")),
                keys.join(),
            );
            const pointers = stage.objects.find(({ key }) => key === "pointers.json");
            assert.ok(pointers, keys.join());
            assert.doesNotThrow(() => JSON.parse(readFileSync(pointers.file, "utf8")) as unknown);
            const { settings } = stage;
            const inputWith = (text: string) => {
                const changes = parseSettings([text], { image: ["epochs", "min_lr"] }, []).input;
                const dataPath = `${settings.artifactBase}/data/documents`;
                return executionInput({ settings, given: undefined, dataPath, bounds: {}, changes, force: false });
            };
            assert.doesNotThrow(() => refuseInput(inputWith("image.epochs=3").input, settings));
            for (const [text, told] of [
                [
                    "image.epochs=many",
                    /1 problem; nothing was run\.\n.*image_model\.hyperparameters\.epochs: got "many"/,
                ],
                ["image.min_lr=5", /min_lr: got 5, expected at most max_lr, which is 0\.0\d+/],
            ] as const) {
                assert.throws(
                    () => refuseInput(inputWith(text).input, settings),
                    (error: ToolError) => error.exitCode === EXIT.usage && told.test(error.message),
                );
            }
        } finally {
            rmSync(directory, { recursive: true });
        }
    });
});
