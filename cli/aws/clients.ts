/** The AWS services that the commands talk to, and where. */
import { BatchClient } from "@aws-sdk/client-batch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { SFNClient } from "@aws-sdk/client-sfn";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";

export interface Clients {
    readonly executions: SFNClient;
    readonly logs: CloudWatchLogsClient;
    readonly jobs: BatchClient;
    destroy(): void;
}

/** An endpoint on this machine asks for no credentials of AWS, and should not be given any. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * @param endpoint of Step Functions, and of the log services unless AWS_ENDPOINT_URL_CLOUDWATCH_LOGS or
 * AWS_ENDPOINT_URL_BATCH says otherwise. Without it the SDK's own variables count for all three (AWS_ENDPOINT_URL,
 * AWS_ENDPOINT_URL_SFN, ...).
 * @throws ToolError for an endpoint that is no address.
 */
export function clientsAt(region: string, endpoint?: string): Clients {
    const at = (variable?: string) => {
        const own = endpoint === undefined || (variable !== undefined && process.env[variable]) ? undefined : endpoint;
        return defined({
            region,
            // an SDK that is given undefined reads its variables
            endpoint: own,
            credentials:
                own !== undefined && LOOPBACK.test(hostOf(own))
                    ? { accessKeyId: "local", secretAccessKey: "local" }
                    : undefined,
        });
    };
    // a log line is worth less than the watch: one try again, and no long wait
    const brief = { maxAttempts: 2, requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 } };
    const executions = new SFNClient({ ...at(), requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000 } });
    const logs = new CloudWatchLogsClient({ ...at("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"), ...brief });
    const jobs = new BatchClient({ ...at("AWS_ENDPOINT_URL_BATCH"), ...brief });
    return { executions, logs, jobs, destroy: () => [executions, logs, jobs].forEach((client) => client.destroy()) };
}

function hostOf(endpoint: string): string {
    try {
        return new URL(endpoint).hostname;
    } catch {
        throw new ToolError(`--endpoint ${endpoint}: an address such as http://127.0.0.1:8083 is expected`, EXIT.usage);
    }
}
