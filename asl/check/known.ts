/** Findings that are known: suppressed with a reason in the configuration, or recorded in a baseline. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as z from "zod/mini";
import { rules } from "../analysis";
import type { FileFinding } from "./output";
import { Unreadable } from "./unreadable";

/** Leaves findings out; each says why. What is not given fits everything. */
export const suppression = z.strictObject({
    rule: z.enum(rules.map(({ name }) => name)),
    /** Name of the state that the finding lies in. */
    state: z.optional(z.string()),
    /** The file as it is given on the command line, or its end behind a slash. */
    file: z.optional(z.string()),
    /** Name of the resource that holds the definition. */
    machine: z.optional(z.string()),
    reason: z.string().check(z.trim(), z.minLength(1, "say why")),
});
export type Suppression = z.infer<typeof suppression>;

function fits({ rule, state, file, machine }: Suppression, finding: FileFinding): boolean {
    const path = finding.file.replace(/\\/g, "/");
    return (
        rule === finding.rule &&
        (state === undefined || state === finding.state) &&
        (machine === undefined || machine === finding.holder) &&
        (file === undefined || file === path || path.endsWith(`/${file}`))
    );
}

export interface Left {
    readonly findings: readonly FileFinding[];
    readonly suppressed: number;
    /** Suppressions that no finding needed. */
    readonly unused: readonly Suppression[];
}

export function suppress(findings: readonly FileFinding[], suppressions: readonly Suppression[]): Left {
    const used = new Set<Suppression>();
    const left = findings.filter((finding) => {
        const found = suppressions.find((candidate) => fits(candidate, finding));
        if (found !== undefined) {
            used.add(found);
        }
        return found === undefined;
    });
    return {
        findings: left,
        suppressed: findings.length - left.length,
        unused: suppressions.filter((candidate) => !used.has(candidate)),
    };
}

/** By what a finding is known again: it may move in its file, and its message may change. */
const entry = z.strictObject({
    file: z.string(),
    machine: z.string(),
    rule: z.string(),
    path: z.string(),
    /** How many findings are alike in all of these. */
    count: z.int().check(z.minimum(1)),
});
const baseline = z.strictObject({ version: z.literal(1), findings: z.array(entry) });
type Entry = z.infer<typeof entry>;

const keyOf = ({ file, machine, rule, path }: Omit<Entry, "count">): string => [file, machine, rule, path].join("\n");

function entryOf({ file, holder, rule, path }: FileFinding): Omit<Entry, "count"> {
    return { file: file.replace(/\\/g, "/"), machine: holder, rule, path };
}

/** Throws Unreadable where there is none, or it is no baseline. */
export function readBaseline(file: string): Entry[] {
    if (!existsSync(file)) {
        throw new Unreadable(file, "there is no such baseline: write one with --update-baseline");
    }
    let value: unknown;
    try {
        value = JSON.parse(readFileSync(file, "utf8"));
    } catch (error) {
        throw new Unreadable(file, (error as Error).message);
    }
    const result = baseline.safeParse(value);
    if (!result.success) {
        const [issue] = result.error.issues;
        throw new Unreadable(file, `this is no baseline: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
    }
    return result.data.findings;
}

/** The findings that the baseline does not know, and how many of its own are gone. */
export function beyond(
    findings: readonly FileFinding[],
    entries: readonly Entry[],
): { readonly findings: readonly FileFinding[]; readonly gone: number } {
    const open = new Map(entries.map((known) => [keyOf(known), known.count]));
    const left = findings.filter((finding) => {
        const key = keyOf(entryOf(finding));
        const count = open.get(key) ?? 0;
        open.set(key, count - 1);
        return count <= 0;
    });
    const gone = [...open.values()].reduce((sum, count) => sum + Math.max(0, count), 0);
    return { findings: left, gone };
}

/** Writes errors and warnings down, in an order that does not change. */
export function writeBaseline(file: string, findings: readonly FileFinding[]): number {
    const counted = new Map<string, Entry>();
    for (const finding of findings.filter(({ severity }) => severity !== "info")) {
        const known = entryOf(finding);
        const key = keyOf(known);
        counted.set(key, { ...known, count: (counted.get(key)?.count ?? 0) + 1 });
    }
    const list = [...counted].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, known]) => known);
    writeFileSync(file, `${JSON.stringify({ version: 1, findings: list }, undefined, 2)}\n`);
    return list.reduce((sum, { count }) => sum + count, 0);
}
