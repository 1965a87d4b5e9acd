import type { JsonValue } from "../../types";
import { NoMatch, type PathTree } from "./tree";

/** Where a path is evaluated: what its roots mean, and how the paths inside a filter or function are evaluated. */
export interface Place {
    readonly document: JsonValue;
    /** What `@` means. */
    readonly item: JsonValue;
    /** Visits that are left. */
    readonly budget: { left: number };
    /** In a test of existence every name must be there. */
    readonly strict: boolean;
    /** All that a path finds below a value. */
    readonly matchesOf: (tree: PathTree, place: Place, start: JsonValue) => JsonValue[];
}

/** The value of a definite path, the list of matches of another. @throws NoMatch where a definite one finds nothing. */
export function valueAt(tree: PathTree, place: Place): JsonValue {
    const matches = place.matchesOf(tree, place, tree.root === "$" ? place.document : place.item);
    if (!tree.definite) {
        return matches;
    }
    const last = matches.at(-1);
    if (last === undefined) {
        throw new NoMatch("No results for path", true);
    }
    return last;
}
