import * as scheduler from "@pulumi/aws/scheduler";
import * as pulumi from "@pulumi/pulumi";
import { alarms, type AlarmSpec } from "./alarm";
import { startStatements, trustPolicy } from "./iam";
import type { StageNames } from "./names";
import { StageRole } from "./role";
import type { StageTags } from "./tags";

export interface TrainingScheduleArgs {
    readonly names: StageNames;
    /** `rate(...)`, `cron(...)` or `at(...)`, as EventBridge Scheduler reads it. */
    readonly expression: string;
    /** IANA name of the time zone that cron and at are meant in. */
    readonly timezone: string;
    /** The input of each execution: JSON. */
    readonly input: string;
    readonly keyArn: pulumi.Input<string>;
    readonly tags: StageTags;
}

/**
 * What says that a schedule started nothing. The failed start itself lies in the queue of undelivered messages, which
 * has an alarm of its own. Metrics: "Monitoring Amazon EventBridge Scheduler with Amazon CloudWatch", EventBridge
 * Scheduler User Guide.
 */
function scheduleAlarms(names: StageNames): AlarmSpec[] {
    const group = { ScheduleGroup: names.scheduleGroup };
    return [
        {
            name: "schedule-dropped",
            metric: "InvocationDroppedCount",
            statistic: "Sum",
            namespace: "AWS/Scheduler",
            dimensions: group,
            description:
                "The schedule could not start a training: look at its role and at the queue of undelivered messages.",
        },
        {
            name: "schedule-lost",
            metric: "InvocationsFailedToBeSentToDeadLetterCount",
            statistic: "Sum",
            namespace: "AWS/Scheduler",
            dimensions: group,
            description: "A start by the schedule could neither be done nor kept in the queue of undelivered messages.",
        },
    ];
}

/**
 * Starts an execution with the same input again and again. A start that AWS delivers twice costs nothing that is
 * finished already: the second execution finds what the first one trained.
 */
export class TrainingSchedule extends pulumi.ComponentResource {
    readonly arn: pulumi.Output<string>;

    constructor(name: string, args: TrainingScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:scheduler:TrainingSchedule", name, {}, opts);
        const { names, tags } = args;
        const child = { parent: this };
        // A group of its own: the default one is shared with whatever else the account schedules, and the trust names a
        // group.
        const group = new scheduler.ScheduleGroup(name, { name: names.scheduleGroup, tags }, child);
        const role = new StageRole(
            `${name}-role`,
            {
                roleName: names.role("schedule"),
                description: "Starts the training by the schedule",
                trust: trustPolicy(names.identity, "scheduler.amazonaws.com", names.scheduleGroupArn),
                statements: [
                    ...startStatements(names),
                    // Scheduler sends what it could not deliver with the schedule's own role, not by the queue's
                    // policy.
                    {
                        Sid: "KeepUndelivered",
                        Effect: "Allow",
                        Action: "sqs:SendMessage",
                        Resource: names.undeliveredQueueArn,
                    },
                ],
                keyArn: args.keyArn,
                tags,
            },
            child,
        );
        const schedule = new scheduler.Schedule(
            name,
            {
                name: `${names.prefix}-training`,
                groupName: group.name,
                description: `Starts ${names.stateMachine}`,
                scheduleExpression: args.expression,
                scheduleExpressionTimezone: args.timezone,
                flexibleTimeWindow: { mode: "OFF" },
                target: {
                    arn: names.stateMachineArn,
                    roleArn: role.arn,
                    input: args.input,
                    deadLetterConfig: { arn: names.undeliveredQueueArn },
                    // A start that is hours late is better than none; after that the next one is due, or somebody looks
                    // at the queue.
                    retryPolicy: { maximumEventAgeInSeconds: 6 * 3600, maximumRetryAttempts: 185 },
                },
            },
            { ...child, dependsOn: [...role.parts] },
        );
        alarms(name, names, scheduleAlarms(names), tags, child);
        this.arn = schedule.arn;
        this.registerOutputs({ arn: this.arn });
    }
}
