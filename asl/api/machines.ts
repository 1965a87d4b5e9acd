/** State machines, their revisions, versions, aliases and tags. */
import type { CompiledMachine } from "../interpreter";
import type { JsonObject, JsonValue } from "../types";
import { machineArn } from "./arns";
import { compiled, type MachineType } from "./definitions";
import { invalid, resourceNotFound, ServiceError } from "./errors";

/** What a state machine does from one update to the next. */
export interface Revision {
    /** AWS gives none to what a machine was created with. */
    readonly id: string | undefined;
    readonly definition: string;
    readonly machine: CompiledMachine;
    readonly roleArn: string;
    readonly configuration: Configuration;
    /** Milliseconds since the epoch. */
    readonly date: number;
}

/** What is kept for who asks and has no meaning here. */
export interface Configuration {
    readonly loggingConfiguration: JsonObject;
    readonly tracingConfiguration: JsonObject;
    readonly encryptionConfiguration?: JsonObject;
}

/** A published revision. */
export interface Version {
    readonly number: number;
    readonly revision: Revision;
    readonly description: string | undefined;
    readonly date: number;
}

/** Which share of executions an alias gives to which version. */
export interface Route {
    readonly stateMachineVersionArn: string;
    /** Percent. */
    readonly weight: number;
}

/** A name for one or two versions. */
export interface Alias {
    readonly name: string;
    description: string | undefined;
    routes: readonly Route[];
    readonly creationDate: number;
    updateDate: number;
}

/** A state machine. */
export interface Machine {
    readonly arn: string;
    readonly name: string;
    readonly type: MachineType;
    readonly creationDate: number;
    current: Revision;
    /** Oldest first. */
    versions: readonly Version[];
    /** Numbers are never given twice. */
    lastVersion: number;
    readonly aliases: Map<string, Alias>;
    readonly tags: Map<string, string>;
    /** While executions of a deleted machine still end. */
    isDeleting: boolean;
}

/** A machine, or a version of it, chosen by an ARN. */
export interface Chosen {
    readonly machine: Machine;
    readonly revision: Revision;
    readonly version: Version | undefined;
    readonly alias: Alias | undefined;
}

/** Tags that a resource may have. Source: API reference, TagResource. */
const MAXIMUM_TAGS = 50;

/** Everything that is there, by ARN. */
export class Machines {
    private readonly machines = new Map<string, Machine>();

    /** @param random A number from 0 to below 1, for the routes of aliases. */
    constructor(private readonly random: () => number = Math.random) {}

    all(): readonly Machine[] {
        return [...this.machines.values()];
    }

    /** @throws ServiceError InvalidArn, StateMachineDoesNotExist */
    get(arn: string): Machine {
        const machine = this.machines.get(machineArn(arn).machine);
        if (machine === undefined) {
            throw doesNotExist(arn);
        }
        return machine;
    }

    find(arn: string): Machine | undefined {
        return this.machines.get(arn);
    }

    add(machine: Machine): void {
        this.machines.set(machine.arn, machine);
    }

    remove(arn: string): void {
        this.machines.delete(arn);
    }

    /** @throws ServiceError StateMachineDeleting */
    writable(arn: string): Machine {
        const { machine, qualifier } = machineArn(arn);
        const found = this.machines.get(machine);
        if (found === undefined || qualifier !== undefined) {
            throw doesNotExist(arn);
        }
        if (found.isDeleting) {
            throw new ServiceError("StateMachineDeleting", `State Machine is being deleted: '${arn}'`);
        }
        return found;
    }

    /** What an execution of an ARN runs: of an alias, the version that its routes and chance say. */
    choose(arn: string): Chosen {
        const machine = this.get(arn);
        const { qualifier } = machineArn(arn);
        if (qualifier === undefined) {
            return { machine, revision: machine.current, version: undefined, alias: undefined };
        }
        const alias = machine.aliases.get(qualifier);
        const wanted = alias === undefined ? arn : this.route(alias);
        const version = machine.versions.find(({ number }) => versionArn(machine, number) === wanted);
        if (version === undefined) {
            throw doesNotExist(arn);
        }
        return { machine, revision: version.revision, version, alias };
    }

    private route({ routes }: Alias): string | undefined {
        const [first, second] = routes;
        return this.random() * 100 < (first?.weight ?? 0)
            ? first?.stateMachineVersionArn
            : second?.stateMachineVersionArn;
    }

    /** The machine with an alias of this ARN. @throws ServiceError ResourceNotFound */
    alias(arn: string): { readonly machine: Machine; readonly alias: Alias } {
        const { machine: ofMachine, qualifier = "" } = machineArn(arn);
        const machine = this.machines.get(ofMachine);
        const alias = machine?.aliases.get(qualifier);
        if (machine === undefined || alias === undefined) {
            throw resourceNotFound(arn);
        }
        return { machine, alias };
    }

