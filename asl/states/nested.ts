import { checkText } from "./bounds";
import { managedRule, placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** An execution of another state machine. Source of the bounds: API reference of Step Functions, StartExecution. */
export interface StartExecutionOptions extends TaskOptions {
    /** ARN of the state machine, a version or an alias. */
    readonly stateMachineArn: string;
    /** At most 262,144 bytes. Default: `{}`. */
    readonly input?: Template;
    /**
     * 1 to 80 characters; must differ by attempt, redrive and retry, for a name is never taken twice. Default: AWS's
     * own.
     */
    readonly name?: string | Expression<string>;
}

/**
 * `states:startExecution.sync:2`: starts an execution, waits for its end, and stops it when this execution is stopped.
 * The result's
 * `Output` is what the execution put out, as JSON.
 */
export class StartExecution extends Task {
    constructor(
        name: string,
        private readonly options: StartExecutionOptions,
    ) {
        super(name, options);
        checkText({ state: name, field: "name" }, options.name, {
            min: 1,
            max: 80,
            pattern: /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]+$/u,
            words: 'without blanks and none of <>{}[]?*"#%\\^|~`$&,;:/',
        });
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.stateMachineArn).partition}:states:::states:startExecution.sync:2`;
    }

    protected override arguments(): Template {
        const { stateMachineArn, input = {}, name } = this.options;
        return { StateMachineArn: stateMachineArn, Input: input, Name: name };
    }

    protected override needs(): readonly Permission[] {
        const { stateMachineArn } = this.options;
        const { partition, region, account, resource } = placeOf(stateMachineArn);
        // a version or an alias behind the machine's name belongs to no execution's ARN
        const machine = resource.replace(/^stateMachine:/, "").split(":")[0] ?? "";
        return [
            { actions: ["states:StartExecution"], resources: [stateMachineArn] },
            {
                actions: ["states:DescribeExecution", "states:StopExecution"],
                resources: [`arn:${partition}:states:${region}:${account}:execution:${machine}:*`],
                reason: "every execution has a name of its own",
            },
            managedRule({ partition, region, account }, "StepFunctionsGetEventsForStepFunctionsExecutionRule"),
        ];
    }
}
