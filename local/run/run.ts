import path from "node:path";
import { execute } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";
import { ToolError } from "../../ground/errors";
import { LocalExecution } from "./execution";
import { newRunId, pruneRuns, readLastRun, writeLastRun } from "./folder";
import type { RunResult } from "./report";
import { inSession, openStore, prepare, type Session, type SessionOptions } from "./session";

export interface LocalRunOptions extends SessionOptions {
    /** Of the local object store; a free one by default. */
    readonly port?: number;
    /** Reuse what an earlier run trained, even where nothing failed. */
    readonly reuse: boolean;
}

/**
 * One local run, from the lock to the report. A failed execution is a result; a problem of this machine or of the
 * arguments is thrown.
 */
export function localRun(options: LocalRunOptions): Promise<RunResult> {
    return inSession(options, `a local run of the stage ${options.stack}`, (session) => lockedRun(session, options));
}

async function lockedRun(session: Session, options: LocalRunOptions): Promise<RunResult> {
    const begun = Date.now();
    const { folder, progress, mirror } = session;
    const prepared = await prepare(session);
    const { stage } = prepared;

    const last = readLastRun(folder);
    const continuing = last !== undefined && last.outcome !== "SUCCEEDED" && !options.fresh;
    if (continuing) {
        progress.note(
            `The last run (${last.id}) ${ended(last.outcome, last.active)}: what it finished is reused. --fresh ` +
                "starts over.",
        );
    } else if (!options.reuse) {
        await mirror.clear();
    }
    const id = newRunId(folder, new Date());
    const directory = path.join(folder.runs, id);
    const { store, death } = await openStore(
        session,
        prepared,
        path.join(directory, "logs", "object-store.log"),
        options.port,
    );
    const remember = (outcome: "running" | RunResult["status"], active: readonly string[]) =>
        writeLastRun(folder, { id, stage: stage.name, outcome, active: [...active] });
    remember("running", []);

    const { input, reductions } = prepared.input(!continuing && !options.reuse);
    let active: readonly string[] = [];
    const local = new LocalExecution({
        session,
        prepared,
        store,
        directory,
        input,
        reductions,
        usedNames: new Set(),
        onActive: (states) => {
            active = states;
            remember("running", states);
        },
    });
    const execution = await execute(stage.stateMachine.definition, {
        input: input as JsonValue,
        clock: local.clock,
        signal: options.signal,
        name: id,
        executionArn: `${stage.stateMachine.arn.replace(":stateMachine:", ":execution:")}:${id}`,
        stateMachineArn: stage.stateMachine.arn,
        stateMachineName: stage.stateMachine.name,
        roleArn: stage.stateMachine.roleArn,
        onEvent: (event) => local.event(event),
        task: local.task,
    });
    const result = await local.finish(execution, begun);
    await mirror.prune();
    await store.stop();
    remember(execution.status, active);
    pruneRuns(folder);
    if (death.reason !== undefined && !options.signal.aborted) {
        throw new ToolError(
            `The run ended ${execution.status} because ${death.reason}. Run this again: what was finished is reused.`,
        );
    }
    return result;
}

function ended(outcome: string, active: readonly string[]): string {
    const during = active.length > 0 ? ` during ${active.join(" and ")}` : "";
    const verbs: Readonly<Record<string, string>> = {
        running: `was killed${during}`,
        ABORTED: `was stopped${during}`,
        FAILED: "failed",
        TIMED_OUT: "timed out",
    };
    return verbs[outcome] ?? "did not finish";
}
