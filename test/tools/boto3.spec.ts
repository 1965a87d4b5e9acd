/** boto3, with its paginators and its exceptions by name, against the API. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { StepFunctionsApi } from "../../asl/api";
import { DEFINITION, environment, program, PYTHON, ROLE_ARN, serve } from "./support";

const SCRIPT = `
import json, os, sys
import boto3
from botocore.config import Config

client = boto3.client("stepfunctions", endpoint_url=os.environ["SFN"], config=Config(retries={"max_attempts": 0}))
definition, role = sys.argv[1:]
for number in range(3):
    machine = client.create_state_machine(name=f"m{number}", definition=definition, roleArn=role)["stateMachineArn"]
pages = client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
names = [found["name"] for page in pages for found in page["stateMachines"]]

execution = client.start_execution(stateMachineArn=machine, name="one", input=json.dumps({"a": 1}))["executionArn"]
while client.describe_execution(executionArn=execution)["status"] == "RUNNING":
    pass
paginator = client.get_paginator("get_execution_history")
history = paginator.paginate(executionArn=execution, PaginationConfig={"PageSize": 3})
events = [event["type"] for page in history for event in page["events"]]

express = client.create_state_machine(name="e", definition=definition, roleArn=role, type="EXPRESS")["stateMachineArn"]
sync = client.start_sync_execution(stateMachineArn=express, input="{}")

refused = []
for call, request in [
    (client.describe_execution, {"executionArn": "nothing"}),
    (client.describe_execution, {"executionArn": execution + "x"}),
    (client.start_execution, {"stateMachineArn": machine, "name": "one"}),
    (client.create_state_machine, {"name": "bad", "definition": "{}", "roleArn": role}),
    (client.list_state_machines, {"maxResults": 1001}),
    (client.send_task_success, {"taskToken": "t", "output": "{}"}),
]:
    try:
        call(**request)
    except client.exceptions.ClientError as error:
        refused.append([type(error).__name__, error.response["Error"]["Code"]])
print(json.dumps({
    "names": names,
    "start": client.describe_execution(executionArn=execution)["startDate"].year,
    "events": events,
    "sync": [sync["status"], sync["output"]],
    "refused": refused,
}))
`;

describe("boto3 against the Step Functions API", function () {
    this.timeout(120_000);
    let api: StepFunctionsApi;

    before(async function () {
        if (!existsSync(PYTHON)) {
            console.log("      skipped: there is no .venv (node scripts/bootstrap.mjs)");
            this.skip();
        }
        api = await serve();
    });

    after(() => api?.close());

    it("pages, runs, reads dates, and raises AWS's exceptions", async () => {
        const { code, stdout, stderr } = await program(
            PYTHON,
            ["-c", SCRIPT, DEFINITION, ROLE_ARN],
            environment(api.endpoint),
        );
        assert.equal(code, 0, stderr);
        const { start, ...told } = JSON.parse(stdout) as Record<string, unknown>;
        assert.ok(Math.abs(Number(start) - new Date().getUTCFullYear()) <= 1);
        assert.deepEqual(told, {
            names: ["m0", "m1", "m2"],
            events: [
                "ExecutionStarted",
                "TaskStateEntered",
                "TaskScheduled",
                "TaskStarted",
                "TaskSucceeded",
                "TaskStateExited",
                "ExecutionSucceeded",
            ],
            sync: ["SUCCEEDED", "{}"],
            refused: [
                ["InvalidArn", "InvalidArn"],
                ["ExecutionDoesNotExist", "ExecutionDoesNotExist"],
                ["ExecutionAlreadyExists", "ExecutionAlreadyExists"],
                ["InvalidDefinition", "InvalidDefinition"],
                ["ValidationException", "ValidationException"],
                ["InvalidToken", "InvalidToken"],
            ],
        });
    });
});
