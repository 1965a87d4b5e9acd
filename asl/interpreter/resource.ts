/** How the history names what a Task's Resource calls. */
export interface ResourceKind {
    readonly kind: "lambda" | "activity" | "service";
    /** `lambda`, `batch`, `aws-sdk:s3`. */
    readonly resourceType: string;
    /** `invoke`, `submitJob.sync`. */
    readonly resource: string;
    /** Waits for the job, or for a token: its history has a TaskSubmitted. */
    readonly submits: boolean;
    readonly token: boolean;
}

const kinds = new Map<string, ResourceKind>();

export function resourceKind(arn: string): ResourceKind {
    let kind = kinds.get(arn);
    if (kind === undefined) {
        const parts = arn.split(":");
        if (parts[2] === "states" && parts[5] !== "activity" && parts.length > 6) {
            const resource = parts[parts.length - 1];
            kind = {
                kind: "service",
                resourceType: parts.slice(5, -1).join(":"),
                resource,
                submits: /\.(sync(:\d+)?|waitForTaskToken)$/u.test(resource) || /^\d+$/u.test(resource),
                token: resource.endsWith(".waitForTaskToken"),
            };
            // `startExecution.sync:2` has a colon of its own.
            const versioned = /^(.*):([^:]+\.sync:\d+)$/u.exec(parts.slice(5).join(":"));
            if (versioned !== null) {
                kind = { ...kind, resourceType: versioned[1], resource: versioned[2], submits: true };
            }
        } else {
            const activity = parts[2] === "states";
            kind = {
                kind: activity ? "activity" : "lambda",
                resourceType: activity ? "activity" : "lambda",
                resource: arn,
                submits: false,
                token: activity,
            };
        }
        kinds.set(arn, kind);
    }
    return kind;
}
