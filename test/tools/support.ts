/** AWS's own tools, and the Step Functions API of this project that they are pointed to. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { serveStepFunctions, type StepFunctionsApi } from "../../asl/api";
import { VirtualClock } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";

const ROOT = path.resolve(__dirname, "../..");
export const PYTHON = path.join(ROOT, ".venv/bin/python");
const AWS_CLI_VERSION = "1.46.3";
const run = promisify(execFile);

/** What a tool that ended badly, or well, has printed. */
export interface Ended {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Environment of a tool: credentials that nobody checks, and nothing of this machine's own settings. */
export function environment(endpoint: string): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !/^(AWS|TF)_/.test(name));
    return {
        ...Object.fromEntries(own),
        AWS_ACCESS_KEY_ID: "local",
        AWS_SECRET_ACCESS_KEY: "local",
        AWS_REGION: "eu-central-1",
        AWS_DEFAULT_REGION: "eu-central-1",
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_DISABLE_HOST_PREFIX_INJECTION: "true",
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_MAX_ATTEMPTS: "1",
        SFN: endpoint,
    };
}

/** Runs a program to its end, however it ends. */
export async function program(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
    try {
        const { stdout, stderr } = await run(file, [...args], { env, maxBuffer: 1 << 24 });
        return { code: 0, stdout, stderr };
    } catch (error) {
        const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
        if (typeof code !== "number") {
            throw error;
        }
        return { code, stdout, stderr };
    }
}

/**
 * The AWS CLI of a fixed version, in a Python environment of its own, made once and kept in the cache of the user.
 * @returns its path, or why it is not to be had here.
 */
export async function awsCli(): Promise<{ readonly path: string } | { readonly missing: string }> {
    const cache = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
    const folder = path.join(cache, "ensemble-training", `awscli-${AWS_CLI_VERSION}`);
    const command = path.join(folder, "bin/aws");
    if (existsSync(path.join(folder, "complete"))) {
        return { path: command };
    }
    try {
        mkdirSync(path.dirname(folder), { recursive: true });
        await run(PYTHON, ["-m", "venv", "--clear", folder]);
        await run(path.join(folder, "bin/pip"), ["install", "--quiet", `awscli==${AWS_CLI_VERSION}`]);
        // Written last: an environment whose installation was interrupted is made anew.
        mkdirSync(path.join(folder, "complete"));
        return { path: command };
    } catch (error) {
        const reason = String((error as { stderr?: string }).stderr ?? error)
            .trim()
            .split("\n")
            .at(-1);
        return { missing: `awscli ${AWS_CLI_VERSION} cannot be installed: ${reason}` };
    }
}

/** The API with functions that answer what they are asked, in virtual time; tokens are answered by who asks. */
export function serve(): Promise<StepFunctionsApi> {
    return serveStepFunctions({
        begin: () => ({
            clock: new VirtualClock(Date.now()),
            task: ({ resource, arguments: asked }) => {
                if (resource.endsWith(".waitForTaskToken")) {
                    return new Promise<never>(() => undefined);
                }
                const { Payload } = asked as { readonly Payload: JsonValue };
                return Promise.resolve({ Payload, StatusCode: 200 });
            },
        }),
    });
}

/** A machine of one Task, whose failures are told and end it. */
export const DEFINITION = JSON.stringify({
    QueryLanguage: "JSONata",
    StartAt: "Work",
    TimeoutSeconds: 600,
    States: {
        Work: {
            Type: "Task",
            Resource: "arn:aws:states:::lambda:invoke",
            Arguments: { FunctionName: "work", Payload: "{% $states.input %}" },
            TimeoutSeconds: 60,
            Output: "{% $states.result.Payload %}",
            End: true,
        },
    },
});

export const ROLE_ARN = "arn:aws:iam::000000000000:role/any";
