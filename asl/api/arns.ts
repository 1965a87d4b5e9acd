/** ARNs of Step Functions: what they name, and what they must not name where they stand. */
import { ServiceError } from "./errors";

/** An ARN of a state machine, or of one of its versions or aliases. */
export interface MachineArn {
    /** The machine's own ARN. */
    readonly machine: string;
    /** A version's number or an alias's name; undefined for the machine itself. */
    readonly qualifier: string | undefined;
}

function invalidArn(what: string): ServiceError {
    return new ServiceError("InvalidArn", `Invalid Arn: '${what}'`);
}

/** The kinds of resources that Step Functions has. */
export type ArnKind = "stateMachine" | "execution" | "express" | "mapRun" | "activity";

/**
 * The parts of an ARN behind its kind.
 * @throws ServiceError InvalidArn where it is none, or names a resource of another kind.
 */
export function partsOf(arn: string, ...kinds: readonly ArnKind[]): readonly string[] {
    if (!arn.startsWith("arn:")) {
        throw invalidArn(`Invalid ARN prefix: ${arn}`);
    }
    const [, , service, , , kind, ...parts] = arn.split(":");
    if (service !== "states" || kind === undefined || parts.length === 0) {
        throw invalidArn(arn);
    }
    if (!(kinds as readonly string[]).includes(kind)) {
        throw invalidArn(`Resource type not valid in this context: ${kind}`);
    }
    return parts;
}

/** Reads an ARN of a machine, a version or an alias. */
export function machineArn(arn: string): MachineArn {
    const [name = "", qualifier] = partsOf(arn, "stateMachine");
    const machine = `${arn.split(":").slice(0, 6).join(":")}:${name}`;
    return { machine, qualifier };
}

/**
 * Characters that no name of a machine, an execution or an activity may have. Source: API reference,
 * CreateStateMachine.
 */
const NOT_IN_NAMES = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f\ufffe\uffff]/u;

/** @throws ServiceError InvalidName */
export function checkName(name: string): void {
    if (NOT_IN_NAMES.test(name)) {
        throw new ServiceError("InvalidName", `Invalid Name: '${name}'`);
    }
}

/** @throws ServiceError InvalidArn where a role's ARN is none. */
export function checkRoleArn(arn: string): void {
    if (!/^arn:[^:]+:iam::[^:]*:role\/.+$/.test(arn)) {
        throw new ServiceError("InvalidArn", `Invalid Role Arn: '${arn}'`);
    }
}
