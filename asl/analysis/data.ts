/**
 * JSONPath data flow: which fields of a state's input are surely there, and which surely are not, on every way to it.
 *
 * A path that finds nothing ends the execution in States.Runtime, which nothing catches. Tracked are exactly the places that some state
 * reads; two bit sets a state (there, not there). Only definite paths count: wildcards, slices and filters yield [] instead of failing.
 */
import type { Context } from "./context";
import { describeSteps } from "./findings";
import { catchers, isFields, type Fields } from "./definition";
import { reachable, type Edge, type Node, type Scope } from "./graph";
import { parsePath } from "./paths";
import type { Role } from "./expressions";
import { statePaths } from "./reads";
import { lastStep, type Ways } from "./ways";

interface Read {
    readonly place: string;
    readonly text: string;
    readonly at: string;
    readonly role: Role;
}

const separator = "\u0000";
const placeOf = (segments: readonly string[]): string => segments.join(separator);
const under = (place: string, top: string): boolean => top === "" || place === top || place.startsWith(top + separator);

class Bits {
    constructor(
        readonly there: Uint32Array,
        readonly gone: Uint32Array,
    ) {}

    static empty(words: number): Bits {
        return new Bits(new Uint32Array(words), new Uint32Array(words));
    }

    copy(): Bits {
        return new Bits(Uint32Array.from(this.there), Uint32Array.from(this.gone));
    }

    set(index: number, there: boolean | undefined): void {
        const bit = 1 << (index & 31);
        const word = index >> 5;
        this.there[word] = there === true ? this.there[word] | bit : this.there[word] & ~bit;
        this.gone[word] = there === false ? this.gone[word] | bit : this.gone[word] & ~bit;
    }

    has(index: number): boolean {
        return (this.there[index >> 5] & (1 << (index & 31))) !== 0;
    }

    lacks(index: number): boolean {
        return (this.gone[index >> 5] & (1 << (index & 31))) !== 0;
    }

    /** Keeps what both ways agree on; says whether anything was lost. */
    meet(other: Bits): boolean {
        let changed = false;
        for (let word = 0; word < this.there.length; word += 1) {
            const there = this.there[word] & other.there[word];
            const gone = this.gone[word] & other.gone[word];
            changed ||= there >>> 0 !== this.there[word] || gone >>> 0 !== this.gone[word];
            this.there[word] = there;
            this.gone[word] = gone;
        }
        return changed;
    }
}

/** Reads that end in States.Runtime when the field is not there; optional ones are asked for, not read. */
function readsOf(node: Node): Read[] {
    const found: Read[] = [];
    const inputPath = typeof node.fields.InputPath === "string" ? parsePath(node.fields.InputPath) : undefined;
    const base =
        inputPath === undefined
            ? []
            : typeof inputPath === "string" || !inputPath.definite || inputPath.root !== "input"
              ? undefined
              : inputPath.segments;
    for (const { path, text, at, role } of statePaths(node)) {
        if (path.root !== "input" || !path.definite || path.segments.length === 0) {
            continue;
        }
        // ResultSelector, OutputPath and Assign of a Task see the result, of which nothing is known.
        if (
            at.startsWith("ResultSelector") ||
            at.startsWith("OutputPath") ||
            at.includes("Assign") ||
            node.fields.InputPath === null
        ) {
            continue;
        }
        // Inside a Map's ItemSelector the paths see the Map's input; its Parameters likewise.
        if (at === "InputPath") {
            found.push({ place: placeOf(path.segments), text, at, role });
        } else if (base !== undefined) {
            found.push({ place: placeOf([...base, ...path.segments]), text, at, role });
        }
    }
    return found;
}

/** Does the rule ask whether the place is there, rather than read it? */
function asks(node: Node, at: string): boolean {
    if (!at.startsWith("Choices/")) {
        return false;
    }
    let rule: unknown = node.fields;
    const parts = at.split("/");
    for (const part of parts.slice(0, -1)) {
        rule = Array.isArray(rule) ? rule[Number(part)] : isFields(rule) ? rule[part] : undefined;
    }
    return parts.at(-1) === "Variable" && isFields(rule) && rule.IsPresent !== undefined;
}

