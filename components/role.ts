import * as iam from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { present } from "../ground/fields";
import { policyDocument, type Statement } from "./iam";
import type { StageTags } from "./tags";

export interface StageRoleArgs {
    /** The role's explicit name, at most 64 characters: its ARN is computed from it elsewhere. */
    readonly roleName: string;
    readonly description: string;
    /** Who may take the role: a policy document. */
    readonly trust: string;
    /**
     * What the role allows. Plain, so that every policy is known, and can be judged, at a new stage's first preview.
     */
    readonly statements: readonly Statement[];
    /** Actions on the stage's key. Apart from the rest because the key's ARN is not known before the key exists. */
    readonly keyActions?: readonly string[];
    /** Whether AWS's services get grants of the key from this role, as SageMaker does for the volumes of a training. */
    readonly keyGrants?: boolean;
    /** ARN of the stage's key. */
    readonly keyArn: pulumi.Input<string>;
    readonly tags: StageTags;
}

/**
 * What a role may do with the stage's key. A grant is only ever given to a service of AWS, for what that service makes.
 */
function keyStatements(keyArn: string, actions: readonly string[], grants: boolean): Statement[] {
    return present([
        { Sid: "StageKey", Effect: "Allow", Action: [...actions].sort(), Resource: keyArn },
        !grants
            ? undefined
            : {
                  Sid: "StageKeyGrants",
                  Effect: "Allow" as const,
                  Action: "kms:CreateGrant",
                  Resource: keyArn,
                  Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
              },
    ]);
}

/** A role with exactly the statements that it is given, as inline policies: nobody else can attach or share them. */
export class StageRole extends pulumi.ComponentResource {
    readonly arn: pulumi.Output<string>;
    readonly roleName: pulumi.Output<string>;
    /** What must exist before the role can be used: a role without its policies fails in what takes it. */
    readonly parts: readonly pulumi.Resource[];

    constructor(name: string, args: StageRoleArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:iam:Role", name, {}, opts);
        const role = new iam.Role(
            name,
            {
                name: args.roleName,
                description: args.description,
                assumeRolePolicy: args.trust,
                tags: args.tags,
            },
            { parent: this },
        );
        const policies =
            args.statements.length === 0
                ? []
                : [
                      new iam.RolePolicy(
                          name,
                          {
                              name: "tasks",
                              role: role.name,
                              policy: policyDocument(args.statements),
                          },
                          { parent: this },
                      ),
                  ];
        const keyActions = args.keyActions ?? [];
        if (keyActions.length > 0) {
            policies.push(
                new iam.RolePolicy(
                    `${name}-key`,
                    {
                        name: "key",
                        role: role.name,
                        policy: pulumi
                            .output(args.keyArn)
                            .apply((arn) => policyDocument(keyStatements(arn, keyActions, args.keyGrants ?? false))),
                    },
                    { parent: this },
                ),
            );
        }
        this.arn = role.arn;
        this.roleName = role.name;
        this.parts = [role, ...policies];
        this.registerOutputs({ arn: this.arn, roleName: this.roleName });
    }
}
