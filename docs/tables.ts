/** The tables of the documents: configuration, hyperparameters, error classes, rooms, roles. */
import { present } from "../ground/fields";
import { UNAVOIDABLE_WILDCARDS } from "../policy/lib/wildcards";
import { CONFIG_KEYS } from "../stacks/config";
import { DEMANDS } from "../stacks/demands";
import type { EvaluatedStage } from "../project/evaluate";
import { COMBINER, hyperparametersOf, MEMBERS } from "../stacks/models";
import type { ErrorClass, HyperparameterRule } from "../workflow/contract";
import { ERROR_CLASSES, type ErrorPolicy } from "../workflow/errorClasses";
import { advice } from "../workflow/failures";
import documents from "../workloads/training/common/documents.json";
import { ROOMS } from "./rooms";

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]): string =>
        `| ${cells.map((cell) => cell.replace(/\|/g, "\\|").replace(/\n/g, " ")).join(" | ")} |`;
    return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function configurationTable(): string {
    return table(
        ["key", "meaning", "default"],
        Object.entries(CONFIG_KEYS).map(([key, schema]): string[] => {
            const parsed = schema.safeParse(undefined);
            const value =
                key === "models"
                    ? "see below"
                    : parsed.success && parsed.data !== undefined
                      ? `\`${JSON.stringify(parsed.data)}\``
                      : "none";
            return [`\`${key}\``, schema.description ?? "", value];
        }),
    );
}

function bounds(rule: HyperparameterRule): string {
    if (rule.values !== undefined) {
        return rule.values.join(", ");
    }
    return present([
        rule.type,
        rule.minimum === undefined ? undefined : `${rule.exclusiveMinimum === true ? "above" : "from"} ${rule.minimum}`,
        rule.maximum === undefined ? undefined : `${rule.exclusiveMaximum === true ? "below" : "to"} ${rule.maximum}`,
    ]).join(" ");
}

export function hyperparameterTables(): string {
    return [...Object.entries(MEMBERS), [COMBINER.name, COMBINER] as const]
        .map(([name, spec]) => {
            const { schema, defaults } = hyperparametersOf(spec);
            const rows = Object.entries(schema).map(([key, rule]) => [
                `\`${key}\``,
                rule.description ?? "",
                bounds(rule),
                `\`${String(defaults[key])}\``,
                rule.learning ? "yes" : "no",
            ]);
            return `**${name}**\n\n${table(["hyperparameter", "meaning", "bounds", "default", "part of the content key"], rows)}`;
        })
        .join("\n\n");
}

export function errorClassTable(): string {
    const retried = ({ nextRung, retries, waitSeconds, maximumWaitSeconds }: ErrorPolicy): string =>
        retries === 0
            ? "never"
            : `${nextRung ? "next rung at once; after the last " : ""}${retries} waits of ` +
              `${nextRung ? waitSeconds : `${waitSeconds} to ${maximumWaitSeconds}`} s`;
    return table(
        ["class", "what it is", "tried again", "what you can do"],
        Object.entries(ERROR_CLASSES).map(([name, policy]) => [
            name,
            policy.description,
            retried(policy),
            advice[name as ErrorClass],
        ]),
    );
}

/** The columns of labels.csv. */
export function documentColumns(): string {
    return table(
        ["column", "value", "meaning"],
        Object.entries(documents.labels.columns).map(([column, { expected, meaning }]) => [
            `\`${column}\``,
            expected,
            meaning,
        ]),
    );
}

export function roomTable(): string {
    return table(
        ["room", "holds", "may import"],
        Object.entries(ROOMS).map(([room, { holds, mayImport }]) => [
            `\`${room}${room.endsWith(".ts") ? "" : "/"}\``,
            holds,
            mayImport.map((other) => `\`${other}/\``).join(", ") || "nothing of the project",
        ]),
    );
}

interface Statement {
    readonly Sid?: string;
    readonly Action: string | readonly string[];
    readonly Resource?: string | readonly string[];
    readonly Principal?: { readonly Service?: string | readonly string[] };
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const listed = (value: string | readonly string[] | undefined): readonly string[] =>
    value === undefined ? [] : typeof value === "string" ? [value] : value;
const statementsOf = (text: unknown): Statement[] => (JSON.parse(String(text)) as { Statement: Statement[] }).Statement;

/** What the pack holds against a wildcard of an action, or nothing where it must name its resource. */
function reasonOf(action: string): string | undefined {
    return UNAVOIDABLE_WILDCARDS.find((entry) => entry.action === action)?.reason;
}

/** An ARN without what every ARN of the stage has, and what differs from stage to stage as a placeholder. */
function shortArn(arn: string, region: string, account: string): string {
    return arn
        .replace(/^arn:[^:]*:/, "")
        .replace(`:${region}:`, ":")
        .replace(`:${account}:`, ":")
        .replaceAll(account, "<account>")
        .replaceAll(region, "<region>")
        .replace(/key\/[0-9a-f-]{36}/, "key/<the stage's>")
        .replace(/-[0-9a-f]{12}(?=$|:|\*)/g, "-<hash>")
        .replace(/^s3:::/, "s3://")
        .replace(/::/g, ":");
}

function code(text: string): string {
    return `\`${text}\``;
}

/** What AWS's documentation demands of roles and of resources' own policies. */
export function demandTable(): string {
    const rows = DEMANDS.map(({ who, policyOf, actions, why, source }) => [
        policyOf === undefined ? code(who) : `the service ${code(who)}, in the policy of the ${policyOf}`,
        actions.map(code).join(", "),
        why,
        `[AWS](${source})`,
    ]);
    return table(["who", "must be allowed", "why", "written"], rows);
}

/** Every role of a stage: who takes it, what it may do on what, and why a wildcard is there. */
export function roleTables(stage: EvaluatedStage): string {
    const { region, account } = stage.identity;
    const brief = (values: readonly string[]): string => {
        const names = new Set(values.map((arn) => shortArn(arn, region, account)));
        return [...names].map(code).join(", ");
    };
    const roles = stage.resources.filter(({ type }) => type === "aws:iam/role:Role");
    const policies = stage.resources.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
    return roles
        .map(({ inputs }) => {
            const trust = statementsOf(inputs.assumeRolePolicy);
            const services = trust
                .flatMap(({ Principal }) => listed(Principal?.Service))
                .map(code)
                .join(", ");
            const conditions = trust
                .flatMap(({ Condition }) => Object.values(Condition ?? {}).flatMap((keys) => Object.keys(keys)))
                .map(code)
                .join(", ");
            const rows = policies
                .filter((policy) => policy.inputs.role === inputs.name)
                .flatMap((policy) => statementsOf(policy.inputs.policy))
                .map((statement) => {
                    const actions = listed(statement.Action);
                    const on = listed(statement.Resource);
                    const reasons = [
                        ...new Set(
                            on.some((resource) => resource === "*" || resource.endsWith(":job/*"))
                                ? actions.map((action) => reasonOf(action) ?? "")
                                : [],
                        ),
                    ];
                    const bound = Object.values(statement.Condition ?? {})
                        .flatMap((keys) => Object.keys(keys))
                        .map(code)
                        .join(", ");
                    return [
                        actions.map(code).join(", "),
                        brief(on),
                        bound,
                        reasons.filter((reason) => reason !== "").join("; "),
                    ];
                });
            return (
                `**\`${String(inputs.name)}\`** ${String(inputs.description)}. Assumed by ${services}, bound by ` +
                `${conditions}.\n\n` +
                table(["may", "on", "only if", "why the wildcard"], rows)
            );
        })
        .sort()
        .join("\n\n");
}
