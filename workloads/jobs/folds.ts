/**
 * Folds of the training stacks: a stack lies in one fold as a whole, and every class is spread over the folds as evenly
 * as that allows.
 */
import { DataError } from "../common/errors";
import { shuffled } from "../documents/heldOut";
import { byStack, type Page } from "../documents/pages";

/** `folds.json`. */
export interface Folds {
    readonly k: number;
    readonly seed: number;
    /** Fold (0 to k-1) of every training stack. */
    readonly folds: Readonly<Record<string, number>>;
}

/**
 * Iterative stratification: the rarest class first, each of its stacks to the fold that has fewest of the class, then
 * fewest pages.
 * @throws DataError where a class has too few training stacks for k folds.
 */
export function makeFolds(pages: readonly Page[], k: number, seed: number, where: string): Folds {
    const stacks = byStack(pages.filter(({ split }) => split === "train"));
    if (stacks.size < k) {
        throw new DataError(
            `${where}: ${stacks.size} training stacks, expected at least ${k}, one a fold; add stacks, or ` +
                "take fewer folds",
        );
    }
    const classes = classesByRarity(stacks);
    refuseRare(classes, k, where);
    const folds = new Map<string, number>();
    const sizes = Array.from({ length: k }, () => 0);
    const counts = new Map(classes.map(([label]) => [label, Array.from({ length: k }, () => 0)]));
    for (const [label, names] of classes) {
        const left = names.filter((name) => !folds.has(name));
        for (const stack of shuffled(left, seed, `folds/${label}`)) {
            const fold = emptiest(counts.get(label) as number[], sizes);
            folds.set(stack, fold);
            const held = stacks.get(stack) as Page[];
            sizes[fold] = (sizes[fold] ?? 0) + held.length;
            for (const one of new Set(held.map((page) => page.class))) {
                const own = counts.get(one) as number[];
                own[fold] = (own[fold] ?? 0) + 1;
            }
        }
    }
    refuseHeldByOne(counts, where);
    return { k, seed, folds: Object.fromEntries([...folds].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Each class with the stacks that hold it, the rarest first. */
function classesByRarity(stacks: ReadonlyMap<string, readonly Page[]>): [label: string, stacks: string[]][] {
    const holders = new Map<string, string[]>();
    for (const [stack, own] of stacks) {
        for (const label of new Set(own.map((page) => page.class))) {
            holders.set(label, [...(holders.get(label) ?? []), stack]);
        }
    }
    return [...holders].sort(([a, m], [b, n]) => m.length - n.length || (a < b ? -1 : 1));
}

function refuseRare(classes: readonly (readonly [string, readonly string[]])[], k: number, where: string): void {
    const rare = classes
        .filter(([, names]) => names.length < k)
        .map(([label, { length }]) => {
            const stacks = length === 1 ? "stack" : "stacks";
            return `class ${JSON.stringify(label)} occurs in ${length} training ${stacks}`;
        });
    if (rare.length > 0) {
        throw new DataError(
            `${where}: ${rare.join(", ")}, expected at least ${k}, one a fold; add documents of it, drop the class, ` +
                "or take fewer folds",
        );
    }
}

/** The fold with fewest stacks of the class; of several, the one with fewest pages. */
function emptiest(counts: readonly number[], sizes: readonly number[]): number {
    const order = sizes.map((size, fold) => ({ fold, size, count: counts[fold] ?? 0 }));
    return order.reduce((best, one) => {
        const isEmptier = one.count < best.count || (one.count === best.count && one.size < best.size);
        return isEmptier ? one : best;
    }).fold;
}

function refuseHeldByOne(counts: ReadonlyMap<string, readonly number[]>, where: string): void {
    for (const [label, own] of counts) {
        if (own.filter((count) => count > 0).length < 2) {
            throw new DataError(
                `${where}: all training stacks with class ${JSON.stringify(label)} fell into one fold, so its ` +
                    "network never sees the class; add stacks with it, or take another seed",
            );
        }
    }
}
