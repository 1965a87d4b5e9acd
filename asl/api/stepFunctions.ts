/**
 * The interpreter behind AWS Step Functions' own API (AWS JSON 1.0), on the loopback address: any AWS SDK or the AWS CLI can create
 * and run state machines against it with an endpoint configured. Only Standard workflows; state lives as long as the process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { MAXIMUM_REQUEST_BYTES } from "../../ground/awsLimits";
import { analyseText } from "../analysis";
import {
    compile,
    DefinitionError,
    execute,
    RealClock,
    type Clock,
    type CompiledMachine,
    type ExecutionResult,
    type HistoryEvent,
    type TaskHandler,
} from "../interpreter";
import type { JsonValue, StateMachineDefinition } from "../types";

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

/** Answers one operation's request; a ServiceError is the service's refusal. */
export type Operation = (body: unknown) => JsonValue;

export interface StepFunctionsApiOptions {
    readonly begin: (execution: StartedExecution) => ExecutionHooks;
    /** Of other services at the same endpoint: by X-Amz-Target, or by method and path where a service has none. */
    readonly operations?: Readonly<Record<string, Operation>>;
    /** 0, the default, takes a free port. */
    readonly port?: number;
    readonly region?: string;
    readonly accountId?: string;
}

export interface StepFunctionsApi {
    /** `http://127.0.0.1:<port>`, for an SDK's endpoint. */
    readonly endpoint: string;
    /** Aborts running executions, waits for their end and stops listening. */
    close(): Promise<void>;
}

const machineName = z
    .string()
    .min(1)
    .max(80)
    .regex(/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]+$/);
const pageSize = z.number().int().min(0).max(1000).optional();

interface Machine {
    readonly arn: string;
    readonly name: string;
    roleArn: string;
    definition: string;
    compiled: CompiledMachine;
    readonly creationDate: number;
    updateDate: number;
    revision: number;
}

interface Run {
    readonly arn: string;
    readonly name: string;
    readonly machineArn: string;
    readonly definition: string;
    readonly input: string;
    readonly startDate: number;
    readonly abort: AbortController;
    readonly events: HistoryEvent[];
    readonly done: Promise<void>;
    status: "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
    stopDate?: number;
    output?: string;
    error?: string;
    cause?: string;
}

/** An answer of the service that is an error: its type as the SDKs know it. */
export class ServiceError extends Error {
    constructor(
        readonly type: string,
        message: string,
    ) {
        super(message);
    }
}

/**
 * Starts the API.
 * @throws Error (rejection) when the port is taken, with the port and what to do.
 */
