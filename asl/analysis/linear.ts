/**
 * Expressions as sums: clock * a + variable * b + ... + constant, where they have that form. Rounding is kept apart as a tolerance.
 */
import { pathKey } from "./evaluate";
import type { Ast } from "./jsonata";

export interface Linear {
    /** Factor of the time now, in milliseconds. */
    readonly clock: number;
    readonly variables: ReadonlyMap<string, number>;
    readonly constant: number;
    /** Other parts, with their factors. */
    readonly opaque: readonly { readonly ast: Ast; readonly factor: number }[];
    /** How far rounding may move the sum, upwards and downwards. */
    readonly up: number;
    readonly down: number;
}

const nothing: Linear = { clock: 0, variables: new Map(), constant: 0, opaque: [], up: 0, down: 0 };

/** $toMillis($states.context.State.EnteredTime), $toMillis($now()), $millis(): the time now. */
export function isClock(ast: Ast): boolean {
    const name = calledName(ast);
    if (name === "millis") {
        return true;
    }
    const [argument] = name === "toMillis" ? (ast.arguments as readonly Ast[]) : [];
    return (
        argument !== undefined &&
        (pathKey(argument) === '$states."context"."State"."EnteredTime"' || calledName(argument) === "now")
    );
}

export function calledName(ast: Ast): string | undefined {
    const procedure = ast.procedure as Ast | undefined;
    return ast.type === "function" && procedure?.type === "variable" ? String(procedure.value) : undefined;
}

/** The expression inside parentheses. */
export function unwrapped(ast: Ast): Ast {
    let inner = ast;
    while (
        inner.type === "block" &&
        (inner.expressions as readonly Ast[]).length === 1 &&
        inner.predicate === undefined
    ) {
        inner = (inner.expressions as readonly Ast[])[0];
    }
    return inner;
}

export function scaled(sum: Linear, factor: number): Linear {
    return {
        clock: sum.clock * factor,
        constant: sum.constant * factor,
        up: (factor < 0 ? sum.down : sum.up) * Math.abs(factor),
        down: (factor < 0 ? sum.up : sum.down) * Math.abs(factor),
        variables: new Map([...sum.variables].map(([name, value]) => [name, value * factor])),
        opaque: sum.opaque.map(({ ast, factor: own }) => ({ ast, factor: own * factor })),
    };
}

export function plus(left: Linear, right: Linear): Linear {
    const variables = new Map(left.variables);
    right.variables.forEach((value, name) => variables.set(name, (variables.get(name) ?? 0) + value));
    return {
        clock: left.clock + right.clock,
        constant: left.constant + right.constant,
        variables,
        up: left.up + right.up,
        down: left.down + right.down,
        opaque: [...left.opaque, ...right.opaque],
    };
}

const isConstant = (sum: Linear): boolean => sum.clock === 0 && sum.variables.size === 0 && sum.opaque.length === 0;

/** Every expression has such a form, at worst as one opaque part. Recursion is bounded by what JSONata's own parser takes. */
export function linear(expression: Ast): Linear {
    const ast = unwrapped(expression);
    if (ast.type === "number") {
        return { ...nothing, constant: ast.value as number };
    }
    if (isClock(ast)) {
        return { ...nothing, clock: 1 };
    }
    const key = ast.type === "variable" ? pathKey(ast) : undefined;
    if (key !== undefined && key.length > 1) {
        return { ...nothing, variables: new Map([[key.slice(1), 1]]) };
    }
    if (ast.type === "unary" && ast.value === "-") {
        return scaled(linear(ast.expression as Ast), -1);
    }
    if (ast.type === "binary") {
        const left = (): Linear => linear(ast.lhs as Ast);
        const right = (): Linear => linear(ast.rhs as Ast);
        switch (ast.value) {
            case "+":
                return plus(left(), right());
            case "-":
                return plus(left(), scaled(right(), -1));
            case "*": {
                const [a, b] = [left(), right()];
                if (isConstant(a)) {
                    return scaled(b, a.constant);
                }
                if (isConstant(b)) {
                    return scaled(a, b.constant);
                }
                break;
            }
            case "/": {
                const b = right();
                if (isConstant(b) && b.constant !== 0) {
                    return scaled(left(), 1 / b.constant);
                }
                break;
            }
            default:
                break;
        }
    }
    const name = calledName(ast);
    if ((name === "floor" || name === "ceil" || name === "round") && (ast.arguments as readonly Ast[]).length === 1) {
        const inner = linear((ast.arguments as readonly Ast[])[0]);
        return { ...inner, up: inner.up + (name === "floor" ? 0 : 1), down: inner.down + (name === "ceil" ? 0 : 1) };
    }
    return { ...nothing, opaque: [{ ast, factor: 1 }] };
}
