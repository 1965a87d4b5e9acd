/**
 * What the test provider knows of AWS: which properties name a resource, what becomes known only when it exists, and
 * what a change does. Enough for the engine's questions (is it a change, does it replace, what is unknown at preview)
 * to get the answers that the real provider gives; nothing is simulated beyond that.
 */
import { createHash } from "node:crypto";

export type Props = Record<string, unknown>;

/**
 * The engine's mark for a value that is not known yet (a string; other kinds have other marks, which only inputs
 * carry).
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface Account {
    readonly account: string;
    readonly region: string;
}

export interface ResourceType {
    /**
     * The property that names the resource; generated from the Pulumi name where it is missing, and a change replaces.
     */
    readonly name?: string;
    /** Other properties whose change replaces. */
    readonly replaceOn?: readonly string[];
    /** The id, once it exists. Default: the name. */
    readonly id?: (inputs: Props, at: Account, revision: number) => string;
    /** What else becomes known when it exists. */
    readonly outputs?: (inputs: Props, at: Account, revision: number, id: string) => Props;
    /** Outputs that an update changes, so that they are unknown while it is previewed. */
    readonly changing?: readonly string[];
    /** AWS refuses to delete it while this is true of another resource. */
    readonly heldBy?: { readonly type: string; readonly holds: (own: Props, other: Props) => boolean };
}

