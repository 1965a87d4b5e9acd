import { defined } from "../../../ground/fields";
import type { JsonObject } from "../../types";
import { machineArn } from "../arns";
import { invalid, ServiceError } from "../errors";
import { seconds } from "../executions";
import { aliasArn, publish, versionArn, type Alias, type Machine, type Route } from "../machines";
import { pageOf, type PageRequest } from "../pagination";
import type { Operations, Service } from "./service";

interface PublishRequest {
    readonly stateMachineArn: string;
    readonly revisionId?: string;
    readonly description?: string;
}

interface AliasRequest {
    readonly name: string;
    readonly description?: string;
    readonly routingConfiguration: readonly Route[];
}

interface AliasUpdate {
    readonly stateMachineAliasArn: string;
    readonly description?: string;
    readonly routingConfiguration?: readonly Route[];
}

/** Versions of machines, and aliases that name them. */
export function versionOperations(service: Service): Operations {
    const { machines } = service;
    return {
        PublishStateMachineVersion: (body) => {
            const { stateMachineArn, revisionId, description } = body as PublishRequest;
            const machine = machines.writable(stateMachineArn);
            const { number, date } = publish(machine, description, revisionId);
            return { creationDate: seconds(date), stateMachineVersionArn: versionArn(machine, number) };
        },
        ListStateMachineVersions: (body) => {
            const { stateMachineArn, ...page } = body as PageRequest & { readonly stateMachineArn: string };
            const machine = machines.get(stateMachineArn);
            // newest first, as AWS does
            const versions = [...machine.versions].reverse();
            const { items, nextToken } = pageOf(`versions ${machine.arn}`, versions, page, ({ number }) => `${number}`);
            const stateMachineVersions = items.map(({ number, date }) => ({
                stateMachineVersionArn: versionArn(machine, number),
                creationDate: seconds(date),
            }));
            return defined({ stateMachineVersions, nextToken });
        },
        DeleteStateMachineVersion: (body) =>
            deleteVersion(service, (body as { readonly stateMachineVersionArn: string }).stateMachineVersionArn),
        ...aliasOperations(service),
    };
}

function aliasOperations(service: Service): Operations {
    const { machines } = service;
    return {
        CreateStateMachineAlias: (body) => createAlias(service, body as AliasRequest),
        UpdateStateMachineAlias: (body) => updateAlias(service, body as AliasUpdate),
        DescribeStateMachineAlias: (body) => {
            const { stateMachineAliasArn } = body as { readonly stateMachineAliasArn: string };
            const { alias } = machines.alias(stateMachineAliasArn);
            return defined({
                stateMachineAliasArn,
                name: alias.name,
                description: alias.description,
                routingConfiguration: alias.routes.map((route) => ({ ...route })),
                creationDate: seconds(alias.creationDate),
                updateDate: seconds(alias.updateDate),
            });
        },
        DeleteStateMachineAlias: (body) => {
            const { machine, alias } = machines.alias(
                (body as { readonly stateMachineAliasArn: string }).stateMachineAliasArn,
            );
            machine.aliases.delete(alias.name);
            return {};
        },
        ListStateMachineAliases: (body) => {
            const { stateMachineArn, ...page } = body as PageRequest & { readonly stateMachineArn: string };
            const machine = machines.get(stateMachineArn);
            const { qualifier } = machineArn(stateMachineArn);
            const aliases = [...machine.aliases.values()].filter(
                ({ routes }) =>
                    qualifier === undefined ||
                    routes.some(({ stateMachineVersionArn }) => stateMachineVersionArn === stateMachineArn),
            );
            const { items, nextToken } = pageOf(`aliases ${stateMachineArn}`, aliases, page, ({ name }) => name);
            const stateMachineAliases = items.map(({ name, creationDate }) => ({
                stateMachineAliasArn: aliasArn(machine, name),
                creationDate: seconds(creationDate),
            }));
            return defined({ stateMachineAliases, nextToken });
        },
    };
}

/** It is no error that a version is gone already; it is one that an alias names it. */
function deleteVersion({ machines }: Service, stateMachineVersionArn: string): JsonObject {
    const machine = machines.find(machineArn(stateMachineVersionArn).machine);
    if (machine === undefined) {
        return {};
    }
    const naming = [...machine.aliases.values()].filter(({ routes }) =>
        routes.some((route) => route.stateMachineVersionArn === stateMachineVersionArn),
    );
    if (naming.length > 0) {
        throw new ServiceError(
            "ConflictException",
            "Version to be deleted must not be referenced by an alias. " +
                `Current list of aliases referencing this version: [${naming.map(({ name }) => name).join(", ")}]`,
        );
    }
    machine.versions = machine.versions.filter(({ number }) => versionArn(machine, number) !== stateMachineVersionArn);
    return {};
}

/** The machine whose versions the routes name. @throws ServiceError ValidationException, ResourceNotFound */
function routed({ machines }: Service, routes: readonly Route[]): Machine {
    const arns = routes.map(({ stateMachineVersionArn }) => stateMachineVersionArn);
    if (!arns.every((arn) => /^\d+$/.test(machineArn(arn).qualifier ?? ""))) {
        throw invalid(`Routing configuration must contain state machine version ARNs. Received: [${arns.join(", ")}]`);
    }
    if (new Set(arns).size < arns.length) {
        throw invalid(
            `Routing configuration must contain distinct state machine version ARNs. Received: [${arns.join(", ")}]`,
        );
    }
    const weights = routes.map(({ weight }) => weight);
    if (weights.reduce((sum, weight) => sum + weight, 0) !== 100) {
        throw invalid(`Sum of routing configuration weights must equal 100. Received: [${weights.join(", ")}]`);
    }
    const [machine, other] = arns.map((arn) => machines.choose(arn).machine);
    if (machine === undefined || (other !== undefined && other !== machine)) {
        throw invalid("Routing configuration must contain versions of one state machine.");
    }
    return machine;
}

function createAlias(service: Service, request: AliasRequest): JsonObject {
    const { name, description, routingConfiguration: routes } = request;
    const machine = routed(service, routes);
    const existing = machine.aliases.get(name);
    if (existing !== undefined && !isSameAlias(existing, request)) {
        throw new ServiceError(
            "ConflictException",
            "Failed to create alias because an alias with the same name and a different routing configuration " +
                "already exists.",
        );
    }
    const now = Date.now();
    const alias = existing ?? { name, description, routes, creationDate: now, updateDate: now };
    machine.aliases.set(name, alias);
    return { stateMachineAliasArn: aliasArn(machine, name), creationDate: seconds(alias.creationDate) };
}

function isSameAlias(alias: Alias, { description, routingConfiguration }: AliasRequest): boolean {
    return alias.description === description && JSON.stringify(alias.routes) === JSON.stringify(routingConfiguration);
}

function updateAlias(service: Service, request: AliasUpdate): JsonObject {
    const { alias } = service.machines.alias(request.stateMachineAliasArn);
    if (request.routingConfiguration !== undefined) {
        routed(service, request.routingConfiguration);
        alias.routes = request.routingConfiguration;
    }
    alias.description = request.description ?? alias.description;
    alias.updateDate = Date.now();
    return { updateDate: seconds(alias.updateDate) };
}