export function checkData(context: Context, ways: Ways): void {
    const { graph } = context;
    if (!graph.nodes.some((node) => node.language === "JSONPath")) {
        return;
    }
    const index = new Map<string, number>();
    const places: string[] = [];
    const reads = new Map<Node, readonly Read[]>();
    for (const node of graph.nodes) {
        const own = readsOf(node);
        reads.set(node, own);
        for (const read of own) {
            // A field that is there has all fields above it.
            const parts = read.place.split(separator);
            for (let length = 1; length <= parts.length; length += 1) {
                const place = placeOf(parts.slice(0, length));
                if (!index.has(place)) {
                    index.set(place, places.length);
                    places.push(place);
                }
            }
        }
    }
    if (places.length === 0) {
        return;
    }
    const flow = new Flow(places, index, reads);
    const entry = new Map<Node, Bits>();
    for (const scope of graph.scopes) {
        if (scope.start === undefined) {
            continue;
        }
        const outer = scope.owner === undefined ? undefined : entry.get(scope.owner);
        flow.solve(scope, flow.into(scope, outer), entry);
    }
    for (const node of graph.nodes) {
        const at = entry.get(node);
        if (at !== undefined && node.language === "JSONPath") {
            flow.judge(context, ways, node, at);
        }
    }
}

class Flow {
    private readonly words: number;
    private readonly sortedPlaces: readonly string[];

    constructor(
        places: readonly string[],
        private readonly index: ReadonlyMap<string, number>,
        private readonly reads: ReadonlyMap<Node, readonly Read[]>,
    ) {
        this.words = Math.ceil(places.length / 32);
        this.sortedPlaces = [...places].sort();
    }

    /** What a branch or an iteration begins with. */
    into(scope: Scope, outer: Bits | undefined): Bits {
        const owner = scope.owner;
        if (owner === undefined || outer === undefined || owner.language !== "JSONPath" || owner.type === "Map") {
            return Bits.empty(this.words);
        }
        const whole = owner.fields.InputPath === undefined || owner.fields.InputPath === "$";
        if (!whole) {
            return Bits.empty(this.words);
        }
        const bits = outer.copy();
        this.read(bits, owner);
        if (owner.fields.Parameters !== undefined) {
            this.replace(bits, "", isFields(owner.fields.Parameters) ? owner.fields.Parameters : undefined);
        }
        return bits;
    }

    solve(scope: Scope, start: Bits, entry: Map<Node, Bits>): void {
        entry.set(scope.start!, start);
        const queue: Node[] = [scope.start!];
        const queued = new Uint8Array(scope.nodes.length);
        for (let at = 0; at < queue.length; at += 1) {
            const node = queue[at];
            queued[node.index] = 0;
            for (const edge of node.out) {
                const bits = this.along(edge, entry.get(node)!);
                const there = entry.get(edge.to);
                if (there === undefined) {
                    entry.set(edge.to, bits);
                } else if (!there.meet(bits)) {
                    continue;
                }
                if (queued[edge.to.index] === 0) {
                    queued[edge.to.index] = 1;
                    queue.push(edge.to);
                }
            }
        }
    }

    /** What was read was there: the execution would have ended otherwise. */
    private read(bits: Bits, node: Node): void {
        for (const read of this.reads.get(node) ?? []) {
            if (read.role === "state") {
                this.mark(bits, read.place);
            }
        }
    }

    private mark(bits: Bits, place: string): void {
        for (let end = place.indexOf(separator); ; end = place.indexOf(separator, end + 1)) {
            const known = this.index.get(end === -1 ? place : place.slice(0, end));
            if (known !== undefined) {
                bits.set(known, true);
            }
            if (end === -1) {
                break;
            }
        }
    }

