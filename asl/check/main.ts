/**
 * asl-check: the analysis of asl/analysis as a command. Exit code 0: clean, 1: findings, 2: something could not be read.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { closest } from "fastest-levenshtein";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod/mini";
import en from "zod/v4/locales/en.js";
import { analyse, rules, type AnalysisOptions, type Consequence } from "../analysis";
import { asGithub, asJson, asSarif, explain, forPeople, type Failure, type FileFinding, type Outcome } from "./output";
import { decode, filesIn, largestFile, readFile, readText, type Source } from "./sources";
import { beyond, readBaseline, suppress, suppression, writeBaseline } from "./known";
import { Unreadable } from "./unreadable";

const consequenceOf = (name: string): Consequence => rules.find((rule) => rule.name === name)?.consequence ?? "refused";
const ruleNames = rules.map((rule) => rule.name);
const configurationFiles = [".asl-check.json", ".asl-check.yaml", ".asl-check.yml"];

// The functions of zod and not its classes: those were half of the installed command.
z.config(en());
const text = z.string().check(z.minLength(1));
const configuration = z.strictObject({
    disable: z.optional(z.array(z.enum(ruleNames))),
    tolerance: z.optional(z.enum(["declared", "forbidden"])),
    notification: z.optional(z.array(text)),
    notifiedPrefix: z.optional(text),
    format: z.optional(z.enum(["text", "json", "sarif", "github"])),
    failOn: z.optional(z.enum(["error", "warning"])),
    suppress: z.optional(z.array(suppression)),
    baseline: z.optional(text),
});
type Configuration = z.infer<typeof configuration>;

export interface Streams {
    readonly stdin: () => Promise<Buffer>;
    readonly out: (text: string) => void;
    readonly err: (text: string) => void;
}

interface Flags extends Configuration {
    readonly config?: string;
    readonly explain?: string;
    readonly rules?: boolean;
    readonly updateBaseline?: boolean;
}

function rule(name: string, before: string[] | undefined): string[] {
    if (!ruleNames.includes(name)) {
        throw new InvalidArgumentError(
            `There is no rule "${name.slice(0, 80)}"; the nearest is "${closest(name.slice(0, 80), ruleNames)}".`,
        );
    }
    return [...(before ?? []), name];
}

function readConfiguration(file: string): Configuration {
    let value: unknown;
    try {
        value = parse(readFileSync(file, "utf8"), { maxAliasCount: 10, logLevel: "silent" }) as unknown;
    } catch (error) {
        throw new Unreadable(file, (error as Error).message.split("\n")[0]);
    }
    const result = configuration.safeParse(value ?? {});
    if (!result.success) {
        throw new Unreadable(
            file,
            result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "),
        );
    }
    return result.data;
}

/** Runs the command; never throws, never ends the process. */
export async function main(argv: readonly string[], streams: Streams): Promise<0 | 1 | 2> {
    const program = new Command("asl-check")
        .description("Checks state machines in Amazon States Language: structure, and that no failure ends in silence.")
        .argument("[paths...]", "files or directories; - or nothing reads standard input")
        .addOption(
            new Option("--format <format>", "how findings are written").choices(["text", "json", "sarif", "github"]),
        )
        .addOption(new Option("--disable <rule>", "leave a rule out; may be given more than once").argParser(rule))
        .addOption(
            new Option("--tolerance <kind>", "whether a failure may be recorded for a join").choices([
                "declared",
                "forbidden",
            ]),
        )
        .option("--notification <kind...>", "what counts as telling somebody: sns:publish, lambda:<function name>, ...")
        .option(
            "--notified-prefix <text>",
            "what errors begin with that a notification has told (and the rule on failed executions leaves out)",
        )
        .addOption(
            new Option(
                "--fail-on <severity>",
                "the least severity that makes the exit code 1 (default: warning)",
            ).choices(["error", "warning"]),
        )
        .option("--config <file>", "configuration file (default: .asl-check.json, .yaml or .yml in this directory)")
        .option("--baseline <file>", "findings that are known: only what is new fails")
        .option("--update-baseline", "write the findings of this run to the baseline, and end with 0")
        .option("--explain <rule>", "say what a rule demands and why")
        .option("--rules", "list all rules")
        .exitOverride()
        .configureOutput({ writeOut: streams.out, writeErr: streams.err });
    try {
        program.parse([...argv], { from: "user" });
    } catch (error) {
        return error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
    }
    const flags = program.opts<Flags>();
    if (flags.rules === true) {
        streams.out(
            `${rules.map((entry) => `${entry.name.padEnd(26)}${entry.severity.padEnd(9)}${entry.summary}`).join("\n")}\n`,
        );
        return 0;
    }
    if (flags.explain !== undefined) {
        const text = explain(flags.explain);
        if (text === undefined) {
            streams.err(
                `asl-check: there is no rule "${flags.explain.slice(0, 80)}"; the nearest is "${closest(flags.explain.slice(0, 80), ruleNames)}"\n`,
            );
            return 2;
        }
        streams.out(text);
        return 0;
    }
    let settings: Configuration;
    try {
        const file = flags.config ?? configurationFiles.find((name) => existsSync(name));
        const given = file === undefined ? {} : readConfiguration(file);
        settings = { ...given, ...flags, disable: [...(given.disable ?? []), ...(flags.disable ?? [])] };
    } catch (error) {
        streams.err(`asl-check: ${error instanceof Unreadable ? `${error.file}: ` : ""}${(error as Error).message}\n`);
        return 2;
    }
    if (flags.updateBaseline === true && settings.baseline === undefined) {
        streams.err("asl-check: --update-baseline needs a file: give --baseline, or baseline in the configuration\n");
        return 2;
    }
    let outcome: Outcome;
    try {
        outcome = known(await check(program.args, settings, streams), settings, flags, streams);
    } catch (error) {
        streams.err(`asl-check: ${error instanceof Unreadable ? `${error.file}: ` : ""}${(error as Error).message}\n`);
        return 2;
    }
    streams.out(WRITERS[settings.format ?? "text"](outcome));
    if (outcome.failures.length > 0) {
        return 2;
    }
    const counts = settings.failOn === "error" ? ["error"] : ["error", "warning"];
    return outcome.findings.some((finding) => counts.includes(finding.severity)) ? 1 : 0;
}

