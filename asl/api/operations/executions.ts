import { defined } from "../../../ground/fields";
import type { JsonObject, JsonValue } from "../../types";
import { machineArn, checkName, partsOf } from "../arns";
import type { MachineType } from "../definitions";
import { invalid, resourceNotFound, ServiceError } from "../errors";
import { notRedrivable, seconds, shownEvent, type Run, type StartRequest } from "../executions";
import type { Chosen } from "../machines";
import { pageOf, type PageRequest } from "../pagination";
import type { Operations, Service } from "./service";

interface StopRequest {
    readonly executionArn: string;
    readonly error?: string;
    readonly cause?: string;
}

interface DescribeRequest {
    readonly executionArn: string;
    readonly includedData?: "ALL_DATA" | "METADATA_ONLY";
}

interface ListRequest extends PageRequest {
    readonly stateMachineArn?: string;
    readonly mapRunArn?: string;
    readonly statusFilter?: string;
    readonly redriveFilter?: "REDRIVEN" | "NOT_REDRIVEN";
}

interface HistoryRequest extends PageRequest {
    readonly executionArn: string;
    readonly reverseOrder?: boolean;
    readonly includeExecutionData?: boolean;
}

/** Executions and what happened in them. */
export function executionOperations(service: Service): Operations {
    const { executions } = service;
    return {
        StartExecution: (body) => {
            const request = body as StartRequest;
            const chosen = startable(service, request);
            const { arn, startDate } =
                chosen.machine.type === "EXPRESS"
                    ? executions.startExpress(chosen, request)
                    : executions.start(chosen, request);
            return { executionArn: arn, startDate: seconds(startDate) };
        },
        StartSyncExecution: (body) => startSync(service, body as StartRequest & DescribeRequest),
        StopExecution: (body) => {
            const { executionArn, error, cause } = body as StopRequest;
            const run = executions.get(executionArn);
            executions.stop(run, error, cause);
            return { stopDate: seconds(run.stopDate ?? Date.now()) };
        },
        DescribeExecution: (body) => {
            const { executionArn, includedData } = body as DescribeRequest;
            return described(executions.get(executionArn), includedData !== "METADATA_ONLY");
        },
        DescribeStateMachineForExecution: (body) => ofExecution(service, body as DescribeRequest),
        ListExecutions: (body) => list(service, body as ListRequest),
        GetExecutionHistory: (body) => history(service, body as HistoryRequest),
        ...mapRunOperations(service),
    };
}

/** What an ARN starts. @throws ServiceError */
function startable({ machines }: Service, { stateMachineArn, name }: StartRequest, type?: MachineType): Chosen {
    if (name !== undefined) {
        checkName(name);
    }
    const chosen = machines.choose(stateMachineArn);
    if (type !== undefined && chosen.machine.type !== type) {
        throw notOfThisType();
    }
    if (chosen.machine.isDeleting) {
        throw new ServiceError("StateMachineDeleting", `State Machine is being deleted: '${stateMachineArn}'`);
    }
    return chosen;
}

function notOfThisType(): ServiceError {
    const message = "This operation is not supported by this type of state machine";
    return new ServiceError("StateMachineTypeNotSupported", message);
}

/** Milliseconds that Express executions are billed in steps of. */
const BILLED_STEP = 100;

async function startSync(service: Service, request: StartRequest & DescribeRequest): Promise<JsonObject> {
    const run = service.executions.startExpress(startable(service, request, "EXPRESS"), request);
    await run.done;
    const stopDate = run.stopDate ?? Date.now();
    const steps = Math.max(1, Math.ceil((stopDate - run.startDate) / BILLED_STEP));
    const hasData = request.includedData !== "METADATA_ONLY";
    return defined({
        executionArn: run.arn,
        stateMachineArn: run.machineArn,
        name: run.name,
        startDate: seconds(run.startDate),
        stopDate: seconds(stopDate),
        status: run.status,
        ...data(run, hasData),
        error: run.error,
        cause: run.cause,
        traceHeader: run.traceHeader,
        billingDetails: { billedMemoryUsedInMB: 64, billedDurationInMilliseconds: steps * BILLED_STEP },
    });
}

