import type { Fact, ResourceFacts, Unknown } from "./facts";
import { firstUnknown, get, isFacts, isUnknown, list, parseJson, strings } from "./facts";

/** One statement of a policy document, with every list made explicit. */
export interface Statement {
    /** Its Sid, or its number where it has none, for messages. */
    readonly label: string;
    readonly effect: string;
    readonly actions: readonly string[];
    readonly hasNotAction: boolean;
    readonly hasNotResource: boolean;
    readonly hasNotPrincipal: boolean;
    readonly resources: readonly string[];
    /** By kind (`AWS`, `Service`, ...); a bare `"*"` is `AWS: ["*"]`. */
    readonly principals: Readonly<Record<string, readonly string[]>>;
    /** `operator` -> `key in lower case` -> values. */
    readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export interface PolicyDocument {
    /** Where the document is, for messages: `policy`, `inlinePolicies.0.policy`. */
    readonly path: string;
    readonly statements: readonly Statement[];
    /** What is not known yet in it. */
    readonly unknown?: Unknown;
    /** Why it cannot be read. */
    readonly problem?: string;
}

export const IDENTITY_POLICY_TYPES = [
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/role:Role",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
] as const;

/** Reads a policy document: JSON text, or an object where the provider takes that. */
export function readDocument(value: Fact | undefined, path: string): PolicyDocument {
    if (isUnknown(value)) {
        return { path, statements: [], unknown: value };
    }
    const parsed = parseJson(value);
    if ("problem" in parsed) {
        return { path, statements: [], problem: parsed.problem };
    }
    if (!isFacts(parsed.value)) {
        return { path, statements: [], problem: "is no policy document: expected an object with Statement" };
    }
    const statements = get(parsed.value, "Statement");
    const unknown = firstUnknown(parsed.value);
    if (statements === undefined) {
        return { path, statements: [], unknown, problem: "has no Statement" };
    }
    return {
        path,
        statements: list(statements).flatMap((statement, index) =>
            isFacts(statement) ? [readStatement(statement, index)] : [],
        ),
        unknown,
    };
}

function readStatement(statement: Fact, index: number): Statement {
    const sid = get(statement, "Sid");
    const principal = get(statement, "Principal");
    const principals: Record<string, readonly string[]> = {};
    if (typeof principal === "string") {
        principals.AWS = [principal];
    } else if (isFacts(principal)) {
        for (const kind of Object.keys(principal)) {
            principals[kind] = strings(get(principal, kind));
        }
    }
    const conditions: Record<string, Record<string, readonly string[]>> = {};
    const condition = get(statement, "Condition");
    if (isFacts(condition)) {
        for (const operator of Object.keys(condition)) {
            const keys = condition[operator];
            if (isFacts(keys)) {
                conditions[operator] = Object.fromEntries(
                    Object.keys(keys).map((key) =>
                        // Booleans are legal in Bool conditions: "false" and false mean the same.
                        [
                            key.toLowerCase(),
                            list(keys[key])
                                .filter((item) => !isFacts(item) && !isUnknown(item))
                                .map(String),
                        ],
                    ),
                );
            }
        }
    }
    const effect = get(statement, "Effect");
    return {
        label: typeof sid === "string" ? sid : `statement ${index + 1}`,
        effect: typeof effect === "string" ? effect : "",
        actions: strings(get(statement, "Action")),
        hasNotAction: get(statement, "NotAction") !== undefined,
        hasNotResource: get(statement, "NotResource") !== undefined,
        hasNotPrincipal: get(statement, "NotPrincipal") !== undefined,
        resources: strings(get(statement, "Resource")),
        principals,
        conditions,
    };
}

/** The identity policies that a resource carries: what somebody may do. */
export function identityPolicies(resource: ResourceFacts): PolicyDocument[] {
    if (resource.type !== "aws:iam/role:Role") {
        return [readDocument(get(resource.props, "policy"), "policy")];
    }
    const inline = get(resource.props, "inlinePolicies");
    if (isUnknown(inline)) {
        return [{ path: "inlinePolicies", statements: [], unknown: inline }];
    }
    return list(inline).map((item, index) => readDocument(get(item, "policy"), `inlinePolicies.${index}.policy`));
}

/** Whether an action pattern of IAM (`s3:*`, `iam:Pass*`, `*`) covers an action. Actions know no case. */
export function covers(pattern: string, action: string): boolean {
    const expression = pattern
        .toLowerCase()
        .split("*")
        .map((part) =>
            part
                .split("?")
                .map((piece) => piece.replace(/[.+^${}()|[\]\\]/g, "\\$&"))
                .join("."),
        )
        .join(".*");
    return new RegExp(`^${expression}$`).test(action.toLowerCase());
}

/** The values of a condition key under any operator that compares for (un)likeness, `...IfExists` included. */
export function conditionValues(statement: Statement, key: string): string[] {
    return Object.keys(statement.conditions)
        .filter((operator) => !operator.includes("Not") && operator !== "Null")
        .flatMap((operator) => statement.conditions[operator][key.toLowerCase()] ?? []);
}

/** Whether a statement is open to everybody: any principal, and no condition that names whose request it is. */
export function isOpenToEverybody(statement: Statement): boolean {
    const everybody =
        Object.values(statement.principals).some((names) => names.includes("*")) ||
        statement.principals.AWS?.some((name) => /^arn:[^:]*:iam::\*:/.test(name)) === true ||
        statement.hasNotPrincipal;
    const narrowing = [
        "aws:SourceArn",
        "aws:SourceAccount",
        "aws:SourceOrgID",
        "aws:PrincipalOrgID",
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:SourceOwner",
        "aws:SourceVpce",
        "aws:SourceVpc",
        "kms:CallerAccount",
        "aws:ResourceAccount",
    ];
    return (
        statement.effect === "Allow" &&
        everybody &&
        !narrowing.some((key) => conditionValues(statement, key).some((value) => !/^\*+$/.test(value)))
    );
}

/** Whether a document refuses every request of anybody that does not come by TLS. */
export function refusesPlainText(document: PolicyDocument, service: string): boolean {
    return document.statements.some(
        (statement) =>
            statement.effect === "Deny" &&
            Object.values(statement.principals).some((names) => names.includes("*")) &&
            statement.actions.some((action) => action === "*" || action.toLowerCase().startsWith(`${service}:`)) &&
            Object.keys(statement.conditions).length === 1 &&
            statement.conditions.Bool?.["aws:securetransport"]?.includes("false") === true,
    );
}
