/** What a Map iterates over when no ItemReader reads it, and what each iteration gets of an item. */
import { byteSize, isObject, render, type Scope } from "../../expressions/index";
import type { JsonObject, JsonValue } from "../../types";
import type { CompiledMap } from "../compile/compiled";
import { badField, queryFailure, runtimeFailure, valueOf } from "../execution/failures";
import type { Frame, MapItem } from "../execution/frame";
import { scopeWith } from "../execution/scope";
import { STOPPED } from "../failure";
import { then } from "../then";
import { wholeNumber } from "./fields";

/** An item with its place, as the context object shows it. */
export type Item = MapItem;

export async function itemsOf(frame: Frame, map: CompiledMap, scope: Scope): Promise<Item[]> {
    const found = map.items === undefined ? scope.input : await valueOf(map.items, scope);
    if (Array.isArray(found)) {
        return listed(found);
    }
    if (map.distributed && isObject(found)) {
        return pairs(found);
    }
    if (!frame.state.jsonata) {
        throw runtimeFailure(frame, `Reference path "${map.items?.text ?? "$"}" must point to array.`);
    }
    if (map.items === undefined) {
        // The failure is the input's, not an expression's, so the event names no field.
        const failure = queryFailure(frame, `Map state input must be an array but was: ${JSON.stringify(found)}`);
        frame.failedEvent = failure !== STOPPED;
        throw failure;
    }
    throw badField(frame, map.items, "array", found, "");
}

export function listed(items: readonly JsonValue[]): Item[] {
    return items.map((Value, Index) => ({ Index, Value }));
}

/** An object's entries: the item is the pair, the context object has the key, too. */
export function pairs(object: JsonObject): Item[] {
    return Object.entries(object).map(([Key, Value], Index) => ({ Index, Key, Value }));
}

/** What an iteration gets: the item, or what ItemSelector makes of it. */
export function selected(frame: Frame, map: CompiledMap, input: JsonValue, item: Item): JsonValue | Promise<JsonValue> {
    if (map.selector !== undefined) {
        return render(map.selector, scopeWith(frame, input, item));
    }
    return item.Key === undefined ? item.Value : { Key: item.Key, Value: item.Value };
}

/** The inputs of the child executions: one an item, or with ItemBatcher one a batch. */
export async function inputsOf(
    frame: Frame,
    map: CompiledMap,
    scope: Scope,
    items: readonly Item[],
): Promise<JsonValue[]> {
    const inputs: JsonValue[] = [];
    for (const item of items) {
        const value = then(selected(frame, map, scope.input, item), (found) => found);
        inputs.push(value instanceof Promise ? await value : value);
    }
    return map.batcher === undefined ? inputs : batches(frame, map.batcher, scope, inputs);
}

async function batches(
    frame: Frame,
    batcher: NonNullable<CompiledMap["batcher"]>,
    scope: Scope,
    inputs: readonly JsonValue[],
): Promise<JsonValue[]> {
    const most = (await wholeNumber(frame, batcher.maxItems, scope)) ?? Infinity;
    const { payloadBytes } = frame.thread.run.limits;
    const bytes = (await wholeNumber(frame, batcher.maxBytes, scope)) ?? payloadBytes;
    const common = batcher.input === undefined ? undefined : await render(batcher.input, scope);
    const empty = byteSize(batchOf([], common));
    const groups: JsonValue[][] = [];
    let size = Infinity;
    for (const input of inputs) {
        const more = byteSize(input) + 1;
        const last = groups.at(-1);
        if (last === undefined || last.length >= most || size + more > bytes) {
            groups.push([input]);
            size = empty + more - 1;
        } else {
            last.push(input);
            size += more;
        }
    }
    return groups.map((group) => batchOf(group, common));
}

function batchOf(Items: JsonValue[], BatchInput: JsonValue | undefined): JsonObject {
    return BatchInput === undefined ? { Items } : { Items, BatchInput };
}
