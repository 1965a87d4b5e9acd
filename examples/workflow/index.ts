/** Deploys the workflow: topic, function, a role that may do exactly what the states need, and the state machine. */
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity";
import { getPartition } from "@pulumi/aws/getPartition";
import { getRegion } from "@pulumi/aws/getRegion";
import * as iam from "@pulumi/aws/iam";
import * as lambda from "@pulumi/aws/lambda";
import * as sfn from "@pulumi/aws/sfn";
import * as sns from "@pulumi/aws/sns";
import * as pulumi from "@pulumi/pulumi";
import { analyse } from "@ensemble-training/asl";
import { policyDocument } from "@ensemble-training/asl/states";
import { orderImport } from "./workflow";

export = async () => {
    const [{ accountId }, { region }, { partition }] = await Promise.all([
        getCallerIdentity(),
        getRegion(),
        getPartition(),
    ]);
    const name = `order-import-${pulumi.getStack()}`;
    const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
    const { definition, permissions } = orderImport({
        importFunctionArn: `${arn("lambda", `function:${name}`)}:live`,
        topicArn: arn("sns", name),
    });
    // The prover: the program fails, with the way to a silent failure, before anything is deployed.
    const errors = analyse(definition).filter(({ severity }) => severity === "error");
    if (errors.length > 0) {
        throw new pulumi.RunError(
            errors.map(({ message, counterExampleText = "" }) => `${message}\n    ${counterExampleText}`).join("\n"),
        );
    }

    const trust = (service: string) =>
        JSON.stringify({
            Version: "2012-10-17",
            Statement: [
                {
                    Effect: "Allow",
                    Principal: { Service: service },
                    Action: "sts:AssumeRole",
                    Condition: { StringEquals: { "aws:SourceAccount": accountId } },
                },
            ],
        });
    const topic = new sns.Topic("failures", { name });
    const functionRole = new iam.Role("import", {
        name: `${name}-function`,
        assumeRolePolicy: trust("lambda.amazonaws.com"),
    });
    const functionLog = new cloudwatch.LogGroup("import", { name: `/aws/lambda/${name}`, retentionInDays: 30 });
    const functionPolicy = new iam.RolePolicy("import", {
        name: "log",
        role: functionRole.name,
        policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
                {
                    Effect: "Allow",
                    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                    Resource: `${arn("logs", `log-group:/aws/lambda/${name}`)}:*`,
                },
            ],
        }),
    });
    const importOrders = new lambda.Function(
        "import",
        {
            name,
            runtime: "nodejs22.x",
            handler: "index.handler",
            role: functionRole.arn,
            timeout: 240,
            publish: true,
            code: new pulumi.asset.AssetArchive({
                "index.js": new pulumi.asset.StringAsset(
                    "exports.handler = async ({ day }) => ({ day, orders: 0 });\n",
                ),
            }),
        },
        { dependsOn: [functionLog, functionPolicy] },
    );
    const live = new lambda.Alias("import", {
        name: "live",
        functionName: importOrders.name,
        functionVersion: importOrders.version,
    });
    const role = new iam.Role("machine", { name, assumeRolePolicy: trust("states.amazonaws.com") });
    // The union of what the states need, and nothing else.
    const policy = new iam.RolePolicy("machine", {
        name: "tasks",
        role: role.name,
        policy: JSON.stringify(policyDocument(permissions)),
    });
    const machine = new sfn.StateMachine(
        "machine",
        { name, roleArn: role.arn, definition: JSON.stringify(definition) },
        {
            dependsOn: [policy, live, topic],
        },
    );
    return { stateMachineArn: machine.arn, topicArn: topic.arn };
};
