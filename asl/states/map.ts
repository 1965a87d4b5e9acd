import { defined } from "../../ground/fields";
import type { JsonataString, JsonValue, MapState, ProcessorConfig } from "../types";
import { checkInteger, checkNumber } from "./bounds";
import { Graph } from "./graph";
import type { Expression, Template } from "./jsonata";
import {
    checkFailures,
    checkRetry,
    renderCatch,
    renderRetry,
    StateNode,
    targetsOf,
    transition,
    type Failure,
    type Retry,
    type StateOptions,
} from "./node";
import { Stub } from "./stub";

/** What both kinds of Map have. The result is the list of the iterations' outputs, in the order of the items. */
export interface MapOptions extends StateOptions {
    /**
     * The states that each item goes through, in the order in which they run. Variables that an iteration sets end with
     * it.
     */
    readonly states: readonly StateNode[];
    /**
     * What an iteration gets as its input; `states.context.Map.Item.Value` is its item, `.Index` its place. Default:
     * the item.
     */
    readonly itemSelector?: Template;
    /**
     * Iterations at a time, 0 to 100,000,000; 0 is as many as there may be: 40 Inline, 10,000 Distributed. Default: 0.
     */
    readonly maxConcurrency?: number | Expression<number>;
    /** Share of iterations that may fail, 0 to 100 percent. Default: 0. */
    readonly toleratedFailurePercentage?: number | Expression<number>;
    /** Number of iterations that may fail. Default: 0. */
    readonly toleratedFailureCount?: number | Expression<number>;
    /** Starts all iterations again. Default: never. */
    readonly retry?: readonly Retry[];
    /** Where failures go, those of any iteration included. The last must catch States.ALL. */
    readonly catch: readonly [Failure, ...Failure[]];
}

/** Fields that not both kinds have. */
export type OwnFields = Partial<Pick<MapState, "Items" | "ItemReader" | "ItemBatcher" | "ResultWriter" | "Label">>;

/** What Inline and Distributed share: what goes in, what may fail, and where it goes on. */
export abstract class MapNode<Options extends MapOptions> extends StateNode {
    constructor(
        name: string,
        protected readonly options: Options,
    ) {
        super(name);
        const { maxConcurrency, toleratedFailurePercentage, toleratedFailureCount, retry } = options;
        const place = (field: keyof MapOptions) => ({ state: name, field });
        checkInteger(place("maxConcurrency"), maxConcurrency, { min: 0, max: 100_000_000 });
        const percent = { min: 0, max: 100, unit: "percent" };
        checkNumber(place("toleratedFailurePercentage"), toleratedFailurePercentage, percent);
        const items = { min: 0, max: 100_000_000, unit: "items" };
        checkInteger(place("toleratedFailureCount"), toleratedFailureCount, items);
        checkRetry(name, retry);
        checkFailures(name, options.catch);
    }

    /** How iterations run. */
    protected abstract processorConfig(): ProcessorConfig;

    /** Where the items come from, and what else only this kind has. */
    protected abstract own(): OwnFields;

    override targets(): readonly string[] {
        return targetsOf(this.options.next, this.options.catch);
    }

    override inner(): readonly (readonly StateNode[])[] {
        return [this.options.states];
    }

    override render(): MapState {
        const { options } = this;
        const graph = new Graph(`the iterations of "${this.name}"`, options.states).render();
        const number = (value: number | Expression<number> | undefined, field: string) =>
            value === undefined ? undefined : (this.json(value, field) as JsonataString | number);
        return defined({
            Type: "Map" as const,
            ...this.own(),
            ItemSelector:
                options.itemSelector === undefined ? undefined : this.json(options.itemSelector, "ItemSelector"),
            MaxConcurrency: number(options.maxConcurrency, "MaxConcurrency"),
            ToleratedFailurePercentage: number(options.toleratedFailurePercentage, "ToleratedFailurePercentage"),
            ToleratedFailureCount: number(options.toleratedFailureCount, "ToleratedFailureCount"),
            ItemProcessor: { ProcessorConfig: this.processorConfig(), ...graph },
            ...this.common(options),
            Retry: renderRetry(options.retry),
            Catch: renderCatch(options.catch, this.name),
            ...transition(options.next),
        });
    }

    protected items(items: Expression<readonly unknown[]> | readonly Template[] | undefined): JsonValue | undefined {
        return items === undefined ? undefined : this.json(items, "Items");
    }

    override stub(result: JsonValue): StateNode {
        return new Stub(this.name, this.options, result);
    }
}

/**
 * Iterations within the execution: their events count in its history (25,000 in all), their results in its payload (256
 * KiB).
 */
export interface InlineMapOptions extends MapOptions {
    /** A list, or an expression for one. Default: the state's input, which must be a list. */
    readonly items?: Expression<readonly unknown[]> | readonly Template[];
}

/** Source of the bounds: Step Functions Developer Guide, "Using Map state in Inline mode". */
export class InlineMap extends MapNode<InlineMapOptions> {
    override with([states = []]: readonly (readonly StateNode[])[]): InlineMap {
        return new InlineMap(this.name, { ...this.options, states });
    }

    protected override processorConfig(): ProcessorConfig {
        return { Mode: "INLINE" };
    }

    protected override own(): OwnFields {
        return { Items: this.items(this.options.items) };
    }
}
