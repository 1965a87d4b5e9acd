/**
 * What every failure runs through: a description for people, one message, and a Fail whose Error begins with
 * `Notified.`.
 */
import type { StepFailure } from "./batchStep";
import type { BilledJob, ErrorClass, MemberOutcome, StageSettings } from "./contract";
import { functionBound, FUNCTION_SECONDS } from "./limits";
import {
    Fail,
    jsonata,
    LambdaInvoke,
    SnsPublish,
    states,
    text,
    variable,
    type Assignments,
    type Expression,
    type Handle,
    type Retry,
    type StateNode,
    type Template,
} from "../asl/states";
import type { Targets } from "./targets";

/** What is known of a failure when it comes here. Strings, never missing. */
interface NotedFailure {
    readonly step: string;
    readonly error: string;
    readonly cause: string;
    /** The class where it was found out already, else `Unknown`. */
    readonly class: string;
    readonly reason: string;
}

/** What the describe-failure function answers, and what stands in for it when it fails itself. */
interface Report {
    readonly class: string;
    readonly subject: string;
    readonly message: string;
    readonly errorType: string;
    readonly cause: string;
}

const failure = variable<NotedFailure>("failure");
const report = variable<Report>("report");

const PUBLISH_RETRY = {
    errors: ["States.TaskFailed"],
    seconds: 2,
    attempts: 4,
    backoff: 2,
    maximumSeconds: 30,
} satisfies Retry;
/** The message is bounded by SNS; of an unread cause this much goes into it. */
const CAUSE_CHARACTERS = 20_000;

function noted(values: Record<keyof NotedFailure, string | Expression<string>>): Assignments {
    return { failure: values };
}

/** The variable `failure`, set by whoever goes to "Describe Failure". */
export const notedFailure = {
    /** In a Catch. */
    caught: (step: string): Assignments =>
        noted({
            step,
            error: text(states.errorOutput.Error),
            cause: text(states.errorOutput.Cause),
            class: "Unknown" satisfies ErrorClass,
            reason: "",
        }),
    /** After a loop that classified the error and does not try again. */
    classified:
        (step: string) =>
        ({ errorName, errorCause, errorClass, reason }: StepFailure): Assignments =>
            noted({
                step,
                error: errorName,
                cause: errorCause,
                class: errorClass,
                reason,
            }),
    /** At the join, where too many members failed; what they failed of is in their outcomes. */
    members: (): Assignments =>
        noted({
            step: "Ensemble Complete?",
            error: "MembersFailed",
            cause: "members without which there is no ensemble failed",
            class: "Unknown" satisfies ErrorClass,
            reason: "",
        }),
};

/** Longest time of the failure path in seconds. */
export function failureBound(): number {
    return (
        functionBound(FUNCTION_SECONDS) +
        (PUBLISH_RETRY.attempts + 1) * (FUNCTION_SECONDS + PUBLISH_RETRY.maximumSeconds)
    );
}

export function failurePath(
    settings: StageSettings,
    targets: Targets,
    known: {
        readonly outcomes: Handle<readonly MemberOutcome[]>;
        readonly combinerBilled: Handle<readonly BilledJob[]>;
    },
): readonly StateNode[] {
    const { service, stage, prices } = settings;
    const { outcomes, combinerBilled } = known;
    const { Execution, StateMachine } = states.context;
    const answer = states.result<{ Payload: Report }>().Payload;
    const subject = `[ERROR] - ${service} - Model Training failed!`.replace(/[^ -~]/g, "?").slice(0, 100);
    return [
        new LambdaInvoke("Describe Failure", {
            functionArn: targets.functions.describeFailure,
            payload: {
                service,
                stage,
                execution: Execution.Id,
                redriveCount: Execution.RedriveCount,
                startTime: Execution.StartTime,
                stateMachineArn: StateMachine.Id,
                step: failure.step,
                error: failure.error,
                cause: jsonata`$substring(${failure.cause}, 0, ${CAUSE_CHARACTERS})`,
                class: failure.class,
                reason: failure.reason,
                failures: jsonata`[${outcomes}[outcome = 'failed']]`,
                billed: jsonata`[${outcomes}.billed, ${combinerBilled}]`,
                prices: prices as unknown as Template | undefined,
            },
            timeoutSeconds: FUNCTION_SECONDS,
            output: {},
            assign: {
                report: {
                    class: answer.class,
                    subject: answer.subject,
                    message: answer.message,
                    errorType: nonEmpty(answer.errorType, "Unknown"),
                    cause: nonEmpty(answer.cause, "no cause given"),
                },
            },
            next: "Notify Failure",
            // The plain facts, put together here: that nobody could describe the failure must not keep it from being
            // told.
            catch: [
                {
                    output: {},
                    assign: {
                        report: {
                            class: failure.class,
                            subject,
                            message: jsonata`${`Stage ${stage}: the training failed, and describing the failure failed too.\nExecution: `} & ${Execution.Id} & '\\nStep: ' & ${failure.step} & '\\nError: ' & ${failure.error} & '\\nReason: ' & ${failure.reason} & '\\nCause: ' & $substring(${failure.cause}, 0, ${CAUSE_CHARACTERS})`,
                            errorType: nonEmpty(failure.error, "Unknown"),
                            cause: nonEmpty(jsonata`$substring(${failure.cause}, 0, 1000)`, "no cause given"),
                        },
                    },
                    next: "Notify Failure",
                },
            ],
        }),
        new SnsPublish("Notify Failure", {
            topicArn: targets.topicArn,
            kmsKeyArn: targets.kmsKeyArn,
            subject: report.subject,
            message: report.message,
            attributes: { ErrorType: report.errorType, CauseOfError: report.cause },
            timeoutSeconds: FUNCTION_SECONDS,
            retry: [PUBLISH_RETRY],
            output: {},
            next: "Training Failed",
            catch: [{ output: {}, next: "Notification Failed" }],
        }),
        new Fail("Training Failed", { error: jsonata`'Notified.' & ${report.class}`, cause: text(report.cause) }),
        // Neither `Notified.` nor `States.`: the rule on failed executions takes this one over.
        new Fail("Notification Failed", {
            error: "NotificationFailed",
            cause: jsonata`$substring('the message about this failure could not be sent: ' & ${report.message}, 0, ${CAUSE_CHARACTERS})`,
        }),
    ];
}

/** SNS refuses an empty attribute. */
function nonEmpty(value: Expression<string>, instead: string): Expression<string> {
    return jsonata`${value} = '' ? ${instead} : ${value}`;
}
