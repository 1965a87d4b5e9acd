/** The AWS CLI as it is published, against the API: what it prints is what it prints against AWS. */
import assert from "node:assert/strict";
import type { StepFunctionsApi } from "../../asl/api";
import { awsCli, DEFINITION, environment, program, ROLE_ARN, serve, type Ended } from "./support";

describe("the AWS CLI against the Step Functions API", function () {
    this.timeout(600_000);
    let api: StepFunctionsApi;
    let command: string;

    before(async function () {
        const found = await awsCli();
        if ("missing" in found) {
            console.log(`      skipped: ${found.missing}`);
            this.skip();
        }
        command = found.path;
        api = await serve();
    });

    after(() => api?.close());

    const aws = (line: string, ...more: string[]): Promise<Ended> =>
        program(command, ["stepfunctions", ...line.split(" "), ...more], environment(api.endpoint));
    const at = (): string => `--endpoint-url ${api.endpoint}`;

    async function json(line: string, ...more: string[]): Promise<Record<string, unknown>> {
        const { code, stdout, stderr } = await aws(`${line} ${at()} --output json`, ...more);
        assert.equal(code, 0, stderr);
        return stdout === "" ? {} : (JSON.parse(stdout) as Record<string, unknown>);
    }

    it("lists, makes, changes, tags, publishes, runs, reads and deletes a state machine", async () => {
        assert.equal((await aws(`list-state-machines --endpoint-url ${api.endpoint}`)).code, 0);
        const made = await json(
            `create-state-machine --name orders --role-arn ${ROLE_ARN} --tags key=team,value=a --publish`,
            "--definition",
            DEFINITION,
        );
        const arn = String(made.stateMachineArn);
        assert.equal(made.stateMachineVersionArn, `${arn}:1`);
        await json(`tag-resource --resource-arn ${arn} --tags key=stage,value=dev`);
        assert.deepEqual((await json(`list-tags-for-resource --resource-arn ${arn}`)).tags, [
            { key: "team", value: "a" },
            { key: "stage", value: "dev" },
        ]);
        const changed = await json(
            `update-state-machine --state-machine-arn ${arn}`,
            "--definition",
            DEFINITION.replace("600", "900"),
        );
        assert.match(String(changed.revisionId), /^[0-9a-f-]{36}$/);
        const version = await json(`publish-state-machine-version --state-machine-arn ${arn}`);
        await json(
            "create-state-machine-alias --name live",
            "--routing-configuration",
            JSON.stringify([{ stateMachineVersionArn: version.stateMachineVersionArn, weight: 100 }]),
        );
        const started = await json(`start-execution --state-machine-arn ${arn}:live --name one --input {"day":1}`);
        const executionArn = String(started.executionArn);
        let described = await json(`describe-execution --execution-arn ${executionArn}`);
        while (described.status === "RUNNING") {
            described = await json(`describe-execution --execution-arn ${executionArn}`);
        }
        assert.deepEqual([described.status, described.output], ["SUCCEEDED", '{"day":1}']);
        const { events } = await json(`get-execution-history --execution-arn ${executionArn} --page-size 2`);
        assert.equal((events as { type: string }[]).at(-1)?.type, "ExecutionSucceeded");
        await json(`delete-state-machine --state-machine-arn ${arn}`);
        assert.deepEqual((await json("list-state-machines")).stateMachines, []);
    });

    it("runs an Express machine to its end", async () => {
        const { stateMachineArn } = await json(
            `create-state-machine --name quick --role-arn ${ROLE_ARN} --type EXPRESS`,
            "--definition",
            DEFINITION,
        );
        const ended = await json(`start-sync-execution --state-machine-arn ${String(stateMachineArn)} --input {"a":2}`);
        assert.deepEqual([ended.status, ended.output], ["SUCCEEDED", '{"a":2}']);
    });

    it("shows what is wrong with a definition, and what is only unwise", async () => {
        const broken = await json("validate-state-machine-definition", "--definition", '{"States":{}}');
        assert.equal(broken.result, "FAIL");
        const unwise = await json("validate-state-machine-definition --severity WARNING", "--definition", DEFINITION);
        assert.equal(unwise.result, "OK");
        assert.ok((unwise.diagnostics as { code: string }[]).some(({ code }) => code === "CATCH_ALL"));
    });

    it("says what AWS says of a wrong request", async () => {
        const gone = "arn:aws:states:eu-central-1:000000000000:stateMachine:gone";
        const { code, stderr } = await aws(`describe-state-machine --state-machine-arn ${gone} ${at()}`);
        // what version 1 ends with at a service's refusal; version 2 ends with 254
        assert.equal(code, 255);
        assert.match(
            stderr,
            /An error occurred \(StateMachineDoesNotExist\) when calling the DescribeStateMachine operation: /,
        );
        assert.match(stderr, /State Machine Does Not Exist: 'arn:aws:states:.*:stateMachine:gone'/);
    });
});
