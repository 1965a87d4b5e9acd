/** What the roles of a stage may do, and what of it is new or gone. */
import type { EvaluatedStage } from "../../project/evaluate";

/** `role: action on resource`, one line each. */
export type Permissions = ReadonlySet<string>;

interface Statement {
    readonly Effect?: string;
    readonly Action?: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly Condition?: unknown;
}

/** Every action on every resource that the inline policies of the stage's roles allow. */
export function permissionsOf(stage: EvaluatedStage): Permissions {
    return new Set(
        stage.resources
            .filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy")
            .flatMap(({ inputs }) => {
                const { Statement: statements } = JSON.parse(String(inputs.policy)) as {
                    readonly Statement: readonly Statement[];
                };
                return statements.flatMap((statement) =>
                    list(statement.Action).flatMap((action) =>
                        list(statement.Resource).map(
                            (resource) =>
                                `${String(inputs.role)}: ${statement.Effect === "Deny" ? "never " : ""}${action} on ` +
                                `${resource}` +
                                (statement.Condition === undefined ? "" : ` if ${JSON.stringify(statement.Condition)}`),
                        ),
                    ),
                );
            }),
    );
}

export interface PermissionChanges {
    readonly added: readonly string[];
    readonly removed: readonly string[];
}

export function diffPermissions(before: Permissions, after: Permissions): PermissionChanges {
    return {
        added: [...after].filter((permission) => !before.has(permission)).sort(),
        removed: [...before].filter((permission) => !after.has(permission)).sort(),
    };
}

function list(value: string | readonly string[] | undefined): readonly string[] {
    return value === undefined ? [] : typeof value === "string" ? [value] : value;
}
