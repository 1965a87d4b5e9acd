/** Programs in Python that commands start: their output as it comes, their exit code, an interrupt left to them. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { EXIT, ToolError } from "../ground/errors";
import { pythonOf } from "../local/python";

/**
 * Runs a program; what it says on standard error is the user's to read.
 *
 * @param line Takes each line of its standard output.
 * @returns its exit code; 130 where a signal ended it.
 * @throws ToolError where it cannot be started.
 */
export async function runPython(
    root: string,
    program: string,
    parameters: readonly string[],
    line: (text: string) => void,
): Promise<number> {
    const child = spawn(pythonOf(root), [program, ...parameters], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3" },
    });
    // Ctrl-C reaches the program, too: it cleans up, and says how it ended
    const wait = () => undefined;
    process.on("SIGINT", wait);
    const lines = createInterface({ input: child.stdout }).on("line", line);
    const read = new Promise((resolve) => lines.once("close", resolve));
    try {
        const code = await new Promise<number>((resolve, reject) => {
            child.once("error", (error) =>
                reject(
                    new ToolError(`${program} cannot be started: ${error.message}; ENSEMBLE_PYTHON names its Python.`),
                ),
            );
            child.once("close", (ended, signal) =>
                resolve(signal === null ? (ended ?? EXIT.failed) : EXIT.interrupted),
            );
        });
        await read;
        return code;
    } finally {
        process.off("SIGINT", wait);
    }
}
