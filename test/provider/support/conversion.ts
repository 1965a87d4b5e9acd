/**
 * From what the program declares to what Terraform reads, by the provider's own schema. Pulumi's names are Terraform's
 * in another spelling, with plural names for lists, and a few that somebody chose; those stand in {@link RENAMED}.
 */

/** A property of a resource, as `terraform providers schema -json` describes it. */
export interface Attribute {
    /** `"string"`, `["set", "string"]`, `["list", ["object", {...}]]`. */
    readonly type?: unknown;
    readonly optional?: boolean;
    readonly required?: boolean;
    readonly computed?: boolean;
    readonly nested_type?: { readonly attributes: Attributes; readonly nesting_mode: string };
}

type Attributes = Readonly<Record<string, Attribute>>;

/** A resource's or a nested block's properties. */
export interface Block {
    readonly attributes?: Attributes;
    readonly block_types?: Readonly<Record<string, { readonly nesting_mode: string; readonly block: Block }>>;
}

/** By Terraform's name of the type. */
export type Schemas = Readonly<Record<string, { readonly block: Block }>>;

type Json = Readonly<Record<string, unknown>>;

/** Pulumi's spelling to Terraform's: `evaluateOnExits` to `evaluate_on_exits`. */
function snake(name: string): string {
    return name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** Terraform's spelling to Pulumi's. */
function camel(name: string): string {
    return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Types whose names have nothing to do with each other. */
const TYPES: Readonly<Record<string, string>> = { "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object" };

/** Names that Pulumi, or a later version of the provider, chose otherwise: by Terraform's type. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    aws_batch_compute_environment: { name: "compute_environment_name" },
    aws_cloudwatch_metric_alarm: { name: "alarm_name" },
    aws_lambda_function: { name: "function_name", code: "filename" },
    aws_lambda_permission: { function: "function_name" },
    aws_sns_topic_subscription: { topic: "topic_arn" },
};

/**
 * Values that the provider of this suite is too old for, with what stands in for them: by Terraform's type and
 * property. The suite asks that the provider which deploys knows them.
 */
export const NEWER: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
    aws_lambda_function: { runtime: { "nodejs24.x": "nodejs22.x" } },
};

/**
 * Terraform's type of a resource, for example `aws_sfn_state_machine` of `aws:sfn/stateMachine:StateMachine`.
 *
 * @throws where the provider has none.
 */
export function terraformType(token: string, schemas: Schemas): string {
    const [, module, resource] = /^aws:([^/]+)\/([^:]+):/.exec(token) ?? [];
    if (resource === undefined) {
        throw new Error(`${token} is no resource of the AWS provider.`);
    }
    const candidates = [TYPES[token], `aws_${module}_${snake(resource)}`, `aws_${snake(resource)}`];
    const found = candidates.find((candidate) => candidate !== undefined && candidate in schemas);
    if (found === undefined) {
        throw new Error(`${token}: the provider has neither of ${candidates.join(", ")}; add it to TYPES.`);
    }
    return found;
}

/** A property's name in Terraform may be the singular of Pulumi's, where it is a list. */
function spellings(name: string): string[] {
    const plural = snake(name);
    return [plural, plural.replace(/ies$/, "y"), plural.replace(/es$/, ""), plural.replace(/s$/, "")];
}

/** Pulumi's name of a property of Terraform's type. */
export function pulumiName(type: string, attribute: string): string {
    const renamed = Object.entries(RENAMED[type] ?? {}).find(([, name]) => name === attribute);
    return renamed?.[0] ?? camel(attribute);
}

/** Where in a resource something stands, for messages. */
type Place = string;

/**
 * The properties of a resource or of a block of it.
 *
 * @throws where the provider has no such property: nothing is left out in silence.
 */
export function convertBlock(type: string, inputs: Json, block: Block, place: Place = type): Json {
    const { attributes = {}, block_types: blocks = {} } = block;
    const entries = Object.entries(inputs)
        .filter(([key, value]) => value !== undefined && value !== null && !key.startsWith("__"))
        .map(([key, value]): [string, unknown] => {
            const renamed = place === type ? RENAMED[type]?.[key] : undefined;
            const names = renamed === undefined ? spellings(key) : [renamed];
            const name = names.find((candidate) => candidate in attributes || candidate in blocks);
            if (name === undefined) {
                throw new Error(`${place}: the provider has no property ${key} (${snake(key)}).`);
            }
            const inside = `${place}.${name}`;
            return name in blocks
                ? [name, list(value).map((item) => convertBlock(type, item as Json, blocks[name].block, inside))]
                : [name, convertAttribute(type, known(type, name, value), attributes[name], inside)];
        });
    return Object.fromEntries(entries);
}

/** The value, or what stands in for one that the provider does not know yet. */
function known(type: string, name: string, value: unknown): unknown {
    return NEWER[type]?.[name]?.[String(value)] ?? value;
}

function list(value: unknown): unknown[] {
    return Array.isArray(value) ? (value as unknown[]) : [value];
}

function convertAttribute(type: string, value: unknown, attribute: Attribute, place: Place): unknown {
    const { nested_type: nested } = attribute;
    if (nested === undefined) {
        return convertValue(value, attribute.type);
    }
    const items = list(value).map((item) => convertBlock(type, item as Json, { attributes: nested.attributes }, place));
    return nested.nesting_mode === "single" ? items[0] : items;
}

/** Lists of one, which Pulumi writes as the one, and the names of their properties. */
function convertValue(value: unknown, type: unknown): unknown {
    const [kind, inner] = Array.isArray(type) ? (type as [string, unknown]) : [type, undefined];
    if ((kind === "list" || kind === "set") && typeof value !== "string") {
        return list(value).map((item) => convertValue(item, inner));
    }
    if (kind !== "object") {
        return value;
    }
    const given = value as Json;
    return Object.fromEntries(
        Object.entries(inner as Json).map(([name, innerType]) => {
            const key = Object.keys(given).find((candidate) => spellings(candidate).includes(name));
            return [name, key === undefined ? null : convertValue(given[key], innerType)];
        }),
    );
}
