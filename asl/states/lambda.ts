import { placeOf, type Permission } from "./permissions";
import type { Template } from "./jsonata";
import type { Retry } from "./node";
import { Task, type TaskOptions } from "./task";

/** What Lambda itself does wrong: worth a retry, because the function has not failed. */
export const LAMBDA_RETRY = {
    errors: [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    seconds: 2,
    attempts: 3,
    backoff: 2,
    maximumSeconds: 20,
} satisfies Retry;

/** A call of a function. Source of the bounds: API reference of Lambda, Invoke. */
export interface LambdaInvokeOptions extends TaskOptions {
    /** ARN of a function, better of its alias: an execution that runs must not change under an update. */
    readonly functionArn: string;
    /** What the function gets; at most 262,144 bytes. */
    readonly payload: Template;
    /**
     * Waits until somebody calls SendTaskSuccess or SendTaskFailure with the token, which the payload must hand over:
     * `states.context.Task.Token`. Default: false.
     */
    readonly waitForToken?: boolean;
}

/**
 * `lambda:invoke`; the function's answer is the result's `Payload`. Retries {@link LAMBDA_RETRY} where no `retry` is
 * given.
 */
export class LambdaInvoke extends Task {
    constructor(
        name: string,
        private readonly options: LambdaInvokeOptions,
    ) {
        super(name, { retry: [LAMBDA_RETRY], ...options });
    }

    protected override resource(): string {
        const pattern = this.options.waitForToken === true ? ".waitForTaskToken" : "";
        return `arn:${placeOf(this.options.functionArn).partition}:states:::lambda:invoke${pattern}`;
    }

    protected override arguments(): Template {
        return { FunctionName: this.options.functionArn, Payload: this.options.payload };
    }

    protected override needs(): readonly Permission[] {
        const unqualified = this.options.functionArn.split(":").slice(0, 7).join(":");
        return [
            {
                actions: ["lambda:InvokeFunction"],
                resources: [`${unqualified}:*`],
                reason: "an execution started before an update calls the alias that its own definition names",
            },
        ];
    }
}
