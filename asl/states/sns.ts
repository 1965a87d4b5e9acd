import { checkText } from "./bounds";
import { placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** A message to a topic. Source of the bounds: API reference of SNS, Publish. */
export interface SnsPublishOptions extends TaskOptions {
    /** ARN of the topic; the role may publish to this one alone. */
    readonly topicArn: string;
    /** 1 to 100 characters of ASCII, without line breaks. */
    readonly subject: string | Expression<string>;
    /** At most 262,144 bytes with its attributes. */
    readonly message: string | Expression<string>;
    /** String attributes; SNS refuses an empty value. Default: none. */
    readonly attributes?: Readonly<Record<string, string | Expression<string>>>;
    /** Key of an encrypted topic. Default: none. */
    readonly kmsKeyArn?: string;
}

/** Attributes of a message, all of them strings, as SNS and SQS spell them. */
export function stringAttributes(
    attributes: Readonly<Record<string, string | Expression<string>>> | undefined,
): Template | undefined {
    if (attributes === undefined) {
        return undefined;
    }
    const entries = Object.entries(attributes);
    return Object.fromEntries(entries.map(([name, value]) => [name, { DataType: "String", StringValue: value }]));
}

/** `sns:publish`. */
export class SnsPublish extends Task {
    constructor(
        name: string,
        private readonly options: SnsPublishOptions,
    ) {
        super(name, options);
        checkText({ state: name, field: "subject" }, options.subject, {
            min: 1,
            max: 100,
            pattern: /^[\x20-\x7e]+$/,
            words: "of ASCII without line breaks",
        });
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.topicArn).partition}:states:::sns:publish`;
    }

    protected override arguments(): Template {
        const { topicArn, subject, message, attributes } = this.options;
        return {
            TopicArn: topicArn,
            Subject: subject,
            Message: message,
            MessageAttributes: stringAttributes(attributes),
        };
    }

    protected override needs(): readonly Permission[] {
        const { topicArn, kmsKeyArn } = this.options;
        const permissions: Permission[] = [{ actions: ["sns:Publish"], resources: [topicArn] }];
        if (kmsKeyArn !== undefined) {
            permissions.push({ actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [kmsKeyArn] });
        }
        return permissions;
    }
}