    /** The tags of a machine. @throws ServiceError ResourceNotFound */
    tags(arn: string): Map<string, string> {
        const machine = this.machines.get(machineArn(arn).machine);
        if (machine === undefined) {
            throw new ServiceError("ResourceNotFound", `Resource not found: '${arn}'`, { resourceName: arn });
        }
        return machine.tags;
    }
}

function doesNotExist(arn: string): ServiceError {
    return new ServiceError("StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
}

/** ARN of a machine's version. */
export function versionArn(machine: Pick<Machine, "arn">, number: number): string {
    return `${machine.arn}:${number}`;
}

/** ARN of a machine's alias. */
export function aliasArn(machine: Pick<Machine, "arn">, name: string): string {
    return `${machine.arn}:${name}`;
}

/** A tag as the API spells it. */
export interface Tag {
    readonly key: string;
    readonly value: string;
}

/** Adds tags. @throws ServiceError TooManyTags */
export function addTags(tags: Map<string, string>, added: readonly Tag[], resourceName: string): void {
    const names = new Set([...tags.keys(), ...added.map(({ key }) => key)]);
    if (names.size > MAXIMUM_TAGS) {
        const message = `Too many tags: ${names.size}; a resource may have ${MAXIMUM_TAGS}.`;
        throw new ServiceError("TooManyTags", message, { resourceName });
    }
    added.forEach(({ key, value }) => tags.set(key, value));
}

/** A request's configuration; what it leaves out is as it was, at first as AWS has it. */
export interface ConfigurationRequest {
    readonly loggingConfiguration?: JsonObject;
    readonly tracingConfiguration?: JsonObject;
    readonly encryptionConfiguration?: JsonObject;
}

const INITIAL: Configuration = {
    loggingConfiguration: { level: "OFF", includeExecutionData: false },
    tracingConfiguration: { enabled: false },
};

/** @throws ServiceError InvalidLoggingConfiguration */
export function configurationOf(request: ConfigurationRequest, before: Configuration = INITIAL): Configuration {
    const { loggingConfiguration, tracingConfiguration, encryptionConfiguration } = request;
    const merged = {
        loggingConfiguration:
            loggingConfiguration === undefined ? before.loggingConfiguration : logging(loggingConfiguration),
        tracingConfiguration: tracingConfiguration ?? before.tracingConfiguration,
    };
    const encryption = encryptionConfiguration ?? before.encryptionConfiguration;
    return encryption === undefined ? merged : { ...merged, encryptionConfiguration: encryption };
}

function logging(given: JsonObject): JsonObject {
    const { level = "OFF", includeExecutionData = false, destinations = [] } = given;
    const isOff = level === "OFF";
    const count = (destinations as readonly JsonValue[]).length;
    if (isOff ? count > 1 : count !== 1) {
        throw new ServiceError(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        );
    }
    const common: JsonObject = { level, includeExecutionData };
    return count === 0 ? common : { ...common, destinations };
}

/** A new revision of a machine, or the one that is there where nothing has changed. */
export function revisionOf(
    machine: Pick<Machine, "type" | "current">,
    changes: ConfigurationRequest & { readonly definition?: string; readonly roleArn?: string },
): Revision {
    const { current, type } = machine;
    const definition = changes.definition ?? current.definition;
    const roleArn = changes.roleArn ?? current.roleArn;
    const configuration = configurationOf(changes, current.configuration);
    const isSame =
        definition === current.definition &&
        roleArn === current.roleArn &&
        JSON.stringify(configuration) === JSON.stringify(current.configuration);
    if (isSame) {
        return current;
    }
    const runnable = definition === current.definition ? current.machine : compiled(definition, type);
    return { id: crypto.randomUUID(), definition, machine: runnable, roleArn, configuration, date: Date.now() };
}

/** Publishes a machine's current revision; one that is published already is not published again. */
export function publish(machine: Machine, description: string | undefined, revisionId?: string): Version {
    const { current } = machine;
    if (revisionId !== undefined && revisionId !== (current.id ?? "INITIAL")) {
        throw new ServiceError(
            "ConflictException",
            `Failed to publish the State Machine version for revision ${revisionId}. ` +
                `The current State Machine revision is ${current.id ?? "INITIAL"}.`,
        );
    }
    const last = machine.versions.at(-1);
    if (last !== undefined && last.revision === current) {
        return last;
    }
    machine.lastVersion += 1;
    const version = { number: machine.lastVersion, revision: current, description, date: Date.now() };
    machine.versions = [...machine.versions, version];
    return version;
}

/** @throws ServiceError ValidationException where a description comes without what it describes. */
export function checkDescription(description: string | undefined, isPublished: boolean | undefined): void {
    if (description !== undefined && isPublished !== true) {
        throw invalid("Version description can only be set when publish is true");
    }
}
