/** Runs the tool as a child process, as a user does. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import type { Command } from "commander";
import { ToolError } from "../../ground/errors";

export const root = path.resolve(__dirname, "../..");

export interface Ended {
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
}

/** Starts `ensemble` with credentials that no AWS knows; `onStart` gets the process. */
export function ensemble(
    args: readonly string[],
    onStart?: (child: ChildProcess) => void,
    cwd: string = root,
): Promise<Ended> {
    const tool =
        `require(${JSON.stringify(path.join(root, "cli", "ensemble.ts"))}).main(["node", "ensemble", ` +
        "...process.argv.slice(1)])";
    return new Promise((resolve, reject) => {
        const child = spawn(
            process.execPath,
            [
                "--no-warnings",
                "-r",
                path.join(root, "node_modules/ts-node/register/transpile-only"),
                "-e",
                tool,
                "--",
                ...args,
            ],
            {
                cwd,
                stdio: ["ignore", "pipe", "pipe"],
                env: {
                    ...process.env,
                    AWS_ACCESS_KEY_ID: "x",
                    AWS_SECRET_ACCESS_KEY: "x",
                    AWS_EC2_METADATA_DISABLED: "true",
                    NO_COLOR: "1",
                },
            },
        );
        let [out, err] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => void (out += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => void (err += text));
        child.once("error", reject).once("close", (code) => resolve({ code, out, err }));
        onStart?.(child);
    });
}

/**
 * Runs one command in this process, as fast as a unit test must be: what it prints and the code that the tool would end
 * with.
 * @param environment Set while it runs; undefined takes a variable away.
 */
export async function run(
    command: Command,
    args: readonly string[],
    environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Ended> {
    const wanted: Readonly<Record<string, string | undefined>> = {
        AWS_ACCESS_KEY_ID: "x",
        AWS_SECRET_ACCESS_KEY: "x",
        AWS_EC2_METADATA_DISABLED: "true",
        NO_COLOR: "1",
        ...environment,
    };
    const saved = Object.fromEntries(Object.keys(wanted).map((name) => [name, process.env[name]]));
    const writes = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)] as const;
    const savedCode = process.exitCode;
    let [out, err] = ["", ""];
    set(wanted);
    process.exitCode = 0;
    process.stdout.write = (text: unknown) => (out += String(text)) !== "";
    process.stderr.write = (text: unknown) => (err += String(text)) !== "";
    try {
        await command.parseAsync([...args], { from: "user" });
        return { code: Number(process.exitCode), out, err };
    } catch (error) {
        if (!(error instanceof ToolError)) {
            throw error;
        }
        return { code: error.exitCode, out, err: `${err}${error.message}\n` };
    } finally {
        [process.stdout.write, process.stderr.write] = writes as [
            typeof process.stdout.write,
            typeof process.stderr.write,
        ];
        process.exitCode = savedCode;
        set(saved);
    }
}

function set(environment: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(environment)) {
        if (value === undefined) {
            delete process.env[name];
        } else {
            process.env[name] = value;
        }
    }
}
