/**
 * What S3's lifecycle rules do to the current version of objects: delete them, or move them where nobody can read
 * them without restoring
 * them first. Source: Amazon S3 User Guide, "Lifecycle configuration elements" and "Expiring objects".
 */

const DAY_MS = 86_400_000;
/** Storage classes whose objects GetObject refuses. */
const UNREADABLE = ["GLACIER", "DEEP_ARCHIVE"];

/** A rule as the API of S3 gives it; only what matters here. */
export interface LifecycleRuleLike {
    readonly ID?: string;
    readonly Status?: string;
    readonly Prefix?: string;
    readonly Filter?: FilterLike & { readonly And?: FilterLike };
    readonly Expiration?: { readonly Days?: number; readonly Date?: Date };
    readonly Transitions?: readonly {
        readonly Days?: number;
        readonly Date?: Date;
        readonly StorageClass?: string;
    }[];
}

interface FilterLike {
    readonly Prefix?: string;
    readonly Tag?: unknown;
    readonly Tags?: readonly unknown[];
    readonly ObjectSizeGreaterThan?: number;
    readonly ObjectSizeLessThan?: number;
}

/** One way in which objects of a bucket end. */
export interface EndRule {
    readonly id: string;
    /** Keys that begin so; empty: all of the bucket. */
    readonly prefix: string;
    /** The rule also asks for tags or a size: it may leave an object alone that lies below its prefix. */
    readonly isConditional: boolean;
    readonly what: "deletes" | "archives";
    /** Days after an object was written. */
    readonly days?: number;
    /** Or one day for all. */
    readonly date?: Date;
    /** It deletes by number, as a repository's policy may: nobody knows when. */
    readonly isByCount?: boolean;
}

/** The ends that a bucket's rules have for current versions; rules that are switched off have none. */
export function endRules(rules: readonly LifecycleRuleLike[]): EndRule[] {
    return rules.filter(({ Status }) => Status === undefined || Status === "Enabled").flatMap(endsOf);
}

function endsOf(rule: LifecycleRuleLike, index: number): EndRule[] {
    const filters = [rule.Filter ?? {}, rule.Filter?.And ?? {}];
    const scope = {
        id: rule.ID ?? `number ${index + 1}`,
        prefix: filters.map(({ Prefix }) => Prefix).find((prefix) => prefix !== undefined) ?? rule.Prefix ?? "",
        isConditional: filters.some(hasCondition),
    };
    const ends: EndRule[] = [];
    if (rule.Expiration?.Days !== undefined || rule.Expiration?.Date !== undefined) {
        ends.push({ ...scope, what: "deletes", days: rule.Expiration.Days, date: rule.Expiration.Date });
    }
    for (const { Days, Date: date, StorageClass } of rule.Transitions ?? []) {
        if (UNREADABLE.includes(StorageClass ?? "")) {
            ends.push({ ...scope, what: "archives", days: Days ?? 0, date });
        }
    }
    return ends;
}

function hasCondition({ Tag, Tags = [], ObjectSizeGreaterThan, ObjectSizeLessThan }: FilterLike): boolean {
    const sizes = [ObjectSizeGreaterThan, ObjectSizeLessThan];
    return Tag !== undefined || Tags.length > 0 || sizes.some((size) => size !== undefined);
}

/** Whether a rule may end the object with this key. */
function reaches(rule: EndRule, key: string): boolean {
    return key.startsWith(rule.prefix);
}

/** Whether a rule may end some object below a prefix. */
export function reachesBelow(rule: EndRule, prefix: string): boolean {
    return prefix.startsWith(rule.prefix) || rule.prefix.startsWith(prefix);
}

/** When a rule ends an object: S3 adds the days and rounds up to the next midnight UTC. */
function endOf(rule: EndRule, written: Date): Date {
    if (rule.days === undefined) {
        return rule.date ?? new Date(8.64e15);
    }
    return new Date(Math.ceil((written.getTime() + rule.days * DAY_MS) / DAY_MS) * DAY_MS);
}

/** The rule that ends an object first, and when; undefined where none ever does. */
export function firstEnd(
    rules: readonly EndRule[],
    key: string,
    written: Date,
): { readonly rule: EndRule; readonly at: Date } | undefined {
    const ends = rules.filter((rule) => reaches(rule, key)).map((rule) => ({ rule, at: endOf(rule, written) }));
    return ends.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
}

/** `the lifecycle rule "runs" deletes it after 14 days`. */
export function describeEnd({ id, what, days, date, isConditional }: EndRule): string {
    const when = days === undefined ? `on ${date?.toISOString().slice(0, 10)}` : `after ${days} days`;
    const condition = isConditional ? ", where its tags or its size fit" : "";
    return `the lifecycle rule ${JSON.stringify(id)} ${what} it ${when}${condition}`;
}

/** What points at something, and how long that must stay. */
export interface Pointer {
    /** For people: `published/latest.json`. */
    readonly name: string;
    /** A prefix of the bucket that declares it, `s3://<bucket>/<prefix>`, or `ecr://<repository>`. */
    readonly target: string;
    /** Days after an object was written. */
    readonly days: number | "forever";
    readonly why?: string;
}

/**
 * How a pointer's target reads: which kind of place, which one (undefined: the declaring bucket), which prefix in it.
 */
export function targetOf({ target }: Pointer): { kind: "s3" | "ecr"; place: string | undefined; prefix: string } {
    const match = /^(s3|ecr):\/\/([^/]+)\/?(.*)$/s.exec(target);
    return match === null
        ? { kind: "s3", place: undefined, prefix: target }
        : { kind: match[1] === "ecr" ? "ecr" : "s3", place: match[2], prefix: match[3] ?? "" };
}

/** Why a rule breaks a pointer of the same place, in words; undefined where the pointer's objects stay long enough. */
export function brokenBy(pointer: Pointer, rule: EndRule): string | undefined {
    if (!reachesBelow(rule, targetOf(pointer).prefix)) {
        return undefined;
    }
    const isLongEnough =
        rule.isByCount !== true && pointer.days !== "forever" && rule.days !== undefined && rule.days >= pointer.days;
    if (isLongEnough) {
        return undefined;
    }
    const needed = pointer.days === "forever" ? "for as long as it stands" : `${pointer.days} days`;
    const why = pointer.why === undefined ? "" : ` (${pointer.why})`;
    const end = rule.isByCount === true ? `a rule of ${rule.id} deletes by number` : describeEnd(rule);
    return `${pointer.name} needs what lies in ${pointer.target} ${needed}${why}, but ${end}`;
}