const WRITERS = { text: forPeople, json: asJson, sarif: asSarif, github: asGithub };

/** What is left of an outcome beside suppressions and the baseline; tells of both. */
function known(outcome: Outcome, settings: Configuration, flags: Flags, streams: Streams): Outcome {
    const { findings, suppressed, unused } = suppress(outcome.findings, settings.suppress ?? []);
    for (const { rule: name, state, reason } of unused) {
        const where = state === undefined ? "" : ` at "${state}"`;
        streams.err(`asl-check: nothing needs the suppression of ${name}${where} any more (${reason})\n`);
    }
    if (suppressed > 0) {
        streams.err(`asl-check: ${suppressed} suppressed by the configuration\n`);
    }
    const { baseline } = settings;
    if (baseline === undefined) {
        return { ...outcome, findings };
    }
    if (flags.updateBaseline === true) {
        streams.err(`asl-check: ${writeBaseline(baseline, findings)} findings written to ${baseline}\n`);
        return { ...outcome, findings: [] };
    }
    const { findings: fresh, gone } = beyond(findings, readBaseline(baseline));
    const others = findings.length - fresh.length;
    const more = gone === 0 ? "" : `; ${gone} of it are gone: write it anew with --update-baseline`;
    streams.err(`asl-check: ${others} known by ${baseline}${more}\n`);
    return { ...outcome, findings: fresh };
}

async function check(paths: readonly string[], options: AnalysisOptions, streams: Streams): Promise<Outcome> {
    const findings: FileFinding[] = [];
    const failures: Failure[] = [];
    let checked = 0;
    const take = (read: () => readonly Source[]): void => {
        try {
            for (const source of read()) {
                checked += 1;
                findings.push(...judge(source, options));
            }
        } catch (error) {
            if (!(error instanceof Unreadable)) {
                throw error;
            }
            failures.push({ file: error.file, message: error.message, place: error.place });
        }
    };
    for (const path of paths.length === 0 ? ["-"] : paths) {
        if (path === "-") {
            const bytes = await streams.stdin();
            take(() => {
                if (bytes.length > largestFile) {
                    throw new Unreadable("-", `standard input has more than ${largestFile.toLocaleString("en")} bytes`);
                }
                return readText("-", decode("-", bytes), true);
            });
            continue;
        }
        let files: readonly string[] | undefined;
        take(() => {
            if (existsSync(path) && lstatSync(path).isDirectory()) {
                files = filesIn(path);
                return [];
            }
            return readFile(path, true);
        });
        for (const file of files ?? []) {
            take(() => readFile(file, false));
        }
    }
    return { findings, failures, checked };
}

function judge(source: Source, options: AnalysisOptions): FileFinding[] {
    const disabled = new Set(options.disable ?? []);
    const problems = source.problems
        .filter((problem) => !disabled.has(problem.rule))
        .map((problem) => ({ ...problem, severity: "error" as const, consequence: consequenceOf(problem.rule) }));
    const found =
        source.definition === undefined && problems.length > 0
            ? []
            : analyse(source.definition, options).map((finding) => ({ ...finding, ...source.position(finding.path) }));
    return [...problems, ...found].map((finding) => ({ ...finding, file: source.file, holder: source.holder }));
}
