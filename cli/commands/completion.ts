/** `completion SHELL`: the script with which a shell completes commands, options, stages and choices of this tool. */
import { readdirSync } from "node:fs";
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { currentProject } from "../../project/evaluate";

/** Options whose value is a stage; `predict --stack` names stacks of pages. */
const STAGE_OPTIONS = ["stack", "from-stack", "to-stack"];
const NOT_OF = ["predict"];

/** The library's bash script calls a function of the package bash-completion, which not every machine has. */
const BASH_FALLBACK = `type _get_comp_words_by_ref >/dev/null 2>&1 || _get_comp_words_by_ref() {
    cur="\${COMP_WORDS[COMP_CWORD]}"; prev="\${COMP_WORDS[COMP_CWORD-1]}"; words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD
}
`;

/** Adds the command to the tool, whose other commands must be there already. */
export function addCompletion(tool: Command): void {
    const completions = tab(tool, { completionCommandName: "completion" });
    for (const command of tool.commands) {
        for (const { flags, long } of command.options) {
            const name = long?.slice(2) ?? "";
            const found = completions.commands.get(command.name())?.options.get(name);
            if (found === undefined) {
                continue;
            }
            if (STAGE_OPTIONS.includes(name) && !NOT_OF.includes(command.name())) {
                found.handler = (complete) => stages().forEach((stage) => complete(stage, `Pulumi.${stage}.yaml`));
            } else if (/<(file|folder)>/.test(flags)) {
                found.handler = (complete) => files(process.argv.at(-1) ?? "").forEach((file) => complete(file, ""));
            }
        }
    }
    tool.commands
        .find((command) => command.name() === "completion")
        ?.description("Print the script with which a shell completes this tool's commands, options and stages.")
        .addHelpText(
            "after",
            [
                "",
                "It completes the command `ensemble`: node_modules/.bin has it where the package is installed; in a " +
                    "checkout make an alias:",
                '  alias ensemble="npm run --silent ensemble --"',
                "Examples:",
                "  source <(ensemble completion bash)                                   # for this shell; into " +
                    "~/.bashrc for all",
                "  ensemble completion zsh > ~/.zfunc/_ensemble                         # a folder of your fpath",
                "  ensemble completion fish > ~/.config/fish/completions/ensemble.fish",
                "",
                "Exit codes: 0 printed, 2 a shell that is not known.",
            ].join("\n"),
        )
        // the very program that prints the script, so that it works without one of this name on the PATH
        .action((shell: string) => {
            if (shell === "bash") {
                process.stdout.write(BASH_FALLBACK);
            }
            completions.setup("ensemble", process.argv.slice(0, 2).map(quoted).join(" "), shell);
        });
}

function quoted(word: string): string {
    return /^[\w/.:@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** What lies where a path that is being typed leads; the library keeps the shell from doing it itself. */
function files(typed: string): string[] {
    const before = typed.slice(0, typed.lastIndexOf("/") + 1);
    try {
        return readdirSync(before || ".", { withFileTypes: true }).map(
            (entry) => `${before}${entry.name}${entry.isDirectory() ? "/" : ""}`,
        );
    } catch {
        return [];
    }
}

/** Stages of the project in which one is. */
function stages(): string[] {
    try {
        return readdirSync(currentProject().root)
            .flatMap((file) => /^Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1] ?? [])
            .sort();
    } catch {
        // outside of a project there is nothing to complete
        return [];
    }
}
