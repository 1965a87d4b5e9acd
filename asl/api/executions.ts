/** Executions: started, watched, ended, and kept for a while. */
import {
    execute,
    RealClock,
    type Clock,
    type ExecutionResult,
    type HistoryEvent,
    type TaskHandler,
} from "../interpreter";
import type { JsonObject, JsonValue, StateMachineDefinition } from "../types";
import { partsOf, type ArnKind } from "./arns";
import { ServiceError } from "./errors";
import { aliasArn, versionArn, type Chosen, type Revision } from "./machines";
import { MapRuns } from "./mapRuns";
import type { TaskTokens } from "./taskTokens";

/** An execution that is about to run. */
export interface StartedExecution {
    readonly name: string;
    readonly executionArn: string;
    readonly definition: StateMachineDefinition;
    readonly input: JsonValue;
}

/** What an execution runs with. */
export interface ExecutionHooks {
    /** Does the work of every Task. */
    readonly task: TaskHandler;
    /** Default: real time. */
    readonly clock?: Clock;
    readonly onEvent?: (event: HistoryEvent) => void;
    /** After its end; `close` waits for it. Must not reject. */
    readonly ended?: (result: ExecutionResult) => Promise<void>;
}

/** Where an execution stands. */
export type RunStatus = "RUNNING" | ExecutionResult["status"];

/** One execution. */
export interface Run {
    readonly arn: string;
    readonly name: string;
    readonly machineArn: string;
    readonly machineName: string;
    readonly versionArn: string | undefined;
    readonly aliasArn: string | undefined;
    readonly revision: Revision;
    /** As it was given. */
    readonly input: string;
    /** Milliseconds since the epoch. */
    readonly startDate: number;
    readonly traceHeader: string | undefined;
    readonly events: HistoryEvent[];
    readonly mapRuns: MapRuns;
    readonly abort: AbortController;
    /** Settles when it has ended and its hooks have been told. */
    done: Promise<void>;
    status: RunStatus;
    stopDate?: number;
    output?: string;
    error?: string;
    cause?: string;
}

/** What is asked for when an execution starts. */
export interface StartRequest {
    readonly stateMachineArn: string;
    readonly name?: string;
    readonly input?: string;
    readonly traceHeader?: string;
}

export interface ExecutionsOptions {
    readonly begin: (execution: StartedExecution) => ExecutionHooks;
    readonly tokens: TaskTokens;
    /** Ended executions that are kept; the oldest are forgotten first. */
    readonly keepEnded: number;
}

/** The executions of one service, oldest first. */
export class Executions {
    private readonly runs = new Map<string, Run>();
    /** Express executions that run: nobody can ask for them, but they must end with the service. */
    private readonly express = new Set<Run>();
    /** Of those that have ended, in the order in which they did. */
    private readonly ended: string[] = [];

    constructor(private readonly options: ExecutionsOptions) {}

    all(): readonly Run[] {
        return [...this.runs.values()];
    }

