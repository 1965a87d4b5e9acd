/** Executions of a deployed stage through the AWS SDK: start, follow, explain, resume, stop. */
import {
    DescribeExecutionCommand,
    DescribeStateMachineCommand,
    paginateGetExecutionHistory,
    paginateListExecutions,
    paginateListStateMachines,
    StartExecutionCommand,
    StopExecutionCommand,
    type DescribeExecutionOutput,
    type HistoryEvent,
    type SFNClient,
} from "@aws-sdk/client-sfn";
import { failureOf, StateOfEvent } from "../../asl/history";
import type { StateMachineDefinition } from "../../asl/types";
import { logUrl } from "../../ground/console";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import type { StageSettings } from "../../workflow/contract";
import { advice, classify } from "../../workflow/failures";
import { titleOf } from "../../workflow/ensembleTraining";
import { describeProblem, readInput } from "../../workflow/input";
import { registerStateName } from "../../workflow/modelTraining";
import { historyOf } from "./history";

/** A stage as it is deployed: what can be read of it in the account. */
export interface DeployedStage {
    readonly stateMachineArn: string;
    readonly definition: StateMachineDefinition;
    /** What the stage is configured with: a part of the deployed definition. */
    readonly settings: StageSettings;
}

/** The error of an execution that was stopped with this tool. */
const STOPPED = "StoppedByOperator";
const setupState = "Setup Statemachine";

/**
 * Finds a deployed state machine by its name and reads the stage's settings out of its definition.
 * @throws ToolError when it is not deployed in this account and region.
 */
export async function findStage(client: SFNClient, name: string): Promise<DeployedStage> {
    for await (const page of paginateListStateMachines({ client }, {})) {
        const found = page.stateMachines?.find((machine) => machine.name === name);
        if (found?.stateMachineArn !== undefined) {
            const { stateMachineArn } = found;
            const described = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
            const definition = JSON.parse(described.definition ?? "{}") as StateMachineDefinition;
            return { stateMachineArn, definition, settings: settingsOf(definition, name) };
        }
    }
    const region = await client.config.region();
    throw new ToolError(
        `There is no state machine "${name}" in ${region}. ` +
            "Deploy the stage first (npm run up:<stage>), or choose another --region.",
        EXIT.usage,
    );
}

/** The settings that the definition hands to Setup. */
export function settingsOf(definition: StateMachineDefinition, name: string): StageSettings {
    const setup = definition.States?.[setupState] as
        { Arguments?: { Payload?: { settings?: StageSettings } } } | undefined;
    const settings = setup?.Arguments?.Payload?.settings;
    if (settings === undefined) {
        throw new ToolError(
            `The state machine "${name}" has no "${setupState}" with the stage's settings: it is not one of this ` +
                "project's.",
            EXIT.usage,
        );
    }
    return settings;
}

/**
 * Starts an execution once its input is valid for the deployed stage.
 * @throws ToolError with all problems of the input, one a line; nothing is started then.
 */
export async function startTraining(
    client: SFNClient,
    stage: DeployedStage,
    input: unknown,
    name?: string,
): Promise<string> {
    const { problems } = readInput(input, stage.settings);
    if (problems.length > 0) {
        throw new ToolError(
            `The input has ${problems.length} problem${problems.length === 1 ? "" : "s"}; nothing was started:\n` +
                problems.map((problem) => `  ${describeProblem(problem)}`).join("\n"),
            EXIT.usage,
        );
    }
    const { stateMachineArn } = stage;
    const { executionArn } = await client.send(
        new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input), name }),
    );
    return executionArn as string;
}

/** The ARN of an execution given by its ARN or name, or of the newest one. */
export async function findExecution(client: SFNClient, stage: DeployedStage, execution?: string): Promise<string> {
    if (execution?.startsWith("arn:")) {
        return execution;
    }
    if (execution !== undefined) {
        return `${stage.stateMachineArn.replace(":stateMachine:", ":execution:")}:${execution}`;
    }
    for await (const page of paginateListExecutions(
        { client, pageSize: 1 },
        { stateMachineArn: stage.stateMachineArn },
    )) {
        const newest = page.executions?.[0]?.executionArn;
        if (newest !== undefined) {
            return newest;
        }
    }
    throw new ToolError("The stage has no execution yet. Start one with `ensemble start`.", EXIT.usage);
}

export interface WatchOptions {
    /** Milliseconds between two looks; default 5,000. */
    readonly interval?: number;
    readonly signal?: AbortSignal;
}

export interface Look {
    readonly execution: DescribeExecutionOutput;
    readonly events: readonly HistoryEvent[];
}

/**
 * Follows an execution: yields the events that are new at each look, and ends with the execution.
 * An abort of the signal ends the watching, not the execution.
 */
export async function* watchExecution(
    client: SFNClient,
    executionArn: string,
    { interval = 5_000, signal }: WatchOptions = {},
): AsyncGenerator<Look> {
    let seen = 0;
    while (signal?.aborted !== true) {
        const look = await lookAt(client, executionArn, seen, signal).catch((error: unknown) => {
            if (signal?.aborted === true) {
                return undefined;
            }
            throw error;
        });
        if (look === undefined) {
            return;
        }
        seen = look.events.at(-1)?.id ?? seen;
        yield look;
        if (look.execution.status !== "RUNNING") {
            return;
        }
        await pause(interval, signal);
    }
}

