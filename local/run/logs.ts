/**
 * Where the jobs of the served API say how far they are: the part of CloudWatch Logs and of Batch that finds and reads
 * the log of a job that runs, from the files that the jobs write on this machine.
 */
import { statSync } from "node:fs";
import { z } from "zod";
import type { JsonValue } from "../../asl/types";
import { TRAINING_LOG_GROUP } from "../../ground/awsNames";
import { tail } from "./progress";
import type { StartedJob } from "./tasks";
import { ServiceError, type Operation } from "../../asl/api";

interface Stream {
    readonly group: string;
    readonly name: string;
    readonly file: string;
    readonly created: number;
}

export class LocalLogs {
    private readonly streams = new Map<string, Stream>();

    /** @param jobLogGroup log group of the stage's Batch jobs */
    public constructor(private readonly jobLogGroup: string) {}

    public add({ kind, id, log }: StartedJob): void {
        const group = kind === "training" ? TRAINING_LOG_GROUP : this.jobLogGroup;
        // all hosts of a training write into one file here
        const name = kind === "training" ? `${id}/algo-1-${Date.now()}` : streamOfJob(id);
        this.streams.set(name, { group, name, file: log, created: Date.now() });
    }

    public readonly operations: Readonly<Record<string, Operation>> = {
        "Logs_20140328.DescribeLogStreams": (body) => {
            const { logGroupName, logStreamNamePrefix = "" } = parse(
                z.object({ logGroupName: z.string(), logStreamNamePrefix: z.string().optional() }),
                body,
            );
            return {
                logStreams: [...this.streams.values()]
                    .filter(({ group, name }) => group === logGroupName && name.startsWith(logStreamNamePrefix))
                    .map(({ name, created }) => ({ logStreamName: name, creationTime: created })),
            };
        },
        "Logs_20140328.GetLogEvents": (body) => {
            const {
                logGroupName,
                logStreamName,
                limit = 10_000,
            } = parse(
                z.object({
                    logGroupName: z.string(),
                    logStreamName: z.string(),
                    limit: z.number().int().min(1).max(10_000).optional(),
                }),
                body,
            );
            const stream = this.streams.get(logStreamName);
            if (stream?.group !== logGroupName) {
                throw new ServiceError("ResourceNotFoundException", "The specified log stream does not exist.");
            }
            const lines = tail(stream.file)
                .split(/[\r\n]+/)
                .filter((line) => line !== "")
                .slice(-limit);
            return {
                events: lines.map((message) => ({
                    timestamp: written(stream),
                    ingestionTime: written(stream),
                    message,
                })),
            };
        },
        "POST /v1/describejobs": (body) => {
            const { jobs } = parse(z.object({ jobs: z.array(z.string()) }), body);
            return {
                jobs: jobs
                    .filter((id) => this.streams.has(streamOfJob(id)))
                    .map((jobId): JsonValue => ({
                        jobId,
                        container: {
                            logStreamName: streamOfJob(jobId),
                            logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": this.jobLogGroup } },
                        },
                    })),
            };
        },
    };
}

function streamOfJob(id: string): string {
    return `local/${id}`;
}

function written({ file, created }: Stream): number {
    return Math.round(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? created);
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
    const parsed = schema.safeParse(body);
    if (!parsed.success) {
        throw new ServiceError(
            "InvalidParameterException",
            parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
        );
    }
    return parsed.data;
}