function data({ input, output }: Run, hasData: boolean): Readonly<Record<string, JsonValue | undefined>> {
    return {
        input: hasData ? input : undefined,
        inputDetails: { included: hasData },
        output: hasData ? output : undefined,
        outputDetails: output === undefined ? undefined : { included: hasData },
    };
}

function summary(run: Run): Readonly<Record<string, JsonValue | undefined>> {
    return {
        executionArn: run.arn,
        stateMachineArn: run.machineArn,
        name: run.name,
        status: run.status,
        startDate: seconds(run.startDate),
        stopDate: run.stopDate === undefined ? undefined : seconds(run.stopDate),
        redriveCount: 0,
        stateMachineVersionArn: run.versionArn,
        stateMachineAliasArn: run.aliasArn,
    };
}

function described(run: Run, hasData: boolean): JsonObject {
    const reason = notRedrivable(run);
    return defined({
        ...summary(run),
        ...data(run, hasData),
        error: run.error,
        cause: run.cause,
        traceHeader: run.traceHeader,
        redriveStatus: reason === undefined ? "REDRIVABLE" : "NOT_REDRIVABLE",
        redriveStatusReason: reason,
    });
}

function ofExecution({ executions }: Service, { executionArn, includedData }: DescribeRequest): JsonObject {
    const run = executions.get(executionArn);
    const { revision } = run;
    return defined({
        stateMachineArn: run.machineArn,
        name: run.machineName,
        definition: includedData === "METADATA_ONLY" ? undefined : revision.definition,
        roleArn: revision.roleArn,
        updateDate: seconds(revision.date),
        ...revision.configuration,
        revisionId: revision.id,
    });
}

function list({ machines, executions }: Service, request: ListRequest): JsonObject {
    const { stateMachineArn, mapRunArn, statusFilter, redriveFilter } = request;
    if ((stateMachineArn === undefined) === (mapRunArn === undefined)) {
        throw invalid("Must specify exactly one of stateMachineArn and mapRunArn.");
    }
    if (stateMachineArn === undefined) {
        throw invalid("Executions of Map Runs are not kept here one by one; DescribeMapRun has their numbers.");
    }
    const { machine } = machineArn(stateMachineArn);
    if (machines.get(machine).type === "EXPRESS") {
        throw notOfThisType();
    }
    const isOfMachine = (run: Run): boolean =>
        [run.machineArn, run.versionArn, run.aliasArn].includes(stateMachineArn) &&
        (statusFilter === undefined || run.status === statusFilter) &&
        redriveFilter !== "REDRIVEN";
    // newest first, as AWS does
    const found = executions.all().filter(isOfMachine).reverse();
    const name = ["executions", stateMachineArn, statusFilter, redriveFilter].join(" ");
    const { items, nextToken } = pageOf(name, found, request, ({ arn }) => arn);
    return defined({ executions: items.map((run) => defined(summary(run))), nextToken });
}

function history({ executions }: Service, request: HistoryRequest): JsonObject {
    const { executionArn, reverseOrder = false, includeExecutionData = true } = request;
    const { events } = executions.get(executionArn);
    const ordered = reverseOrder ? [...events].reverse() : events;
    const name = ["history", executionArn, reverseOrder].join(" ");
    const { items, nextToken } = pageOf(name, ordered, request, ({ id }) => `${id}`);
    return defined({ events: items.map((event) => shownEvent(event, includeExecutionData)), nextToken });
}

function mapRunOperations({ executions }: Service): Operations {
    return {
        ListMapRuns: (body) => {
            const { executionArn, ...page } = body as PageRequest & { readonly executionArn: string };
            const runs = executions.get(executionArn).mapRuns.list();
            const name = `map runs ${executionArn}`;
            const { items, nextToken } = pageOf(name, runs, page, ({ mapRunArn }) => String(mapRunArn));
            return defined({ mapRuns: [...items], nextToken });
        },
        DescribeMapRun: (body) => {
            const { mapRunArn } = body as { readonly mapRunArn: string };
            partsOf(mapRunArn, "mapRun");
            for (const run of executions.all()) {
                const found = run.mapRuns.describe(mapRunArn);
                if (found !== undefined) {
                    return found;
                }
            }
            throw resourceNotFound(mapRunArn);
        },
    };
}