    /** @throws ServiceError InvalidArn, ExecutionDoesNotExist */
    get(arn: string): Run {
        partsOf(arn, "execution");
        const run = this.runs.get(arn);
        if (run === undefined) {
            throw new ServiceError("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
        }
        return run;
    }

    /** Starts a Standard execution; the same name and input while it runs is the same execution. */
    start(chosen: Chosen, { name = crypto.randomUUID(), input = "{}", traceHeader }: StartRequest): Run {
        const arn = executionArn(chosen, "execution", name);
        const given = parseInput(input);
        const existing = this.runs.get(arn);
        if (existing?.status === "RUNNING" && existing.input === input) {
            return existing;
        }
        if (existing !== undefined) {
            throw new ServiceError("ExecutionAlreadyExists", `Execution Already Exists: '${arn}'`);
        }
        const run = newRun(chosen, { arn, name, input, traceHeader });
        this.runs.set(arn, run);
        run.done = this.run(run, given).then(() => this.forgetOldest(arn));
        return run;
    }

    /** Starts an Express execution, which nobody can describe or stop. */
    startExpress(chosen: Chosen, { name = crypto.randomUUID(), input = "{}", traceHeader }: StartRequest): Run {
        const arn = executionArn(chosen, "express", `${name}:${crypto.randomUUID()}`);
        const given = parseInput(input);
        const run = newRun(chosen, { arn, name, input, traceHeader });
        this.express.add(run);
        run.done = this.run(run, given).then(() => void this.express.delete(run));
        return run;
    }

    /** Aborts a running execution. */
    stop(run: Run, error: string | undefined, cause: string | undefined): void {
        run.abort.abort({ error, cause });
    }

    /** Aborts all that run, and waits for their end. */
    async close(): Promise<void> {
        const all = [...this.runs.values(), ...this.express];
        all.forEach((run) => run.abort.abort());
        await Promise.all(all.map((run) => run.done));
    }

    private async run(run: Run, input: JsonValue): Promise<void> {
        const { arn: executionArnOfRun, name, revision } = run;
        const definition = JSON.parse(revision.definition) as StateMachineDefinition;
        const hooks = this.options.begin({ name, executionArn: executionArnOfRun, definition, input });
        try {
            const result = await execute(revision.machine, {
                input,
                task: this.options.tokens.answered(hooks.task),
                taskToken: () => this.options.tokens.make(),
                clock: hooks.clock ?? new RealClock(),
                name,
                executionArn: executionArnOfRun,
                stateMachineArn: run.machineArn,
                stateMachineName: run.machineName,
                roleArn: revision.roleArn,
                signal: run.abort.signal,
                random: Math.random,
                history: false,
                onEvent: (event) => {
                    run.events.push(event);
                    run.mapRuns.event(event);
                    hooks.onEvent?.(event);
                },
                onMapRun: (mapRun) => run.mapRuns.add(mapRun),
            });
            end(run, result);
            await hooks.ended?.(result);
        } catch (error) {
            // The interpreter itself gave up, for example at an input that is too large.
            run.status = "FAILED";
            run.error = "States.Runtime";
            run.cause = (error as Error).message;
            run.stopDate = Date.now();
        }
    }

    private forgetOldest(arn: string): void {
        this.ended.push(arn);
        while (this.ended.length > this.options.keepEnded) {
            this.runs.delete(this.ended.shift() ?? "");
        }
    }
}

function end(run: Run, result: ExecutionResult): void {
    run.status = result.status;
    run.output = result.output === undefined ? undefined : JSON.stringify(result.output);
    run.error = result.error;
    run.cause = result.cause;
    run.stopDate = Date.now();
}

function newRun(
    { machine, revision, version, alias }: Chosen,
    given: Pick<Run, "arn" | "name" | "input" | "traceHeader">,
): Run {
    return {
        ...given,
        machineArn: machine.arn,
        machineName: machine.name,
        versionArn: version === undefined ? undefined : versionArn(machine, version.number),
        aliasArn: alias === undefined ? undefined : aliasArn(machine, alias.name),
        revision,
        startDate: Date.now(),
        events: [],
        mapRuns: new MapRuns(given.arn, machine.arn),
        abort: new AbortController(),
        done: Promise.resolve(),
        status: "RUNNING",
    };
}

function executionArn({ machine }: Chosen, kind: ArnKind, name: string): string {
    return `${machine.arn.replace(":stateMachine:", `:${kind}:`)}:${name}`;
}

function parseInput(input: string): JsonValue {
    try {
        return JSON.parse(input) as JsonValue;
    } catch (error) {
        throw new ServiceError(
            "InvalidExecutionInput",
            `Invalid State Machine Execution Input: '${(error as Error).message}'`,
        );
    }
}

/** Why an execution cannot be redriven, or undefined where it can. */
export function notRedrivable({ status }: Run): string | undefined {
    const isDone = status === "RUNNING" || status === "SUCCEEDED";
    return isDone ? `Execution is ${status} and cannot be redriven` : undefined;
}

/** Seconds since the epoch, as the API writes dates. */
export function seconds(milliseconds: number): number {
    return milliseconds / 1000;
}

/** An event as GetExecutionHistory shows it. */
export function shownEvent(event: HistoryEvent, hasData: boolean): JsonObject {
    const shown = (hasData ? event : withoutData(event)) as unknown as JsonObject;
    return { ...shown, timestamp: seconds(event.timestamp) };
}

const DATA = new Set(["input", "output", "parameters"]);

function withoutData(event: HistoryEvent): JsonObject {
    const entries = Object.entries(event).map(([key, details]) => {
        if (typeof details !== "object" || details === null) {
            return [key, details as JsonValue] as const;
        }
        const kept = Object.entries(details).filter(([field]) => !DATA.has(field));
        return [key, Object.fromEntries(kept) as JsonObject] as const;
    });
    return Object.fromEntries(entries);
}
