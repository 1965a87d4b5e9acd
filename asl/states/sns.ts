import { placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

export interface SnsPublishOptions extends TaskOptions {
    readonly topicArn: string;
    /** At most 100 ASCII characters. */
    readonly subject: string | Expression<string>;
    readonly message: string | Expression<string>;
    /** String attributes; SNS refuses an empty value. */
    readonly attributes?: Readonly<Record<string, string | Expression<string>>>;
    /** Key of an encrypted topic. */
    readonly kmsKeyArn?: string;
}

/** `sns:publish`. */
export class SnsPublish extends Task {
    constructor(
        name: string,
        private readonly options: SnsPublishOptions,
    ) {
        super(name, options);
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
            ...(attributes !== undefined && {
                MessageAttributes: Object.fromEntries(
                    Object.entries(attributes).map(([name, value]) => [
                        name,
                        { DataType: "String", StringValue: value },
                    ]),
                ),
            }),
        };
    }

    protected override needs(): readonly Permission[] {
        const { topicArn, kmsKeyArn } = this.options;
        return [
            { actions: ["sns:Publish"], resources: [topicArn] },
            ...(kmsKeyArn === undefined
                ? []
                : [{ actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [kmsKeyArn] }]),
        ];
    }
}
