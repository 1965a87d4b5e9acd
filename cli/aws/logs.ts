/** The newest log line of a training or of a Batch job that runs, from CloudWatch Logs. */
import { type BatchClient, DescribeJobsCommand } from "@aws-sdk/client-batch";
import {
    type CloudWatchLogsClient,
    DescribeLogStreamsCommand,
    GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { TRAINING_LOG_GROUP } from "../../ground/awsNames";
import { tellingLines } from "../../local/run/progress";

export interface JobReference {
    readonly kind: "training" | "batch";
    /** The training job's name, or the Batch job's id. */
    readonly id: string;
}

/** Every training job of an account and region writes here, each host into `<job name>/algo-<host>-<time>`. */
/** Hosts whose streams are read; more of them say much the same. */
const STREAMS = 4;
/** Of each stream: the newest line may say nothing. */
const EVENTS = 10;

export interface LogClients {
    readonly logs: CloudWatchLogsClient;
    readonly jobs: BatchClient;
}

/**
 * @returns the line, or undefined while the job has written none.
 * @throws the SDK's error: denied, throttled, not reachable.
 */
export async function newestLogLine(
    { logs, jobs }: LogClients,
    job: JobReference,
    abortSignal?: AbortSignal,
): Promise<string | undefined> {
    const place =
        job.kind === "training"
            ? await trainingStreams(logs, job.id, abortSignal)
            : await jobStream(jobs, job.id, abortSignal);
    let newest: { readonly at: number; readonly line: string } | undefined;
    for (const logStreamName of place?.streams ?? []) {
        const { events = [] } =
            (await orMissing(
                logs.send(new GetLogEventsCommand({ logGroupName: place?.group, logStreamName, limit: EVENTS }), {
                    abortSignal,
                }),
            )) ?? {};
        // without a token the newest events come, the oldest of them first
        for (const { timestamp = 0, message = "" } of events) {
            const line = tellingLines(message).at(-1);
            if (line !== undefined && timestamp >= (newest?.at ?? 0)) {
                newest = { at: timestamp, line };
            }
        }
    }
    return newest?.line;
}

interface Place {
    readonly group: string;
    readonly streams: readonly string[];
}

async function trainingStreams(
    logs: CloudWatchLogsClient,
    name: string,
    abortSignal?: AbortSignal,
): Promise<Place | undefined> {
    const found = await orMissing(
        logs.send(
            new DescribeLogStreamsCommand({
                logGroupName: TRAINING_LOG_GROUP,
                logStreamNamePrefix: `${name}/`,
                limit: STREAMS,
            }),
            { abortSignal },
        ),
    );
    return (
        found && {
            group: TRAINING_LOG_GROUP,
            streams: (found.logStreams ?? []).flatMap(({ logStreamName }) => logStreamName ?? []),
        }
    );
}

/** A Batch job knows its stream once it has a container. */
async function jobStream(jobs: BatchClient, id: string, abortSignal?: AbortSignal): Promise<Place | undefined> {
    const { jobs: [job] = [] } = await jobs.send(new DescribeJobsCommand({ jobs: [id] }), { abortSignal });
    const { logStreamName, logConfiguration } = job?.container ?? {};
    return logStreamName === undefined
        ? undefined
        : { group: logConfiguration?.options?.["awslogs-group"] ?? "/aws/batch/job", streams: [logStreamName] };
}

/** The group and the stream come with the first line of a log: until then they are missing, which is no error. */
async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
        return await answer;
    } catch (error) {
        if ((error as Error).name === "ResourceNotFoundException") {
            return undefined;
        }
        throw error;
    }
}
