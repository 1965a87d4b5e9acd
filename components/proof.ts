/** The proof that a definition must have before it is deployed. */
import * as pulumi from "@pulumi/pulumi";
import { analyse, type AnalysisOptions, type Finding } from "../asl/analysis";
import type { StateMachineDefinition } from "../asl/types";
import { present } from "../ground/fields";
import { NOTIFIED_PREFIX } from "./failureWatch";

/** The definition of a state machine that may fail in silence, or that AWS would refuse. */
export class UnprovenDefinitionError extends pulumi.RunError {
    constructor(
        stateMachine: string,
        readonly findings: readonly Finding[],
    ) {
        const lines = findings.map((finding) =>
            present([
                `${finding.path === "" ? "definition" : finding.path}: ${finding.message} [${finding.rule}]`,
                finding.counterExampleText === undefined ? undefined : `    ${finding.counterExampleText}`,
            ]).join("\n"),
        );
        super(
            `The state machine ${stateMachine} is not deployed: its definition has ${findings.length} ` +
                `${findings.length === 1 ? "error" : "errors"}.\n${lines.join("\n")}`,
        );
    }
}

/**
 * Refuses a definition with an error: a failure that nobody would hear of, with the shortest way to it, or something
 * that AWS refuses.
 *
 * @param options What the proof goes by, for example what the Error of a Fail begins with when a message went out
 * before it. Default: `Notified.`, and nothing else.
 * @throws UnprovenDefinitionError
 */
export function assertProven(
    stateMachine: string,
    definition: StateMachineDefinition,
    options: AnalysisOptions = { notifiedPrefix: NOTIFIED_PREFIX },
): void {
    const errors = analyse(definition, options).filter((finding) => finding.severity === "error");
    if (errors.length > 0) {
        throw new UnprovenDefinitionError(stateMachine, errors);
    }
}
