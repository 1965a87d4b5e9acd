/** What a run would reuse, found out by Setup's own code on the stage's real bucket, without writing anything there. */
import { SFNClient } from "@aws-sdk/client-sfn";
import type { StoredObject } from "../../workflow/contract";
import { Storage, createS3 } from "../../workloads/common/storage";
import { setup } from "../../workloads/functions/setup";
import { findStage, type Stage } from "../aws/executions";
import { explainSdkError } from "../aws/errors";

/** Setup writes markers and its plan: here it only reads. */
class ReadingStorage extends Storage {
    override put(uri: string, body: string | Uint8Array): Promise<StoredObject> {
        return Promise.resolve({ uri, bytes: Buffer.byteLength(body), etag: "" });
    }
}

export interface ReuseOptions {
    /** Name of the stage's state machine. */
    readonly stateMachine: string;
    readonly region: string;
    /** Of Step Functions; default AWS's. */
    readonly endpoint?: string;
    readonly input: unknown;
}

/**
 * What Setup would decide for each model and why, a line each; or one line with the reason why that is not known. The deployed stage's
 * settings count, since a running stage decides by those.
 */
export async function reuseOf({ stateMachine, region, endpoint, input }: ReuseOptions): Promise<string[]> {
    const requestHandler = { connectionTimeout: 3_000, requestTimeout: 10_000 };
    const client = new SFNClient({ region, endpoint, maxAttempts: 2, requestHandler });
    const s3 = createS3({ region, maxAttempts: 2 });
    try {
        const stage: Stage = await findStage(client, stateMachine);
        const run = await setup({
            settings: stage.settings, input,
            execution: {
                arn: `${stage.stateMachineArn.replace(":stateMachine:", ":execution:")}:plan`, name: "plan",
                startTime: new Date().toISOString(), redriveCount: 0,
            },
        }, { storage: new ReadingStorage(s3), print: () => undefined });
        return [...Object.entries(run.members), [stage.settings.combiner.name, run.combiner] as const]
            .map(([name, { reason }]) => `${name}: ${reason}`);
    } catch (error) {
        const told = explainSdkError(error, "look into the stage's bucket");
        return [`not known: ${told.message.split("\n").map((line) => line.trim()).join(" ")}`];
    } finally {
        client.destroy();
        s3.destroy();
    }
}
