import { defined } from "../../../ground/fields";
import type { JsonObject } from "../../types";
import { checkName, checkRoleArn } from "../arns";
import { compiled, validateDefinition, type MachineType, type ValidateRequest } from "../definitions";
import { ServiceError } from "../errors";
import { seconds } from "../executions";
import {
    addTags,
    checkDescription,
    configurationOf,
    publish,
    revisionOf,
    versionArn,
    type Chosen,
    type ConfigurationRequest,
    type Machine,
    type Tag,
} from "../machines";
import { pageOf, type PageRequest } from "../pagination";
import type { Operations, Service } from "./service";

interface CreateRequest extends ConfigurationRequest {
    readonly name: string;
    readonly definition: string;
    readonly roleArn: string;
    readonly type?: MachineType;
    readonly publish?: boolean;
    readonly versionDescription?: string;
    readonly tags?: readonly Tag[];
}

interface UpdateRequest extends ConfigurationRequest {
    readonly stateMachineArn: string;
    readonly definition?: string;
    readonly roleArn?: string;
    readonly publish?: boolean;
    readonly versionDescription?: string;
}

/** State machines: made, changed, described, deleted. */
export function machineOperations(service: Service): Operations {
    const { machines } = service;
    return {
        CreateStateMachine: (body) => create(service, body as CreateRequest),
        UpdateStateMachine: (body) => update(service, body as UpdateRequest),
        DeleteStateMachine: (body) => remove(service, (body as { readonly stateMachineArn: string }).stateMachineArn),
        DescribeStateMachine: (body) => {
            const { stateMachineArn } = body as { readonly stateMachineArn: string };
            return described(machines.choose(stateMachineArn), stateMachineArn);
        },
        ListStateMachines: (body) => {
            const { items, nextToken } = pageOf("machines", machines.all(), body as PageRequest, ({ arn }) => arn);
            return defined({ stateMachines: items.map(summary), nextToken });
        },
        ValidateStateMachineDefinition: (body) => validateDefinition(body as ValidateRequest),
    };
}

function summary({ arn, name, type, creationDate }: Machine): JsonObject {
    return { stateMachineArn: arn, name, type, creationDate: seconds(creationDate) };
}

function described({ machine, revision, version }: Chosen, stateMachineArn: string): JsonObject {
    return defined({
        stateMachineArn,
        name: machine.name,
        status: machine.isDeleting ? "DELETING" : "ACTIVE",
        definition: revision.definition,
        roleArn: revision.roleArn,
        type: machine.type,
        creationDate: seconds(version?.date ?? machine.creationDate),
        ...revision.configuration,
        description: version?.description,
        revisionId: revision.id,
    });
}

function create({ machines, arn }: Service, request: CreateRequest): JsonObject {
    const { name, definition, roleArn, type = "STANDARD", tags = [], versionDescription } = request;
    checkName(name);
    checkRoleArn(roleArn);
    checkDescription(versionDescription, request.publish);
    const configuration = configurationOf(request);
    const key = arn("stateMachine", name);
    const existing = machines.find(key);
    if (existing !== undefined && !isSame(existing, definition, type, JSON.stringify(configuration))) {
        throw new ServiceError("StateMachineAlreadyExists", `State Machine Already Exists: '${key}'`);
    }
    const date = Date.now();
    const machine: Machine = existing ?? {
        arn: key,
        name,
        type,
        creationDate: date,
        current: { id: undefined, definition, machine: compiled(definition, type), roleArn, configuration, date },
        versions: [],
        lastVersion: 0,
        aliases: new Map(),
        tags: new Map(),
        isDeleting: false,
    };
    if (existing === undefined) {
        addTags(machine.tags, tags, key);
        machines.add(machine);
    }
    return defined({
        stateMachineArn: key,
        creationDate: seconds(machine.creationDate),
        stateMachineVersionArn: published(machine, request),
    });
}

/** Creation again with the same parameters is no error, whatever role and tags it has. */
function isSame({ current, type }: Machine, definition: string, ofType: MachineType, configuration: string): boolean {
    const isEqual = current.definition === definition && type === ofType;
    return isEqual && JSON.stringify(current.configuration) === configuration;
}

function published(
    machine: Machine,
    request: { readonly publish?: boolean; readonly versionDescription?: string },
): string | undefined {
    if (request.publish !== true) {
        return undefined;
    }
    return versionArn(machine, publish(machine, request.versionDescription).number);
}

const UPDATED = ["definition", "roleArn", "loggingConfiguration", "tracingConfiguration", "encryptionConfiguration"];

function update({ machines }: Service, request: UpdateRequest): JsonObject {
    const { stateMachineArn, roleArn, versionDescription } = request;
    const machine = machines.writable(stateMachineArn);
    if (!UPDATED.some((field) => request[field as keyof UpdateRequest] !== undefined) && request.publish !== true) {
        throw new ServiceError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration " +
                "must be specified",
        );
    }
    checkDescription(versionDescription, request.publish);
    if (roleArn !== undefined) {
        checkRoleArn(roleArn);
    }
    machine.current = revisionOf(machine, request);
    return defined({
        updateDate: seconds(machine.current.date),
        revisionId: machine.current.id,
        stateMachineVersionArn: published(machine, request),
    });
}

/** Executions of a deleted machine are ended; until then it is there, and takes no new ones. */
function remove({ machines, executions }: Service, stateMachineArn: string): JsonObject {
    const machine = machines.find(stateMachineArn);
    if (machine === undefined) {
        return {};
    }
    const running = executions.all().filter((run) => run.machineArn === machine.arn && run.status === "RUNNING");
    machine.isDeleting = true;
    running.forEach((run) => executions.stop(run, undefined, undefined));
    const ended = Promise.all(running.map((run) => run.done)).then(() => machines.remove(machine.arn));
    if (running.length === 0) {
        machines.remove(machine.arn);
    }
    ended.catch(() => undefined);
    return {};
}
