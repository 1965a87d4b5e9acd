import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { SFNClient } from "@aws-sdk/client-sfn";
import { compile, DefinitionError, execute, TaskError, testState } from "../../../asl/interpreter/index";
import { ASSUMPTIONS, FAILS } from "../../../asl/verify/assumptions";
import { assumptionsDocument } from "../../../asl/verify/document";
import { matches, verify, verifyByTestState } from "../../../asl/verify/run";
import { fakeStepFunctions, type Fake } from "./fake";

const root = path.resolve(__dirname, "../../..");

describe("assumptions about AWS", () => {
    it("have different ids that fit into a machine's name", () => {
        const ids = ASSUMPTIONS.map((assumption) => assumption.id);
        assert.equal(new Set(ids).size, ids.length);
        ids.forEach((id) => assert.match(id, /^[a-z0-9-]{4,40}$/u));
    });

    for (const assumption of ASSUMPTIONS) {
        it(`the interpreter keeps ${assumption.id}`, async () => {
            if (assumption.expected.created === false) {
                assert.throws(() => compile(assumption.definition), DefinitionError);
                return;
            }
            const result = await execute(assumption.definition, {
                input: assumption.input ?? {},
                task: async (request) => {
                    if (request.resource === FAILS) {
                        throw new TaskError("Sfn.SfnException", "AccessDeniedException");
                    }
                    return { Account: "111111111111" };
                },
            });
            assert.ok(
                matches(assumption.expected, { created: true, ...result }),
                `${result.status} ${result.error} ${result.cause} ${JSON.stringify(result.output)}`,
            );
        });
    }

    it("are written down in asl/ASSUMPTIONS.md as they are", () => {
        assert.equal(
            readFileSync(path.join(root, "asl/ASSUMPTIONS.md"), "utf8"),
            assumptionsDocument(),
            "run `npm run verify:docs`",
        );
    });
});

describe("verify:aws", () => {
    let fake: Fake | undefined;
    afterEach(async () => {
        await fake?.close();
        fake = undefined;
    });
    const client = (endpoint: string): SFNClient =>
        new SFNClient({
            endpoint,
            region: "eu-central-1",
            maxAttempts: 1,
            credentials: { accessKeyId: "a", secretAccessKey: "b" },
        });
    const options = { roleArn: "arn:aws:iam::111111111111:role/r", run: "x", pollMilliseconds: 2 };

    it("finds that all rules hold where they do, and deletes every machine", async () => {
        fake = await fakeStepFunctions();
        const verdicts = await verify(client(fake.endpoint), ASSUMPTIONS, options);
        assert.deepEqual(
            verdicts.filter((verdict) => verdict.holds !== true),
            [],
        );
        assert.equal(verdicts.length, ASSUMPTIONS.length);
        assert.equal(fake.machines.size, 0);
        assert.ok(fake.calls.filter((call) => call === "DeleteStateMachine").length >= ASSUMPTIONS.length - 3);
    });

    it("finds exactly the rules that do not hold", async () => {
        fake = await fakeStepFunctions({
            unnamed: "empty",
            noChoiceMatched: "States.NoChoiceMatched",
            allCatchesDataLimit: false,
        });
        const verdicts = await verify(client(fake.endpoint), ASSUMPTIONS, options);
        assert.deepEqual(
            verdicts
                .filter((verdict) => verdict.holds === false)
                .map((verdict) => verdict.id)
                .sort(),
            ["data-limit-own-output", "fail-without-cause", "no-choice-matched", "runtime-in-branch"],
        );
        const bare = verdicts.find((verdict) => verdict.id === "fail-without-cause");
        assert.deepEqual(
            [bare?.expected, bare?.observed],
            ['SUCCEEDED {"Error":"Bare","Cause":null}', 'SUCCEEDED {"Error":"Bare","Cause":""}'],
        );
    });

    it("says what kept it from running a machine, and still deletes it", async () => {
        fake = await fakeStepFunctions({}, (action) =>
            action === "StartExecution" ? "ExecutionLimitExceeded" : undefined,
        );
        const [verdict] = await verify(client(fake.endpoint), ASSUMPTIONS.slice(0, 1), options);
        assert.equal(verdict.holds, undefined);
        assert.match(verdict.observed, /could not run: ExecutionLimitExceeded/u);
        assert.equal(fake.machines.size, 0);
    });

    const command = (
        args: string[],
        env: NodeJS.ProcessEnv,
    ): Promise<{ stdout: string; stderr: string; code: number }> =>
        promisify(execFile)(
            process.execPath,
            ["--no-warnings", "-r", "ts-node/register/transpile-only", "asl/verify/main.ts", ...args],
            {
                cwd: root,
                env: {
                    PATH: process.env.PATH,
                    HOME: "/nonexistent",
                    AWS_EC2_METADATA_DISABLED: "true",
                    AWS_REGION: "eu-central-1",
                    ...env,
                },
            },
        ).then(
            ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
            (error: { stdout: string; stderr: string; code: number }) => error,
        );

    it("ends with one clear line without credentials", async () => {
        const { stdout, stderr, code } = await command([], {});
        assert.equal(code, 2);
        assert.equal(stdout, "");
        assert.match(stderr.trim(), /^verify:aws: no AWS credentials [^\n]*$/u);
    });

    it("by TestState finds that every rule holds that one state can show", async () => {
        const verdicts = await verifyByTestState(testState, ASSUMPTIONS);
        assert.deepEqual(
            verdicts.filter(({ holds }) => holds !== true).map(({ id }) => id),
            ASSUMPTIONS.filter(({ onlyInExecution }) => onlyInExecution !== undefined).map(({ id }) => id),
        );
    });

    it("by TestState finds a rule that does not hold", async () => {
        const verdicts = await verifyByTestState(async (request) => {
            const answer = await testState(request);
            return answer.status === "CAUGHT_ERROR" ? { status: "FAILED", error: "States.Runtime" } : answer;
        }, ASSUMPTIONS);
        const broken = verdicts.filter(({ holds }) => holds === false).map(({ id }) => id);
        assert.ok(broken.includes("query-error-arguments") && !broken.includes("wait-zero"), broken.join());
    });

    it("prints its plan without credentials", async () => {
        const { stdout, code } = await command(["--plan", "query-error-arguments", "redrive-count"], {});
        assert.equal(code, 0);
        assert.match(stdout, /TestState \{"stateName":"T","input":"\{\}"/u);
        assert.match(stdout, /expected: only an execution shows it/u);
        assert.match(stdout, /2 calls of TestState for 1 of 2 rules; none was made\./u);
    });

    it("asks TestState, needs no role and leaves nothing behind", async () => {
        fake = await fakeStepFunctions();
        const { stdout, code } = await command(
            ["--endpoint", fake.endpoint, "query-error-arguments", "eval-fails", "redrive-count"],
            { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
        );
        assert.equal(code, 0, stdout);
        assert.match(stdout, /2 of 2 rules hold\./u);
        assert.match(stdout, /1 that only an execution shows were not run; --deploy runs them\./u);
        assert.deepEqual([...new Set(fake.calls)], ["TestState"]);
    });

    it("prints a table and how many rules hold", async () => {
        fake = await fakeStepFunctions();
        const { stdout, code } = await command(
            ["--deploy", "--role", options.roleArn, "--endpoint", fake.endpoint, "redrive-count", "eval-fails"],
            { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" },
        );
        assert.equal(code, 0);
        assert.match(stdout, /redrive-count/u);
        assert.match(stdout, /2 of 2 rules hold\./u);
    });
});
