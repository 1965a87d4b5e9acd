/** Runs the tool as a child process, as a user does. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";

export const root = path.resolve(__dirname, "../..");

export interface Ended {
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
}

/** Starts `ensemble` with credentials that no AWS knows; `onStart` gets the process. */
export function ensemble(args: readonly string[], onStart?: (child: ChildProcess) => void, cwd: string = root): Promise<Ended> {
    const tool = `require(${JSON.stringify(path.join(root, "cli", "ensemble.ts"))}).main(["node", "ensemble", ...process.argv.slice(1)])`;
    return new Promise((resolve, reject) => {
        const child = spawn(process.execPath,
            ["--no-warnings", "-r", path.join(root, "node_modules/ts-node/register/transpile-only"), "-e", tool, "--", ...args], {
                cwd, stdio: ["ignore", "pipe", "pipe"],
                env: { ...process.env, AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x", AWS_EC2_METADATA_DISABLED: "true", NO_COLOR: "1" },
            });
        let [out, err] = ["", ""];
        child.stdout.setEncoding("utf8").on("data", (text: string) => void (out += text));
        child.stderr.setEncoding("utf8").on("data", (text: string) => void (err += text));
        child.once("error", reject).once("close", (code) => resolve({ code, out, err }));
        onStart?.(child);
    });
}
