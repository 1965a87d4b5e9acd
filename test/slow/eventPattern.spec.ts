import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { failureMessage, failurePattern, NOTIFIED_PREFIX } from "../../components/failureWatch";
import { StageNames } from "../../components/names";
import { evaluateStage } from "../../project/evaluate";

const root = path.resolve(__dirname, "../..");
const names = new StageNames(
    { partition: "aws", region: "eu-central-1", account: "123456789012" },
    { service: "ensemble", stage: "dev" },
);

/** An event as Step Functions sends it; `detail` replaces fields, and undefined takes one away. */
function event(detail: Record<string, unknown>): object {
    const execution = `arn:aws:states:eu-central-1:123456789012:execution:${names.stateMachine}:run-1`;
    return JSON.parse(
        JSON.stringify({
            "version": "0",
            "id": "315c1398-40ff-a850-213b-158f73e60175",
            "detail-type": "Step Functions Execution Status Change",
            "source": "aws.states",
            "account": "123456789012",
            "time": "2026-11-23T20:00:00Z",
            "region": "eu-central-1",
            "resources": [execution],
            "detail": {
                executionArn: execution,
                stateMachineArn: names.stateMachineArn,
                name: "run-1",
                status: "FAILED",
                startDate: 1_551_225_271_984,
                stopDate: 1_551_225_281_984,
                input: "{}",
                output: null,
                error: "States.Runtime",
                cause: "x",
                redriveCount: 0,
                ...detail,
            },
        }),
    ) as object;
}

/** Asks AWS's own matcher. */
function matches(events: readonly object[]): boolean[] {
    const work = path.join(root, ".build/eventPattern");
    const classpath = path.join(work, "classpath.txt");
    fs.mkdirSync(work, { recursive: true });
    if (!fs.existsSync(classpath)) {
        execFileSync(
            "mvn",
            [
                "-q",
                "-B",
                "-f",
                path.join(__dirname, "eventPattern/pom.xml"),
                "dependency:build-classpath",
                `-Dmdep.outputFile=${classpath}`,
            ],
            { stdio: ["ignore", "ignore", "inherit"] },
        );
    }
    const input = path.join(work, "input.json");
    fs.writeFileSync(
        input,
        JSON.stringify({ pattern: failurePattern(names.stateMachineArn, NOTIFIED_PREFIX), events }),
    );
    const output = execFileSync(
        "java",
        ["-cp", fs.readFileSync(classpath, "utf8").trim(), path.join(__dirname, "eventPattern/Match.java"), input],
        { encoding: "utf8" },
    );
    return output
        .trim()
        .split("\n")
        .map((line) => line === "true");
}

const available = ["mvn", "java"].every(
    (command) => spawnSync(command, ["-version"], { stdio: "ignore" }).status === 0,
);

describe("the failure rule's pattern, in AWS's own matcher", function () {
    this.timeout(300_000);
    before(function () {
        if (!available) {
            console.log("      skipped: Maven and Java are needed to run AWS's event-ruler");
            this.skip();
        }
    });

    const cases: readonly [what: string, detail: Record<string, unknown>, expected: boolean][] = [
        ["a failure that no state could see", { error: "States.Runtime" }, true],
        ["a payload that was too large", { error: "States.DataLimitExceeded" }, true],
        ["a timeout without an error", { status: "TIMED_OUT", error: undefined, cause: undefined }, true],
        ["a timeout with an error", { status: "TIMED_OUT", error: "States.Timeout" }, true],
        ["an abort, whose error is null", { status: "ABORTED", error: null, cause: null }, true],
        ["an abort by somebody who gave a reason", { status: "ABORTED", error: "Stopped", cause: "by hand" }, true],
        ["a failure whose notification failed", { error: "NotificationFailed" }, true],
        ["an error that only resembles the prefix", { error: "Notified" }, true],
        ["an empty error", { error: "" }, true],
        ["a failure that was told of", { error: `${NOTIFIED_PREFIX}Capacity` }, false],
        ["a quality gate that was told of", { error: `${NOTIFIED_PREFIX}QualityGate` }, false],
        ["a success", { status: "SUCCEEDED", error: undefined }, false],
        ["a start", { status: "RUNNING", error: undefined }, false],
        ["another state machine's failure", { stateMachineArn: names.stateMachineArn.replace("dev", "prod") }, false],
    ];
    it("matches exactly what nobody has told of", () => {
        const got = matches(cases.map(([, detail]) => event(detail)));
        assert.deepEqual(
            cases.map(([what], index) => `${what}: ${String(got[index])}`),
            cases.map(([what, , expected]) => `${what}: ${String(expected)}`),
        );
    });

    it(
        "leaves out every error that the definition's Fail states end with after a " + "notification, and no other",
        async () => {
            const { stateMachine } = await evaluateStage("dev");
            const errors = new Set(JSON.stringify(stateMachine.definition).match(/Notified\.[A-Za-z]*/g) ?? []);
            assert.ok(errors.size > 0);
            const got = matches([...errors].map((error) => event({ error })));
            assert.deepEqual(
                got,
                [...errors].map(() => false),
            );
        },
    );
});

describe("the failure rule's message", () => {
    it("is valid for EventBridge: quoted lines, every variable defined, at most 8,192 characters", () => {
        const { inputPaths, inputTemplate } = failureMessage(names);
        assert.ok(inputTemplate.length <= 8_192);
        for (const line of inputTemplate.split("\n")) {
            assert.equal(typeof JSON.parse(line), "string", line);
        }
        const used = new Set([...inputTemplate.matchAll(/<([a-z]+)>/g)].map((match) => match[1]));
        assert.deepEqual([...used].sort(), Object.keys(inputPaths).sort());
    });
});
