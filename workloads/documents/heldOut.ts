/** Which stacks are held out, where the labels leave that open: drawn by a seed, class by class. */
import { createHash } from "node:crypto";
import { byStack, type Page, type Split } from "./pages";

/** An order that a seed draws: the same for the same seed and names, whatever order they come in. */
export function shuffled(names: readonly string[], seed: number, purpose: string): string[] {
    const ranked = names.map((name) => ({
        name,
        rank: createHash("sha256").update(`${seed}/${purpose}/${name}`).digest("hex"),
    }));
    return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ name }) => name);
}

/** What of a class may be held out, and is. */
interface Quota {
    /** At most so many stacks with the class. */
    readonly most: number;
    /** At least so many, where that breaks no other class's bound. */
    readonly least: number;
    taken: number;
}

/**
 * Draws train or test for every stack that has neither, so that of every class about the share of its stacks is held
 * out: at least one
 * where it has two, and no more than the share, rounded. In all it is the share of the stacks, to within one; only
 * where no such choice
 * exists, a class has more held out than its share. Where there are two stacks, at least one is on each side.
 * @returns all pages with a split, and how many stacks were drawn from.
 */
export function drawSplit<P extends Page>(
    pages: readonly P[],
    seed: number,
    testShare: number,
): { pages: (P & { split: Split })[]; drawn: number } {
    const draw = new Draw(pages, seed, testShare);
    draw.holdOutEveryClass();
    const { length } = draw.open;
    const fixed = new Set(pages.map(({ split }) => split));
    const least = !fixed.has("test") && length > 1 ? 1 : 0;
    const most = !fixed.has("train") && length > 1 ? length - 1 : length;
    const wanted = Math.max(least, Math.min(Math.round(length * testShare), most));
    draw.fill(wanted, true);
    draw.fill(Math.max(least, Math.min(Math.ceil(length * testShare - 1), most)), false);
    const splitOf = (page: P) => page.split ?? (draw.test.has(page.stack) ? "test" : "train");
    return { pages: pages.map((page) => ({ ...page, split: splitOf(page) })), drawn: length };
}

/** What of a class may be held out, and is. */
interface Quota {
    /** At most so many stacks with the class. */
    readonly most: number;
    /** At least so many, where that breaks no other class's bound. */
    readonly least: number;
    taken: number;
}

class Draw {
    /** The stacks that are drawn from, in the order that the seed gives them. */
    readonly open: readonly string[];
    readonly test = new Set<string>();
    /** The rarest class first: it has the least to choose from. */
    private readonly quotas: ReadonlyMap<string, Quota>;
    private readonly classesOf: ReadonlyMap<string, ReadonlySet<string>>;

    constructor(pages: readonly Page[], seed: number, testShare: number) {
        const stacks = [...byStack(pages)];
        const drawn = stacks.filter(([, own]) => own[0]?.split === undefined).map(([stack]) => stack);
        this.open = shuffled(drawn, seed, "split");
        this.quotas = quotasOf(pages, new Set(drawn), testShare);
        this.classesOf = new Map(stacks.map(([stack, own]) => [stack, new Set(own.map((page) => page.class))]));
    }

    /** Holds out a stack of every class that has one to spare. */
    holdOutEveryClass(): void {
        for (const [name, quota] of this.quotas) {
            const holder = (stack: string) => this.classesOf.get(stack)?.has(name) === true && this.fits(stack);
            for (const stack of this.open.filter(holder)) {
                if (quota.taken < quota.least && this.fits(stack)) {
                    this.take(stack);
                }
            }
        }
    }

    /** Holds out further stacks up to a number of them, if wanted only those whose classes have some to spare. */
    fill(wanted: number, spare: boolean): void {
        for (const stack of this.open) {
            if (this.test.size < wanted && !this.test.has(stack) && (!spare || this.fits(stack))) {
                this.take(stack);
            }
        }
    }

    private quotasOf(stack: string): Quota[] {
        const names = Array.from(this.classesOf.get(stack) ?? []);
        return names.flatMap((name) => this.quotas.get(name) ?? []);
    }

    private fits(stack: string): boolean {
        return !this.test.has(stack) && this.quotasOf(stack).every(({ taken, most }) => taken < most);
    }

    private take(stack: string): void {
        this.test.add(stack);
        this.quotasOf(stack).forEach((quota) => {
            quota.taken += 1;
        });
    }
}

/** Of the classes of stacks that are drawn from, the rarest first. */
function quotasOf(pages: readonly Page[], open: ReadonlySet<string>, share: number): Map<string, Quota> {
    const stacks = new Map<string, Record<Split | "open", Set<string>>>();
    for (const page of pages) {
        const own = stacks.get(page.class) ?? { train: new Set(), test: new Set(), open: new Set() };
        stacks.set(page.class, own);
        own[open.has(page.stack) ? "open" : (page.split ?? "open")].add(page.stack);
    }
    const sorted = [...stacks].sort(([a, one], [b, other]) => one.open.size - other.open.size || (a < b ? -1 : 1));
    return new Map(
        sorted.map(([name, { train, test, open: drawn }]) => {
            // the last stack of a class is there to learn from
            const spare = Math.min(drawn.size, drawn.size + train.size - 1);
            const most = Math.min(spare, Math.max(1, halfDown(drawn.size * share)));
            return [name, { most, least: test.size > 0 ? 0 : Math.min(1, most), taken: 0 }];
        }),
    );
}

/** Rounded, a half downwards. */
function halfDown(value: number): number {
    return Math.ceil(value - 0.5);
}
