import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as sfn from "@pulumi/aws/sfn";
import * as pulumi from "@pulumi/pulumi";
import type { StateMachineDefinition } from "../asl/types";
import { observationStatements, type Statement, trustPolicy } from "./iam";
import type { StageNames } from "./names";
import { assertProven } from "./proof";
import { protection } from "./protection";
import { StageRole } from "./role";
import type { StageTags } from "./tags";

export interface TrainingStateMachineArgs {
    readonly names: StageNames;
    /** The rendered definition: plain and fully known. */
    readonly definition: StateMachineDefinition;
    /** What the definition's Tasks need. */
    readonly statements: readonly Statement[];
    readonly keyActions: readonly string[];
    readonly keyArn: pulumi.Input<string>;
    readonly logDays: number;
    readonly protectedStage: boolean;
    readonly tags: StageTags;
    /** What the definition names, and what must therefore be there before the first execution. */
    readonly dependsOn: readonly pulumi.Resource[];
}

/**
 * The state machine, its role and its log. A definition that can fail in silence fails the program, with the way to it.
 */
export class TrainingStateMachine extends pulumi.ComponentResource {
    readonly arn: pulumi.Output<string>;
    readonly stateMachineName: pulumi.Output<string>;

    constructor(name: string, args: TrainingStateMachineArgs, opts?: pulumi.ComponentResourceOptions) {
        const { names, tags } = args;
        // The definition is the component's input, as a plain object: a policy can judge it without parsing a string.
        super("ensemble:sfn:TrainingStateMachine", name, { definition: args.definition }, opts);
        assertProven(names.stateMachine, args.definition);
        const child = { parent: this };
        const logs = new cloudwatch.LogGroup(
            name,
            {
                name: names.stateMachineLogGroup,
                retentionInDays: args.logDays,
                kmsKeyId: args.keyArn,
                tags,
            },
            { ...child, ...protection("data", args.protectedStage) },
        );
        const role = new StageRole(
            `${name}-role`,
            {
                roleName: names.role("state-machine"),
                description: "What the steps of the training do",
                trust: trustPolicy(names.identity, "states.amazonaws.com", names.stateMachineArn),
                statements: [...args.statements, ...observationStatements()],
                keyActions: args.keyActions,
                keyGrants: true,
                keyArn: args.keyArn,
                tags,
            },
            child,
        );
        // No key of its own for the machine: of an encrypted one the failure rule is told no error, so it could not
        // tell which failures have been notified.
        const machine = new sfn.StateMachine(
            name,
            {
                name: names.stateMachine,
                type: "STANDARD",
                definition: JSON.stringify(args.definition),
                roleArn: role.arn,
                loggingConfiguration: {
                    level: "ALL",
                    includeExecutionData: true,
                    // Computed, not the group's output: a policy can judge it at the first preview; dependsOn keeps the
                    // order.
                    logDestination: `${names.logGroupArn(names.stateMachineLogGroup)}:*`,
                },
                tracingConfiguration: { enabled: true },
                tags,
                // Creation fails where the role's policies are not there yet: they allow the rules that the service
                // makes for its waiting.
            },
            { ...child, dependsOn: [logs, ...role.parts, ...args.dependsOn] },
        );
        this.arn = machine.arn;
        this.stateMachineName = machine.name;
        this.registerOutputs({ arn: this.arn, stateMachineName: this.stateMachineName });
    }
}
