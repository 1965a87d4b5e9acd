/**
 * Expressions as sums: clock * a + variable * b + ... + constant, where they have that form. Rounding is kept apart
 * as a tolerance.
 */
import { pathKey } from "./evaluate";
import { calledName, unwrapped, type Ast, type BinaryAst } from "./jsonata";

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

const NOTHING: Linear = { clock: 0, variables: new Map(), constant: 0, opaque: [], up: 0, down: 0 };

/** $toMillis($states.context.State.EnteredTime), $toMillis($now()), $millis(): the time now. */
function isClock(ast: Ast): boolean {
    const name = calledName(ast);
    if (name === "millis") {
        return true;
    }
    const [argument] = name === "toMillis" ? argumentsOf(ast) : [];
    return (
        argument !== undefined &&
        (pathKey(argument) === '$states."context"."State"."EnteredTime"' || calledName(argument) === "now")
    );
}

export const argumentsOf = (ast: Ast): readonly Ast[] => (ast.type === "function" ? ast.arguments : []);

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

/**
 * Every expression has such a form, at worst as one opaque part. Recursion is bounded by what JSONata's own parser
 * takes.
 */
export function linear(expression: Ast): Linear {
    const ast = unwrapped(expression);
    if (ast.type === "number") {
        return { ...NOTHING, constant: ast.value };
    }
    if (isClock(ast)) {
        return { ...NOTHING, clock: 1 };
    }
    const key = ast.type === "variable" ? pathKey(ast) : undefined;
    if (key !== undefined && key.length > 1) {
        return { ...NOTHING, variables: new Map([[key.slice(1), 1]]) };
    }
    if (ast.type === "unary" && ast.value === "-") {
        return scaled(linear(ast.expression), -1);
    }
    const sum = ast.type === "binary" ? operation(ast) : rounding(ast);
    return sum ?? { ...NOTHING, opaque: [{ ast, factor: 1 }] };
}

function operation(ast: BinaryAst): Linear | undefined {
    switch (ast.value) {
        case "+":
            return plus(linear(ast.lhs), linear(ast.rhs));
        case "-":
            return plus(linear(ast.lhs), scaled(linear(ast.rhs), -1));
        case "*":
            return product(linear(ast.lhs), linear(ast.rhs));
        case "/": {
            const divisor = linear(ast.rhs);
            return isConstant(divisor) && divisor.constant !== 0
                ? scaled(linear(ast.lhs), 1 / divisor.constant)
                : undefined;
        }
        default:
            return undefined;
    }
}

function product(left: Linear, right: Linear): Linear | undefined {
    if (isConstant(left)) {
        return scaled(right, left.constant);
    }
    return isConstant(right) ? scaled(left, right.constant) : undefined;
}

function rounding(ast: Ast): Linear | undefined {
    const name = calledName(ast);
    const [argument, second] = argumentsOf(ast);
    const isRounding = name === "floor" || name === "ceil" || name === "round";
    if (!isRounding || argument === undefined || second !== undefined) {
        return undefined;
    }
    const inner = linear(argument);
    return { ...inner, up: inner.up + (name === "floor" ? 0 : 1), down: inner.down + (name === "ceil" ? 0 : 1) };
}
