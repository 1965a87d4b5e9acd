/** asl/CONFORMANCE.md: how many recordings the interpreter equals, by class and by year. */
import { compare, type Difference } from "./compare";
import { explanation, RULES, type Rule } from "./explain";
import { recordedOn, stateTypes, type Recording } from "./recordings";
import { replay } from "./replay";

/** What became of one recording. */
export interface Verdict {
    readonly recording: Recording;
    readonly explained: readonly (readonly [Difference, Rule])[];
    readonly unexplained: readonly Difference[];
}

/** Replays a recording, compares it, and looks for the rule behind each difference. */
export async function judge(recording: Recording): Promise<Verdict> {
    const explained: (readonly [Difference, Rule])[] = [];
    const unexplained: Difference[] = [];
    for (const difference of compare(recording, await replay(recording))) {
        const rule = explanation(difference, recording);
        if (rule === undefined) {
            unexplained.push(difference);
        } else {
            explained.push([difference, rule]);
        }
    }
    return { recording, explained, unexplained };
}

interface Counts {
    recordings: number;
    equal: number;
    explained: number;
    unexplained: number;
}

function counted(verdicts: readonly Verdict[], classes: (recording: Recording) => readonly string[]): string[] {
    const table = new Map<string, Counts>();
    for (const verdict of verdicts) {
        for (const key of classes(verdict.recording)) {
            const row = table.get(key) ?? { recordings: 0, equal: 0, explained: 0, unexplained: 0 };
            table.set(key, row);
            row.recordings += 1;
            row[column(verdict)] += 1;
        }
    }
    return [...table.keys()].sort().map((key) => {
        const row = table.get(key) as Counts;
        return `| ${key} | ${row.recordings} | ${row.equal} | ${row.explained} | ${row.unexplained} |`;
    });
}

function column({ explained, unexplained }: Verdict): "equal" | "explained" | "unexplained" {
    if (unexplained.length > 0) {
        return "unexplained";
    }
    return explained.length > 0 ? "explained" : "equal";
}

/** The text of asl/CONFORMANCE.md. */
export function report(verdicts: readonly Verdict[]): string {
    const counts = { equal: 0, explained: 0, unexplained: 0 };
    verdicts.forEach((verdict) => (counts[column(verdict)] += 1));
    const rules = RULES.map((rule) => {
        const users = verdicts.filter(({ explained }) => explained.some(([, used]) => used === rule));
        return `| ${rule.name} | ${rule.since} | ${rule.text} | ${users.length} |`;
    });
    return [
        "# Conformance of the interpreter",
        "",
        "Executions recorded on AWS, replayed with the task results and S3 objects that AWS had: status, output,",
        "error, cause, and every event with its id, previousEventId, type and details (timestamps are not in the",
        "recordings). Redacted values (names, ARNs, dates) are compared by their shape. Written by",
        "`npm run conformance:report`; a test keeps it true and fails on an unexplained difference.",
        "",
        `${verdicts.length} recordings: ${counts.equal} equal in everything, ${counts.explained} explained by a rule,` +
            ` ${counts.unexplained} unexplained.`,
        "",
        "A recording counts for every type of state that its definition holds.",
        "",
        "| query language | state type | recordings | equal | explained | unexplained |",
        "|---|---|---|---|---|---|",
        ...counted(verdicts, (recording) =>
            ["(all)", ...stateTypes(recording.definition)].map((type) => `${recording.queryLanguage} | ${type}`),
        ),
        "",
        "| year of the recording | recordings | equal | explained | unexplained |",
        "|---|---|---|---|---|",
        ...counted(verdicts, (recording) => [recordedOn(recording).slice(0, 4)]),
        "",
        "## What is explained",
        "",
        "AWS has changed in these years; the interpreter follows the newest recording. A rule explains only older",
        "recordings, and only as long as a recording from its day on shows the newer behaviour",
        "(test/asl/conformance/explain.ts).",
        "",
        "| rule | since | what changed | recordings |",
        "|---|---|---|---|",
        ...rules,
        "",
    ].join("\n");
}