function hash(text: string, length = 12): string {
    return createHash("sha256").update(text).digest("hex").slice(0, length);
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

function arn(service: string, resource: (name: string, inputs: Props) => string, options: { global?: boolean } = {}) {
    return (inputs: Props, at: Account, name: string): string =>
        `arn:aws:${service}:${options.global === true ? "" : at.region}:${service === "s3" ? "" : at.account}:` +
        `${resource(name, inputs)}`;
}

type ArnOf = (inputs: Props, at: Account, name: string) => string;

/** A resource with a name, that name as its id, and an ARN. */
function named(arnOf: ArnOf, more: Partial<ResourceType> = {}): ResourceType {
    return { name: "name", outputs: (inputs, at) => ({ arn: arnOf(inputs, at, text(inputs.name)) }), ...more };
}

/** A resource with a name whose id is its ARN. */
function namedByArn(arnOf: ArnOf, more: Partial<ResourceType> = {}): ResourceType {
    return named(arnOf, { id: (inputs, at) => arnOf(inputs, at, text(inputs.name)), ...more });
}

/** A resource whose id AWS draws. */
function drawn(prefix: string, more: Partial<ResourceType> = {}): ResourceType {
    return { id: (inputs) => `${prefix}-${hash(JSON.stringify(inputs), 17)}`, ...more };
}

/** A resource that configures another one, and is identified by it. */
function beside(property: string, more: Partial<ResourceType> = {}): ResourceType {
    return { id: (inputs) => text(inputs[property]), replaceOn: [property], ...more };
}

const ec2 = (kind: string, prefix: string, more: Partial<ResourceType> = {}): ResourceType =>
    drawn(prefix, {
        outputs: (_inputs, at, _revision, id) => ({
            arn: `arn:aws:ec2:${at.region}:${at.account}:${kind}/${id}`,
            ownerId: at.account,
        }),
        ...more,
    });

const role: ArnOf = arn("iam", (name, inputs) => `role${text(inputs.path ?? "/")}${name}`, { global: true });
const policy: ArnOf = arn("iam", (name, inputs) => `policy${text(inputs.path ?? "/")}${name}`, { global: true });
const fn: ArnOf = arn("lambda", (name) => `function:${name}`);
const queue = (inputs: Props, at: Account): string =>
    `https://sqs.${at.region}.amazonaws.com/${at.account}/${text(inputs.name)}`;
const jobDefinition = (inputs: Props, at: Account): string =>
    `arn:aws:batch:${at.region}:${at.account}:job-definition/${text(inputs.name)}`;

export const AWS_TYPES: Readonly<Record<string, ResourceType>> = {
    "aws:batch/computeEnvironment:ComputeEnvironment": named(
        arn("batch", (name) => `compute-environment/${name}`),
        {
            replaceOn: ["type"],
            outputs: (inputs, at) => {
                const own = `arn:aws:batch:${at.region}:${at.account}:compute-environment/${text(inputs.name)}`;
                return {
                    arn: own,
                    status: "VALID",
                    ecsClusterArn: `arn:aws:ecs:${at.region}:${at.account}:cluster/${text(inputs.name)}`,
                };
            },
            heldBy: {
                type: "aws:batch/jobQueue:JobQueue",
                holds: (own, queueProps) =>
                    JSON.stringify(queueProps.computeEnvironmentOrders ?? []).includes(text(own.arn)),
            },
        },
    ),
    "aws:batch/jobDefinition:JobDefinition": {
        name: "name",
        id: (inputs, at, revision) => `${jobDefinition(inputs, at)}:${revision}`,
        outputs: (inputs, at, revision) => ({
            arn: `${jobDefinition(inputs, at)}:${revision}`,
            arnPrefix: jobDefinition(inputs, at),
            revision,
        }),
        changing: ["arn", "revision"],
    },
    "aws:batch/jobQueue:JobQueue": namedByArn(arn("batch", (name) => `job-queue/${name}`)),
    "aws:cloudwatch/dashboard:Dashboard": {
        name: "dashboardName",
        outputs: (inputs, at) => ({
            dashboardArn: `arn:aws:cloudwatch::${at.account}:dashboard/${text(inputs.dashboardName)}`,
        }),
    },
    "aws:cloudwatch/eventRule:EventRule": named(arn("events", (name) => `rule/${name}`)),
    "aws:cloudwatch/eventTarget:EventTarget": {
        name: "targetId",
        replaceOn: ["rule", "eventBusName"],
        id: (inputs) => `${text(inputs.rule)}-${text(inputs.targetId)}`,
    },
    "aws:cloudwatch/logGroup:LogGroup": named(arn("logs", (name) => `log-group:${name}`)),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": { name: "policyName" },
    "aws:cloudwatch/metricAlarm:MetricAlarm": named(arn("cloudwatch", (name) => `alarm:${name}`)),
    "aws:ec2/internetGateway:InternetGateway": ec2("internet-gateway", "igw"),
    "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation": drawn("rtbassoc"),
    "aws:ec2/route:Route": drawn("r", { replaceOn: ["routeTableId", "destinationCidrBlock"] }),
    "aws:ec2/routeTable:RouteTable": ec2("route-table", "rtb", { replaceOn: ["vpcId"] }),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": drawn("rtbassoc", { replaceOn: ["subnetId"] }),
    "aws:ec2/securityGroup:SecurityGroup": ec2("security-group", "sg", {
        name: "name",
        replaceOn: ["vpcId", "description"],
    }),
    "aws:ec2/securityGroupRule:SecurityGroupRule": drawn("sgrule", { replaceOn: ["securityGroupId", "type"] }),
    "aws:ec2/subnet:Subnet": ec2("subnet", "subnet", { replaceOn: ["vpcId", "cidrBlock", "availabilityZone"] }),
    "aws:ec2/vpc:Vpc": ec2("vpc", "vpc", { replaceOn: ["cidrBlock"] }),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ec2("vpc-endpoint", "vpce", {
        replaceOn: ["vpcId", "serviceName", "vpcEndpointType"],
    }),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": drawn("sgr", { replaceOn: ["securityGroupId"] }),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": drawn("sgr", { replaceOn: ["securityGroupId"] }),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": beside("repository"),
    "aws:ecr/repository:Repository": named(
        arn("ecr", (name) => `repository/${name}`),
        {
            outputs: (inputs, at) => ({
                arn: `arn:aws:ecr:${at.region}:${at.account}:repository/${text(inputs.name)}`,
                registryId: at.account,
                repositoryUrl: `${at.account}.dkr.ecr.${at.region}.amazonaws.com/${text(inputs.name)}`,
            }),
        },
    ),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": beside("repository"),
    "aws:iam/instanceProfile:InstanceProfile": named(
        arn("iam", (name) => `instance-profile/${name}`, { global: true }),
    ),
    "aws:iam/policy:Policy": namedByArn(policy, { replaceOn: ["description", "path"] }),
    "aws:iam/role:Role": named(role, {
        replaceOn: ["path"],
        outputs: (inputs, at) => ({
            arn: role(inputs, at, text(inputs.name)),
            uniqueId: `AROA${hash(text(inputs.name), 16).toUpperCase()}`,
        }),
    }),
    "aws:iam/rolePolicy:RolePolicy": {
        name: "name",
        replaceOn: ["role"],
        id: (inputs) => `${text(inputs.role)}:${text(inputs.name)}`,
    },
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": drawn("attachment", { replaceOn: ["role", "policyArn"] }),
    "aws:kms/alias:Alias": named(arn("kms", (name) => name)),
    "aws:kms/key:Key": {
        id: (inputs, at) =>
            hash(`${at.account}${text(inputs.description)}`, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
        outputs: (_inputs, at, _revision, id) => ({
            arn: `arn:aws:kms:${at.region}:${at.account}:key/${id}`,
            keyId: id,
        }),
    },
    "aws:lambda/alias:Alias": {
        name: "name",
        replaceOn: ["functionName"],
        id: (inputs, at) => `${fn(inputs, at, functionName(inputs.functionName))}:${text(inputs.name)}`,
        outputs: (inputs, at) => ({ arn: `${fn(inputs, at, functionName(inputs.functionName))}:${text(inputs.name)}` }),
    },
    "aws:lambda/eventSourceMapping:EventSourceMapping": drawn("mapping", { replaceOn: ["eventSourceArn"] }),
    "aws:lambda/function:Function": {
        name: "name",
        outputs: (inputs, at, revision) => {
            const own = fn(inputs, at, text(inputs.name));
            return {
                arn: own,
                version: inputs.publish === true ? String(revision) : "$LATEST",
                qualifiedArn: `${own}:${revision}`,
                invokeArn: `arn:aws:apigateway:${at.region}:lambda:path/2015-03-31/functions/${own}/invocations`,
                lastModified: `revision ${revision}`,
            };
        },
        changing: ["version", "qualifiedArn", "lastModified"],
    },
    "aws:lambda/permission:Permission": {
        name: "statementId",
        replaceOn: ["function", "action", "principal", "sourceArn"],
    },
    "aws:s3/bucket:Bucket": {
        name: "bucket",
        outputs: (inputs, at) => ({
            arn: `arn:aws:s3:::${text(inputs.bucket)}`,
            bucketDomainName: `${text(inputs.bucket)}.s3.amazonaws.com`,
            bucketRegionalDomainName: `${text(inputs.bucket)}.s3.${at.region}.amazonaws.com`,
        }),
    },
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": beside("bucket"),
    "aws:s3/bucketLogging:BucketLogging": beside("bucket"),
    "aws:s3/bucketNotification:BucketNotification": beside("bucket"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": beside("bucket"),
    "aws:s3/bucketPolicy:BucketPolicy": beside("bucket"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": beside("bucket"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": beside("bucket"),
    "aws:s3/bucketVersioning:BucketVersioning": beside("bucket"),
    "aws:s3/bucketObjectv2:BucketObjectv2": {
        id: (inputs) => `${text(inputs.bucket)}/${text(inputs.key)}`,
        replaceOn: ["bucket", "key"],
    },
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": {
        name: "modelPackageGroupName",
        outputs: (inputs, at) => ({
            arn:
                `arn:aws:sagemaker:${at.region}:${at.account}:model-package-group/` +
                `${text(inputs.modelPackageGroupName)}`,
        }),
    },
    "aws:scheduler/schedule:Schedule": named(
        arn("scheduler", (name, inputs) => `schedule/${text(inputs.groupName ?? "default")}/${name}`),
        {
            replaceOn: ["groupName"],
        },
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": named(arn("scheduler", (name) => `schedule-group/${name}`)),
    "aws:sfn/stateMachine:StateMachine": namedByArn(
        arn("states", (name) => `stateMachine:${name}`),
        {
            replaceOn: ["type"],
            outputs: (inputs, at, revision) => ({
                arn: `arn:aws:states:${at.region}:${at.account}:stateMachine:${text(inputs.name)}`,
                status: "ACTIVE",
                revisionId: String(revision),
                creationDate: "2026-01-01T00:00:00Z",
            }),
            changing: ["revisionId"],
        },
    ),
    "aws:sns/topic:Topic": namedByArn(
        arn("sns", (name) => name),
        {
            outputs: (inputs, at) => ({
                arn: `arn:aws:sns:${at.region}:${at.account}:${text(inputs.name)}`,
                owner: at.account,
            }),
        },
    ),
    "aws:sns/topicPolicy:TopicPolicy": beside("arn"),
    "aws:sns/topicSubscription:TopicSubscription": drawn("subscription", {
        replaceOn: ["topic", "protocol", "endpoint"],
        outputs: (inputs, _at, _revision, id) => ({
            arn: `${text(inputs.topic)}:${id}`,
            pendingConfirmation: inputs.protocol === "email",
        }),
    }),
    "aws:sqs/queue:Queue": {
        name: "name",
        id: queue,
        outputs: (inputs, at) => ({
            arn: `arn:aws:sqs:${at.region}:${at.account}:${text(inputs.name)}`,
            url: queue(inputs, at),
        }),
    },
    "aws:sqs/queuePolicy:QueuePolicy": beside("queueUrl"),
};

export const DOCKER_BUILD_TYPES: Readonly<Record<string, ResourceType>> = {
    "docker-build:index:Image": {
        id: (inputs) => hash(JSON.stringify(inputs.tags ?? []), 32),
        outputs: (inputs) => {
            const digest = `sha256:${hash(JSON.stringify(inputs), 64)}`;
            return {
                digest,
                contextHash: hash(JSON.stringify(inputs.context ?? {}), 64),
                ref: `${text(((inputs.tags as unknown[]) ?? [])[0])}@${digest}`,
            };
        },
        changing: ["digest", "contextHash", "ref"],
    },
};

function functionName(reference: unknown): string {
    return text(reference)
        .replace(/^arn:[^:]*:lambda:[^:]*:[^:]*:function:/, "")
        .split(":")[0];
}

/** What the program may ask AWS. Anything else is an error: an answer that nobody wrote would prove nothing. */
export const AWS_FUNCTIONS: Readonly<Record<string, (args: Props, at: Account) => Props>> = {
    "aws:index/getCallerIdentity:getCallerIdentity": (_args, at) => ({
        accountId: at.account,
        arn: `arn:aws:iam::${at.account}:user/engine-suite`,
        id: at.account,
        userId: "AIDAENGINESUITE",
    }),
    "aws:index/getRegion:getRegion": (args, at) => ({
        id: args.region ?? at.region,
        name: args.region ?? at.region,
        region: args.region ?? at.region,
        endpoint: `ec2.${at.region}.amazonaws.com`,
        description: at.region,
    }),
    "aws:index/getPartition:getPartition": () => ({
        id: "aws",
        partition: "aws",
        dnsSuffix: "amazonaws.com",
        reverseDnsPrefix: "com.amazonaws",
    }),
    "aws:index/getAvailabilityZones:getAvailabilityZones": (_args, at) => ({
        id: at.region,
        names: ["a", "b", "c"].map((zone) => `${at.region}${zone}`),
        zoneIds: ["1", "2", "3"],
        groupNames: [at.region],
    }),
    "aws:ec2/getVpc:getVpc": (args, at) => ({
        ...args,
        id: args.id ?? "vpc-default",
        default: args.default === true,
        cidrBlock: "172.31.0.0/16",
        ownerId: at.account,
        arn: `arn:aws:ec2:${at.region}:${at.account}:vpc/vpc-default`,
    }),
    "aws:ec2/getSubnets:getSubnets": (args, at) => ({
        ...args,
        id: at.region,
        ids: ["subnet-a", "subnet-b", "subnet-c"],
    }),
    "aws:ec2/getSecurityGroup:getSecurityGroup": (args) => ({ ...args, id: "sg-default", name: "default" }),
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": (_args, at) => ({
        id: at.region,
        userName: "AWS",
        password: "not-a-password",
        authorizationToken: "bm90LWEtdG9rZW4=",
        proxyEndpoint: `https://${at.account}.dkr.ecr.${at.region}.amazonaws.com`,
        expiresAt: "2026-01-01T12:00:00Z",
    }),
};
