/**
 * A small stage that keeps every rule of the pack, as data: the rules' own tests read it as facts, and the engine suite
 * deploys it. A mutation of it breaks exactly one rule.
 */

/** Stands for an output of another resource of the sample. */
export interface Reference {
    readonly resource: string;
    readonly output: string;
}

export interface SampleResource {
    readonly type: string;
    readonly name: string;
    readonly props: Record<string, unknown>;
    readonly protect?: boolean;
}

export function ref(resource: string, output: string): Reference {
    return { resource, output };
}

export function isReference(value: unknown): value is Reference {
    return typeof value === "object" && value !== null && "resource" in value && "output" in value;
}

export const ACCOUNT = "123456789012";
export const REGION = "eu-central-1";
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:sample-alerts`;
const MACHINE = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:sample-training`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:sample-undelivered`;
const ROLE = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const tags = { service: "sample", subservice: "training", stage: "dev" };

/** What a training of the sample may cost is known: its prices are. */
const sampleModel = { capacity: [{ instanceType: "ml.g5.xlarge" }], budgetSeconds: 3600, instanceCount: 1 };

const sampleSettings = {
    settings: { region: "us-west-2", members: { text: sampleModel }, combiner: { ...sampleModel, name: "sequence" } },
};

/** A state machine of four states that never fails in silence. */
export const sampleDefinition = {
    QueryLanguage: "JSONata",
    StartAt: "Prepare",
    TimeoutSeconds: 3600,
    States: {
        "Prepare": {
            Type: "Task",
            Resource: "arn:aws:states:::lambda:invoke",
            Arguments: {
                FunctionName: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:sample-prepare`,
                Payload: sampleSettings,
            },
            TimeoutSeconds: 60,
            Assign: { prepared: "{% $states.result.StatusCode %}" },
            Catch: [
                {
                    ErrorEquals: ["States.ALL"],
                    Assign: {
                        error:
                            "{% $exists($states.errorOutput.Error) ? $states.errorOutput.Error : 'an error without a " +
                            "name' %}",
                    },
                    Next: "Notify Failure",
                },
            ],
            Next: "Done",
        },
        "Notify Failure": {
            Type: "Task",
            Resource: "arn:aws:states:::sns:publish",
            Arguments: { TopicArn: TOPIC, Subject: "[ERROR] sample", Message: "{% 'Training failed: ' & $error %}" },
            TimeoutSeconds: 60,
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed Unnotified" }],
            Next: "Failed",
        },
        "Failed": { Type: "Fail", Error: "Notified.Failure", Cause: "A step failed; the notification says which." },
        "Failed Unnotified": {
            Type: "Fail",
            Error: "Unnotified.Failure",
            Cause: "A step failed, and so did its notification.",
        },
        "Done": { Type: "Succeed" },
    },
};