/** An execution, and its events after the given one. */
async function lookAt(client: SFNClient, executionArn: string, seen: number, abortSignal?: AbortSignal): Promise<Look> {
    // described first: events that come between the two calls are in the next look, never lost
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }), { abortSignal });
    const fresh: HistoryEvent[] = [];
    // newest first until the first known one: a look costs one page, however long the history
    const pages = paginateGetExecutionHistory(
        { client, pageSize: 100 },
        { executionArn, reverseOrder: true },
        { abortSignal },
    );
    for await (const { events = [] } of pages) {
        const unseen = events.filter(({ id = 0 }) => id > seen);
        fresh.push(...unseen);
        if (unseen.length < events.length) {
            break;
        }
    }
    return { execution, events: fresh.reverse() };
}

/** Sleeps, or less when the signal is aborted. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
        const end = (): void => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", end);
            resolve();
        };
        const timer = setTimeout(end, milliseconds);
        signal?.addEventListener("abort", end);
    });
}

export interface Explanation {
    readonly executionArn: string;
    readonly status: string;
    /** Where it failed: the last state whose task failed; undefined when none did. */
    readonly state?: string;
    readonly class?: string;
    readonly reason?: string;
    readonly advice?: string;
    readonly logUrl?: string;
    readonly seconds: number;
    readonly error?: string;
    readonly cause?: string;
}

/** Reads an execution and its history: what failed, where, why, and what to do. */
export async function explainExecution(client: SFNClient, executionArn: string): Promise<Explanation> {
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
    const end = execution.stopDate ?? new Date();
    const base = {
        executionArn,
        status: String(execution.status),
        seconds: Math.round((end.getTime() - (execution.startDate?.getTime() ?? end.getTime())) / 1000),
    };
    if (execution.status === "SUCCEEDED" || execution.status === "RUNNING") {
        return base;
    }
    if (execution.error === STOPPED) {
        return {
            ...base,
            error: STOPPED,
            reason: execution.cause,
            advice: "Somebody stopped it: resume continues with what had not finished.",
        };
    }
    const failed = lastFailure(await historyOf(client, executionArn));
    const found = classify(failed ?? { error: execution.error, cause: execution.cause });
    const named = /^Notified\.(\w+)$/.exec(execution.error ?? "")?.[1];
    const errorClass = named !== undefined && named in advice ? (named as keyof typeof advice) : found.class;
    const region = executionArn.split(":")[3];
    return defined({
        ...base,
        state: failed?.state,
        class: errorClass,
        reason: found.reason,
        advice: advice[errorClass],
        logUrl: found.log === undefined ? undefined : logUrl(found.log, region),
        error: execution.error,
        cause: execution.cause,
    });
}

/** States that only tell of a failure: what they report is not the failure itself. */
const reporting = /^(JSONify .* Error Cause|Describe Failure|Notify Failure)$/;

/** The last failed task before the failure was described, with the state that it belongs to. */
function lastFailure(events: readonly HistoryEvent[]): { state: string; error?: string; cause?: string } | undefined {
    const stateOf = new StateOfEvent();
    let last: { state: string; error?: string; cause?: string } | undefined;
    for (const event of events) {
        const state = stateOf.take(event)?.state ?? "(unknown)";
        const failure = failureOf(event);
        if (failure !== undefined && !reporting.test(state)) {
            last = { state, error: failure.error, cause: failure.cause };
        }
    }
    return last;
}

/**
 * Starts a new execution with the input of an ended one: Setup reuses whatever is trained already, so that only what
 * had not finished is trained, also where `force` asked for all of it. Not AWS's redrive, which pins the old definition
 * and enters the Fail state again.
 * @throws ToolError when it is still running or has succeeded.
 */
export async function resumeTraining(client: SFNClient, stage: DeployedStage, executionArn: string): Promise<string> {
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status === "RUNNING") {
        throw new ToolError(`${executionArn} is still running: watch it, or stop it first.`, EXIT.usage);
    }
    if (execution.status === "SUCCEEDED") {
        throw new ToolError(
            `${executionArn} has succeeded: there is nothing to resume. Start a new one with \`ensemble start\`.`,
            EXIT.usage,
        );
    }
    const input = JSON.parse(execution.input ?? "{}") as { initialization?: { force?: readonly string[] } };
    const force = input.initialization?.force;
    if (force !== undefined) {
        const finished = await finishedModels(client, executionArn, force);
        input.initialization = { ...input.initialization, force: force.filter((model) => !finished.has(model)) };
    }
    return startTraining(client, stage, input, resumedName(String(execution.name)));
}

/** The models that an execution trained to their end: their registration, which writes the marker, succeeded. */
async function finishedModels(
    client: SFNClient,
    executionArn: string,
    models: readonly string[],
): Promise<Set<string>> {
    const modelOf = new Map(models.map((model) => [registerStateName(titleOf(model)), model]));
    const stateOf = new StateOfEvent();
    const finished = new Set<string>();
    for (const event of await historyOf(client, executionArn)) {
        const model = modelOf.get(stateOf.take(event)?.state ?? "");
        if (model !== undefined && event.taskSucceededEventDetails !== undefined) {
            finished.add(model);
        }
    }
    return finished;
}

/** `run` -> `run-r2` -> `run-r3`: at most 80 characters. */
export function resumedName(name: string): string {
    const [, stem, count] = /^(.*?)(?:-r(\d+))?$/.exec(name) as RegExpExecArray;
    const suffix = `-r${count === undefined ? 2 : Number(count) + 1}`;
    return `${stem.slice(0, 80 - suffix.length)}${suffix}`;
}

/** Stops an execution; SageMaker and Batch jobs that it waits for are stopped by Step Functions. */
export async function stopTraining(client: SFNClient, executionArn: string, cause: string): Promise<void> {
    await client.send(new StopExecutionCommand({ executionArn, error: STOPPED, cause }));
}
