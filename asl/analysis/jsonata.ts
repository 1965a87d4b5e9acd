/**
 * JSONata expressions as syntax trees, parsed once for each distinct text.
 */
import jsonata from "jsonata";

/** A node of the tree that the `jsonata` package builds; only the fields that the analysis reads. */
export interface Ast {
    readonly type: string;
    readonly value?: unknown;
    readonly position?: number;
    readonly [field: string]: unknown;
}

export type Parsed =
    { readonly ast: Ast; readonly error?: undefined } | { readonly ast?: undefined; readonly error: string };

/** Parsing takes the time; definitions repeat themselves. The cache lives as long as one analysis. */
export class Expressions {
    private readonly cache = new Map<string, Parsed>();

    parse(code: string): Parsed {
        let parsed = this.cache.get(code);
        if (parsed === undefined) {
            try {
                parsed = { ast: jsonata(code).ast() as unknown as Ast };
            } catch (error) {
                const { message, position } = error as { message?: string; position?: number };
                parsed = {
                    error: `${message ?? String(error)}${position === undefined ? "" : ` (at character ${position})`}`,
                };
            }
            this.cache.set(code, parsed);
        }
        return parsed;
    }
}
