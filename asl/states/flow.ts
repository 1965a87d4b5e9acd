/**
 * The states that do nothing but direct: Choice, Pass, Wait, Succeed, Fail. None can catch, so their expressions must
 * not fail.
 */
import { defined } from "../../ground/fields";
import type {
    ChoiceState,
    ConditionRule,
    FailState,
    JsonataString,
    JsonObject,
    JsonValue,
    PassState,
    SucceedState,
    WaitState,
} from "../types";
import { checkEntries, checkInteger, checkText } from "./bounds";
import type { Expression, Template } from "./jsonata";
import {
    MAXIMUM_SECONDS,
    StateNode,
    targetsOf,
    transition,
    type Assignments,
    type Seconds,
    type StateOptions,
} from "./node";
import { Stub } from "./stub";

/** One way out of a Choice. */
export interface Rule {
    /** Must be true or false, never a failure: comparisons like `gt` are total. */
    readonly when: Expression<boolean>;
    /** Name of the next state. */
    readonly next: string;
    /** Variables to set on this way. Default: none. */
    readonly assign?: Assignments;
    /** What the next state gets as its input. Default: the Choice's own input. */
    readonly output?: Template;
}

/** The ways out of a Choice; the first rule that holds is taken. */
export interface ChoiceOptions {
    /** For readers of the definition. Default: none. */
    readonly comment?: string;
    /** At least one. */
    readonly rules: readonly Rule[];
    /** Where to go when no rule holds; demanded, since a Choice without it ends in an error that nothing catches. */
    readonly otherwise: string;
    /** Variables to set on the way to `otherwise`. Default: none. */
    readonly assign?: Assignments;
    /** What `otherwise` gets as its input. Default: the Choice's own input. */
    readonly output?: Template;
}

export class Choice extends StateNode {
    constructor(
        name: string,
        private readonly options: ChoiceOptions,
    ) {
        super(name);
        checkEntries({ state: name, field: "rules" }, options.rules, { min: 1, max: 10_000 });
    }

    override targets(): readonly string[] {
        return [...this.options.rules.map((rule) => rule.next), this.options.otherwise];
    }

    override render(): ChoiceState {
        const { rules, otherwise, ...rest } = this.options;
        return {
            Type: "Choice",
            ...this.common(rest),
            Choices: rules.map((rule) => this.rule(rule)),
            Default: otherwise,
        };
    }

    private rule({ when, next, assign, output }: Rule): ConditionRule {
        return defined({
            Condition: this.json(when, "Condition") as JsonataString,
            Assign: assign === undefined ? undefined : (this.json(assign, "Assign of a rule") as JsonObject),
            Output: output === undefined ? undefined : this.json(output, "Output of a rule"),
            Next: next,
        });
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
        return targetsOf(this.options.next);
    }

    override render(): PassState {
        return { Type: "Pass", ...this.common(this.options), ...transition(this.options.next) };
    }
}

/** Exactly one of seconds and timestamp. */
export type WaitOptions = StateOptions &
    (
        | {
              /** How long, in whole seconds; 1 to 99,999,999. */
              readonly seconds: Seconds;
              readonly timestamp?: never;
          }
        | {
              /** Until when, as ISO 8601: "2026-03-14T01:59:00Z". */
              readonly timestamp: string | Expression<string>;
              readonly seconds?: never;
          }
    );

/** ISO 8601 as Step Functions reads it. Source: https://states-language.net/spec.html, "Timestamps". */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

export class Wait extends StateNode {
    constructor(
        name: string,
        private readonly options: WaitOptions,
    ) {
        super(name);
        const { seconds, timestamp } = options;
        checkInteger({ state: name, field: "seconds" }, seconds, { min: 1, max: MAXIMUM_SECONDS });
        checkText({ state: name, field: "timestamp" }, timestamp, {
            min: 20,
            max: 35,
            pattern: TIMESTAMP,
            words: "of ISO 8601, like 2026-03-14T01:59:00Z",
        });
    }

    override targets(): readonly string[] {
        return targetsOf(this.options.next);
    }

    override render(): WaitState {
        const { seconds, timestamp, next } = this.options;
        return defined({
            Type: "Wait" as const,
            ...this.common(this.options),
            Seconds: seconds === undefined ? undefined : (this.json(seconds, "Seconds") as JsonataString | number),
            Timestamp: timestamp === undefined ? undefined : (this.json(timestamp, "Timestamp") as string),
            ...transition(next),
        });
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.options, result);
    }
}

/** What a Succeed may have. */
export interface SucceedOptions {
    /** For readers of the definition. Default: none. */
    readonly comment?: string;
    /** What the execution or the branch puts out. Default: its input. */
    readonly output?: Template;
}

export class Succeed extends StateNode {
    constructor(
        name: string,
        private readonly options: SucceedOptions = {},
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

/** Both demanded: a failure without a name or a reason tells nobody anything. */
export interface FailOptions {
    /** Name of the failure, by which callers and rules tell it from others. */
    readonly error: string | Expression<string>;
    /** What happened; 1 to 32,768 characters. */
    readonly cause: string | Expression<string>;
    /** For readers of the definition. Default: none. */
    readonly comment?: string;
}

export class Fail extends StateNode {
    constructor(
        name: string,
        private readonly options: FailOptions,
    ) {
        super(name);
        checkText({ state: name, field: "error" }, options.error, { min: 1, max: 256 });
        checkText({ state: name, field: "cause" }, options.cause, { min: 1, max: 32_768 });
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
