/** Writes RULES.md from the rules' own metadata: `npm run analysis:docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Consequence, RuleGroup } from "./findings";
import { rules } from "./rules";

const titles: { readonly [group in RuleGroup]: string } = {
    structure: "Structure",
    failure: "Failure flow",
    variables: "Variables",
    loops: "Loops and time",
    jobs: "Jobs and calls",
};

const consequences: { readonly [consequence in Consequence]: string } = {
    refused: "AWS refuses the definition when it is created",
    fails: "AWS takes the definition, and an execution that gets there fails",
    advice: "AWS runs it as it is written",
};

const cell = (text: string): string => text.replace(/\|/g, "\\|");

export function rulesDocument(): string {
    const parts = [
        "# Rules of the analysis",
        "",
        "Made from `rules.ts` by `npm run analysis:docs`. `asl-check --explain RULE` says the same; `--disable RULE` leaves one out.",
        "",
        "error and warning make `asl-check` exit with 1; info only tells.",
        "",
    ];
    for (const group of Object.keys(titles) as RuleGroup[]) {
        parts.push(`## ${titles[group]}`, "");
        for (const rule of rules.filter((candidate) => candidate.group === group)) {
            parts.push(
                `### ${rule.name}`,
                "",
                `${rule.severity}. ${rule.summary}`,
                "",
                `On AWS: ${consequences[rule.consequence]}.`,
                "",
                `Why: ${rule.rationale}`,
                "",
                "| reported | expected |",
                "|---|---|",
                `| ${cell(rule.bad)} | ${cell(rule.good)} |`,
                "",
                ...(rule.links.length === 0 ? [] : [`Source: ${rule.links.join(", ")}`, ""]),
            );
        }
    }
    return `${parts.join("\n").trimEnd()}\n`;
}

if (require.main === module) {
    writeFileSync(join(__dirname, "RULES.md"), rulesDocument());
}
