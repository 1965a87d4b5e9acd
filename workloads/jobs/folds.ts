/**
 * Folds of the training stacks: a stack lies in one fold as a whole, and every class is spread over the folds as evenly
 * as that allows.
 */
import { DataError } from "../common/errors";
import { byStack, shuffled } from "./labels";
import type { Page } from "./labels";

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
    const holders = new Map<string, string[]>();
    for (const [stack, own] of stacks) {
        for (const label of new Set(own.map((page) => page.class))) {
            holders.set(label, [...(holders.get(label) ?? []), stack]);
        }
    }
    const classes = [...holders].sort(([a, m], [b, n]) => m.length - n.length || (a < b ? -1 : 1));
    const rare = classes.filter(([, names]) => names.length < k);
    if (rare.length > 0) {
        throw new DataError(
            `${where}: ${rare
                .map(
                    ([label, names]) =>
                        `class ${JSON.stringify(label)} occurs in ${names.length} training ` +
                        `stack${names.length === 1 ? "" : "s"}`,
                )
                .join(
                    ", ",
                )}, expected at least ${k}, one a fold; add documents of it, drop the class, or take fewer folds`,
        );
    }
    const folds = new Map<string, number>();
    const sizes = Array.from({ length: k }, () => 0);
    const counts = new Map(classes.map(([label]) => [label, Array.from({ length: k }, () => 0)]));
    for (const [label, names] of classes) {
        for (const stack of shuffled(
            names.filter((name) => !folds.has(name)),
            seed,
            `folds/${label}`,
        )) {
            const own = counts.get(label) as number[];
            const fold = sizes
                .map((_, index) => index)
                .reduce((best, index) =>
                    own[index] < own[best] || (own[index] === own[best] && sizes[index] < sizes[best]) ? index : best,
                );
            folds.set(stack, fold);
            const held = stacks.get(stack) as Page[];
            sizes[fold] += held.length;
            new Set(held.map((page) => page.class)).forEach((held) => ((counts.get(held) as number[])[fold] += 1));
        }
    }
    for (const [label, own] of counts) {
        if (own.filter((count) => count > 0).length < 2) {
            throw new DataError(
                `${where}: all training stacks with class ${JSON.stringify(label)} fell into one fold, so its ` +
                    "network never sees the " +
                    "class; add stacks with it, or take another seed",
            );
        }
    }
    return { k, seed, folds: Object.fromEntries([...folds].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
