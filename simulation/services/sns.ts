/** Messages, within the bounds of SNS. */
import type { JsonValue } from "../../asl/types";
import { TaskError } from "../../asl/interpreter";
import { MAXIMUM_PAYLOAD_BYTES } from "../../ground/awsLimits";
import { hang, pass, refuse, WORK_SECONDS, type Call, type Refusals } from "./call";

const REFUSALS: Refusals = {
    accessDenied: ["SNS.AuthorizationErrorException", "refused"],
    throttled: ["SNS.ThrottledException", "refused"],
    noCause: [undefined, undefined],
};

interface Given {
    readonly Subject: string;
    readonly Message: string;
    readonly MessageAttributes?: Readonly<Record<string, { readonly StringValue: string }>>;
}

/** Publish */
export async function publish(call: Call): Promise<JsonValue> {
    const { Subject, Message, MessageAttributes = {} } = call.request.arguments as unknown as Given;
    if (call.fault === "hangs") {
        await hang(call);
    }
    await pass(call, WORK_SECONDS.sns);
    refuse(REFUSALS, call);
    const attributes = Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
    );
    const bytes = Buffer.byteLength(Message) + Buffer.byteLength(JSON.stringify(attributes));
    const isSubject = /^[ -~]{1,100}$/.test(Subject);
    const isWhole = Object.values(attributes).every((value) => typeof value === "string" && value !== "");
    if (!isSubject || Message === "" || bytes > MAXIMUM_PAYLOAD_BYTES || !isWhole) {
        throw new TaskError(
            "SNS.InvalidParameterException",
            `Invalid parameter: ${JSON.stringify({ Subject, attributes, bytes })}`,
        );
    }
    const failure = Subject.startsWith("[ERROR]");
    call.account.world.messages.push({ subject: Subject, message: Message, failure, attributes });
    return { MessageId: "1" };
}