function trust(
    service: string,
    condition: Record<string, unknown> = { StringEquals: { "aws:SourceAccount": ACCOUNT } },
): string {
    return JSON.stringify({
        Version: "2012-10-17",
        Statement: [
            { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole", Condition: condition },
        ],
    });
}

function tlsOnly(action: string, resource: string, ...more: object[]): string {
    return JSON.stringify({
        Version: "2012-10-17",
        Statement: [
            {
                Sid: "TlsOnly",
                Effect: "Deny",
                Principal: "*",
                Action: action,
                Resource: resource,
                Condition: { Bool: { "aws:SecureTransport": "false" } },
            },
            ...more,
        ],
    });
}

export const sampleStage: readonly SampleResource[] = [
    {
        type: "aws:kms/key:Key",
        name: "key",
        protect: true,
        props: {
            description: "sample",
            enableKeyRotation: true,
            tags,
            policy: JSON.stringify({
                Version: "2012-10-17",
                Statement: [
                    {
                        Effect: "Allow",
                        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
                        Action: "kms:*",
                        Resource: "*",
                    },
                ],
            }),
        },
    },
    { type: "aws:s3/bucket:Bucket", name: "artifacts", protect: true, props: { bucket: "sample-artifacts", tags } },
    {
        type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        name: "artifacts-block",
        props: {
            bucket: ref("artifacts", "id"),
            blockPublicAcls: true,
            blockPublicPolicy: true,
            ignorePublicAcls: true,
            restrictPublicBuckets: true,
        },
    },
    {
        type: "aws:s3/bucketVersioning:BucketVersioning",
        name: "artifacts-versioning",
        props: { bucket: ref("artifacts", "id"), versioningConfiguration: { status: "Enabled" } },
    },
    {
        type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        name: "artifacts-lifecycle",
        props: {
            bucket: ref("artifacts", "id"),
            rules: [
                { id: "uploads", status: "Enabled", abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } },
                { id: "runs", status: "Enabled", filter: { prefix: "runs/" }, expiration: { days: 14 } },
            ],
        },
    },
    {
        type: "aws:s3/bucketObjectv2:BucketObjectv2",
        name: "artifacts-pointers",
        props: {
            bucket: ref("artifacts", "id"),
            key: "pointers.json",
            content: JSON.stringify({
                format: 1,
                pointers: [
                    { name: "published/latest.json", target: "published/", days: "forever" },
                    { name: "an execution", target: "runs/", days: 9, why: "it reads its own copy of the data" },
                ],
            }),
        },
    },
    {
        type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        name: "artifacts-encryption",
        props: {
            bucket: ref("artifacts", "id"),
            rules: [
                {
                    applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: ref("key", "arn") },
                    bucketKeyEnabled: true,
                },
            ],
        },
    },
    {
        type: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        name: "artifacts-ownership",
        props: { bucket: ref("artifacts", "id"), rule: { objectOwnership: "BucketOwnerEnforced" } },
    },
    {
        type: "aws:s3/bucketLogging:BucketLogging",
        name: "artifacts-logging",
        props: { bucket: ref("artifacts", "id"), targetBucket: "access-logs", targetPrefix: "sample/" },
    },
    {
        type: "aws:s3/bucketPolicy:BucketPolicy",
        name: "artifacts-policy",
        props: { bucket: ref("artifacts", "id"), policy: tlsOnly("s3:*", "arn:aws:s3:::sample-artifacts/*") },
    },
    {
        type: "aws:sns/topic:Topic",
        name: "alerts",
        props: { name: "sample-alerts", kmsMasterKeyId: ref("key", "arn"), tags },
    },
    {
        type: "aws:sns/topicPolicy:TopicPolicy",
        name: "alerts-policy",
        props: {
            arn: ref("alerts", "arn"),
            policy: tlsOnly("sns:Publish", TOPIC, {
                Sid: "Alarms",
                Effect: "Allow",
                Principal: { Service: "cloudwatch.amazonaws.com" },
                Action: "sns:Publish",
                Resource: TOPIC,
                Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
            }),
        },
    },
    {
        type: "aws:sqs/queue:Queue",
        name: "undelivered",
        props: { name: "sample-undelivered", sqsManagedSseEnabled: true, tags },
    },
    {
        type: "aws:sqs/queuePolicy:QueuePolicy",
        name: "undelivered-policy",
        props: {
            queueUrl: ref("undelivered", "url"),
            policy: tlsOnly("sqs:*", QUEUE, {
                Sid: "Rule",
                Effect: "Allow",
                Principal: { Service: "events.amazonaws.com" },
                Action: "sqs:SendMessage",
                Resource: QUEUE,
                Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
            }),
        },
    },
    {
        type: "aws:ecr/repository:Repository",
        name: "images",
        props: {
            name: "sample-images",
            imageTagMutability: "IMMUTABLE",
            imageScanningConfiguration: { scanOnPush: true },
            tags,
        },
    },
    {
        type: "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        name: "images-lifecycle",
        props: {
            repository: "sample-images",
            policy: JSON.stringify({ rules: [{ rulePriority: 1, action: { type: "expire" } }] }),
        },
    },
    {
        type: "aws:ecr/repositoryPolicy:RepositoryPolicy",
        name: "images-policy",
        props: {
            repository: "sample-images",
            policy: JSON.stringify({
                Statement: [
                    {
                        Effect: "Allow",
                        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
                        Action: ["ecr:BatchGetImage"],
                    },
                ],
            }),
        },
    },
    {
        type: "aws:cloudwatch/logGroup:LogGroup",
        name: "machine-logs",
        props: {
            name: "/aws/vendedlogs/states/sample-training",
            retentionInDays: 365,
            kmsKeyId: ref("key", "arn"),
            tags,
        },
    },
    {
        type: "aws:cloudwatch/logGroup:LogGroup",
        name: "function-logs",
        props: { name: "/aws/lambda/sample-prepare", retentionInDays: 365, kmsKeyId: ref("key", "arn"), tags },
    },
    {
        type: "aws:iam/role:Role",
        name: "machine-role",
        props: { name: "sample-machine", assumeRolePolicy: trust("states.amazonaws.com"), tags },
    },
    {
        type: "aws:iam/rolePolicy:RolePolicy",
        name: "machine-policy",
        props: {
            role: "sample-machine",
            policy: JSON.stringify({
                Version: "2012-10-17",
                Statement: [
                    { Sid: "Publish", Effect: "Allow", Action: ["sns:Publish"], Resource: TOPIC },
                    {
                        Sid: "Logs",
                        Effect: "Allow",
                        Action: ["logs:CreateLogDelivery", "logs:DescribeLogGroups"],
                        Resource: "*",
                    },
                    {
                        Sid: "Pass",
                        Effect: "Allow",
                        Action: "iam:PassRole",
                        Resource: ROLE("sample-training"),
                        Condition: { StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } },
                    },
                ],
            }),
        },
    },
    {
        type: "aws:iam/role:Role",
        name: "function-role",
        props: { name: "sample-function", assumeRolePolicy: trust("lambda.amazonaws.com", {}), tags },
    },
    {
        type: "aws:iam/policy:Policy",
        name: "function-policy",
        props: {
            name: "sample-function",
            tags,
            policy: JSON.stringify({
                Version: "2012-10-17",
                Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::sample-artifacts/*" }],
            }),
        },
    },
    {
        type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        name: "function-attachment",
        props: { role: "sample-function", policyArn: ref("function-policy", "arn") },
    },
    {
        type: "aws:lambda/function:Function",
        name: "prepare",
        props: {
            name: "sample-prepare",
            runtime: "nodejs22.x",
            handler: "index.handler",
            role: ref("function-role", "arn"),
            timeout: 60,
            tracingConfig: { mode: "Active" },
            environment: { variables: { LOG_LEVEL: "info" } },
            tags,
        },
    },
    {
        type: "aws:lambda/permission:Permission",
        name: "prepare-permission",
        props: {
            function: "sample-prepare",
            action: "lambda:InvokeFunction",
            principal: "events.amazonaws.com",
            sourceArn: `arn:aws:events:${REGION}:${ACCOUNT}:rule/sample-failed`,
        },
    },
    {
        type: "aws:ec2/securityGroup:SecurityGroup",
        name: "batch-group",
        props: { name: "sample-batch", description: "jobs call, nobody calls them", ingress: [], tags },
    },
    {
        type: "aws:batch/computeEnvironment:ComputeEnvironment",
        name: "compute",
        props: {
            name: "sample-compute",
            type: "MANAGED",
            tags,
            computeResources: {
                type: "FARGATE",
                maxVcpus: 16,
                subnets: ["subnet-1"],
                securityGroupIds: [ref("batch-group", "id")],
            },
        },
    },
    {
        type: "aws:batch/jobDefinition:JobDefinition",
        name: "merge",
        props: {
            name: "sample-merge",
            type: "container",
            platformCapabilities: ["FARGATE"],
            deregisterOnNewRevision: false,
            timeout: { attemptDurationSeconds: 3600 },
            retryStrategy: {
                attempts: 3,
                evaluateOnExits: [
                    { action: "RETRY", onStatusReason: "Host EC2*" },
                    { action: "EXIT", onReason: "*" },
                ],
            },
            containerProperties: JSON.stringify({
                image: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/sample-images@${DIGEST}`,
                environment: [{ name: "LOG_LEVEL", value: "info" }],
                logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/aws/batch/sample" } },
            }),
            tags,
        },
    },
    {
        type: "aws:sfn/stateMachine:StateMachine",
        name: "training",
        props: {
            name: "sample-training",
            roleArn: ref("machine-role", "arn"),
            definition: JSON.stringify(sampleDefinition),
            loggingConfiguration: {
                level: "ALL",
                includeExecutionData: true,
                logDestination: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/vendedlogs/states/sample-training:*`,
            },
            tracingConfiguration: { enabled: true },
            tags,
        },
    },
    {
        type: "aws:cloudwatch/eventRule:EventRule",
        name: "failed",
        props: {
            name: "sample-failed",
            tags,
            eventPattern: JSON.stringify({
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    status: ["FAILED", "TIMED_OUT", "ABORTED"],
                    stateMachineArn: [MACHINE],
                    error: [{ "anything-but": { prefix: "Notified." } }, null, { exists: false }],
                },
            }),
        },
    },
    {
        type: "aws:cloudwatch/eventTarget:EventTarget",
        name: "failed-target",
        props: {
            rule: ref("failed", "name"),
            arn: ref("alerts", "arn"),
            deadLetterConfig: { arn: ref("undelivered", "arn") },
        },
    },
    {
        type: "aws:cloudwatch/metricAlarm:MetricAlarm",
        name: "undelivered-alarm",
        props: {
            name: "sample-undelivered",
            comparisonOperator: "GreaterThanThreshold",
            evaluationPeriods: 1,
            threshold: 0,
            alarmActions: [ref("alerts", "arn")],
            tags,
        },
    },
];

/** What AWS adds to the sample's resources once they exist, as far as other resources or rules read it. */
export const sampleOutputs: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "key": { arn: KEY },
    "alerts": { arn: TOPIC },
    "undelivered": { arn: QUEUE, url: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/sample-undelivered` },
    "training": { arn: MACHINE },
    "machine-role": { arn: ROLE("sample-machine") },
    "function-role": { arn: ROLE("sample-function") },
    "function-policy": { arn: `arn:aws:iam::${ACCOUNT}:policy/sample-function` },
    "batch-group": { id: "sg-1" },
    "artifacts": { id: "sample-artifacts" },
    "failed": { name: "sample-failed" },
};

/** What a reference reads as once the resource exists. */
export function sampleOutput({ resource, output }: Reference): string {
    const value = sampleOutputs[resource]?.[output];
    if (value === undefined) {
        throw new Error(`The sample does not say what ${resource}.${output} is.`);
    }
    return value;
}
