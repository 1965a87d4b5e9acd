/**
 * Names and ARNs of everything that one stage consists of, computed and never asked for.
 *
 * The definition of the state machine must be known before anything exists: one unknown ARN makes the whole string
 * unknown, and every policy is skipped in silence at a new stage's first preview. So each target has an explicit name,
 * its ARN is put together here, and `dependsOn` keeps the order of creation.
 */
import { consoleUrl } from "../ground/console";

/** Where a stage lives. Asked from the provider once, and plain from then on. */
export interface Identity {
    /** `aws`, `aws-cn`, `aws-us-gov`. */
    readonly partition: string;
    readonly region: string;
    /** Twelve digits. */
    readonly account: string;
}

/** The functions of a stage, by the names that the state machine knows them by. */
export const FUNCTIONS = ["setup", "error-cause", "register", "describe-failure"] as const;
/** A function of a stage: `setup`, `error-cause`, `register` and `describe-failure`. */
export type FunctionName = (typeof FUNCTIONS)[number];

/** The Batch jobs of a stage, in the order in which they run. */
export const JOBS = ["fetch", "split", "merge", "publish"] as const;
/** A Batch job of a stage: `fetch`, `split`, `merge` or `publish`. */
export type JobName = (typeof JOBS)[number];

/** The names that the rest of a stage's names begin with or contain. */
export interface StageName {
    readonly service: string;
    readonly stage: string;
}

/** Explicit names and computed ARNs of one stage. */
export class StageNames {
    /** `<service>-<stage>`: what almost every name begins with. */
    readonly prefix: string;

    constructor(
        readonly identity: Identity,
        readonly name: StageName,
    ) {
        this.prefix = `${name.service}-${name.stage}`;
    }

    /** An ARN of this account and region. */
    arn(service: string, resource: string): string {
        const { partition, region, account } = this.identity;
        return `arn:${partition}:${service}:${region}:${account}:${resource}`;
    }

    role(name: string): string {
        return `${this.prefix}-${name}`;
    }

    roleArn(name: string): string {
        return `arn:${this.identity.partition}:iam::${this.identity.account}:role/${this.role(name)}`;
    }

    /** Bucket names are one namespace for all of AWS: account and region make this one unique. */
    get bucket(): string {
        return `${this.prefix}-${this.identity.account}-${this.identity.region}`;
    }

    get bucketArn(): string {
        return `arn:${this.identity.partition}:s3:::${this.bucket}`;
    }

    get keyAlias(): string {
        return `alias/${this.prefix}`;
    }

    get keyAliasArn(): string {
        return this.arn("kms", this.keyAlias);
    }

    topic(name: "alerts" | "operations"): string {
        return `${this.prefix}-${name}`;
    }

    topicArn(name: "alerts" | "operations"): string {
        return this.arn("sns", this.topic(name));
    }

    function(name: FunctionName): string {
        return `${this.prefix}-${name}`;
    }

    functionArn(name: FunctionName): string {
        return this.arn("lambda", `function:${this.function(name)}`);
    }

    get jobQueue(): string {
        return `${this.prefix}-jobs`;
    }

    get jobQueueArn(): string {
        return this.arn("batch", `job-queue/${this.jobQueue}`);
    }

    repository(name: string): string {
        return `${this.prefix}-${name}`;
    }

    repositoryArn(name: string): string {
        return this.arn("ecr", `repository/${this.repository(name)}`);
    }

    /** Registry host and repository, without a tag. */
    repositoryUrl(name: string): string {
        const { account, region } = this.identity;
        return `${account}.dkr.ecr.${region}.${this.domain}/${this.repository(name)}`;
    }

    get stateMachine(): string {
        return `${this.name.service}-model-training-${this.name.stage}`;
    }

    get stateMachineArn(): string {
        return this.arn("states", `stateMachine:${this.stateMachine}`);
    }

    get failureRule(): string {
        return `${this.prefix}-training-failed`;
    }

    get blockedQueueRule(): string {
        return `${this.prefix}-queue-blocked`;
    }

    get blockedQueueRuleArn(): string {
        return this.arn("events", `rule/${this.blockedQueueRule}`);
    }

    get failureRuleArn(): string {
        return this.arn("events", `rule/${this.failureRule}`);
    }

    get undeliveredQueue(): string {
        return `${this.prefix}-training-failed-undelivered`;
    }

    get undeliveredQueueArn(): string {
        return this.arn("sqs", this.undeliveredQueue);
    }

    /** The group of the stage's one schedule: metrics and the trust in Scheduler know groups, not schedules. */
    get scheduleGroup(): string {
        return this.prefix;
    }

    get scheduleGroupArn(): string {
        return this.arn("scheduler", `schedule-group/${this.scheduleGroup}`);
    }

    /** The rule that starts an execution on a new data set. */
    get newDataRule(): string {
        return `${this.prefix}-new-data`;
    }

    get newDataRuleArn(): string {
        return this.arn("events", `rule/${this.newDataRule}`);
    }

    get dashboard(): string {
        return this.prefix;
    }

    /** The group of SageMaker's model registry that the stage's ensembles are versions of. */
    get modelPackageGroup(): string {
        return this.prefix;
    }

    /**
     * Begins as the resource policy of vended logs wants it: a longer list of single groups would outgrow its 5,120
     * characters.
     */
    get stateMachineLogGroup(): string {
        return `/aws/vendedlogs/states/${this.stateMachine}`;
    }

    functionLogGroup(name: FunctionName): string {
        return `/aws/lambda/${this.function(name)}`;
    }

    get functionLogGroups(): string[] {
        return FUNCTIONS.map((name) => this.functionLogGroup(name));
    }

    get jobLogGroup(): string {
        return `/aws/batch/${this.prefix}`;
    }

    /** Log groups of SageMaker are the account's, not the stage's: every training job of the region writes there. */
    get trainingLogGroupArn(): string {
        return this.arn("logs", "log-group:/aws/sagemaker/TrainingJobs*");
    }

    logGroupArn(name: string): string {
        return this.arn("logs", `log-group:${name}`);
    }

    /** The domain of registries and service hosts in this partition. */
    get domain(): string {
        return this.identity.partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
    }

    /** Address of a page of AWS's console, for example `states/home`. */
    console(page: string, fragment?: string): string {
        return consoleUrl(this.identity.region, page, fragment);
    }
}