    /** The place now holds the template (or a value of which nothing is known). */
    private replace(bits: Bits, top: string, template: unknown): void {
        for (let at = this.firstUnder(top); at < this.sortedPlaces.length; at += 1) {
            const place = this.sortedPlaces[at];
            if (!under(place, top)) {
                if (top !== "" && place > top + separator + "\uffff") {
                    break;
                }
                continue;
            }
            const below = place === top ? [] : place.slice(top === "" ? 0 : top.length + 1).split(separator);
            bits.set(
                this.index.get(place)!,
                below.length === 0 ? true : template === undefined ? undefined : within(template, below),
            );
        }
        if (top !== "") {
            this.mark(bits, top);
        }
    }

    private firstUnder(top: string): number {
        let low = 0;
        let high = this.sortedPlaces.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.sortedPlaces[middle] < top) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private along(edge: Edge, before: Bits): Bits {
        const { from, kind } = edge;
        const bits = before.copy();
        if (from.language === "JSONata") {
            return from.fields.Output === undefined &&
                (from.type === "Choice" || from.type === "Wait" || from.type === "Pass") &&
                kind !== "catch" &&
                edge.holder.Output === undefined
                ? bits
                : Bits.empty(this.words);
        }
        if (kind === "catch") {
            const entry = catchers(from.fields).find((catcher) => catcher.index === edge.index);
            const result = entry?.fields.ResultPath;
            if (result === null) {
                return bits;
            }
            const target = typeof result === "string" ? parsePath(result) : undefined;
            const top = target === undefined || typeof target === "string" ? "" : placeOf(target.segments);
            this.replace(bits, top, errorOutput(from));
            return bits;
        }
        this.read(bits, from);
        if (kind === "choice" || kind === "default") {
            this.branch(bits, edge);
        }
        const { fields } = from;
        if (
            fields.InputPath !== undefined &&
            fields.InputPath !== "$" &&
            (from.type === "Choice" || from.type === "Wait" || from.type === "Pass")
        ) {
            return Bits.empty(this.words);
        }
        if (from.type !== "Choice" && from.type !== "Wait") {
            this.result(bits, from);
        }
        if (fields.OutputPath !== undefined && fields.OutputPath !== "$") {
            return Bits.empty(this.words);
        }
        return bits;
    }

    private result(bits: Bits, node: Node): void {
        const { fields } = node;
        if (fields.ResultPath === null) {
            return;
        }
        const target = typeof fields.ResultPath === "string" ? parsePath(fields.ResultPath) : undefined;
        const top = target === undefined || typeof target === "string" ? "" : placeOf(target.segments);
        const given = node.type === "Pass" ? (fields.Result ?? fields.Parameters) : fields.ResultSelector;
        if (node.type === "Pass" && given === undefined && top === "") {
            return;
        }
        this.replace(
            bits,
            top,
            node.type === "Pass" && fields.Result !== undefined
                ? { constant: fields.Result }
                : given === undefined
                  ? undefined
                  : { template: given },
        );
    }

    /** Rules tell whether a field is there; every comparison that was made read its field. */
    private branch(bits: Bits, edge: Edge): void {
        const rules = Array.isArray(edge.from.fields.Choices) ? (edge.from.fields.Choices as unknown[]) : [];
        const before = edge.kind === "choice" ? edge.index! : rules.length;
        rules.slice(0, before + 1).forEach((rule, position) => {
            const holds = edge.kind === "choice" && position === before;
            this.rule(bits, rule, holds);
        });
    }

    private rule(bits: Bits, rule: unknown, holds: boolean): void {
        const work: { rule: unknown; holds: boolean; first: boolean }[] = [{ rule, holds, first: true }];
        for (let item = work.pop(); item !== undefined; item = work.pop()) {
            if (!isFields(item.rule)) {
                continue;
            }
            if (item.rule.Not !== undefined) {
                work.push({ ...item, rule: item.rule.Not, holds: !item.holds });
                continue;
            }
            const certain = item.holds ? item.rule.And : item.rule.Or;
            if (Array.isArray(certain)) {
                certain.forEach((part: unknown) => work.push({ ...item!, rule: part }));
                continue;
            }
            const either = item.holds ? item.rule.Or : item.rule.And;
            if (Array.isArray(either)) {
                // Only the first part is surely evaluated: it read its field, whatever came out.
                const [first] = either as unknown[];
                if (isFields(first) && first.IsPresent === undefined && first.Variable !== undefined) {
                    this.variable(bits, first, true);
                }
                continue;
            }
            if (item.rule.IsPresent === undefined) {
                this.variable(bits, item.rule, true);
            } else if (typeof item.rule.IsPresent === "boolean") {
                this.variable(bits, item.rule, item.rule.IsPresent === item.holds);
            }
        }
    }

