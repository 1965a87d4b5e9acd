/**
 * Declared tolerance: a Pass whose Comment begins `records-failure-for: <join state>` records a failure and lets its branch end, so that
 * its siblings' work is kept; the join, a Choice behind all branches, decides.
 */
import type { Context } from "./context";
import type { Node } from "./graph";
import type { Ways } from "./ways";

const prefix = "records-failure-for:";

/** The text behind `records-failure-for:`, when the state is a record. */
export function recordOf(node: Node): string | undefined {
    const comment = node.fields.Comment;
    return node.type === "Pass" && typeof comment === "string" && comment.startsWith(prefix) ? comment.slice(prefix.length).trim() : undefined;
}

/** The join that a record names: a state of its own or of an enclosing scope. The longest name that the text begins with wins. */
export function joinOf(node: Node, record: string): Node | undefined {
    let best: Node | undefined;
    for (let scope: Node["scope"] | undefined = node.scope; scope !== undefined; scope = scope.owner?.scope) {
        for (const candidate of scope.nodes) {
            if (record.startsWith(candidate.name) && !/^[\p{L}\p{N}]/u.test(record.slice(candidate.name.length))
                && (best === undefined || candidate.name.length > best.name.length)) {
                best = candidate;
            }
        }
    }
    return best;
}

/** Checks a record; true when the failure is safe with it. */
export function checkRecord(context: Context, ways: Ways, node: Node, record: string): boolean {
    const wrong = (message: string): false => {
        context.report.add({ rule: "failure-record", path: node.path, state: node.name, message });
        return false;
    };
    const join = joinOf(node, record);
    if (join === undefined || join.type !== "Choice") {
        return wrong(`The Comment names "${record.slice(0, 80)}" as the join, and there is no Choice of that name in this scope or around it.`);
    }
    for (let at = node; ; at = at.scope.owner!) {
        if (at.scope === join.scope) {
            const past = ways.between(at, (to) => to !== join && to.ends === "success", (edge) => edge.to !== join && (edge.from !== at || edge.kind !== "catch"));
            if (past !== undefined) {
                return wrong(`The way from here can end in success without the join "${join.name}", by "${past.end.name}".`);
            }
            break;
        }
        if (at.ends !== "success") {
            return wrong(`"${at.name}" must end its branch (End: true), so that what was recorded becomes the branch's result and reaches "${join.name}".`);
        }
    }
    return true;
}
