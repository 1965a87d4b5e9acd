/** What goes wrong before AWS answers, in one line that says what to do. */
import { ToolError } from "../../ground/errors";

const credentials = /ExpiredToken|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|security token/i;

/**
 * Turns an error of the AWS SDK into one clear line; others come back as they are.
 * @param doing what was tried, for example `start an execution`.
 */
export function explainSdkError(error: unknown, doing: string): Error {
    if (error instanceof ToolError || !(error instanceof Error)) {
        return error instanceof Error ? error : new Error(String(error));
    }
    const text = `${error.name}: ${error.message}`;
    if (/region is missing/i.test(text)) {
        return new ToolError(`Cannot ${doing}: no AWS region is set. Give --region, or set AWS_REGION.`);
    }
    if (/^(ExecutionDoesNotExist|InvalidArn)$/.test(error.name)) {
        return new ToolError(
            `Cannot ${doing}: there is no execution "${/'(.*)'/.exec(error.message)?.[1] ?? ""}". ` +
                "Check its name, --stack and --region. Leave it out for the newest one.",
        );
    }
    if (/CredentialsProviderError|Could not (?:load|resolve) credentials/i.test(text)) {
        const profile = process.env.AWS_PROFILE;
        return new ToolError(
            `Cannot ${doing}: there are no AWS ` +
                `credentials${profile === undefined ? "" : ` of the profile "${profile}"`}. ` +
                "Sign in, or sign in again (aws sso login), or set AWS_PROFILE to a profile of ~/.aws/config, and " +
                "try again.",
        );
    }
    if (credentials.test(text)) {
        return new ToolError(
            `Cannot ${doing}: AWS does not accept the credentials (${error.name}). ` +
                "Sign in, or sign in again (aws sso login), or set AWS_PROFILE, and try again.",
        );
    }
    const { code = "", hostname } = error as NodeJS.ErrnoException & { readonly hostname?: string };
    if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|TimeoutError|NetworkingError/.test(`${text} ${code}`)) {
        const host = hostname ?? /(?:ENOTFOUND|EAI_AGAIN) (\S+)/.exec(error.message)?.[1];
        return new ToolError(
            `Cannot ${doing}: AWS cannot be reached (${code || error.name}${host === undefined ? "" : ` ${host}`}). ` +
                "Check the network, the region and --endpoint.",
        );
    }
    if (isDenied(error)) {
        return new ToolError(`Cannot ${doing}: ${error.message}`);
    }
    return "$metadata" in error ? new ToolError(`Cannot ${doing}: ${text}`) : error;
}

/** Did AWS know who asked, and refuse? */
export function isDenied(error: unknown): boolean {
    return error instanceof Error && /AccessDenied|not authorized/i.test(`${error.name}: ${error.message}`);
}
