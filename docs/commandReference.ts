/** The reference of the `ensemble` tool, out of the tool itself. */
import { stripVTControlCharacters } from "node:util";
import type { Command } from "commander";
import { program } from "../cli/ensemble";
import { table } from "./tables";

/** What `--help` prints of every command. */
export function commandReference(): string {
    return commandsBelow(program())
        .map(
            ([name, command]) =>
                `### ${name}\n\n\`\`\`console\n$ npm run --silent ensemble -- ${name} ` +
                `--help\n${helpOf(command)}\n\`\`\``,
        )
        .join("\n\n");
}

/** One line a command: its usage and what it does. */
export function commandTable(): string {
    return table(
        ["command", "what it does"],
        commandsBelow(program()).map(([name, command]) => [`\`${name} ${command.usage()}\``, command.description()]),
    );
}

/** Commands that do something, by their whole name: `prices update` and not `prices`. */
function commandsBelow(tool: Command, before = ""): [string, Command][] {
    return tool.commands
        .filter((command) => command.name() !== "complete")
        .flatMap((command): [string, Command][] => {
            const name = `${before}${command.name()}`;
            return command.commands.length === 0 ? [[name, command]] : commandsBelow(command, `${name} `);
        });
}

function helpOf(command: Command): string {
    let text = "";
    const writeOut = (part: string): void => void (text += part);
    command.configureOutput({ writeOut, getOutHelpWidth: () => 120, getOutHasColors: () => false }).outputHelp();
    return stripVTControlCharacters(text).replaceAll(process.cwd(), ".").trimEnd();
}
