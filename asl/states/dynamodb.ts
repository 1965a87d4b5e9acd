/** Items of DynamoDB, one at a time. Source of the bounds: API reference of DynamoDB. */
import { checkEntries } from "./bounds";
import { placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A value as DynamoDB types it; numbers are texts. `{ S: "a" }`, `{ N: "1" }`, `{ BOOL: true }`. */
export type AttributeValue =
    | { readonly S: string | Expression<string> }
    | { readonly N: string | Expression<string> }
    | { readonly BOOL: boolean | Expression<boolean> }
    | { readonly NULL: true }
    | { readonly L: readonly AttributeValue[] | Expression<readonly unknown[]> }
    | { readonly M: AttributeMap | Expression }
    | { readonly SS: readonly string[] | Expression<readonly string[]> }
    | { readonly NS: readonly string[] | Expression<readonly string[]> }
    | { readonly B: string | Expression<string> }
    | { readonly BS: readonly string[] | Expression<readonly string[]> };

/** Attributes by their names. */
export type AttributeMap = { readonly [name: string]: AttributeValue };

/** What every call has. */
export interface DynamoTableOptions extends TaskOptions {
    /** ARN of the table; the role may touch this one alone. */
    readonly tableArn: string;
    /** Key of a table that is encrypted with one of the account's own. Default: none. */
    readonly kmsKeyArn?: string;
}

/** What a call with a condition has. */
export interface DynamoConditionOptions {
    /** Else the call fails with DynamoDB.ConditionalCheckFailedException. Default: none. */
    readonly condition?: string;
    /** Names that stand for attributes' names in expressions, each beginning with `#`. Default: none. */
    readonly names?: Readonly<Record<string, string>>;
    /** Values in expressions, each name beginning with `:`. Default: none. */
    readonly values?: AttributeMap;
}

abstract class DynamoCall<Options extends DynamoTableOptions> extends Task {
    protected abstract readonly call: "getItem" | "putItem" | "updateItem" | "deleteItem";

    constructor(
        name: string,
        protected readonly options: Options,
    ) {
        super(name, options);
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.tableArn).partition}:states:::dynamodb:${this.call}`;
    }

    protected get table(): string {
        return placeOf(this.options.tableArn).resource.replace(/^table\//, "");
    }

    protected override needs(): readonly Permission[] {
        const { tableArn, kmsKeyArn } = this.options;
        const action = `dynamodb:${this.call.charAt(0).toUpperCase()}${this.call.slice(1)}`;
        const permissions: Permission[] = [{ actions: [action], resources: [tableArn] }];
        if (kmsKeyArn !== undefined) {
            permissions.push({ actions: ["kms:Decrypt"], resources: [kmsKeyArn] });
        }
        return permissions;
    }
}

/** Checks that a key has one or two attributes: the partition key, and the sort key where the table has one. */
function checkKey(state: string, key: AttributeMap | Expression): void {
    checkEntries({ state, field: "key" }, key, { min: 1, max: 2, unit: "attributes" });
}

function expressionsOf({ condition, names, values }: DynamoConditionOptions): {
    readonly [key: string]: Template | undefined;
} {
    return { ConditionExpression: condition, ExpressionAttributeNames: names, ExpressionAttributeValues: values };
}

/** One item, or none: then the result has no `Item`. */
export interface DynamoGetItemOptions extends DynamoTableOptions, Pick<DynamoConditionOptions, "names"> {
    /** Partition key, and the sort key where the table has one. */
    readonly key: AttributeMap | Expression;
    /** Attributes to read, as a projection expression. Default: all. */
    readonly projection?: string;
    /** Reads what was written last, at twice the price. Default: false. */
    readonly consistentRead?: boolean;
}

/** `dynamodb:getItem`. */
export class DynamoGetItem extends DynamoCall<DynamoGetItemOptions> {
    protected override readonly call = "getItem";

    constructor(name: string, options: DynamoGetItemOptions) {
        super(name, options);
        checkKey(name, options.key);
    }

    protected override arguments(): Template {
        const { key, projection, consistentRead, names } = this.options;
        return {
            TableName: this.table,
            Key: key,
            ProjectionExpression: projection,
            ConsistentRead: consistentRead,
            ExpressionAttributeNames: names,
        };
    }
}

/** Writes a whole item, in place of one with the same key. */
export interface DynamoPutItemOptions extends DynamoTableOptions, DynamoConditionOptions {
    /** The item with its key; at most 400 KB. */
    readonly item: AttributeMap | Expression;
    /** What the result's `Attributes` holds. Default: `NONE`. */
    readonly returnValues?: "NONE" | "ALL_OLD";
}

/** `dynamodb:putItem`. */
export class DynamoPutItem extends DynamoCall<DynamoPutItemOptions> {
    protected override readonly call = "putItem";

    protected override arguments(): Template {
        const { item, returnValues } = this.options;
        return { TableName: this.table, Item: item, ...expressionsOf(this.options), ReturnValues: returnValues };
    }
}

/** Changes an item, or makes it. */
export interface DynamoUpdateItemOptions extends DynamoTableOptions, DynamoConditionOptions {
    /** Partition key, and the sort key where the table has one. */
    readonly key: AttributeMap | Expression;
    /** What to change: "SET #count = #count + :one". */
    readonly update: string;
    /** What the result's `Attributes` holds. Default: `NONE`. */
    readonly returnValues?: "NONE" | "ALL_OLD" | "UPDATED_OLD" | "ALL_NEW" | "UPDATED_NEW";
}

/** `dynamodb:updateItem`. */
export class DynamoUpdateItem extends DynamoCall<DynamoUpdateItemOptions> {
    protected override readonly call = "updateItem";

    constructor(name: string, options: DynamoUpdateItemOptions) {
        super(name, options);
        checkKey(name, options.key);
    }

    protected override arguments(): Template {
        const { key, update, returnValues } = this.options;
        return {
            TableName: this.table,
            Key: key,
            UpdateExpression: update,
            ...expressionsOf(this.options),
            ReturnValues: returnValues,
        };
    }
}

/** Deletes an item; it is no failure that there is none. */
export interface DynamoDeleteItemOptions extends DynamoTableOptions, DynamoConditionOptions {
    /** Partition key, and the sort key where the table has one. */
    readonly key: AttributeMap | Expression;
    /** What the result's `Attributes` holds. Default: `NONE`. */
    readonly returnValues?: "NONE" | "ALL_OLD";
}

/** `dynamodb:deleteItem`. */
export class DynamoDeleteItem extends DynamoCall<DynamoDeleteItemOptions> {
    protected override readonly call = "deleteItem";

    constructor(name: string, options: DynamoDeleteItemOptions) {
        super(name, options);
        checkKey(name, options.key);
    }

    protected override arguments(): Template {
        const { key, returnValues } = this.options;
        return { TableName: this.table, Key: key, ...expressionsOf(this.options), ReturnValues: returnValues };
    }
}
