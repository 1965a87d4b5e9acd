/** The reference of the `ensemble` tool, out of the tool itself. */
import { stripVTControlCharacters } from "node:util";
import type { Command } from "commander";
import { program } from "../cli/ensemble";
import { table } from "./tables";

/** What `--help` prints of every command. */
export function commandReference(): string {
    const tool = program();
    return tool.commands.map((command) => `### ${command.name()}\n\n\`\`\`console\n$ npm run --silent ensemble -- ${command.name()} --help\n${helpOf(command)}\n\`\`\``)
        .join("\n\n");
}

/** One line a command: its usage and what it does. */
export function commandTable(): string {
    return table(["command", "what it does"], program().commands.map((command) => [`\`${command.name()} ${command.usage()}\``, command.description()]));
}

function helpOf(command: Command): string {
    let text = "";
    const writeOut = (part: string): void => void (text += part);
    command.configureOutput({ writeOut, getOutHelpWidth: () => 120, getOutHasColors: () => false }).outputHelp();
    return stripVTControlCharacters(text).replaceAll(process.cwd(), ".").trimEnd();
}
