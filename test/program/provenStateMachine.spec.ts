import assert from "node:assert/strict";
import path from "node:path";
import { Fail, jsonata, LambdaInvoke, SnsPublish, stateMachine, states, text, type Machine } from "../../asl/states";
import type { Statement } from "../../components/iam";
import { callerIdentity, ProvenStateMachine, type ProvenStateMachineArgs } from "../../components/provenStateMachine";
import { evaluateStage, type EvaluatedStage, type RecordedResource } from "../../project/evaluate";

process.env.PULUMI_ERROR_OUTPUT_STRING = "1";

const ROOT = path.resolve(__dirname, "../..");
const TOPIC = "arn:aws:sns:eu-central-1:123456789012:failures";
const MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:orders-dev";

/** A call, a message where it fails, and the end of a failure that was told. */
function orders(caught: "told" | "swallowed" = "told"): Machine {
    const failure = states.input<{ readonly cause: string }>();
    const output = { cause: text(states.errorOutput.Cause) };
    return stateMachine({
        timeoutSeconds: 3_600,
        states: [
            new LambdaInvoke("Import", {
                functionArn: "arn:aws:lambda:eu-central-1:123456789012:function:import:live",
                payload: {},
                timeoutSeconds: 300,
                catch: [caught === "told" ? { output, next: "Tell" } : { next: "Done" }],
                next: "Done",
            }),
            new LambdaInvoke("Done", {
                functionArn: "arn:aws:lambda:eu-central-1:123456789012:function:done:live",
                payload: {},
                timeoutSeconds: 300,
                catch: [{ output, next: "Tell" }],
            }),
            new SnsPublish("Tell", {
                topicArn: TOPIC,
                subject: "Order import failed",
                message: jsonata`'Orders: ' & ${failure.cause}`,
                timeoutSeconds: 60,
                output: failure,
                next: "Told",
                catch: [{ output: failure, next: "Not Told" }],
            }),
            new Fail("Told", { error: "Notified.Import", cause: text(failure.cause) }),
            new Fail("Not Told", { error: "Import", cause: text(failure.cause) }),
        ],
    });
}

/** What the component declares, at the first preview of a new stack. */
function declared(more: Partial<ProvenStateMachineArgs> = {}): Promise<EvaluatedStage> {
    const program = async () => {
        const machine = new ProvenStateMachine("orders", {
            identity: await callerIdentity(),
            machine: orders(),
            failureTopicArn: TOPIC,
            ...more,
        });
        return { stateMachineArn: machine.arn };
    };
    return evaluateStage("dev", { project: { root: ROOT, program }, preview: true });
}

const one = ({ resources }: EvaluatedStage, type: string): RecordedResource["inputs"] => {
    const found = resources.filter((resource) => resource.type === type);
    assert.equal(found.length, 1, `${found.length} of ${type}`);
    return found[0]?.inputs ?? {};
};

const policies = ({ resources }: EvaluatedStage): Map<string, readonly Statement[]> =>
    new Map(
        resources
            .filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy")
            .map(({ name, inputs }) => [
                name,
                (JSON.parse(String(inputs.policy)) as { readonly Statement: readonly Statement[] }).Statement,
            ]),
    );

describe("a proven state machine", () => {
    it("is known whole at the first preview: the definition, its log, and what its role may do", async () => {
        const stage = await declared({ tags: { team: "orders" } });
        const { name, type, definition, loggingConfiguration, tags } = one(stage, "aws:sfn/stateMachine:StateMachine");
        assert.deepEqual([name, type, tags], ["orders-dev", "STANDARD", { team: "orders" }]);
        assert.deepEqual(JSON.parse(String(definition)), orders().definition);
        assert.deepEqual(loggingConfiguration, {
            level: "ALL",
            includeExecutionData: true,
            logDestination: "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/states/orders-dev:*",
        });
        const log = one(stage, "aws:cloudwatch/logGroup:LogGroup");
        assert.deepEqual([log.name, log.retentionInDays], ["/aws/vendedlogs/states/orders-dev", 30]);
        const tasks = policies(stage).get("orders") ?? [];
        const own = tasks.filter(({ Resource }) => Resource !== "*").map(({ Action, Resource }) => [Action, Resource]);
        assert.deepEqual(own, [
            [
                ["lambda:InvokeFunction"],
                [
                    "arn:aws:lambda:eu-central-1:123456789012:function:done:*",
                    "arn:aws:lambda:eu-central-1:123456789012:function:import:*",
                ],
            ],
            [["sns:Publish"], [TOPIC]],
        ]);
    });

    it("lets only this machine take its role", async () => {
        const stage = await declared();
        const role = stage.resources.find(({ type, name }) => type === "aws:iam/role:Role" && name === "orders");
        const [statement] = (JSON.parse(String(role?.inputs.assumeRolePolicy)) as { Statement: Statement[] }).Statement;
        assert.deepEqual(statement?.Condition, {
            StringEquals: { "aws:SourceAccount": "123456789012" },
            ArnLike: { "aws:SourceArn": MACHINE },
        });
    });

    it("tells of every bad end where no state tells, and else of those of which none has told", async () => {
        const pattern = async (more: Partial<ProvenStateMachineArgs>): Promise<Record<string, unknown>> => {
            const rule = one(await declared(more), "aws:cloudwatch/eventRule:EventRule");
            return (JSON.parse(String(rule.eventPattern)) as { detail: Record<string, unknown> }).detail;
        };
        const all = { stateMachineArn: [MACHINE], status: ["FAILED", "TIMED_OUT", "ABORTED"] };
        assert.deepEqual(await pattern({}), all);
        assert.deepEqual(await pattern({ notifiedPrefix: "Notified." }), {
            ...all,
            error: [{ "anything-but": { prefix: "Notified." } }, null, { exists: false }],
        });
    });

    it("keeps what could not be told, and may use the topic's key", async () => {
        const stage = await declared({ failureTopicKeyArn: "arn:aws:kms:eu-central-1:123456789012:key/k" });
        const { arn, deadLetterConfig, retryPolicy } = one(stage, "aws:cloudwatch/eventTarget:EventTarget");
        assert.equal(arn, TOPIC);
        assert.ok(deadLetterConfig);
        assert.deepEqual(retryPolicy, { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 });
        const tell = policies(stage).get("orders-failure-rule") ?? [];
        assert.deepEqual(
            tell.map(({ Action }) => Action),
            ["sns:Publish", ["kms:Decrypt", "kms:GenerateDataKey"]],
        );
    });

    it("is not deployed where a failure could be silent, and says the way", async () => {
        await assert.rejects(
            declared({ machine: orders("swallowed") }),
            /The state machine orders-dev is not deployed: its definition has \d+ errors?\.[\s\S]*Import -.*-> Done/,
        );
    });

    it("refuses a name and a retention that AWS does not know", async () => {
        await assert.rejects(
            declared({ stateMachineName: "order import" }),
            /orders: the state machine's name must be 1 to 80 letters, digits, - and _, received "order import"/,
        );
        await assert.rejects(
            declared({ logRetentionDays: 31 }),
            /orders: logRetentionDays must be one of 1, 3, .*, received 31/,
        );
    });
});
