/** Writes policy/RULES.md from the rules' own metadata: `npm run policy:docs`. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Rule } from "./lib/rule";
import { UNAVOIDABLE_WILDCARDS } from "./lib/wildcards";
import { rules } from "./rules";

export const RULES_FILE = path.join(__dirname, "RULES.md");

const SCANNERS = {
    cdkNag: "cdk-nag",
    checkov: "Checkov",
    securityHub: "Security Hub",
    trivy: "Trivy",
    prowler: "Prowler",
} as const;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
    return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function references(rule: Rule): string {
    return (Object.keys(SCANNERS) as (keyof typeof SCANNERS)[])
        .filter((scanner) => (rule.references[scanner] ?? []).length > 0)
        .map((scanner) => `${SCANNERS[scanner]}: ${(rule.references[scanner] ?? []).join(", ")}`)
        .join("; ");
}

function section(rule: Rule): string {
    const parameters = Object.entries(rule.parameters ?? {});
    const alike = references(rule);
    const paragraphs = [`### ${rule.name}`, `${rule.description} ${rule.why}`, `To do: ${rule.remediation}`];
    if (alike !== "") {
        paragraphs.push(`Alike: ${alike}`);
    }
    if (parameters.length > 0) {
        const rows = parameters.map(([name, schema]) => [
            `\`${name}\``,
            `\`${JSON.stringify(schema.default)}\``,
            cell(schema.description ?? ""),
        ]);
        paragraphs.push(table(["parameter", "default", "meaning"], rows));
    }
    return paragraphs.map((text) => (text.startsWith("|") ? text : text.replaceAll("<", "&lt;"))).join("\n\n");
}

/** The text of RULES.md. */
export function rulesDocument(): string {
    const sorted = [...rules].sort((a, b) => a.name.localeCompare(b.name, "en"));
    return `${[
        "# Rules of the policy pack",
        "Made from the rules' own metadata by `npm run policy:docs`; do not edit.",
        "Level is the default; the pack's configuration (`config.json`) sets level, parameters and suppressions per rule. " +
            '"one" rules judge a resource before it is created or changed, "stack" rules what lies between resources, at the end of ' +
            "preview and update. What is not known at preview is named in the preview and judged at the update.",
        table(
            ["rule", "level", "severity", "judges", "demands"],
            sorted.map((rule) => [
                `[${rule.name}](#${rule.name})`,
                rule.level,
                rule.severity,
                rule.kind === "stack" ? "stack" : "one",
                cell(rule.description),
            ]),
        ),
        "## Suppressions",
        "A suppression stands in the configuration of its rule and names the resource (`type::name`, `*` in the name stands for anything) " +
            "and the reason. `suppressions-needed` refuses one without a reason, and one that suppresses nothing any more.",
        "```json\n" +
            JSON.stringify(
                {
                    "s3-bucket-access-logged": {
                        suppressions: [
                            {
                                resource: "aws:s3/bucket:Bucket::artifacts",
                                reason: "CloudTrail records every data event of this bucket.",
                            },
                        ],
                    },
                },
                null,
                2,
            ) +
            "\n```",
        "## Wildcards that cannot be avoided",
        "`iam-wildcards` accepts these everywhere; its parameter `allowed` takes others.",
        table(
            ["action", "resource", "reason"],
            UNAVOIDABLE_WILDCARDS.map((one) => [`\`${one.action}\``, `\`${one.resource ?? "*"}\``, cell(one.reason)]),
        ),
        "## The rules one by one",
        ...sorted.map(section),
    ].join("\n\n")}\n`;
}

if (require.main === module) {
    writeFileSync(RULES_FILE, rulesDocument());
}
