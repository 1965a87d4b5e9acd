/** What a Task's role must be allowed: statements of IAM, carried by the Task that needs them. */
import { defined } from "../../ground/fields";

/** One statement of what is allowed. */
export interface Permission {
    /** `service:Action`, as IAM spells them. */
    readonly actions: readonly string[];
    /** ARNs; one with a wildcard wants a reason. */
    readonly resources: readonly string[];
    /**
     * Operator, key, values; for example `{ StringEquals: { "iam:PassedToService": "sagemaker.amazonaws.com" } }`.
     * Default: none.
     */
    readonly conditions?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
    /** Why a resource holds a wildcard; demanded where one does. Default: none. */
    readonly reason?: string;
}

/** A statement of an IAM policy. */
export interface PolicyStatement {
    /** First action and place in the document: letters and digits. */
    readonly Sid: string;
    /** Never anything else. */
    readonly Effect: "Allow";
    /** `service:Action`, sorted. */
    readonly Action: readonly string[];
    /** ARNs, sorted. */
    readonly Resource: readonly string[];
    /** Default: none. */
    readonly Condition?: Permission["conditions"];
}

/** The parts of an ARN that its neighbours share. */
export interface Place {
    /** `aws`, `aws-cn`, `aws-us-gov`. */
    readonly partition: string;
    /** For example `eu-central-1`. */
    readonly region: string;
    /** Twelve digits. */
    readonly account: string;
}

/** Reads `arn:partition:service:region:account:resource`. */
export function placeOf(arn: string): Place & { readonly resource: string } {
    const parts = arn.split(":");
    if (parts.length < 6 || parts[0] !== "arn") {
        throw new Error(`"${arn}" is no ARN; expected arn:partition:service:region:account:resource`);
    }
    return { partition: parts[1]!, region: parts[3]!, account: parts[4]!, resource: parts.slice(5).join(":") };
}

/** What `.sync` needs besides its call: the rule by which Step Functions learns that the work has ended. */
export function managedRule({ partition, region, account }: Place, name: string): Permission {
    return {
        actions: ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
        resources: [`arn:${partition}:events:${region}:${account}:rule/${name}`],
    };
}

/**
 * The union: permissions for the same resources under the same conditions become one, and what is sorted stays the same
 * for the same set of Tasks.
 */
export function mergePermissions(permissions: readonly Permission[]): readonly Permission[] {
    const byPlace = new Map<
        string,
        { actions: Set<string>; resources: Set<string>; conditions: Permission["conditions"]; reasons: Set<string> }
    >();
    for (const { actions, resources, conditions, reason } of permissions) {
        const wildcard = resources.find((resource) => resource.includes("*"));
        if (wildcard !== undefined && reason === undefined) {
            throw new Error(
                `the permission ${actions.join(", ")} on ${wildcard} has a wildcard and gives no reason for it`,
            );
        }
        // Statements with the same actions share their resources: 100 functions are one statement.
        const place = JSON.stringify([[...actions].sort(), conditions ?? null]);
        const entry = byPlace.get(place) ?? {
            actions: new Set(),
            resources: new Set(),
            conditions,
            reasons: new Set(),
        };
        actions.forEach((action) => entry.actions.add(action));
        resources.forEach((resource) => entry.resources.add(resource));
        if (reason !== undefined) {
            entry.reasons.add(reason);
        }
        byPlace.set(place, entry);
    }
    return [...byPlace.entries()]
        .sort(([left], [right]) => compareTexts(left, right))
        .map(([, entry]) =>
            defined({
                actions: [...entry.actions].sort(),
                resources: [...entry.resources].sort(),
                conditions: entry.conditions,
                reason: entry.reasons.size > 0 ? [...entry.reasons].sort().join("; ") : undefined,
            }),
        );
}

function compareTexts(left: string, right: string): number {
    if (left === right) {
        return 0;
    }
    return left < right ? -1 : 1;
}

/** An IAM policy document of the permissions. The Sid names the first action. */
export function policyDocument(permissions: readonly Permission[]): {
    readonly Version: "2012-10-17";
    readonly Statement: readonly PolicyStatement[];
} {
    return {
        Version: "2012-10-17",
        Statement: mergePermissions(permissions).map(({ actions, resources, conditions }, index) =>
            defined({
                Sid: `${(actions[0] ?? "").replace(/[^A-Za-z0-9]/g, "")}${index}`,
                Effect: "Allow" as const,
                Action: actions,
                Resource: resources,
                Condition: conditions,
            }),
        ),
    };
}
