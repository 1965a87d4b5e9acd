import type { Operations, Service } from "./service";

interface TokenRequest {
    readonly taskToken: string;
}

/** How tasks end that wait for their token. */
export function taskOperations({ tokens }: Service): Operations {
    return {
        SendTaskSuccess: (body) => {
            const { taskToken, output } = body as TokenRequest & { readonly output: string };
            tokens.succeed(taskToken, output);
            return {};
        },
        SendTaskFailure: (body) => {
            const { taskToken, error, cause } = body as TokenRequest & {
                readonly error?: string;
                readonly cause?: string;
            };
            tokens.fail(taskToken, error, cause);
            return {};
        },
        SendTaskHeartbeat: (body) => {
            tokens.heartbeat((body as TokenRequest).taskToken);
            return {};
        },
    };
}
