import { Command } from "commander";
import { changesToMarkdown, describeChange, diffDefinitions, type Change } from "../../asl/diff";
import type { StateMachineDefinition } from "../../asl/types";
import { EXIT, LocalError } from "../../local/errors";
import type { EvaluatedStage } from "../../stacks/evaluate";
import { diffPermissions, permissionsOf, type PermissionChanges, type Permissions } from "../diff/permissions";
import { evaluateRevision } from "../diff/revision";
import { evaluated, guarded, readJson } from "../support";

interface Options {
    readonly stack: string;
    readonly against: string;
    readonly from?: string;
    readonly to?: string;
    readonly fromStack?: string;
    readonly toStack?: string;
    readonly markdown: boolean;
    readonly json: boolean;
}

/** A definition and, where it comes from a stage, what its roles may do. */
interface Side {
    readonly name: string;
    readonly definition: StateMachineDefinition;
    readonly permissions?: Permissions;
}

export function diffCommand(root: string): Command {
    return new Command("diff")
        .description("Say in words what changes: against a git revision, between two definitions, or between two stages.")
        .option("--stack <stage>", "the stage that is compared with its own earlier self", "dev")
        .option("--against <revision>", "git revision of the earlier self", "HEAD")
        .option("--from <file>", "a definition (JSON); with --to")
        .option("--to <file>", "the definition that it becomes")
        .option("--from-stack <stage>", "a stage; with --to-stack")
        .option("--to-stack <stage>", "the stage that it is compared with")
        .option("--markdown", "for a pull request", false)
        .option("--json", "for machines", false)
        .addHelpText("after", [
            "", "Examples:",
            "  npm run --silent ensemble -- diff --stack prod --against main --markdown",
            "  npm run --silent ensemble -- diff --from-stack dev --to-stack prod",
            "  npm run --silent ensemble -- diff --from old.asl.json --to new.asl.json",
            "", "Exit codes: 0 compared, whatever was found; 2 wrong arguments, files or revisions; 130 interrupted.",
        ].join("\n"))
        .exitOverride()
        .action((options: Options) => guarded("compare", () => diff(root, options)));
}

async function diff(root: string, options: Options): Promise<void> {
    const [before, after] = await sides(root, options);
    const all = diffDefinitions(before.definition, after.definition);
    const changes = all.filter((change) => codeOf(change) === undefined);
    const code = [...new Set(all.map(codeOf).filter((target) => target !== undefined))].sort();
    const permissions = before.permissions === undefined || after.permissions === undefined ? undefined
        : diffPermissions(before.permissions, after.permissions);
    const text = options.json
        ? `${JSON.stringify({ from: before.name, to: after.name, changes: changes.map((change) => ({ ...change, text: describeChange(change) })),
            code, ...permissions === undefined ? {} : { permissions } }, null, 2)}\n`
        : options.markdown ? markdown(before, after, { changes, code, permissions }) : plain(before, after, { changes, code, permissions });
    process.stdout.write(text);
}

async function sides(root: string, options: Options): Promise<[Side, Side]> {
    const { from, to, fromStack, toStack } = options;
    if ((from === undefined) !== (to === undefined) || (fromStack === undefined) !== (toStack === undefined)) {
        throw new LocalError("--from and --to belong together, as do --from-stack and --to-stack", EXIT.usage);
    }
    if (from !== undefined && to !== undefined) {
        return [fileSide(from, "--from"), fileSide(to, "--to")];
    }
    if (fromStack !== undefined && toStack !== undefined) {
        return [sideOf(await evaluated(fromStack), `stage ${fromStack}`), sideOf(await evaluated(toStack), `stage ${toStack}`)];
    }
    const after = await evaluated(options.stack);
    const before = await evaluateRevision(root, options.against, options.stack, (result) =>
        sideOf(result as EvaluatedStage, `stage ${options.stack} at ${options.against}`));
    return [before, sideOf(after, `stage ${options.stack}`)];
}

function sideOf(stage: EvaluatedStage, name: string): Side {
    return { name, definition: stage.stateMachine.definition, permissions: permissionsOf(stage) };
}

function fileSide(file: string, option: string): Side {
    const value = readJson(file, option) as Partial<StateMachineDefinition> | null;
    if (typeof value !== "object" || value === null || typeof value.StartAt !== "string" || typeof value.States !== "object") {
        throw new LocalError(`${option} ${file}: no definition: an object with StartAt and States is expected`, EXIT.usage);
    }
    return { name: file, definition: value as StateMachineDefinition };
}

/** What was found; `code` names the functions and jobs whose content hash, and nothing else, changed. */
interface Found {
    readonly changes: readonly Change[];
    readonly code: readonly string[];
    readonly permissions: PermissionChanges | undefined;
}

/** The function or job of a change that is only a new content hash at the end of its ARN. */
function codeOf({ before, after }: Change): string | undefined {
    const [left, right] = [before, after].map((value) => typeof value === "string" && value.startsWith("arn:")
        ? /^(.+)[-](?:[0-9a-f]{12})$/.exec(value)?.[1] : undefined);
    return left !== undefined && left === right ? left.split(":").slice(5).join(":").replace(/^function:|^job-definition\/|:h$/g, "") : undefined;
}

function plain(before: Side, after: Side, { changes, code, permissions }: Found): string {
    const lines = [
        `${before.name} -> ${after.name}`,
        ...changes.length === 0 ? ["No change in the workflow's states."] : changes.map((change) => `  ${describeChange(change)}`),
        ...code.length === 0 ? [] : [`New code: ${code.join(", ")}`],
        ...permissions === undefined ? [] : permissions.added.length + permissions.removed.length === 0 ? ["No change in what the roles may do."] : [
            `Permissions: ${permissions.added.length} added, ${permissions.removed.length} removed`,
            ...permissions.added.map((permission) => `  + ${permission}`), ...permissions.removed.map((permission) => `  - ${permission}`),
        ],
    ];
    return `${lines.join("\n")}\n`;
}

function markdown(before: Side, after: Side, { changes, code, permissions }: Found): string {
    const list = (title: string, entries: readonly string[]) => entries.length === 0 ? ""
        : `\n**${title}**\n\n${entries.map((entry) => `- \`${entry.replaceAll("`", "'")}\``).join("\n")}\n`;
    return `### Workflow: ${before.name} -> ${after.name}\n\n${changesToMarkdown(changes)}`
        + list("New code", code) + list("Permissions added", permissions?.added ?? []) + list("Permissions removed", permissions?.removed ?? []);
}
