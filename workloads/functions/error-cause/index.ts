/**
 * JSONify Error Cause: what kind of failure a Catch saw, why, which job it was and where its log is. Never fails on
 * what it is given.
 */
import { logUrl } from "../../../ground/console";
import { defined } from "../../../ground/fields";
import { joinS3 } from "../../../ground/s3Address";
import type { ErrorClass } from "../../../workflow/contract";
import { classify, oneLine } from "../../../workflow/failures";
import { messageOf } from "../../common/errors";
import { Storage, createS3 } from "../../common/storage";

export interface ErrorCauseEvent {
    readonly step?: string;
    readonly model?: string | null;
    readonly error?: string | null;
    readonly cause?: string | null;
    readonly attempt?: number;
    readonly spot?: boolean | null;
    /** Where a Batch job was to write; otherwise the job's own parameter is used. */
    readonly outputPath?: string | null;
}

export interface ErrorCauseAnswer {
    readonly class: ErrorClass;
    readonly reason: string;
    readonly jobName?: string;
    readonly logUrl?: string;
    readonly billableSeconds?: number;
}

/** A job's line is short; anything longer is no line of ours. */
const maximumFailureText = 64 * 1024;

export const handler = (event: ErrorCauseEvent): Promise<ErrorCauseAnswer> =>
    errorCause(event, new Storage(createS3()));

export async function errorCause(event: ErrorCauseEvent, storage: Pick<Storage, "text">): Promise<ErrorCauseAnswer> {
    const failure = { error: textOf(event.error), cause: textOf(event.cause), spot: event.spot === true };
    let read = classify(failure);
    // The job's own parameter says best where it wrote; the caller's path stands in where the cause is cut or empty.
    for (const outputPath of new Set([read.outputPath, textOf(event.outputPath)])) {
        const failureText = await failureFile(outputPath, storage);
        if (failureText !== undefined) {
            read = classify({ ...failure, failureText });
            break;
        }
    }
    const region = read.region ?? process.env.AWS_REGION;
    const answer = defined({
        class: read.class,
        reason: oneLine(read.reason),
        jobName: read.jobName,
        logUrl: read.log === undefined || region === undefined ? undefined : logUrl(read.log, region),
        billableSeconds: read.billableSeconds,
    });
    console.log(
        `${textOf(event.step) || "unknown step"}${event.model ? ` (${event.model})` : ""}, attempt ` +
            `${event.attempt ?? "?"}: ${answer.class}: ${answer.reason}`,
    );
    return answer;
}

/** The line that a job left; whatever keeps it from being read must not hide the failure itself. */
async function failureFile(
    outputPath: string | undefined,
    storage: Pick<Storage, "text">,
): Promise<string | undefined> {
    if (outputPath === undefined || !outputPath.startsWith("s3://")) {
        return undefined;
    }
    try {
        return await storage.text(joinS3(outputPath, "failure.txt"), maximumFailureText);
    } catch (error) {
        console.log(`note: ${messageOf(error)}`);
        return undefined;
    }
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
