import { noPrices, type JudgeBudget } from "../lib/budget";
import type { Rule } from "../lib/rule";
import { alarmHasAction } from "./alarm-has-action";
import { batchComputeBounded } from "./batch-compute-bounded";
import { batchJobKeepsRevisions } from "./batch-job-keeps-revisions";
import { batchJobLogs } from "./batch-job-logs";
import { batchJobNoSecrets } from "./batch-job-no-secrets";
import { batchJobNotPrivileged } from "./batch-job-not-privileged";
import { batchJobRetry } from "./batch-job-retry";
import { batchJobTimeout } from "./batch-job-timeout";
import { dataProtected } from "./data-protected";
import { definitionKnownAtPreview } from "./definition-known-at-preview";
import { ecrLifecycle } from "./ecr-lifecycle";
import { ecrRepositoryNotPublic } from "./ecr-repository-not-public";
import { ecrScanOnPush } from "./ecr-scan-on-push";
import { ecrTagsImmutable } from "./ecr-tags-immutable";
import { eventTargetDeadLetter } from "./event-target-dead-letter";
import { iamNoAdmin } from "./iam-no-admin";
import { iamNoManagedPolicies } from "./iam-no-managed-policies";
import { iamPassRoleConditions } from "./iam-pass-role-conditions";
import { iamTrustSourceConditions } from "./iam-trust-source-conditions";
import { iamWildcards } from "./iam-wildcards";
import { imagesPinned } from "./images-pinned";
import { kmsKeyNotPublic } from "./kms-key-not-public";
import { kmsKeyRotation } from "./kms-key-rotation";
import { lambdaLogGroup } from "./lambda-log-group";
import { lambdaNoSecrets } from "./lambda-no-secrets";
import { lambdaPermissionSource } from "./lambda-permission-source";
import { lambdaRuntimeCurrent } from "./lambda-runtime-current";
import { lambdaTimeout } from "./lambda-timeout";
import { lambdaTracing } from "./lambda-tracing";
import { logGroupEncrypted } from "./log-group-encrypted";
import { logGroupRetention } from "./log-group-retention";
import { noOutputText } from "./no-output-text";
import { runBudgetProvable } from "./run-budget-provable";
import { runWithinBudget } from "./run-within-budget";
import { s3BucketAccessLogged } from "./s3-bucket-access-logged";
import { s3BucketAclsDisabled } from "./s3-bucket-acls-disabled";
import { s3BucketEncrypted } from "./s3-bucket-encrypted";
import { s3BucketLifecycle } from "./s3-bucket-lifecycle";
import { s3BucketNotPublic } from "./s3-bucket-not-public";
import { s3BucketPublicAccessBlocked } from "./s3-bucket-public-access-blocked";
import { s3BucketTlsOnly } from "./s3-bucket-tls-only";
import { s3BucketVersioned } from "./s3-bucket-versioned";
import { securityGroupNoOpenIngress } from "./security-group-no-open-ingress";
import { sfnDefinitionSound } from "./sfn-definition-sound";
import { sfnFailureRule } from "./sfn-failure-rule";
import { sfnJobsSound } from "./sfn-jobs-sound";
import { sfnLogGroupName } from "./sfn-log-group-name";
import { sfnLogging } from "./sfn-logging";
import { sfnLoopsBounded } from "./sfn-loops-bounded";
import { sfnNoSecrets } from "./sfn-no-secrets";
import { sfnNoSilentFailure } from "./sfn-no-silent-failure";
import { sfnTracing } from "./sfn-tracing";
import { sfnVariablesAssigned } from "./sfn-variables-assigned";
import { sfnWarnings } from "./sfn-warnings";
import { snsTopicEncrypted } from "./sns-topic-encrypted";
import { snsTopicNotPublic } from "./sns-topic-not-public";
import { snsTopicTlsOnly } from "./sns-topic-tls-only";
import { sqsQueueEncrypted } from "./sqs-queue-encrypted";
import { sqsQueueNotPublic } from "./sqs-queue-not-public";
import { sqsQueueTlsOnly } from "./sqs-queue-tls-only";
import { suppressionsNeeded } from "./suppressions-needed";
import { tagsRequired } from "./tags-required";

/** What a pack knows of its program beyond the resources. */
export interface HandedIn {
    /** What knows prices. Default: nothing does, and the rules on the budget do not apply. */
    readonly judgeBudget?: JudgeBudget;
}

/**
 * Every rule of the pack, with what is handed in. The last one judges the suppressions that the others needed, so it
 * stays last.
 */
export const rulesWith = ({ judgeBudget = noPrices }: HandedIn = {}): readonly Rule[] => [
    definitionKnownAtPreview,
    sfnDefinitionSound,
    sfnNoSilentFailure,
    sfnVariablesAssigned,
    sfnLoopsBounded,
    sfnJobsSound,
    sfnWarnings,
    sfnFailureRule,
    sfnLogging,
    sfnLogGroupName,
    sfnTracing,
    sfnNoSecrets,
    alarmHasAction,
    batchComputeBounded,
    batchJobKeepsRevisions,
    batchJobLogs,
    batchJobNoSecrets,
    batchJobNotPrivileged,
    batchJobRetry,
    batchJobTimeout,
    dataProtected,
    ecrLifecycle,
    ecrRepositoryNotPublic,
    ecrScanOnPush,
    ecrTagsImmutable,
    eventTargetDeadLetter,
    iamNoAdmin,
    iamNoManagedPolicies,
    iamPassRoleConditions,
    iamTrustSourceConditions,
    iamWildcards,
    imagesPinned,
    kmsKeyNotPublic,
    kmsKeyRotation,
    lambdaLogGroup,
    lambdaNoSecrets,
    lambdaPermissionSource,
    lambdaRuntimeCurrent,
    lambdaTimeout,
    lambdaTracing,
    logGroupEncrypted,
    logGroupRetention,
    noOutputText,
    runBudgetProvable(judgeBudget),
    runWithinBudget(judgeBudget),
    s3BucketAccessLogged,
    s3BucketAclsDisabled,
    s3BucketEncrypted,
    s3BucketLifecycle,
    s3BucketNotPublic,
    s3BucketPublicAccessBlocked,
    s3BucketTlsOnly,
    s3BucketVersioned,
    securityGroupNoOpenIngress,
    snsTopicEncrypted,
    snsTopicNotPublic,
    snsTopicTlsOnly,
    sqsQueueEncrypted,
    sqsQueueNotPublic,
    sqsQueueTlsOnly,
    tagsRequired,
    suppressionsNeeded,
];

/** Every rule, with nothing handed in. */
export const rules: readonly Rule[] = rulesWith();
