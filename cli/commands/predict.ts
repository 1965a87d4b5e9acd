import { spawn } from "node:child_process";
import path from "node:path";
import { Command } from "commander";
import { EXIT, LocalError } from "../../local/errors";

/** `ensemble predict`: the documented way to use what was published; the work is done by workloads/training/predict. */
export function predictCommand(root: string): Command {
    return new Command("predict")
        .description("Label stacks of pages with a published ensemble: every page's class, and which pages are one document.")
        .requiredOption("--model <folder>", "what the publish step wrote, for example .local/runs/<run>/artifacts")
        .argument("<folder>", "pages: text/<stack>/<page>.txt and images/<stack>/<page>.png")
        .option("--stack <name...>", "only these stacks")
        .exitOverride()
        .action(async (folder: string, options: { readonly model: string; readonly stack?: readonly string[] }) => {
            const script = path.join(root, "workloads", "training", "predict", "predict.py");
            const child = spawn(path.join(root, ".venv", "bin", "python"), [
                script, options.model, "--documents", folder, ...(options.stack === undefined ? [] : ["--stack", ...options.stack]),
            ], { stdio: "inherit", env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3" } });
            process.exitCode = await new Promise<number>((resolve, reject) => {
                child.once("error", (error) => reject(new LocalError(`predict cannot be started: ${error.message}. Run npm start once.`)));
                child.once("exit", (code, signal) => resolve(signal === null ? code ?? EXIT.failed : EXIT.interrupted));
            });
        });
}
