/**
 * JSONata expressions as syntax trees, parsed once for each distinct text. The types say what the parser of the
 * `jsonata` package 2.2 builds, as far as the analysis reads it.
 */
import jsonata from "jsonata";

/** What any node may carry beside its own fields. */
interface Decorated {
    /** Offset in the expression's text. */
    readonly position?: number;
    /** `x[...]` on a node that is no step of a path. */
    readonly predicate?: readonly Stage[];
    /** `[...]` on a step of a path. */
    readonly stages?: readonly Stage[];
    /** `x{...}` */
    readonly group?: Group;
    /** `x@$name`, `x#$name`, `%`: the step hands on tuples. */
    readonly focus?: string;
    readonly index?: string;
    readonly tuple?: boolean;
}

export interface Stage {
    readonly type: "filter" | "index";
    /** Of a filter. */
    readonly expr: Ast;
    /** Of an index: the name that it binds, as `#$name` behind a filter does. */
    readonly value?: string;
}

export interface Group {
    readonly lhs: readonly Pair[];
}

/** Key and value of an object constructor. */
export type Pair = readonly [key: Ast, value: Ast];

export interface TextAst extends Decorated {
    readonly type: "string";
    readonly value: string;
}
export interface NumberAst extends Decorated {
    readonly type: "number";
    readonly value: number;
}
/** true, false, null. */
export interface ConstantAst extends Decorated {
    readonly type: "value";
    readonly value: boolean | null;
}
/** `$name`; the empty name is the context `$`, the name "$" is the root `$$`. */
export interface VariableAst extends Decorated {
    readonly type: "variable";
    readonly value: string;
}
/** A bare name, as a step of a path. */
export interface NameAst extends Decorated {
    readonly type: "name";
    readonly value: string;
}
export interface PathAst extends Decorated {
    readonly type: "path";
    readonly steps: readonly Ast[];
    /** `a[]` */
    readonly keepSingletonArray?: boolean;
}
export interface BinaryAst extends Decorated {
    readonly type: "binary";
    readonly value: string;
    readonly lhs: Ast;
    readonly rhs: Ast;
}
export interface ArrayAst extends Decorated {
    readonly type: "unary";
    readonly value: "[";
    readonly expressions: readonly Ast[];
}
export interface ObjectAst extends Decorated {
    readonly type: "unary";
    readonly value: "{";
    readonly lhs: readonly Pair[];
}
export interface MinusAst extends Decorated {
    readonly type: "unary";
    readonly value: "-";
    readonly expression: Ast;
}
export interface ConditionAst extends Decorated {
    readonly type: "condition";
    readonly condition: Ast;
    readonly then: Ast;
    readonly else?: Ast;
}
export interface BlockAst extends Decorated {
    readonly type: "block";
    readonly expressions: readonly Ast[];
}
export interface BindAst extends Decorated {
    readonly type: "bind";
    readonly lhs: VariableAst;
    readonly rhs: Ast;
}
export interface CallAst extends Decorated {
    readonly type: "function" | "partial";
    readonly procedure: Ast;
    readonly arguments: readonly Ast[];
}
/** `a ~> b` */
export interface ApplyAst extends Decorated {
    readonly type: "apply";
    readonly lhs: Ast;
    readonly rhs: Ast;
}
export interface LambdaAst extends Decorated {
    readonly type: "lambda";
    readonly arguments: readonly VariableAst[];
    readonly body: Ast;
    /** The parser wraps a call in tail position into a function without parameters. */
    readonly thunk?: boolean;
}
/** `a^(b)`, as a step of a path. */
export interface SortAst extends Decorated {
    readonly type: "sort";
    readonly terms: readonly { readonly descending: boolean; readonly expression: Ast }[];
}
export interface OtherAst extends Decorated {
    readonly type: "regex" | "transform" | "wildcard" | "descendant" | "parent" | "operator" | "error";
}

/** A node of the tree. */
export type Ast =
    | TextAst
    | NumberAst
    | ConstantAst
    | VariableAst
    | NameAst
    | PathAst
    | BinaryAst
    | ArrayAst
    | ObjectAst
    | MinusAst
    | ConditionAst
    | BlockAst
    | BindAst
    | CallAst
    | ApplyAst
    | LambdaAst
    | SortAst
    | OtherAst;

export type Parsed =
    { readonly ast: Ast; readonly error?: undefined } | { readonly ast?: undefined; readonly error: string };

/** Parsing takes the time; definitions repeat themselves. The cache lives as long as one analysis. */
export class Expressions {
    private readonly cache = new Map<string, Parsed>();

    parse(code: string): Parsed {
        let parsed = this.cache.get(code);
        if (parsed === undefined) {
            parsed = parse(code);
            this.cache.set(code, parsed);
        }
        return parsed;
    }
}

function parse(code: string): Parsed {
    try {
        return { ast: jsonata(code).ast() as unknown as Ast };
    } catch (error) {
        const { message, position } = error as { readonly message?: string; readonly position?: number };
        const where = position === undefined ? "" : ` (at character ${position})`;
        return { error: `${message ?? String(error)}${where}` };
    }
}

/** The expression inside parentheses that hold nothing else. */
export function unwrapped(ast: Ast): Ast {
    let inner = ast;
    while (inner.type === "block" && inner.predicate === undefined) {
        const [only, second] = inner.expressions;
        if (only === undefined || second !== undefined) {
            break;
        }
        inner = only;
    }
    return inner;
}

/** The name of the function that a call calls by name. */
export function calledName(ast: Ast): string | undefined {
    return ast.type === "function" && ast.procedure.type === "variable" ? ast.procedure.value : undefined;
}

/** The nodes directly inside a node, in no order that matters; a function's own name is none. */
export function childrenOf(ast: Ast): Ast[] {
    const found: Ast[] = [];
    for (const key of Object.keys(ast)) {
        if (key === "procedure" && calledName(ast) !== undefined) {
            continue;
        }
        collect((ast as unknown as { readonly [field: string]: unknown })[key], found);
    }
    return found;
}

/** Nodes in a field: itself, or those in lists, pairs, stages and terms. */
function collect(value: unknown, found: Ast[]): void {
    if (typeof value !== "object" || value === null) {
        return;
    }
    if (Array.isArray(value)) {
        value.forEach((item) => collect(item, found));
        return;
    }
    const { type } = value as { readonly type?: unknown };
    if (typeof type === "string" && type !== "filter" && type !== "index") {
        found.push(value as Ast);
        return;
    }
    Object.values(value).forEach((item) => collect(item, found));
}
