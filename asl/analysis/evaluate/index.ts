/**
 * Abstract evaluation of JSONata: from sets of possible values of the variables to the set of possible results, and
 * the reasons why the evaluation may fail. It errs on one side only: a result that is possible is in the set, a
 * failure that is possible is reported. The semantics are those of the `jsonata` package 2.2 with AWS's additions
 * ($partition, $range, $hash, $random(seed), $uuid, $parse).
 *
 * `evaluator.ts` walks the syntax tree; what a kind of node means stands in a file of its own: `operators`, `paths`,
 * `calls` with `builtIns`; `assume` has what a condition settles, `sequences` JSONata's own idea of arrays.
 */
import type { Ast } from "../jsonata";
import type { Value } from "../values";
import { assume } from "./assume";
import type { Environment } from "./environment";
import { Evaluator } from "./evaluator";

export { BUILT_INS } from "./builtIns";
export { pathKey, type Environment } from "./environment";
export { truthOf } from "./truth";

export interface Result {
    readonly value: Value;
    /** Why the evaluation may fail; empty when it cannot. */
    readonly risks: readonly string[];
}

export function evaluate(ast: Ast, environment: Environment): Result {
    const evaluator = new Evaluator();
    const value = evaluator.run(ast, environment);
    return { value, risks: [...evaluator.risks] };
}

/** The environment in which the condition is known to be true, or known to be false. */
export function assuming(condition: Ast, holdsTrue: boolean, environment: Environment): Environment {
    return assume(new Evaluator(), condition, holdsTrue, environment);
}