export async function serveStepFunctions(options: StepFunctionsApiOptions): Promise<StepFunctionsApi> {
    const { region = "eu-central-1", accountId = "000000000000", port = 0 } = options;
    const machines = new Map<string, Machine>();
    const runs = new Map<string, Run>();
    const arn = (kind: string, name: string): string => `arn:aws:states:${region}:${accountId}:${kind}:${name}`;

    const known = <T>(map: ReadonlyMap<string, T>, key: string, type: string, what: string): T => {
        const found = map.get(key);
        if (found === undefined) {
            throw new ServiceError(type, `${what} does not exist: '${key}'`);
        }
        return found;
    };
    const machineOf = (key: string): Machine => known(machines, key, "StateMachineDoesNotExist", "State Machine");
    const runOf = (key: string): Run => known(runs, key, "ExecutionDoesNotExist", "Execution");

    /** Pages by position in the list: a token is the index that comes next. */
    const page = <T>(
        items: readonly T[],
        limit: number | undefined,
        token: string | undefined,
    ): { items: T[]; nextToken?: string } => {
        const from = token === undefined ? 0 : Number(token);
        if (!Number.isInteger(from) || from < 0) {
            throw new ServiceError("InvalidToken", `Invalid Token: '${token}'`);
        }
        const to = from + (limit === undefined || limit === 0 ? 100 : limit);
        return { items: items.slice(from, to), ...(to < items.length ? { nextToken: String(to) } : {}) };
    };

    const operation =
        <S extends z.ZodType>(schema: S, run: (request: z.output<S>) => JsonValue) =>
        (body: unknown): JsonValue => {
            const parsed = schema.safeParse(body);
            if (!parsed.success) {
                const problems = parsed.error.issues.map(
                    (issue) => `${issue.path.join(".") || "request"}: ${issue.message}`,
                );
                throw new ServiceError("ValidationException", problems.join("; "));
            }
            return run(parsed.data);
        };

    const describe = (machine: Machine): { [key: string]: JsonValue } => ({
        stateMachineArn: machine.arn,
        name: machine.name,
        status: "ACTIVE",
        definition: machine.definition,
        roleArn: machine.roleArn,
        type: "STANDARD",
        creationDate: machine.creationDate / 1000,
        revisionId: String(machine.revision),
    });

    const operations: Readonly<Record<string, Operation>> = {
        ...options.operations,
        CreateStateMachine: operation(
            z.object({
                name: machineName,
                definition: z.string(),
                roleArn: z.string().min(1),
                type: z.enum(["STANDARD", "EXPRESS"]).optional(),
            }),
            ({ name, definition, roleArn, type }) => {
                if (type === "EXPRESS") {
                    throw new ServiceError("ValidationException", "Only STANDARD workflows can be run here.");
                }
                const key = arn("stateMachine", name);
                const existing = machines.get(key);
                if (existing !== undefined && existing.definition !== definition) {
                    throw new ServiceError("StateMachineAlreadyExists", `State Machine Already Exists: '${key}'`);
                }
                const now = Date.now();
                const machine = existing ?? {
                    arn: key,
                    name,
                    roleArn,
                    definition,
                    compiled: checked(definition),
                    creationDate: now,
                    updateDate: now,
                    revision: 1,
                };
                machines.set(key, machine);
                return { stateMachineArn: key, creationDate: machine.creationDate / 1000 };
            },
        ),
        UpdateStateMachine: operation(
            z.object({
                stateMachineArn: z.string(),
                definition: z.string().optional(),
                roleArn: z.string().optional(),
            }),
            ({ stateMachineArn, definition, roleArn }) => {
                const machine = machineOf(stateMachineArn);
                if (definition !== undefined) {
                    machine.compiled = checked(definition);
                    machine.definition = definition;
                }
                machine.roleArn = roleArn ?? machine.roleArn;
                machine.updateDate = Date.now();
                machine.revision++;
                return { updateDate: machine.updateDate / 1000, revisionId: String(machine.revision) };
            },
        ),
        DeleteStateMachine: operation(z.object({ stateMachineArn: z.string() }), ({ stateMachineArn }) => {
            machines.delete(stateMachineArn);
            return {};
        }),
        DescribeStateMachine: operation(z.object({ stateMachineArn: z.string() }), ({ stateMachineArn }) =>
            describe(machineOf(stateMachineArn)),
        ),
        ListStateMachines: operation(
            z.object({ maxResults: pageSize, nextToken: z.string().optional() }),
            ({ maxResults, nextToken }) => {
                const { items, ...next } = page([...machines.values()], maxResults, nextToken);
                return {
                    stateMachines: items.map((machine) => ({
                        stateMachineArn: machine.arn,
                        name: machine.name,
                        type: "STANDARD",
                        creationDate: machine.creationDate / 1000,
                    })),
                    ...next,
                };
            },
        ),
        ValidateStateMachineDefinition: operation(z.object({ definition: z.string() }), ({ definition }) => {
            const errors = structuralErrors(definition);
            return {
                result: errors.length === 0 ? "OK" : "FAIL",
                diagnostics: errors.map(({ path, message }) => ({
                    severity: "ERROR",
                    code: "SCHEMA_VALIDATION_FAILED",
                    message,
                    location: path,
                })),
            };
        }),
        StartExecution: operation(
            z.object({ stateMachineArn: z.string(), name: machineName.optional(), input: z.string().optional() }),
            ({ stateMachineArn, name, input = "{}" }) => {
                const machine = machineOf(stateMachineArn);
                const parsed = parseInput(input);
                const runName = name ?? crypto.randomUUID();
                const key = arn("execution", `${machine.name}:${runName}`);
                const existing = runs.get(key);
                if (existing !== undefined && !(existing.status === "RUNNING" && existing.input === input)) {
                    throw new ServiceError("ExecutionAlreadyExists", `Execution Already Exists: '${key}'`);
                }
                const run = existing ?? start(machine, key, runName, input, parsed);
                runs.set(key, run);
                return { executionArn: key, startDate: run.startDate / 1000 };
            },
        ),
        StopExecution: operation(
            z.object({
                executionArn: z.string(),
                error: z.string().max(256).optional(),
                cause: z.string().max(32768).optional(),
            }),
            ({ executionArn, error, cause }) => {
                const run = runOf(executionArn);
                if (run.status === "RUNNING") {
                    run.error = error;
                    run.cause = cause;
                    run.abort.abort();
                }
                return { stopDate: (run.stopDate ?? Date.now()) / 1000 };
            },
        ),
        DescribeExecution: operation(z.object({ executionArn: z.string() }), ({ executionArn }) => {
            const run = runOf(executionArn);
            return {
                ...summary(run),
                input: run.input,
                redriveCount: 0,
                redriveStatus: "NOT_REDRIVABLE",
                ...optional({ output: run.output, error: run.error, cause: run.cause }),
            };
        }),
        DescribeStateMachineForExecution: operation(z.object({ executionArn: z.string() }), ({ executionArn }) => {
            const run = runOf(executionArn);
            return {
                ...describe(machineOf(run.machineArn)),
                definition: run.definition,
                updateDate: run.startDate / 1000,
            };
        }),
        ListExecutions: operation(
            z.object({
                stateMachineArn: z.string(),
                statusFilter: z.string().optional(),
                maxResults: pageSize,
                nextToken: z.string().optional(),
            }),
            ({ stateMachineArn, statusFilter, maxResults, nextToken }) => {
                machineOf(stateMachineArn);
                // newest first, as AWS does
                const all = [...runs.values()]
                    .reverse()
                    .filter(
                        (run) =>
                            run.machineArn === stateMachineArn &&
                            (statusFilter === undefined || run.status === statusFilter),
                    );
                const { items, ...next } = page(all, maxResults, nextToken);
                return { executions: items.map(summary), ...next };
            },
        ),
        GetExecutionHistory: operation(
            z.object({
                executionArn: z.string(),
                maxResults: pageSize,
                reverseOrder: z.boolean().optional(),
                nextToken: z.string().optional(),
                includeExecutionData: z.boolean().optional(),
            }),
            ({ executionArn, maxResults, reverseOrder, nextToken, includeExecutionData = true }) => {
                const { events } = runOf(executionArn);
                const { items, ...next } = page(
                    reverseOrder === true ? [...events].reverse() : events,
                    maxResults,
                    nextToken,
                );
                return {
                    events: items.map((event) => ({
                        ...((includeExecutionData ? event : withoutData(event)) as unknown as {
                            [key: string]: JsonValue;
                        }),
                        timestamp: event.timestamp / 1000,
                    })),
                    ...next,
                };
            },
        ),
    };

    function start(machine: Machine, key: string, name: string, inputText: string, input: JsonValue): Run {
        const abort = new AbortController();
        const events: HistoryEvent[] = [];
        const startDate = Date.now();
        const run: Omit<Run, "done"> & { done?: Promise<void> } = {
            arn: key,
            name,
            machineArn: machine.arn,
            definition: machine.definition,
            input: inputText,
            startDate,
            abort,
            events,
            status: "RUNNING",
        };
        const definition = JSON.parse(machine.definition) as StateMachineDefinition;
        const hooks = options.begin({ name, executionArn: key, definition, input });
        run.done = execute(machine.compiled, {
            input,
            task: hooks.task,
            clock: hooks.clock ?? new RealClock(),
            name,
            executionArn: key,
            stateMachineArn: machine.arn,
            stateMachineName: machine.name,
            roleArn: machine.roleArn,
            startTime: startDate,
            signal: abort.signal,
            random: Math.random,
            history: false,
            onEvent: (event) => {
                events.push(event);
                hooks.onEvent?.(event);
            },
        }).then(
            (result) => {
                run.status = result.status;
                run.output = result.output === undefined ? undefined : JSON.stringify(result.output);
                run.error = result.error ?? run.error;
                run.cause = result.cause ?? run.cause;
                run.stopDate = Date.now();
                return hooks.ended?.(result);
            },
            (error: unknown) => {
                // The interpreter itself gave up, for example at an input that is too large.
                Object.assign(run, {
                    status: "FAILED",
                    error: "States.Runtime",
                    cause: (error as Error).message,
                    stopDate: Date.now(),
                });
            },
        );
        return run as Run;
    }

    const server = createServer((request, response) => {
        void answer(request, response, operations).catch((error: unknown) => {
            send(response, 500, { __type: "InternalFailure", message: (error as Error).message });
        });
    });
    const address = await listen(server, port);
    return {
        endpoint: `http://127.0.0.1:${address.port}`,
        close: async () => {
            runs.forEach((run) => run.abort.abort());
            await Promise.all([...runs.values()].map((run) => run.done));
            server.closeAllConnections();
            await new Promise((resolve) => server.close(resolve));
        },
    };
}

