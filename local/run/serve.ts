/**
 * The stage's workflow behind the Step Functions API: each execution that any AWS SDK starts runs whole on this
 * machine.
 */
import path from "node:path";
import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { ToolError } from "../../ground/errors";
import { LocalLogs } from "./logs";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api";
import { LocalExecution } from "./execution";
import { newRunId, pruneRuns, writeJson } from "./folder";
import type { RunResult } from "./report";
import { inSession, openStore, prepare, type SessionOptions } from "./session";
import type { LocalStage } from "./stage";

/** Where the API listens unless another port is asked for. */
export const DEFAULT_PORT = 8083;

export interface LocalServeOptions extends SessionOptions {
    /** Of the API; 0 takes a free one. Default {@link DEFAULT_PORT}. */
    readonly port?: number;
    /** Told once the API answers. */
    readonly onReady: (served: Served) => void;
    /** Told of each execution that came to its end. */
    readonly onResult: (result: RunResult) => Promise<void>;
}

export interface Served {
    readonly endpoint: string;
    readonly region: string;
    readonly stateMachineArn: string;
    /** An execution input that fits this machine: the local documents, smaller hyperparameters. */
    readonly input: string;
}

/**
 * Serves until the signal is aborted; then every execution is aborted and every process ended.
 * @throws ToolError where the port is taken, or the object store dies.
 */
export function localServe(options: LocalServeOptions): Promise<void> {
    return inSession(options, `a local Step Functions API of the stage ${options.stack}`, async (session) => {
        const { folder, progress, mirror } = session;
        const prepared = await prepare(session);
        const { stage } = prepared;
        if (options.fresh) {
            await mirror.clear();
        }
        const own = path.join(folder.base, "serve");
        const { store } = await openStore(session, prepared, path.join(own, "object-store.log"));
        try {
            const { input, reductions } = prepared.input(false);
            writeJson(path.join(own, "input.json"), input);
            const logs = new LocalLogs(`/aws/batch/${stage.settings.service}-${stage.settings.stage}`);
            const usedNames = new Set<string>();
            const api = await serveStepFunctions({
                port: options.port ?? DEFAULT_PORT,
                region: stage.region,
                accountId: stage.account,
                operations: logs.operations,
                begin: ({ name, definition, input: given }) => {
                    const directory = path.join(folder.runs, newRunId(folder, new Date()));
                    const local = new LocalExecution({
                        session,
                        prepared,
                        store,
                        directory,
                        definition,
                        input: given,
                        reductions,
                        usedNames,
                        label: name,
                        onJob: (job) => logs.add(job),
                    });
                    progress.note(`${name} starts; its folder: ${directory}`);
                    return {
                        task: local.task,
                        clock: local.clock,
                        onEvent: (event) => local.event(event),
                        ended: (result) =>
                            local
                                .finish(result)
                                .then(options.onResult)
                                .then(
                                    () => progress.note(`${name} ended ${result.status}`),
                                    (error: Error) =>
                                        progress.note(
                                            `${name} ended ${result.status}; its result is not kept: ${error.message}`,
                                        ),
                                ),
                    };
                },
            }).catch((error: Error) => {
                throw new ToolError(error.message);
            });
            try {
                options.onReady({
                    endpoint: api.endpoint,
                    region: stage.region,
                    input: path.join(own, "input.json"),
                    stateMachineArn: await create(api, stage),
                });
                await until(options.signal, store.died);
            } finally {
                await api.close();
            }
        } finally {
            await mirror.prune();
            await store.stop();
            pruneRuns(folder);
        }
    });
}

/** The stage's state machine, put there by the API's own way. */
async function create(api: StepFunctionsApi, { region, stateMachine }: LocalStage): Promise<string> {
    const client = new SFNClient({
        endpoint: api.endpoint,
        region,
        credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    try {
        const { name, roleArn, definition } = stateMachine;
        const answer = await client.send(
            new CreateStateMachineCommand({ name, roleArn, definition: JSON.stringify(definition) }),
        );
        return answer.stateMachineArn as string;
    } finally {
        client.destroy();
    }
}

/** @throws ToolError when the object store dies first. */
async function until(signal: AbortSignal, died: Promise<string>): Promise<void> {
    const interrupted = new Promise<undefined>((resolve) => {
        if (signal.aborted) {
            resolve(undefined);
        }
        signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    const reason = await Promise.race([interrupted, died]);
    if (reason !== undefined && !signal.aborted) {
        throw new ToolError(
            `The served executions ended because ${reason}. Run this again: what was finished is reused.`,
        );
    }
}
