/**
 * Errors: with which a state may fail, and which handler takes each. Enough for a proof are as many errors as handlers
 * can tell apart: each name that a handler states, and one for each wildcard.
 */
import { catchers } from "./definition";
import type { Node, Scope } from "./graph";
import { hasExpressions } from "./expressions";

/** Names that stand for no error of their own, or for one that no handler takes. */
const NO_ERROR = new Set(["States.ALL", "States.Runtime"]);

/**
 * Does a handler of these names take the error? States.TaskFailed stands for every known name but States.Timeout; not
 * for a failure without a name, nor, by one reading of the guide, for an expression that fails.
 *
 * @param error undefined for a failure without a name
 */
export function takes(names: readonly string[], error: string | undefined): boolean {
    return names.some((name) => {
        switch (name) {
            case "States.ALL":
                return true;
            case "States.TaskFailed":
                return error !== undefined && !NOT_TASK_FAILED.has(error);
            case "States.Timeout":
                return error === name || error === "States.HeartbeatTimeout";
            default:
                return error === name;
        }
    });
}

const NOT_TASK_FAILED = new Set(["States.Timeout", "States.HeartbeatTimeout", "States.QueryEvaluationError"]);

/** Errors with which a Task, Parallel or Map may fail; undefined is a failure without a name. */
interface PossibleErrors {
    /** Those that its catchers name. */
    readonly named: readonly string[];
    readonly general: readonly (string | undefined)[];
}

function errorsOf(node: Node): PossibleErrors {
    const names = catchers(node.fields).flatMap(({ errors }) => errors);
    const general: (string | undefined)[] = ["States.TaskFailed", "States.Timeout"];
    if (isSomewhereIn(node, hasExpressions)) {
        general.push("States.QueryEvaluationError");
    }
    if (isSomewhereIn(node, mayBeNameless)) {
        general.push(undefined);
    }
    return { named: names.filter((name) => !NO_ERROR.has(name)), general };
}

/** Who fails a task by its token need not say why, nor need a Fail. */
function mayBeNameless({ type, fields }: Node): boolean {
    const { Resource: resource } = fields;
    if (type === "Fail") {
        return fields.Error === undefined && fields.ErrorPath === undefined;
    }
    return (
        typeof resource === "string" &&
        (resource.endsWith(".waitForTaskToken") || /:states:[^:]*:[^:]*:activity:/.test(resource))
    );
}

const known = new WeakMap<Scope, Map<(node: Node) => boolean, boolean>>();

/** Is it so of the state, or of one inside it? */
function isSomewhereIn(node: Node, test: (node: Node) => boolean): boolean {
    return test(node) || node.inner.some((scope) => isSomewhereInScope(scope, test));
}

function isSomewhereInScope(top: Scope, test: (node: Node) => boolean): boolean {
    const answers = known.get(top) ?? new Map<(node: Node) => boolean, boolean>();
    known.set(top, answers);
    let answer = answers.get(test);
    if (answer === undefined) {
        answer = false;
        const work = [top];
        for (let scope = work.pop(); scope !== undefined && !answer; scope = work.pop()) {
            answer = scope.nodes.some(test);
            scope.nodes.forEach((node) => work.push(...node.inner));
        }
        answers.set(test, answer);
    }
    return answer;
}

/** An error that a catcher takes. */
export interface Taken {
    /** Undefined for a failure without a name. */
    readonly error: string | undefined;
}

/** For each catcher an error that it takes and none before it does; a catcher that is missing here never acts. */
export function takenBy(node: Node): ReadonlyMap<number, Taken> {
    const list = catchers(node.fields);
    const { named, general } = errorsOf(node);
    const found = new Map<number, Taken>();
    for (const error of [...named, ...general]) {
        const catcher = list.find(({ errors }) => takes(errors, error));
        if (catcher !== undefined && !found.has(catcher.index)) {
            found.set(catcher.index, { error });
        }
    }
    return found;
}

/** An error that no catcher of the state takes; undefined when they take all. */
export function escaping(node: Node): Taken | undefined {
    const list = catchers(node.fields);
    const { general } = errorsOf(node);
    const index = general.findIndex((error) => !list.some(({ errors }) => takes(errors, error)));
    return index === -1 ? undefined : { error: general[index] };
}
