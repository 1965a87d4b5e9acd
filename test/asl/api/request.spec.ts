import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { OPERATIONS } from "../../../asl/api/model";
import { checkRequest } from "../../../asl/api/request";
import { invalidToken, ServiceError } from "../../../asl/api/errors";
import { pageOf } from "../../../asl/api/pagination";
import { checkName, machineArn } from "../../../asl/api/arns";
import { TaskTokens } from "../../../asl/api/taskTokens";
import { addTags } from "../../../asl/api/machines";
import type { TaskRequest } from "../../../asl/interpreter";

function refused(run: () => unknown): string {
    try {
        run();
    } catch (error) {
        assert.ok(error instanceof ServiceError, String(error));
        return `${error.type}: ${error.message}`;
    }
    return "taken";
}

describe("a request", () => {
    const machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:m";

    /** With AWS's own texts, as recorded. */
    const cases: readonly (readonly [operation: string, body: unknown, expected: string])[] = [
        ["StartExecution", { stateMachineArn: machine }, "taken"],
        ["StartExecution", { stateMachineArn: machine, name: null }, "taken"],
        ["StartExecution", { stateMachineArn: machine, unknown: 1 }, "taken"],
        [
            "StartExecution",
            {},
            "ValidationException: 1 validation error detected: " +
                "Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null",
        ],
        [
            "ListStateMachines",
            { maxResults: 1001 },
            "ValidationException: 1 validation error detected: Value '1001' at 'maxResults' " +
                "failed to satisfy constraint: Member must have value less than or equal to 1000",
        ],
        [
            "ListStateMachines",
            { maxResults: -1, nextToken: "" },
            "ValidationException: 2 validation errors detected: Value '-1' at 'maxResults' " +
                "failed to satisfy constraint: Member must have value greater than or equal to 0; " +
                "Value '' at 'nextToken' failed to satisfy constraint: " +
                "Member must have length greater than or equal to 1",
        ],
        [
            "CreateStateMachine",
            { name: "n".repeat(81), definition: "{}", roleArn: "r", type: "FAST" },
            `ValidationException: 2 validation errors detected: Value '${"n".repeat(81)}' at 'name' ` +
                "failed to satisfy constraint: Member must have length less than or equal to 80; " +
                "Value 'FAST' at 'type' failed to satisfy constraint: " +
                "Member must satisfy enum value set: [STANDARD, EXPRESS]",
        ],
        [
            "CreateStateMachineAlias",
            { name: "123", routingConfiguration: [{ stateMachineVersionArn: machine, weight: 101 }] },
            "ValidationException: 2 validation errors detected: Value '123' at 'name' failed to satisfy constraint: " +
                "Member must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$; " +
                "Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: " +
                "Member must have value less than or equal to 100",
        ],
        [
            "StartExecution",
            { stateMachineArn: 7 },
            "SerializationException: NUMBER_VALUE can not be converted to a String",
        ],
        [
            "ListStateMachines",
            { maxResults: "7" },
            "SerializationException: STRING_VALUE can not be converted to an Integer",
        ],
        [
            "StartExecution",
            { stateMachineArn: { a: 1 } },
            "SerializationException: Start of structure or map found where not expected.",
        ],
    ];
    for (const [operation, body, expected] of cases) {
        it(`${operation} ${JSON.stringify(body).slice(0, 80)}: ${expected.slice(0, 60)}`, () => {
            assert.equal(
                refused(() => checkRequest(operation, body)),
                expected,
            );
        });
    }

    it("is checked by a model that has every operation of the SDK", async () => {
        const sdk = await import("@aws-sdk/client-sfn");
        const commands = Object.keys(sdk)
            .filter((name) => /\wCommand$/.test(name))
            .map((name) => name.replace(/Command$/, ""));
        assert.deepEqual([...OPERATIONS].sort(), commands.sort());
    });

    it("is checked by a model that is what its generator makes of the service's", () => {
        const file = path.join(__dirname, "../../../asl/api/model/stepFunctions.json");
        assert.match((JSON.parse(readFileSync(file, "utf8")) as { source: string }).source, /^botocore \d+/);
        assert.ok(readFileSync(file).length < 20_000, "trimmed");
    });
});

