/**
 * Imports a day's orders; whatever goes wrong is told before the execution fails. No Pulumi here, so that a test can
 * run it.
 */
import {
    Fail,
    jsonata,
    LambdaInvoke,
    SnsPublish,
    stateMachine,
    states,
    text,
    type Machine,
} from "@ensemble-training/asl/states";

/** What the workflow calls. Computed ARNs rather than outputs: then the definition is known, and judged, at preview. */
export interface Targets {
    /** ARN of an alias: an execution that runs does not change under an update. */
    readonly importFunctionArn: string;
    readonly topicArn: string;
}

/** The definition, and the permissions that its Tasks need. */
export function orderImport({ importFunctionArn, topicArn }: Targets): Machine {
    const failure = states.input<{ readonly error: string; readonly cause: string }>();
    const caught = { error: text(states.errorOutput.Error), cause: text(states.errorOutput.Cause) };
    return stateMachine({
        comment: "Imports the orders of a day",
        // Above the longest way, retries included; the prover says so otherwise: no state could catch that it is over.
        timeoutSeconds: 1_800,
        states: [
            new LambdaInvoke("Import Orders", {
                functionArn: importFunctionArn,
                payload: { day: states.input<{ readonly day: string }>().day },
                timeoutSeconds: 300,
                output: states.result<{ readonly Payload: { readonly orders: number } }>().Payload,
                catch: [{ output: caught, next: "Tell Us" }],
            }),
            new SnsPublish("Tell Us", {
                topicArn,
                subject: "Order import failed",
                message: jsonata`${failure.error} & ': ' & ${failure.cause}`,
                timeoutSeconds: 60,
                output: failure,
                next: "Import Failed",
                catch: [{ output: failure, next: "Nobody Told" }],
            }),
            // The name says that a message went out: the rule outside tells of all other ends.
            new Fail("Import Failed", { error: "Notified.ImportFailed", cause: text(failure.cause) }),
            new Fail("Nobody Told", { error: "ImportFailed", cause: text(failure.cause) }),
        ],
    });
}
