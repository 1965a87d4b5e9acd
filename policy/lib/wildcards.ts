/** An action that AWS authorises on `*` only, or whose resource has no name when the policy is written. */
export interface UnavoidableWildcard {
    readonly action: string;
    /** Resources with an open name that are fine for it; `*` alone when absent. */
    readonly resource?: string;
    readonly reason: string;
}

const LOG_DELIVERY = "log delivery of a state machine is not bound to a log group (Step Functions guide, cw-logs)";
const TRACING = "X-Ray has no resource-level permission for it (Step Functions guide, xray-iam)";
const INTERFACES =
    "a training or function in a VPC makes network interfaces whose ids do not exist yet (SageMaker guide, " +
    "sagemaker-roles)";
const JOB_IDS = "job ids do not exist before the job (Service Authorization Reference, AWS Batch)";

/**
 * The wildcards that the pack accepts everywhere; RULES.md lists them. Others are allowed by the parameter `allowed`,
 * with a reason.
 */
export const UNAVOIDABLE_WILDCARDS: readonly UnavoidableWildcard[] = [
    ...[
        "CreateLogDelivery",
        "GetLogDelivery",
        "UpdateLogDelivery",
        "DeleteLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "DescribeResourcePolicies",
        "DescribeLogGroups",
    ].map((action) => ({ action: `logs:${action}`, reason: LOG_DELIVERY })),
    ...["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"].map((action) => ({
        action: `xray:${action}`,
        reason: TRACING,
    })),
    { action: "batch:DescribeJobs", reason: "AWS Batch has no resource-level permission for it" },
    { action: "batch:SubmitJob", resource: "arn:*:batch:*:*:job/*", reason: JOB_IDS },
    { action: "batch:TerminateJob", resource: "arn:*:batch:*:*:job/*", reason: JOB_IDS },
    { action: "batch:TagResource", resource: "arn:*:batch:*:*:job/*", reason: JOB_IDS },
    { action: "sagemaker:ListTags", reason: "the Step Functions guide asks for it on * (sagemaker-iam)" },
    { action: "servicequotas:ListServiceQuotas", reason: "Service Quotas has no resource-level permission for lists" },
    { action: "ecr:GetAuthorizationToken", reason: "the token is for the whole registry" },
    {
        action: "cloudwatch:PutMetricData",
        reason: "metrics have no ARN; bind it with the condition cloudwatch:namespace",
    },
    ...[
        "CreateNetworkInterface",
        "CreateNetworkInterfacePermission",
        "DeleteNetworkInterface",
        "DeleteNetworkInterfacePermission",
        "DescribeNetworkInterfaces",
        "DescribeVpcs",
        "DescribeDhcpOptions",
        "DescribeSubnets",
        "DescribeSecurityGroups",
    ].map((action) => ({ action: `ec2:${action}`, reason: INTERFACES })),
];
