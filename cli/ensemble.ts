import { Command, CommanderError } from "commander";
import { EXIT, ToolError } from "../ground/errors";
import { currentProject } from "../project/evaluate";
import { addCompletion } from "./commands/completion";
import { diffCommand } from "./commands/diff";
import { documentsCommand } from "./commands/documents";
import { executionCommands } from "./commands/executions";
import { localCommand } from "./commands/local";
import { planCommand } from "./commands/plan";
import { predictCommand } from "./commands/predict";
import { pricesCommand } from "./commands/prices";
import { pruneCommand } from "./commands/prune";
import { reportCommand } from "./commands/report";
import { serveCommand } from "./commands/serve";

const { root } = currentProject();

/** The `ensemble` tool: one subcommand a file. */
export function program(): Command {
    const tool = new Command("ensemble")
        .description("Train an ensemble of models on AWS, or on this machine first.")
        .addHelpText(
            "after",
            [
                "",
                "Exit codes:",
                "  0    done",
                "  1    it ran, and failed",
                "  2    wrong arguments, input, documents or configuration: nothing was run",
                "  3    this machine (a missing program, a full disk, another run) or AWS (credentials, region, " +
                    "network)",
                "  130  interrupted",
            ].join("\n"),
        )
        .exitOverride()
        .addCommand(localCommand(root))
        .addCommand(documentsCommand(root))
        .addCommand(predictCommand(root))
        .addCommand(planCommand(root))
        .addCommand(pricesCommand(root))
        .addCommand(diffCommand(root))
        .addCommand(reportCommand())
        .addCommand(serveCommand())
        .addCommand(pruneCommand());
    executionCommands().forEach((command) => tool.addCommand(command));
    addCompletion(tool);
    return tool;
}

/** Runs the tool with the process's arguments and sets its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
    // `ensemble ... | head` closes the pipe when it has seen enough, which is no failure
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") {
            throw error;
        }
    });
    try {
        await program().parseAsync(argv);
    } catch (error) {
        if (error instanceof CommanderError) {
            // help and version end with 0; commander has printed the rest itself
            process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
        } else if (error instanceof ToolError) {
            process.stderr.write(`${error.message}\n`);
            process.exitCode = error.exitCode;
        } else {
            process.stderr.write(
                `${(error as Error).stack ?? String(error)}\nThis is a defect of the tool: please report it with the ` +
                    `lines above.\n`,
            );
            process.exitCode = EXIT.machine;
        }
    }
}
