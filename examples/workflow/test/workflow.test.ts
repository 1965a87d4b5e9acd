/** Proves and runs the workflow on this machine: no account, no network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { analyse, execute, TaskError, VirtualClock, type TaskHandler } from "@ensemble-training/asl";
import { policyDocument } from "@ensemble-training/asl/states";
import { orderImport } from "../workflow";

const { definition, permissions } = orderImport({
    importFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:order-import-dev:live",
    topicArn: "arn:aws:sns:eu-central-1:123456789012:order-import-dev",
});

/** Runs the workflow for a day; answers how it ended and what was told. */
async function run(importOrders: TaskHandler) {
    const told: unknown[] = [];
    const result = await execute(definition, {
        input: { day: "2026-11-20" },
        clock: new VirtualClock(),
        task: async (request) => {
            if (request.state === "Tell Us") {
                told.push((request.arguments as { Message: string }).Message);
                return {};
            }
            return importOrders(request);
        },
    });
    return { result, told };
}

test("no failure of it is silent", () => {
    assert.deepEqual(
        analyse(definition, { notifiedPrefix: "Notified." }).filter(({ severity }) => severity === "error"),
        [],
    );
});

test("a catcher that leads to success would be found", () => {
    const { "Import Orders": importOrders, ...others } = definition.States;
    const careless = { ...definition, States: { "Import Orders": { ...importOrders, Catch: undefined }, ...others } };
    assert.ok(analyse(JSON.parse(JSON.stringify(careless))).some(({ rule }) => rule === "catch-all"));
});

test("its role may do what the states do, and nothing else", () => {
    assert.deepEqual(
        policyDocument(permissions).Statement.map(({ Action, Resource }) => [Action, Resource]),
        [
            [["lambda:InvokeFunction"], ["arn:aws:lambda:eu-central-1:123456789012:function:order-import-dev:*"]],
            [["sns:Publish"], ["arn:aws:sns:eu-central-1:123456789012:order-import-dev"]],
        ],
    );
});

test("it answers what the function answered", async () => {
    const { result, told } = await run(async ({ arguments: sent }) => {
        assert.deepEqual((sent as { Payload: unknown }).Payload, { day: "2026-11-20" });
        return { Payload: { orders: 3 } };
    });
    assert.deepEqual([result.status, result.output, told], ["SUCCEEDED", { orders: 3 }, []]);
});

test("a failure is told once, and fails the execution with its cause", async () => {
    const { result, told } = await run(async () => {
        throw new TaskError("DatabaseError", "no connection");
    });
    assert.deepEqual([result.status, result.error, result.cause], ["FAILED", "Notified.ImportFailed", "no connection"]);
    assert.deepEqual(told, ["DatabaseError: no connection"]);
});
