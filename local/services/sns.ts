import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { MAXIMUM_MESSAGE_BYTES } from "../../ground/awsLimits";
import { AwsError } from "../awsError";

export interface PublishRequest {
    readonly TopicArn: string;
    readonly Subject?: string;
    readonly Message: unknown;
    readonly MessageAttributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue?: string }>>;
}

export interface Message {
    readonly messageId: string;
    readonly at: string;
    readonly topic: string;
    readonly subject: string;
    readonly message: string;
    readonly attributes: Readonly<Record<string, string>>;
}

/** `sns:publish`: keeps the message in a file of the run, one JSON line each, under the limits of SNS. */
export async function publish(
    request: PublishRequest,
    file: string,
): Promise<{ answer: Record<string, unknown>; message: Message }> {
    const text = typeof request.Message === "string" ? request.Message : JSON.stringify(request.Message);
    const subject = request.Subject ?? "";
    const attributes = Object.entries(request.MessageAttributes ?? {});
    if (!text) {
        refuse("Empty message");
    }
    if (Buffer.byteLength(text) > MAXIMUM_MESSAGE_BYTES) {
        refuse("Message too long");
    }
    if (request.Subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject)) {
        refuse("Subject");
    }
    for (const [name, value] of attributes) {
        if (!value.StringValue) {
            refuse(
                `The message attribute '${name}' must contain non-empty message attribute value for message ` +
                    "attribute type 'String'.",
            );
        }
    }
    const message: Message = {
        messageId: randomUUID(),
        at: new Date().toISOString(),
        topic: request.TopicArn,
        subject,
        message: text,
        attributes: Object.fromEntries(attributes.map(([name, value]) => [name, value.StringValue ?? ""])),
    };
    await appendFile(file, `${JSON.stringify(message)}\n`);
    return { answer: { MessageId: message.messageId, SdkHttpMetadata: { HttpStatusCode: 200 } }, message };
}

function refuse(what: string): void {
    throw new AwsError(
        "SNS.InvalidParameterException",
        `Invalid parameter: ${what} (Service: AmazonSNS; Status Code: 400; Error Code: InvalidParameter; Request ID: ` +
            "local; Proxy: null)",
    );
}
