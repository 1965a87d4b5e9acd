/**
 * Which kind of expression failed: that decides the error name (States.QueryEvaluationError for JSONata, else
 * States.Runtime).
 */
export type ExpressionKind = "JSONata" | "JSONPath" | "Intrinsic" | "Template";

/** An expression of a definition that could not be evaluated (or, when thrown by a compile function, not be read). */
export class ExpressionError extends Error {
    constructor(
        readonly kind: ExpressionKind,
        readonly field: string,
        message: string,
    ) {
        super(message);
        this.name = "ExpressionError";
    }
}
