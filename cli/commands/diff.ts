import { Command } from "commander";
import { describeChange, diffDefinitions } from "../../asl/diff";
import type { StateMachineDefinition } from "../../asl/types";
import { EXIT, ToolError } from "../../ground/errors";
import { defined, present } from "../../ground/fields";
import type { EvaluatedStage } from "../../project/evaluate";
import type { StageSettings } from "../../workflow/contract";
import { settingsOf } from "../aws/executions";
import { diffPermissions, permissionsOf, type PermissionChanges, type Permissions } from "../diff/permissions";
import { evaluateRevision } from "../diff/revision";
import { wordsOf, type Words } from "../diff/words";
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
    readonly settings?: StageSettings;
    readonly permissions?: Permissions;
}

export function diffCommand(root: string): Command {
    return new Command("diff")
        .description(
            "Say in words what changes: against a git revision, between two definitions, or between two stages.",
        )
        .option("--stack <stage>", "the stage that is compared with its own earlier self", "dev")
        .option("--against <revision>", "git revision of the earlier self", "HEAD")
        .option("--from <file>", "a definition (JSON); with --to")
        .option("--to <file>", "the definition that it becomes")
        .option("--from-stack <stage>", "a stage; with --to-stack")
        .option("--to-stack <stage>", "the stage that it is compared with")
        .option("--markdown", "for a pull request", false)
        .option("--json", "for machines", false)
        .addHelpText(
            "after",
            [
                "",
                "Examples:",
                "  npm run --silent ensemble -- diff --stack prod --against main --markdown",
                "  npm run --silent ensemble -- diff --from-stack dev --to-stack prod",
                "  npm run --silent ensemble -- diff --from old.asl.json --to new.asl.json",
                "",
                "Exit codes: 0 compared, whatever was found; 2 wrong arguments, files or revisions; 130 interrupted.",
            ].join("\n"),
        )
        .exitOverride()
        .action((options: Options) => guarded("compare", () => diff(root, options)));
}

async function diff(root: string, options: Options): Promise<void> {
    const [before, after] = await sides(root, options);
    const words = wordsOf(before, after);
    const permissions =
        before.permissions === undefined || after.permissions === undefined
            ? undefined
            : diffPermissions(renamed(before, after), after.permissions);
    const found: Found = { ...words, permissions };
    const text = options.json
        ? `${JSON.stringify(
              defined({
                  from: before.name,
                  to: after.name,
                  summary: words.lines,
                  code: words.code,
                  following: words.following,
                  changes: diffDefinitions(before.definition, after.definition).map((change) => ({
                      ...change,
                      text: describeChange(change),
                  })),
                  permissions,
              }),
              null,
              2,
          )}\n`
        : options.markdown
          ? markdown(before, after, found)
          : plain(before, after, found);
    process.stdout.write(text);
}

async function sides(root: string, options: Options): Promise<[Side, Side]> {
    const { from, to, fromStack, toStack } = options;
    if ((from === undefined) !== (to === undefined) || (fromStack === undefined) !== (toStack === undefined)) {
        throw new ToolError("--from and --to belong together, as do --from-stack and --to-stack", EXIT.usage);
    }
    if (from !== undefined && to !== undefined) {
        return [fileSide(from, "--from"), fileSide(to, "--to")];
    }
    if (fromStack !== undefined && toStack !== undefined) {
        return [
            sideOf(await evaluated(fromStack), `stage ${fromStack}`),
            sideOf(await evaluated(toStack), `stage ${toStack}`),
        ];
    }
    const after = await evaluated(options.stack);
    const before = await evaluateRevision(root, options.against, options.stack, (result) =>
        sideOf(result as EvaluatedStage, `stage ${options.stack} at ${options.against}`),
    );
    return [before, sideOf(after, `stage ${options.stack}`)];
}

function sideOf(stage: EvaluatedStage, name: string): Side {
    const { definition } = stage.stateMachine;
    return {
        name,
        definition,
        settings: settingsOf(definition, stage.stateMachine.name),
        permissions: permissionsOf(stage),
    };
}

function fileSide(file: string, option: string): Side {
    const value = readJson(file, option) as Partial<StateMachineDefinition> | null;
    if (
        typeof value !== "object" ||
        value === null ||
        typeof value.StartAt !== "string" ||
        typeof value.States !== "object"
    ) {
        throw new ToolError(
            `${option} ${file}: no definition: an object with StartAt and States is expected`,
            EXIT.usage,
        );
    }
    return { name: file, definition: value as StateMachineDefinition };
}

/** What was found. */
interface Found extends Words {
    readonly permissions: PermissionChanges | undefined;
}

/** The first side's permissions under the second one's stage. */
function renamed({ settings, permissions = new Set() }: Side, { settings: other }: Side): Permissions {
    return settings === undefined || other === undefined || settings.stage === other.stage
        ? permissions
        : new Set(
              [...permissions].map((line) =>
                  line.replaceAll(`${settings.service}-${settings.stage}`, `${other.service}-${other.stage}`),
              ),
          );
}

/** "2 IAM actions added, one removed"; nothing where none is. */
function permissionWords({ added, removed }: PermissionChanges): string {
    const count = (lines: readonly string[], what: string, first: boolean): string[] =>
        lines.length === 0
            ? []
            : [
                  `${lines.length === 1 ? "one" : lines.length}` +
                      `${first ? ` IAM action${lines.length === 1 ? "" : "s"}` : ""} ${what}`,
              ];
    return [...count(added, "added", true), ...count(removed, "removed", added.length === 0)].join(", ");
}

function following({ following: count }: Words): string[] {
    return count === 0
        ? []
        : [
              `${count} computed value${count === 1 ? "" : "s"} in the states follow${count === 1 ? "s" : ""} from ` +
                  "these (--json lists all)",
          ];
}

function plain(before: Side, after: Side, found: Found): string {
    const { lines: changes, code, permissions } = found;
    const lines = present([
        `${before.name} -> ${after.name}`,
        ...(changes.length === 0 ? ["No change in the workflow."] : changes.map((change) => `  ${change}`)),
        ...following(found).map((line) => `  ${line}`),
        code.length === 0 ? undefined : `New code: ${code.join(", ")}`,
        ...(permissions === undefined
            ? []
            : permissions.added.length + permissions.removed.length === 0
              ? ["No change in what the roles may do."]
              : [
                    permissionWords(permissions),
                    ...permissions.added.map((permission) => `  + ${permission}`),
                    ...permissions.removed.map((permission) => `  - ${permission}`),
                ]),
    ]);
    return `${lines.join("\n")}\n`;
}

function markdown(before: Side, after: Side, found: Found): string {
    const { lines, code, permissions } = found;
    const list = (title: string, entries: readonly string[]) =>
        entries.length === 0
            ? ""
            : `\n**${title}**\n\n${entries.map((entry) => `- \`${entry.replaceAll("`", "'")}\``).join("\n")}\n`;
    const changes = [...lines, ...following(found)].map((line) => `- ${line.replace(/([*_`|<>])/g, "\\$1")}`);
    return (
        `### Workflow: ${before.name} -> ` +
        `${after.name}\n\n${changes.length === 0 ? "No change in the workflow." : changes.join("\n")}\n` +
        list("New code", code) +
        list("Permissions added", permissions?.added ?? []) +
        list("Permissions removed", permissions?.removed ?? [])
    );
}
