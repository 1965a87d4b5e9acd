import { noPrices, type JudgeBudget } from "../lib/budget";
import type { Rule } from "../lib/rule";
import { alarmHasAction } from "./alarmHasAction";
import { batchComputeBounded } from "./batchComputeBounded";
import { batchJobKeepsRevisions } from "./batchJobKeepsRevisions";
import { batchJobLogs } from "./batchJobLogs";
import { batchJobNoSecrets } from "./batchJobNoSecrets";
import { batchJobNotPrivileged } from "./batchJobNotPrivileged";
import { batchJobRetry } from "./batchJobRetry";
import { batchJobTimeout } from "./batchJobTimeout";
import { dataProtected } from "./dataProtected";
import { definitionKnownAtPreview } from "./definitionKnownAtPreview";
import { ecrLifecycle } from "./ecrLifecycle";
import { ecrRepositoryNotPublic } from "./ecrRepositoryNotPublic";
import { ecrScanOnPush } from "./ecrScanOnPush";
import { ecrTagsImmutable } from "./ecrTagsImmutable";
import { eventTargetDeadLetter } from "./eventTargetDeadLetter";
import { iamNoAdmin } from "./iamNoAdmin";
import { iamNoManagedPolicies } from "./iamNoManagedPolicies";
import { iamPassRoleConditions } from "./iamPassRoleConditions";
import { iamTrustSourceConditions } from "./iamTrustSourceConditions";
import { iamWildcards } from "./iamWildcards";
import { imagesPinned } from "./imagesPinned";
import { kmsKeyNotPublic } from "./kmsKeyNotPublic";
import { kmsKeyRotation } from "./kmsKeyRotation";
import { lambdaLogGroup } from "./lambdaLogGroup";
import { lambdaNoSecrets } from "./lambdaNoSecrets";
import { lambdaPermissionSource } from "./lambdaPermissionSource";
import { lambdaRuntimeCurrent } from "./lambdaRuntimeCurrent";
import { lambdaTimeout } from "./lambdaTimeout";
import { lambdaTracing } from "./lambdaTracing";
import { logGroupEncrypted } from "./logGroupEncrypted";
import { logGroupRetention } from "./logGroupRetention";
import { noOutputText } from "./noOutputText";
import { pointedObjectsKept } from "./pointedObjectsKept";
import { runBudgetProvable } from "./runBudgetProvable";
import { runWithinBudget } from "./runWithinBudget";
import { s3BucketAccessLogged } from "./s3BucketAccessLogged";
import { s3BucketAclsDisabled } from "./s3BucketAclsDisabled";
import { s3BucketEncrypted } from "./s3BucketEncrypted";
import { s3BucketLifecycle } from "./s3BucketLifecycle";
import { s3BucketNotPublic } from "./s3BucketNotPublic";
import { s3BucketPublicAccessBlocked } from "./s3BucketPublicAccessBlocked";
import { s3BucketTlsOnly } from "./s3BucketTlsOnly";
import { s3BucketVersioned } from "./s3BucketVersioned";
import { securityGroupNoOpenIngress } from "./securityGroupNoOpenIngress";
import { sfnDefinitionSound } from "./sfnDefinitionSound";
import { sfnFailureRule } from "./sfnFailureRule";
import { sfnJobsSound } from "./sfnJobsSound";
import { sfnLogGroupName } from "./sfnLogGroupName";
import { sfnLogging } from "./sfnLogging";
import { sfnLoopsBounded } from "./sfnLoopsBounded";
import { sfnNoSecrets } from "./sfnNoSecrets";
import { sfnNoSilentFailure } from "./sfnNoSilentFailure";
import { sfnTracing } from "./sfnTracing";
import { sfnVariablesAssigned } from "./sfnVariablesAssigned";
import { sfnWarnings } from "./sfnWarnings";
import { snsTopicEncrypted } from "./snsTopicEncrypted";
import { snsTopicNotPublic } from "./snsTopicNotPublic";
import { snsTopicTlsOnly } from "./snsTopicTlsOnly";
import { sqsQueueEncrypted } from "./sqsQueueEncrypted";
import { sqsQueueNotPublic } from "./sqsQueueNotPublic";
import { sqsQueueTlsOnly } from "./sqsQueueTlsOnly";
import { suppressionsNeeded } from "./suppressionsNeeded";
import { tagsRequired } from "./tagsRequired";

/** What a pack knows of its program beyond the resources. */
export interface HandedIn {
    /** What knows prices. Default: nothing does, and the rules on the budget do not apply. */
    readonly judgeBudget?: JudgeBudget;
}

/**
 * Every rule of the pack, with what is handed in. The last one judges the suppressions that the others needed, so it
 * stays last.
 */
// eslint-disable-next-line max-lines-per-function -- a list, one rule a line
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
    pointedObjectsKept,
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