    private variable(bits: Bits, rule: Fields, there: boolean): void {
        const path = typeof rule.Variable === "string" ? parsePath(rule.Variable) : undefined;
        if (path === undefined || typeof path === "string" || path.root !== "input" || !path.definite) {
            return;
        }
        const place = placeOf(path.segments);
        if (there) {
            this.mark(bits, place);
        } else if (this.index.has(place)) {
            bits.set(this.index.get(place)!, false);
        }
    }

    judge(context: Context, ways: Ways, node: Node, before: Bits): void {
        const reads = this.reads.get(node) ?? [];
        if (reads.length === 0) {
            return;
        }
        const bits = before.copy();
        const told = new Map<
            string,
            { readonly text: string; readonly at: string; readonly gone: boolean; readonly choice: boolean }
        >();
        for (const read of reads) {
            if (read.role === "choice") {
                continue;
            }
            this.check(bits, read, told, false);
        }
        if (node.type === "Choice" && Array.isArray(node.fields.Choices)) {
            this.choices(node, bits, told);
        }
        if (told.size === 0) {
            return;
        }
        const list = [...told.values()];
        const choice = list.filter((entry) => entry.choice);
        const lost = list.filter((entry) => !entry.choice && entry.gone);
        const nameless = list.filter(
            (entry) => !entry.choice && !entry.gone && silentFail(node, entry.text) !== undefined,
        );
        const unsure = list.filter((entry) => !entry.choice && !entry.gone && !nameless.includes(entry));
        const steps = [...ways.to(node), lastStep(node, "error", "States.Runtime")];
        const report = (rule: string, entries: typeof list, message: string, severity?: "warning"): void => {
            if (entries.length === 0) {
                return;
            }
            context.report.add({
                rule,
                severity,
                path: `${node.path}/${entries[0].at}`,
                state: node.name,
                message: `${entries.map((entry) => entry.text).join(", ")}: ${message}`,
                counterExample: steps,
                counterExampleText: describeSteps(
                    steps,
                    "the execution FAILS with States.Runtime, and no Catch sees it",
                ),
            });
        };
        report(
            "choice-on-missing-field",
            choice,
            "this Choice reads what may be missing. Guard it by IsPresent in an And before the comparison, " +
                "or let an earlier state validate and complete the input.",
        );
        report("path-not-written", lost, "no state on a way to here writes this: reading it ends the execution.");
        report(
            "path-not-written",
            nameless,
            `a catcher leads here with the error of the Fail "${silentFail(node, nameless[0]?.text ?? "")?.name ?? ""}", ` +
                "which has none: give the Fail Error and Cause.",
        );
        report(
            "path-unproven",
            unsure,
            "nothing proves that this is there: it comes from the execution's input or from a result. " +
                "Let the first state validate and complete the input, or use JSONata in a Task, whose failure can be caught.",
        );
    }

    private check(
        bits: Bits,
        read: Read,
        told: Map<string, { text: string; at: string; gone: boolean; choice: boolean }>,
        choice: boolean,
    ): void {
        const known = this.index.get(read.place)!;
        if (!bits.has(known)) {
            const parts = read.place.split(separator);
            const gone = parts.some((_, length) => bits.lacks(this.index.get(placeOf(parts.slice(0, length + 1)))!));
            if (!told.has(read.place)) {
                told.set(read.place, { text: read.text, at: read.at, gone, choice });
            }
        }
        this.mark(bits, read.place);
    }