function listen(server: Server, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) =>
            reject(
                error.code === "EADDRINUSE"
                    ? new Error(`port ${port} on 127.0.0.1 is in use; choose another with --port, or 0 for a free one`)
                    : error,
            ),
        );
        server.listen(port, "127.0.0.1", () => resolve(server.address() as AddressInfo));
    });
}

async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    operations: Readonly<Record<string, Operation>>,
): Promise<void> {
    try {
        // A page in a browser may send requests here under a name of its own; an SDK uses the address.
        if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? "")) {
            throw new ServiceError(
                "AccessDeniedException",
                `Only requests to the loopback address are answered, not to "${request.headers.host}".`,
            );
        }
        const target = String(request.headers["x-amz-target"] ?? `${request.method} ${request.url}`);
        const name = target.replace(/^AWSStepFunctions\./, "");
        const chunks: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of request as AsyncIterable<Buffer>) {
            bytes += chunk.length;
            if (bytes > MAXIMUM_REQUEST_BYTES) {
                throw new ServiceError(
                    "ValidationException",
                    `The request is larger than ${MAXIMUM_REQUEST_BYTES} bytes.`,
                );
            }
            chunks.push(chunk);
        }
        if (request.method !== "POST" || !Object.hasOwn(operations, name)) {
            throw new ServiceError(
                "UnknownOperationException",
                `The operation "${target}" is not offered here; these are: ${Object.keys(operations).join(", ")}.`,
            );
        }
        let body: unknown;
        try {
            body = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
        } catch (error) {
            throw new ServiceError("SerializationException", (error as Error).message);
        }
        send(response, 200, operations[name](body));
    } catch (error) {
        if (!(error instanceof ServiceError)) {
            throw error;
        }
        send(response, 400, { __type: error.type, message: error.message });
    }
}

