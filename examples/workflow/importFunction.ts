/** The function that the workflow calls; what a team has already, and here only stands in for. */
import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as iam from "@pulumi/aws/iam";
import * as lambda from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import type { Identity } from "@ensemble-training/pulumi/provenStateMachine";

const CODE = "exports.handler = async ({ day }) => ({ day, orders: 0 });\n";

/** Declares the function with its role and its log; answers its alias `live`. */
export function importFunction(name: string, { partition, region, account }: Identity): lambda.Alias {
    const group = `/aws/lambda/${name}`;
    const log = new cloudwatch.LogGroup("import", { name: group, retentionInDays: 30 });
    const role = new iam.Role("import", {
        name: `${name}-function`,
        assumeRolePolicy: document({
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
            Condition: { StringEquals: { "aws:SourceAccount": account } },
        }),
    });
    const policy = new iam.RolePolicy("import", {
        name: "log",
        role: role.name,
        policy: document({
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: `arn:${partition}:logs:${region}:${account}:log-group:${group}:*`,
        }),
    });
    const importOrders = new lambda.Function(
        "import",
        {
            name,
            runtime: "nodejs22.x",
            handler: "index.handler",
            role: role.arn,
            timeout: 240,
            publish: true,
            code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(CODE) }),
        },
        { dependsOn: [log, policy] },
    );
    return new lambda.Alias("import", {
        name: "live",
        functionName: importOrders.name,
        functionVersion: importOrders.version,
    });
}

function document(statement: object): string {
    return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
}
