/** The states that do nothing but direct: Choice, Pass, Wait, Succeed, Fail. None of them can catch, so their expressions must not fail. */
import type {
    ChoiceState,
    FailState,
    JsonataString,
    JsonObject,
    JsonValue,
    PassState,
    SucceedState,
    WaitState,
} from "../types";
import { isExpression, render, type Expression, type Template } from "./jsonata";
import { StateNode, transition, type Assignments, type Seconds, type StateOptions } from "./node";

/** One way out of a Choice. */
export interface Rule {
    readonly when: Expression<boolean>;
    readonly next: string;
    readonly assign?: Assignments;
}

/** The ways out of a Choice; the first rule that holds is taken. */
export interface ChoiceOptions {
    readonly comment?: string;
    readonly rules: readonly Rule[];
    /** Where to go when no rule holds; demanded, since a Choice without it ends in an error that nothing catches. */
    readonly otherwise: string;
    /** Variables to set on the way to `otherwise`. */
    readonly assign?: Assignments;
}

export class Choice extends StateNode {
    constructor(
        name: string,
        private readonly options: ChoiceOptions,
    ) {
        super(name);
    }

    override targets(): readonly string[] {
        return [...this.options.rules.map((rule) => rule.next), this.options.otherwise];
    }

    override render(): ChoiceState {
        const { rules, otherwise, ...rest } = this.options;
        return {
            Type: "Choice",
            ...this.common(rest),
            Choices: rules.map((rule) => ({
                Condition: this.json(rule.when, "Condition") as JsonataString,
                ...(rule.assign !== undefined && { Assign: this.json(rule.assign, "Assign of a rule") as JsonObject }),
                Next: rule.next,
            })),
            Default: otherwise,
        };
    }
}

export class Pass extends StateNode {
    constructor(
        name: string,
        private readonly options: StateOptions = {},
    ) {
        super(name);
    }

    override targets(): readonly string[] {
        return this.options.next === undefined ? [] : [this.options.next];
    }

    override render(): PassState {
        return { Type: "Pass", ...this.common(this.options), ...transition(this.options.next) };
    }
}

/**
 * Stands in for a state that has a result: sets the same variables and gives the same output as that state would after `result`.
 */
export class Stub extends StateNode {
    constructor(
        name: string,
        private readonly options: StateOptions,
        private readonly result: JsonValue,
    ) {
        super(name);
    }

    override targets(): readonly string[] {
        return this.options.next === undefined ? [] : [this.options.next];
    }

    override render(): PassState {
        const { assign, output, comment, next } = this.options;
        const literalResult = `(${JSON.stringify(this.result)})`;
        const replace = (value: JsonValue): JsonValue => {
            if (typeof value === "string" && value.startsWith("{%")) {
                return value.replaceAll("$states.result", () => literalResult);
            }
            if (Array.isArray(value)) {
                return value.map(replace);
            }
            return typeof value === "object" && value !== null
                ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replace(item)]))
                : value;
        };
        const where = `stub "${this.name}"`;
        return {
            Type: "Pass",
            Comment: `stub${comment === undefined ? "" : ` of: ${comment}`}`,
            Output:
                output === undefined
                    ? render(this.result, `${where}, recorded result`)
                    : replace(render(output, where)),
            ...(assign !== undefined && { Assign: replace(render(assign, where)) as JsonObject }),
            ...transition(next),
        };
    }
}

export class Wait extends StateNode {
    constructor(
        name: string,
        private readonly options: { readonly seconds: Seconds; readonly next: string; readonly comment?: string },
    ) {
        super(name);
        const { seconds } = options;
        if (!isExpression(seconds) && (!Number.isInteger(seconds) || seconds < 1 || seconds > 99_999_999)) {
            throw new Error(
                `state "${name}": a Wait of ${String(seconds)} seconds; expected a whole number from 1 to 99,999,999`,
            );
        }
    }

    override targets(): readonly string[] {
        return [this.options.next];
    }

    override render(): WaitState {
        const { comment, seconds, next } = this.options;
        return {
            Type: "Wait",
            ...this.common({ comment }),
            Seconds: this.json(seconds, "Seconds") as JsonataString | number,
            Next: next,
        };
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.options, result);
    }
}

export class Succeed extends StateNode {
    constructor(
        name: string,
        private readonly options: { readonly comment?: string; readonly output?: Template } = {},
    ) {
        super(name);
    }

    override targets(): readonly string[] {
        return [];
    }

    override render(): SucceedState {
        return { Type: "Succeed", ...this.common(this.options) };
    }
}

export class Fail extends StateNode {
    /** Both demanded: a failure without a name or a reason tells nobody anything. */
    constructor(
        name: string,
        private readonly options: {
            readonly error: string | Expression<string>;
            readonly cause: string | Expression<string>;
            readonly comment?: string;
        },
    ) {
        super(name);
    }

    override targets(): readonly string[] {
        return [];
    }

    override render(): FailState {
        const { comment, error, cause } = this.options;
        return {
            Type: "Fail",
            ...this.common({ comment }),
            Error: this.json(error, "Error") as string,
            Cause: this.json(cause, "Cause") as string,
        };
    }
}
