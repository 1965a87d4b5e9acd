/**
 * The interpreter behind AWS Step Functions' own API (AWS JSON 1.0), on the loopback address: any AWS SDK, the AWS CLI
 * or Terraform can make and run state machines against it with an endpoint configured. What it holds lives as long as
 * the process.
 */
import { ServiceError } from "./errors";
import { Executions, type ExecutionHooks, type StartedExecution } from "./executions";
import { listen, type RequestLog } from "./http";
import { Machines } from "./machines";
import { OPERATIONS } from "./model";
import { executionOperations } from "./operations/executions";
import { machineOperations } from "./operations/machines";
import type { Operation, Operations, Service } from "./operations/service";
import { tagOperations } from "./operations/tags";
import { taskOperations } from "./operations/tasks";
import { testOperations } from "./operations/testState";
import { versionOperations } from "./operations/versions";
import { checkRequest } from "./request";
import { TaskTokens } from "./taskTokens";

export type { ExecutionHooks, StartedExecution } from "./executions";
export type { RequestLog } from "./http";
export type { Operation } from "./operations/service";
export { ServiceError } from "./errors";

/** What the API is and does. */
export interface StepFunctionsApiOptions {
    /** Asked when an execution begins. */
    readonly begin: (execution: StartedExecution) => ExecutionHooks;
    /** Of other services at the same endpoint: by X-Amz-Target, or by method and path. Default: none. */
    readonly operations?: Readonly<Record<string, Operation>>;
    /** 0, the default, takes a free port. */
    readonly port?: number;
    /** Default: `eu-central-1`. */
    readonly region?: string;
    /** Twelve digits. Default: `000000000000`. */
    readonly accountId?: string;
    /** Ended executions that are kept; the oldest are forgotten first. Default: 1,000. */
    readonly keepEnded?: number;
    /** Told every request when it has been answered. Default: nobody. */
    readonly onRequest?: (log: RequestLog) => void;
}

/** The API while it runs. */
export interface StepFunctionsApi {
    /** `http://127.0.0.1:<port>`, for an SDK's endpoint. */
    readonly endpoint: string;
    /** Aborts running executions, waits for their end and stops listening. */
    close(): Promise<void>;
}

/** Ended executions that are kept unless the caller says otherwise: some 16 MB. */
export const KEEP_ENDED = 1_000;

/**
 * Starts the API.
 * @throws Error (rejection) when the port is taken, with the port and what to do.
 */
export async function serveStepFunctions(options: StepFunctionsApiOptions): Promise<StepFunctionsApi> {
    const { region = "eu-central-1", accountId = "000000000000", port = 0, keepEnded = KEEP_ENDED } = options;
    const tokens = new TaskTokens();
    const executions = new Executions({ begin: options.begin, tokens, keepEnded });
    const service: Service = {
        machines: new Machines(),
        executions,
        tokens,
        arn: (kind, name) => `arn:aws:states:${region}:${accountId}:${kind}:${name}`,
    };
    const operations = { ...options.operations, ...operationsOf(service) };
    const server = await listen({ operations, port, onRequest: options.onRequest });
    return {
        endpoint: `http://127.0.0.1:${server.port}`,
        close: async () => {
            await executions.close();
            await server.close();
        },
    };
}

/** All operations of the service, each behind the check of its request. */
export function operationsOf(service: Service): Operations {
    const offered: Operations = {
        ...machineOperations(service),
        ...versionOperations(service),
        ...tagOperations(service),
        ...executionOperations(service),
        ...taskOperations(service),
        ...testOperations(),
    };
    const entries = OPERATIONS.map((name) => {
        const operation = offered[name] ?? notOffered(name);
        const checked: Operation = (body) => {
            checkRequest(name, body);
            return operation(body);
        };
        return [name, checked] as const;
    });
    return Object.fromEntries(entries);
}

function notOffered(name: string): Operation {
    return () => {
        throw new ServiceError("UnknownOperationException", `${name} is not simulated here.`);
    };
}