describe("a list", () => {
    const items = ["a", "b", "c", "d", "e"];
    const key = (item: string): string => item;

    it("comes page by page, and what is added meanwhile moves nothing", () => {
        const first = pageOf("letters", items, { maxResults: 2 }, key);
        assert.deepEqual(first.items, ["a", "b"]);
        const second = pageOf("letters", ["new", ...items], { maxResults: 2, nextToken: first.nextToken }, key);
        assert.deepEqual(second.items, ["c", "d"]);
        const last = pageOf("letters", items, { maxResults: 2, nextToken: second.nextToken }, key);
        assert.deepEqual(last, { items: ["e"] });
    });

    it("has 100 a page where the request does not say, or says 0", () => {
        const many = Array.from({ length: 150 }, (_, index) => String(index));
        assert.equal(pageOf("many", many, {}, key).items.length, 100);
        assert.equal(pageOf("many", many, { maxResults: 0 }, key).items.length, 100);
        assert.equal(pageOf("many", many, { maxResults: 1000 }, key).nextToken, undefined);
    });

    it("refuses a token that is none, another list's, or of an entry that is gone", () => {
        const { nextToken } = pageOf("letters", items, { maxResults: 1 }, key);
        const expected = `InvalidToken: ${invalidToken().message}`;
        for (const [list, entries, token] of [
            ["letters", items, "none"],
            ["others", items, nextToken],
            ["letters", items.slice(1), nextToken],
        ] as const) {
            assert.equal(
                refused(() => pageOf(list, entries, { nextToken: token }, key)),
                expected,
            );
        }
    });
});

describe("an ARN", () => {
    const machine = "arn:aws:states:eu-central-1:000000000000:stateMachine:m";

    it("names a machine, its version or its alias", () => {
        assert.deepEqual(machineArn(machine), { machine, qualifier: undefined });
        assert.deepEqual(machineArn(`${machine}:7`), { machine, qualifier: "7" });
        assert.deepEqual(machineArn(`${machine}:live`), { machine, qualifier: "live" });
    });

    it("is refused in AWS's words", () => {
        assert.equal(
            refused(() => machineArn("not_a_valid_arn")),
            "InvalidArn: Invalid Arn: 'Invalid ARN prefix: not_a_valid_arn'",
        );
        assert.equal(
            refused(() => machineArn(machine.replace("stateMachine", "express"))),
            "InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'",
        );
    });
});

describe("a name", () => {
    for (const name of [
        "a b",
        "a<b",
        "a{b",
        "a?b",
        'a"b',
        "a#b",
        "a\\b",
        "a^b",
        "a`b",
        "a$b",
        "a,b",
        "a:b",
        "a/b",
        "a\u007f",
    ]) {
        it(`${JSON.stringify(name)} is refused`, () => {
            assert.equal(
                refused(() => checkName(name)),
                `InvalidName: Invalid Name: '${name}'`,
            );
        });
    }

    it("may have other letters than English ones", () => {
        assert.doesNotThrow(() => checkName("prüfung_1.a-b+c=d@e"));
    });
});

describe("tags", () => {
    it("are at most 50, and replaced by name", () => {
        const tags = new Map([["a", "1"]]);
        addTags(tags, [{ key: "a", value: "2" }], "arn");
        assert.deepEqual([...tags], [["a", "2"]]);
        const many = Array.from({ length: 50 }, (_, index) => ({ key: `k${index}`, value: "" }));
        assert.match(
            refused(() => addTags(tags, many, "arn")),
            /^TooManyTags: .*51.*50/,
        );
        assert.equal(tags.size, 1, "nothing of a refused request is kept");
    });
});

describe("a task that waits for its token", () => {
    const request = (token: string | undefined, signal = new AbortController().signal): TaskRequest =>
        ({
            resource: "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            context: token === undefined ? {} : { Task: { Token: token } },
            signal,
            heartbeat: () => undefined,
        }) as unknown as TaskRequest;
    const never = () => new Promise<never>(() => undefined);

    it("ends by what is sent for it", async () => {
        const tokens = new TaskTokens();
        const done = tokens.answered(never)(request("t"));
        tokens.heartbeat("t");
        tokens.succeed("t", '{"a":1}');
        assert.deepEqual(await done, { a: 1 });
        assert.match(
            refused(() => tokens.succeed("t", "{}")),
            /^TaskTimedOut: /,
        );
        const failed = tokens.answered(never)(request("u"));
        tokens.fail("u", "Mine", "because");
        await assert.rejects(failed, { error: "Mine", cause: "because" });
    });

    it("refuses a token that nobody gave, and an output that is no JSON, and goes on waiting", async () => {
        const tokens = new TaskTokens();
        assert.equal(
            refused(() => tokens.succeed("none", "{}")),
            "InvalidToken: Invalid Token: 'Invalid token'",
        );
        const done = tokens.answered(never)(request("t"));
        assert.match(
            refused(() => tokens.succeed("t", "{")),
            /^InvalidOutput: Invalid Output: /,
        );
        tokens.succeed("t", "7");
        assert.equal(await done, 7);
    });

    it("has timed out once its state has", async () => {
        const tokens = new TaskTokens();
        const state = new AbortController();
        const done = tokens.answered(never)(request("t", state.signal));
        state.abort(new Error("timeout"));
        await assert.rejects(done, /timeout/);
        assert.match(
            refused(() => tokens.heartbeat("t")),
            /^TaskTimedOut: /,
        );
    });

    it("has tokens that are never the same", () => {
        const tokens = new TaskTokens();
        assert.equal(new Set(Array.from({ length: 100 }, () => tokens.make())).size, 100);
    });
});
