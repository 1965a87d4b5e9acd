import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DescribeExecutionCommand, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { findStage } from "../../cli/aws/executions";
import { factsOf as factsOnAws } from "../../cli/aws/facts";
import { writeReport } from "../../cli/commands/report";
import { factsOf, keepEvidence, readRun } from "../../local/run/evidence";
import type { ObjectStore } from "../../local/storage/objectStore";
import { loadPrices } from "../../pricing/prices";
import { bucketReader } from "../../report/artefacts";
import { reportOf } from "../../report/execution";
import { input, machine, startStage, type FixtureStage } from "../report/fixture";
import { picture } from "../report/sample";
import { useS3 } from "../support/s3";

describe("what a local run keeps for its report", () => {
    const s3 = useS3();
    let stage: FixtureStage;
    let directory: string;

    before(async () => {
        stage = await startStage(s3());
    });
    beforeEach(() => {
        directory = mkdtempSync(path.join(tmpdir(), "evidence-"));
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));
    after(() => stage?.close());

    it(
        "gives, without the object store, the same report as the execution on AWS, with pages of the " +
            "documents' folder",
        async () => {
            const found = await findStage(stage.client, machine);
            const { executionArn } = await stage.client.send(
                new StartExecutionCommand({
                    stateMachineArn: found.stateMachineArn,
                    name: "run-1",
                    input: JSON.stringify(input),
                }),
            );
            while ((await stage.client.send(new DescribeExecutionCommand({ executionArn }))).status === "RUNNING") {
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
            const remote = await factsOnAws(stage.client, found, executionArn as string, new Date());
            const options = { pages: 3, prices: loadPrices(), today: new Date() };
            const expected = await reportOf(remote, bucketReader(s3().storage), options);

            const result = {
                id: "run-1",
                status: "SUCCEEDED" as const,
                executionArn: executionArn as string,
                reductions: [{ model: "image", name: "epochs", configured: 80, local: 3, because: "small" }],
            };
            const { definition, settings, events } = remote;
            const facts = factsOf({ ...result, definition, settings, events });
            const metrics = await keepEvidence(facts, { s3: s3().client } as ObjectStore, directory);
            assert.deepEqual(
                metrics.map(({ model, pages }) => [model, pages]),
                [
                    ["text", 6],
                    ["image", 6],
                    ["sequence", 6],
                ],
            );
            writeFileSync(path.join(directory, "definition.json"), JSON.stringify(definition));
            writeFileSync(
                path.join(directory, "history.jsonl"),
                events.map((event) => JSON.stringify(event)).join("\n"),
            );
            writeFileSync(
                path.join(directory, "result.json"),
                JSON.stringify({ ...result, documents: { directory, sample: true } }),
            );
            mkdirSync(path.join(directory, "images", "s-0"), { recursive: true });
            writeFileSync(path.join(directory, "images", "s-0", "001.png"), picture(90, 120));

            const kept = readRun(directory);
            const again = await reportOf(kept.facts, kept.reader, options);
            assert.deepEqual(again.missing, []);
            for (const part of ["models", "mistakes", "visits", "failures", "notes"] as const) {
                assert.deepEqual(again[part], expected[part], part);
            }
            assert.deepEqual(again.remarks, ["image: epochs 80 -> 3"]);

            // the sample's pages are nobody's data and shown; one's own only when asked for
            const written = await writeReport(directory);
            assert.match(readFileSync(written, "utf8"), /data:image\/png/);
            writeFileSync(
                path.join(directory, "result.json"),
                JSON.stringify({ ...result, documents: { directory, sample: false } }),
            );
            assert.doesNotMatch(readFileSync(await writeReport(directory), "utf8"), /data:image\/png/);
            assert.match(readFileSync(await writeReport(directory, { pages: 1 }), "utf8"), /data:image\/png/);
        },
    );

    it("is refused where it is no run, naming the file", () => {
        assert.throws(() => readRun(directory), /result\.json: no such file; a folder of \.local\/runs/);
        writeFileSync(path.join(directory, "result.json"), "{");
        assert.throws(() => readRun(directory), /result\.json: no JSON/);
    });
});
