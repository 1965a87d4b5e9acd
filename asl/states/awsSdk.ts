import type { Permission } from "./permissions";
import type { Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** Any call of AWS's SDK. */
export interface AwsSdkCallOptions extends TaskOptions {
    /** Name of the service as Step Functions spells it, lower case: `s3`, `sfn`, `cloudwatchlogs`. */
    readonly service: string;
    /** The operation in camel case: `putObject`, `describeInstances`. */
    readonly action: string;
    /** The operation's input, its fields in Pascal case whatever the service's own spelling is. Default: `{}`. */
    readonly arguments?: Template;
    /** What the role must be allowed; IAM's names of services and actions often differ from the SDK's. At least one. */
    readonly permissions: readonly [Permission, ...Permission[]];
    /**
     * Waits until somebody calls SendTaskSuccess or SendTaskFailure with `states.context.Task.Token`. Default: false.
     */
    readonly waitForToken?: boolean;
    /** Default: `aws`. */
    readonly partition?: string;
}

/**
 * `aws-sdk:<service>:<action>`: a call that Step Functions has no integration of its own for. It ends when the service
 * has answered: it waits for no job, and stops none.
 * Source: Step Functions Developer Guide, "Using AWS service SDK integrations".
 */
export class AwsSdkCall extends Task {
    constructor(
        name: string,
        private readonly options: AwsSdkCallOptions,
    ) {
        super(name, options);
        const wrong = (field: string, words: string, value: string): Error =>
            new Error(`state "${name}": ${field} must be ${words}, received "${value}"`);
        if (!/^[a-z0-9]+$/.test(options.service)) {
            throw wrong("service", "lower case letters and digits, like s3 or cloudwatchlogs", options.service);
        }
        if (!/^[a-z][A-Za-z0-9]*$/.test(options.action)) {
            throw wrong("action", "an operation in camel case, like putObject", options.action);
        }
    }

    protected override resource(): string {
        const { service, action, waitForToken, partition = "aws" } = this.options;
        const pattern = waitForToken === true ? ".waitForTaskToken" : "";
        return `arn:${partition}:states:::aws-sdk:${service}:${action}${pattern}`;
    }

    protected override arguments(): Template {
        return this.options.arguments ?? {};
    }

    protected override needs(): readonly Permission[] {
        return this.options.permissions;
    }
}
