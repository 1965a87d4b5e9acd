/** Which variables belong to which scope. */
import type { JsonValue } from "../../types";
import { assignedNames, objectsIn, type Raw } from "./parts";

/** The variables that a state assigns: itself and in its choices, and in its catchers. */
export interface Assignments {
    readonly own: readonly string[];
    readonly caught: readonly string[];
}

export function assignments(raw: Raw): Assignments {
    const names = (assign: JsonValue | undefined): string[] => assignedNames(assign, false);
    const entries = (field: "Choices" | "Catch"): string[] =>
        objectsIn(raw[field]).flatMap(({ Assign }) => names(Assign));
    return { own: [...names(raw.Assign), ...entries("Choices")], caught: entries("Catch") };
}

/**
 * What a state's branches or iterations see as variables of an outer scope. The state's own catchers do not count: they
 * run when the inner scope has ended (recorded: AWS accepts a variable that a branch and its Parallel's Catch assign).
 */
export function innerScope(
    outer: ReadonlySet<string>,
    assigned: ReadonlyMap<string, Assignments>,
    state: string,
): Set<string> {
    const found = new Set(outer);
    for (const [name, { own, caught }] of assigned) {
        own.forEach((variable) => found.add(variable));
        if (name !== state) {
            caught.forEach((variable) => found.add(variable));
        }
    }
    return found;
}
