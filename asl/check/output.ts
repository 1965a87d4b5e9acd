/** Findings for people, as JSON, and as SARIF 2.1.0. */
import pc from "picocolors";
import { rules, type Finding } from "../analysis";
import type { Place } from "../analysis/text";

export interface FileFinding extends Finding {
    readonly file: string;
    readonly holder: string;
    readonly line: number;
    readonly column: number;
}

export interface Failure {
    readonly file: string;
    readonly message: string;
    readonly place?: Place;
}

export interface Outcome {
    readonly findings: readonly FileFinding[];
    readonly failures: readonly Failure[];
    /** Definitions that were analysed. */
    readonly checked: number;
}

const paint = { error: pc.red, warning: pc.yellow, info: pc.cyan };

export function forPeople({ findings, failures, checked }: Outcome): string {
    const lines: string[] = [];
    for (const finding of findings) {
        const where = `${finding.file}:${finding.line}:${finding.column}`;
        const inside = [finding.holder, finding.state].filter((part) => part !== undefined && part !== "").join(" > ");
        lines.push(
            `${pc.bold(where)}  ${paint[finding.severity](finding.severity)}  ${finding.rule}${inside === "" ? "" : `  ${inside}`}`,
        );
        lines.push(`    ${finding.message}`);
        if (finding.counterExampleText !== undefined) {
            lines.push(`    ${pc.dim(finding.counterExampleText)}`);
        }
    }
    for (const failure of failures) {
        const place = failure.place === undefined ? "" : `:${failure.place.line}:${failure.place.column}`;
        lines.push(`${pc.bold(`${failure.file}${place}`)}  ${pc.red("unreadable")}  ${failure.message}`);
    }
    lines.push(...byMachine(findings));
    const count = (severity: Finding["severity"]): number =>
        findings.filter((finding) => finding.severity === severity).length;
    lines.push(
        `${plural(checked, "definition")}: ${plural(count("error"), "error")}, ${plural(count("warning"), "warning")}` +
            `${count("info") === 0 ? "" : `, ${count("info")} for information`}${failures.length === 0 ? "" : `, ${failures.length} unreadable`}`,
    );
    return `${lines.join("\n")}\n`;
}

const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;

/** Where there are several: each machine with what it has, the worst first. */
function byMachine(findings: readonly FileFinding[]): string[] {
    const machines = new Map<string, { errors: number; warnings: number }>();
    for (const { file, holder, severity } of findings) {
        const name = holder === "" ? file : `${file} ${holder}`;
        const counts = machines.get(name) ?? { errors: 0, warnings: 0 };
        counts.errors += severity === "error" ? 1 : 0;
        counts.warnings += severity === "warning" ? 1 : 0;
        machines.set(name, counts);
    }
    if (machines.size < 2) {
        return [];
    }
    const worst = [...machines].sort(
        ([, left], [, right]) => right.errors - left.errors || right.warnings - left.warnings,
    );
    return worst.map(
        ([name, { errors, warnings }]) => `${name}: ${plural(errors, "error")}, ${plural(warnings, "warning")}`,
    );
}

const GITHUB_COMMANDS = { error: "error", warning: "warning", info: "notice" } as const;

/** Annotations: https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
export function asGithub({ findings, failures, checked }: Outcome): string {
    const data = (text: string): string => text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
    const property = (text: string): string => data(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
    const lines = findings.map(({ severity, file, line, column, rule, holder, state, message, counterExampleText }) => {
        const title = [rule, holder, state].filter((part) => part !== undefined && part !== "").join(" > ");
        const place = `file=${property(file)},line=${line},col=${column},title=${property(title)}`;
        const text = counterExampleText === undefined ? message : `${message}\n${counterExampleText}`;
        return `::${GITHUB_COMMANDS[severity]} ${place}::${data(text)}`;
    });
    for (const { file, message, place } of failures) {
        const at = `file=${property(file)},line=${place?.line ?? 1},col=${place?.column ?? 1}`;
        lines.push(`::error ${at},title=unreadable::${data(message)}`);
    }
    lines.push(`${plural(checked, "definition")} checked`);
    return `${lines.join("\n")}\n`;
}

export function asJson(outcome: Outcome): string {
    return `${JSON.stringify(outcome, undefined, 2)}\n`;
}

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function asSarif({ findings, failures }: Outcome): string {
    const levels = { error: "error", warning: "warning", info: "note" } as const;
    const used = new Set(findings.map((finding) => finding.rule));
    const listed = rules.filter((rule) => used.has(rule.name));
    const place = (file: string, line: number, column: number) => ({
        physicalLocation: {
            artifactLocation: { uri: file === "-" ? "stdin" : encodeURI(file.replace(/\\/g, "/")) },
            region: { startLine: line, startColumn: column },
        },
    });
    const log = {
        $schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [
            {
                tool: {
                    driver: {
                        name: "asl-check",
                        rules: listed.map((rule) => ({
                            id: rule.name,
                            shortDescription: { text: rule.summary },
                            fullDescription: { text: rule.rationale },
                            help: { text: `Reported: ${rule.bad}\nExpected: ${rule.good}` },
                            defaultConfiguration: { level: levels[rule.severity] },
                            ...(rule.links.length === 0 ? {} : { helpUri: rule.links[0] }),
                        })),
                    },
                },
                invocations: [
                    {
                        executionSuccessful: failures.length === 0,
                        toolExecutionNotifications: failures.map((failure) => ({
                            level: "error",
                            message: { text: failure.message },
                            locations: [place(failure.file, failure.place?.line ?? 1, failure.place?.column ?? 1)],
                        })),
                    },
                ],
                results: findings.map((finding) => ({
                    ruleId: finding.rule,
                    ruleIndex: listed.findIndex((rule) => rule.name === finding.rule),
                    level: levels[finding.severity],
                    message: {
                        text:
                            finding.counterExampleText === undefined
                                ? finding.message
                                : `${finding.message}\n${finding.counterExampleText}`,
                    },
                    locations: [
                        {
                            ...place(finding.file, finding.line, finding.column),
                            logicalLocations: [
                                {
                                    fullyQualifiedName: [finding.holder, finding.path]
                                        .filter((part) => part !== "")
                                        .join("/"),
                                    kind: "member",
                                },
                            ],
                        },
                    ],
                })),
            },
        ],
    };
    return `${JSON.stringify(log, undefined, 2)}\n`;
}

export function explain(name: string): string | undefined {
    const rule = rules.find((candidate) => candidate.name === name);
    if (rule === undefined) {
        return undefined;
    }
    return [
        `${pc.bold(rule.name)} (${rule.group}, ${rule.severity}; on AWS: ${rule.consequence})`,
        "",
        rule.summary,
        "",
        `Why: ${rule.rationale}`,
        "",
        `Reported: ${rule.bad}`,
        `Expected: ${rule.good}`,
        ...(rule.links.length === 0 ? [] : ["", ...rule.links.map((link) => `See ${link}`)]),
        "",
    ].join("\n");
}
