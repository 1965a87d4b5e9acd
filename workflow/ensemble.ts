import type { MemberSettings, ModelSettings, StageSettings } from "./contract";

/** The models of an ensemble and what a stage says about each. */
export interface Ensemble {
    readonly members: Readonly<Record<string, MemberSettings>>;
    readonly combiner: ModelSettings & { readonly name: string };
    /** How many members must be there; all required ones without it. */
    readonly quorum?: number;
}

const KEY = /^[a-z][a-z0-9_]{0,29}$/;
const PARAMETER = /^[A-Z][A-Z0-9_]{0,59}$/;

/**
 * An ensemble is data: a further base model is one more entry of `members`. The result is part of the settings of a
 * stage.
 * @throws Error that names every entry that cannot be.
 */
export function defineEnsemble(ensemble: Ensemble): Pick<StageSettings, "members" | "combiner" | "quorum"> {
    const required = Object.values(ensemble.members).filter((member) => member.required).length;
    const defined = { ...ensemble, quorum: ensemble.quorum ?? Math.max(1, required) };
    checkEnsemble(defined);
    return defined;
}

/** What holds for any ensemble, whoever put the settings together. */
export function checkEnsemble({
    members,
    combiner,
    quorum,
}: Pick<StageSettings, "members" | "combiner" | "quorum">): void {
    const problems: string[] = [];
    const entries = Object.entries(members);
    if (entries.length === 0) {
        problems.push("members: none; expected at least one");
    }
    for (const name of [...Object.keys(members), combiner.name]) {
        if (!KEY.test(name)) {
            problems.push(`"${name}": a model's name is 1 to 30 of a-z, 0-9 and _, beginning with a letter`);
        }
    }
    if (Object.hasOwn(members, combiner.name)) {
        problems.push(`combiner "${combiner.name}": a member has this name already`);
    }
    for (const field of ["mergeParameter", "publishParameter"] as const) {
        const owners = new Map<string, string>();
        for (const [name, member] of entries) {
            const parameter = member[field];
            if (!PARAMETER.test(parameter)) {
                problems.push(`${name}.${field} is "${parameter}"; expected 1 to 60 of A-Z, 0-9 and _`);
            }
            const other = owners.get(parameter);
            if (other !== undefined) {
                problems.push(`${name}.${field} is "${parameter}", which ${other} has already`);
            }
            owners.set(parameter, name);
        }
    }
    if (!Number.isInteger(quorum) || quorum < 1 || quorum > entries.length) {
        problems.push(
            `quorum is ${quorum}; expected a whole number from 1 to ${entries.length}, the number of members`,
        );
    }
    if (problems.length > 0) {
        throw new Error(`the ensemble cannot be:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    }
}