    /** Rules are evaluated in order, and the parts of an And only while they are true. */
    private choices(
        node: Node,
        bits: Bits,
        told: Map<string, { text: string; at: string; gone: boolean; choice: boolean }>,
    ): void {
        const byPlace = new Map((this.reads.get(node) ?? []).map((read) => [read.at, read]));
        const visit = (rule: unknown, at: string, state: Bits, depth: number): void => {
            if (!isFields(rule) || depth > 60) {
                return;
            }
            if (Array.isArray(rule.And) || Array.isArray(rule.Or)) {
                const key = Array.isArray(rule.And) ? "And" : "Or";
                const inner = state.copy();
                (rule[key] as unknown[]).forEach((part, position) => {
                    visit(part, `${at}/${key}/${position}`, inner, depth + 1);
                    this.rule(inner, part, key === "And");
                });
                return;
            }
            if (rule.Not !== undefined) {
                visit(rule.Not, `${at}/Not`, state, depth + 1);
                return;
            }
            for (const key of Object.keys(rule)) {
                const read = byPlace.get(`${at}/${key}`);
                if (read !== undefined && !asks(node, read.at)) {
                    this.check(state, read, told, true);
                }
            }
        };
        (node.fields.Choices as unknown[]).forEach((rule, position) => {
            visit(rule, `Choices/${position}`, bits, 0);
            this.rule(bits, rule, false);
        });
    }
}

/** Is the place inside the template (true), surely not (false), or unknown? */
function within(source: unknown, below: readonly string[]): boolean | undefined {
    if (isFields(source) && Object.keys(source).length === 1 && source.constant !== undefined) {
        let value: unknown = source.constant;
        for (const part of below) {
            const array = /^\[(\d+)\]$/.exec(part);
            value =
                array !== null && Array.isArray(value)
                    ? value[Number(array[1])]
                    : isFields(value) && Object.hasOwn(value, part)
                      ? value[part]
                      : undefined;
            if (value === undefined) {
                return false;
            }
        }
        return true;
    }
    let value: unknown =
        isFields(source) && source.template !== undefined && Object.keys(source).length === 1
            ? source.template
            : source;
    for (const part of below) {
        if (!isFields(value)) {
            return Array.isArray(value) ? undefined : false;
        }
        if (Object.hasOwn(value, `${part}.$`)) {
            return part === below.at(-1) ? true : undefined;
        }
        if (value[maybe] !== undefined && (value[maybe] as readonly string[]).includes(part)) {
            return undefined;
        }
        if (!Object.hasOwn(value, part)) {
            return false;
        }
        value = value[part];
    }
    return true;
}

/** Fields of an error output that may be missing. */
const maybe = "\u0000maybe";

/** The Fail without this field whose error a catcher writes over the whole input of the state. */
function silentFail(node: Node, text: string): Node | undefined {
    const field = /^\$\.(Error|Cause)$/.exec(text)?.[1];
    if (field === undefined) {
        return undefined;
    }
    for (const edge of node.in) {
        if (edge.kind === "catch" && (edge.holder.ResultPath === undefined || edge.holder.ResultPath === "$")) {
            const found = failsWithout(edge.from, field)[0];
            if (found !== undefined) {
                return found;
            }
        }
    }
    return undefined;
}

/** Fails inside a state that have no such field. */
function failsWithout(node: Node, field: string): Node[] {
    const found: Node[] = [];
    const work = [...node.inner];
    for (let scope = work.pop(); scope !== undefined; scope = work.pop()) {
        const seen = reachable(scope);
        for (const inner of scope.nodes) {
            if (
                seen[inner.index] === 1 &&
                inner.type === "Fail" &&
                inner.fields[field] === undefined &&
                inner.fields[`${field}Path`] === undefined
            ) {
                found.push(inner);
            }
            work.push(...inner.inner);
        }
    }
    return found;
}

/** What a catcher writes: Error and Cause, unless a Fail inside the state has none. */
function errorOutput(node: Node): Fields {
    const lacking = new Set(["Error", "Cause"].filter((field) => failsWithout(node, field).length > 0));
    const output: { [key: string]: unknown } = { [maybe]: [...lacking] };
    for (const field of ["Error", "Cause"]) {
        if (!lacking.has(field)) {
            output[field] = "";
        }
    }
    return output;
}
