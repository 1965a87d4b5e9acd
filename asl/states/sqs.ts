import { checkEntries, checkInteger, checkText } from "./bounds";
import { placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { stringAttributes } from "./sns";
import { Task, type TaskOptions } from "./task";

/** A message to a queue. Source of the bounds: API reference of SQS, SendMessage. */
export interface SqsSendMessageOptions extends TaskOptions {
    /** ARN of the queue; the role may send to this one alone. A FIFO queue ends in `.fifo`. */
    readonly queueArn: string;
    /**
     * A text, or JSON that is sent as one; at most 262,144 bytes with its attributes, which is the most a state can
     * send.
     */
    readonly body: Template;
    /** String attributes, at most 10; SQS refuses an empty value. Default: none. */
    readonly attributes?: Readonly<Record<string, string | Expression<string>>>;
    /** Seconds until the message can be received, 0 to 900. Not for a FIFO queue. Default: the queue's. */
    readonly delaySeconds?: number | Expression<number>;
    /** Messages of one group keep their order, 1 to 128 characters. Demanded by a FIFO queue. */
    readonly groupId?: string | Expression<string>;
    /**
     * What makes two messages the same within five minutes, 1 to 128 characters; FIFO only. Default: the content's
     * hash.
     */
    readonly deduplicationId?: string | Expression<string>;
    /**
     * Waits until somebody calls SendTaskSuccess or SendTaskFailure with the token, which the body must hand over:
     * `states.context.Task.Token`. Default: false.
     */
    readonly waitForToken?: boolean;
    /** Key of an encrypted queue. Default: none, or SQS's own key. */
    readonly kmsKeyArn?: string;
}

/** `sqs:sendMessage`. */
export class SqsSendMessage extends Task {
    constructor(
        name: string,
        private readonly options: SqsSendMessageOptions,
    ) {
        super(name, options);
        const place = (field: keyof SqsSendMessageOptions) => ({ state: name, field });
        checkEntries(place("attributes"), options.attributes, { min: 0, max: 10, unit: "attributes" });
        checkInteger(place("delaySeconds"), options.delaySeconds, { min: 0, max: 900, unit: "seconds" });
        checkText(place("groupId"), options.groupId, { min: 1, max: 128 });
        checkText(place("deduplicationId"), options.deduplicationId, { min: 1, max: 128 });
        const isFifo = options.queueArn.endsWith(".fifo");
        if (isFifo && options.groupId === undefined) {
            throw new Error(`state "${name}": groupId must be given for the FIFO queue ${options.queueArn}`);
        }
        if (isFifo && options.delaySeconds !== undefined) {
            throw new Error(`state "${name}": delaySeconds must not be given for a FIFO queue; its own delay counts`);
        }
    }

    protected override resource(): string {
        const pattern = this.options.waitForToken === true ? ".waitForTaskToken" : "";
        return `arn:${placeOf(this.options.queueArn).partition}:states:::sqs:sendMessage${pattern}`;
    }

    protected override arguments(): Template {
        const { queueArn, body, attributes, delaySeconds, groupId, deduplicationId } = this.options;
        const { partition, region, account, resource } = placeOf(queueArn);
        const domain = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
        return {
            QueueUrl: `https://sqs.${region}.${domain}/${account}/${resource}`,
            MessageBody: body,
            MessageAttributes: stringAttributes(attributes),
            DelaySeconds: delaySeconds,
            MessageGroupId: groupId,
            MessageDeduplicationId: deduplicationId,
        };
    }

    protected override needs(): readonly Permission[] {
        const { queueArn, kmsKeyArn } = this.options;
        const permissions: Permission[] = [{ actions: ["sqs:SendMessage"], resources: [queueArn] }];
        if (kmsKeyArn !== undefined) {
            permissions.push({ actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [kmsKeyArn] });
        }
        return permissions;
    }
}
