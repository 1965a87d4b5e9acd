/** The program of the jobs' image. */
import { run } from "./run";

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => stop.abort(new Error(signal)));
}
run(process.argv.slice(2), {
    out: (line) => process.stdout.write(`${line}\n`),
    error: (line) => process.stderr.write(`${line}\n`),
    signal: stop.signal,
}).then(
    (code) => {
        process.exitCode = code;
    },
    (error: unknown) => {
        process.stderr.write(`JobError: ${String(error)}\n`);
        process.exitCode = 1;
    },
);