function send(response: ServerResponse, status: number, body: JsonValue): void {
    response.writeHead(status, {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-RequestId": crypto.randomUUID(),
    });
    response.end(JSON.stringify(body));
}

/** What AWS itself refuses at creation. */
function structuralErrors(definition: string): { path: string; message: string }[] {
    return analyseText(definition).filter((finding) => finding.consequence === "refused");
}

function checked(definition: string): CompiledMachine {
    const [first] = structuralErrors(definition);
    if (first !== undefined) {
        throw new ServiceError(
            "InvalidDefinition",
            `Invalid State Machine Definition: '${first.message} at ${first.path}'`,
        );
    }
    try {
        return compile(JSON.parse(definition) as StateMachineDefinition);
    } catch (error) {
        if (error instanceof DefinitionError || error instanceof SyntaxError) {
            throw new ServiceError("InvalidDefinition", `Invalid State Machine Definition: '${error.message}'`);
        }
        throw error;
    }
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

function summary(run: Run): { [key: string]: JsonValue } {
    return {
        executionArn: run.arn,
        stateMachineArn: run.machineArn,
        name: run.name,
        status: run.status,
        startDate: run.startDate / 1000,
        ...(run.stopDate === undefined ? {} : { stopDate: run.stopDate / 1000 }),
    };
}

function optional(fields: Readonly<Record<string, string | undefined>>): { [key: string]: JsonValue } {
    return Object.fromEntries(
        Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
}

/** The event without inputs and outputs, as with includeExecutionData=false. */
function withoutData(event: HistoryEvent): HistoryEvent {
    return Object.fromEntries(
        Object.entries(event).map(([key, details]) => [
            key,
            typeof details !== "object" || details === null
                ? details
                : Object.fromEntries(
                      Object.entries(details).filter(([field]) => !["input", "output", "parameters"].includes(field)),
                  ),
        ]),
    ) as unknown as HistoryEvent;
}
