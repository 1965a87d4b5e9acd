/**
 * Structure: everything that the specification demands of a definition, whatever it is for.
 * Sources: https://states-language.net/spec.html, the Step Functions Developer Guide, and recordings of what AWS refused.
 */
import { closest } from "fastest-levenshtein";
import {
    BRANCH_FIELDS,
    MACHINE_FIELDS,
    namesOf,
    PROCESSOR_FIELDS,
    STATE_FIELDS,
    type Fields as TableOfFields,
} from "../fields";
import type { Context } from "./context";
import { isFields, reachable, segment, stateTypes, type Fields, type Graph, type Node, type Scope } from "./graph";
import { innerGraphs } from "../walk";
import { intrinsics, parseIntrinsic, parsePath } from "./paths";
import { expressionsOf, leaves } from "./walk";

const machineFields = Object.keys(MACHINE_FIELDS);
const branchFields = Object.keys(BRANCH_FIELDS);
const processorFields = Object.keys(PROCESSOR_FIELDS);

/** The fields of each type of state that only states of the language may have. */
function fieldsOnlyIn(language: "JSONPath" | "JSONata"): { readonly [type: string]: readonly string[] } {
    const only = (fields: TableOfFields): string[] =>
        Object.keys(fields).filter((name) => fields[name]?.only === language);
    return Object.fromEntries(Object.entries(STATE_FIELDS).map(([type, fields]) => [type, only(fields)]));
}

const pathOnly = fieldsOnlyIn("JSONPath");
const jsonataOnly = fieldsOnlyIn("JSONata");
const allowedFields = new Map<string, ReadonlySet<string>>();
for (const type of stateTypes) {
    allowedFields.set(`${type} JSONPath`, namesOf(STATE_FIELDS[type], "JSONPath"));
    allowedFields.set(`${type} JSONata`, namesOf(STATE_FIELDS[type], "JSONata"));
}

const statesErrors = new Set([
    "States.ALL",
    "States.BranchFailed",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.ItemReaderFailed",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
    "States.ResultWriterFailed",
    "States.Runtime",
    "States.TaskFailed",
    "States.Timeout",
]);

type Operand = "string" | "number" | "boolean" | "timestamp";
const operators = new Map<string, Operand | "path">();
for (const [type, operand] of [
    ["String", "string"],
    ["Numeric", "number"],
    ["Timestamp", "timestamp"],
] as const) {
    for (const comparison of ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"]) {
        operators.set(`${type}${comparison}`, operand);
        operators.set(`${type}${comparison}Path`, "path");
    }
}
operators.set("BooleanEquals", "boolean");
operators.set("BooleanEqualsPath", "path");
operators.set("StringMatches", "string");
for (const test of ["IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp"]) {
    operators.set(test, "boolean");
}
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

const longestName = 80;
const longestDuration = 99_999_999;

export function checkStructure(context: Context): void {
    const { graph } = context;
    const checker = new StructureCheck(context);
    for (const scope of graph.scopes) {
        checker.scope(scope);
    }
    checker.names(graph);
}

class StructureCheck {
    constructor(private readonly context: Context) {}

    scope(scope: Scope): void {
        const { fields, owner, path } = scope;
        const what =
            owner === undefined
                ? "The state machine"
                : `A ${owner.type === "Map" ? "Map's processor" : "Parallel's branch"}`;
        const known = owner === undefined ? machineFields : owner.type === "Map" ? processorFields : branchFields;
        this.knownFields(fields, known, path, owner?.name, what);
        if (owner === undefined) {
            if (
                fields.QueryLanguage !== undefined &&
                fields.QueryLanguage !== "JSONata" &&
                fields.QueryLanguage !== "JSONPath"
            ) {
                this.type("QueryLanguage", path, undefined, '"JSONata" or "JSONPath"', fields.QueryLanguage);
            }
            if (fields.Version !== undefined && fields.Version !== "1.0") {
                this.type("Version", path, undefined, '"1.0"', fields.Version);
            }
            this.duration(fields.TimeoutSeconds, "TimeoutSeconds", path, undefined, 1, false);
        }
        if (fields.Comment !== undefined && typeof fields.Comment !== "string") {
            this.type("Comment", path, owner?.name, "a text", fields.Comment);
        }
        if (!isFields(fields.States)) {
            if (fields.States === undefined) {
                this.missing("States", path, owner?.name, what);
            } else {
                this.type("States", path, owner?.name, "an object of states", fields.States);
            }
            return;
        }
        if (Object.keys(fields.States).length === 0) {
            this.type("States", path, owner?.name, "at least one state", fields.States);
            return;
        }
        for (const [name, state] of Object.entries(fields.States)) {
            if (!isFields(state)) {
                this.type(`States/${segment(name)}`, path, name, "a state (an object)", state);
            }
        }
        if (fields.StartAt === undefined) {
            this.missing("StartAt", path, owner?.name, what);
        } else if (typeof fields.StartAt !== "string") {
            this.type("StartAt", path, owner?.name, "the name of a state", fields.StartAt);
        } else if (scope.start === undefined && !isFields(fields.States[fields.StartAt])) {
            this.target(fields.StartAt, "StartAt", scope, path, owner?.name);
        }
        for (const node of scope.nodes) {
            this.state(node);
        }
        if (scope.start !== undefined) {
            this.reachability(scope);
        }
    }

    private reachability(scope: Scope): void {
        const seen = reachable(scope);
        let terminal = false;
        for (const node of scope.nodes) {
            if (seen[node.index] === 0) {
                this.at(
                    node,
                    "unreachable-state",
                    "",
                    `No way leads from "${scope.fields.StartAt as string}" to this state: ` +
                        `point a Next, a Default, a choice rule or a catcher to it, or remove it.`,
                );
            } else if (node.ends !== undefined) {
                terminal = true;
            }
        }
        if (!terminal) {
            this.context.report.add({
                rule: "no-terminal-state",
                path: scope.path,
                state: scope.owner?.name,
                message:
                    `No state that can be reached ends ${scope.owner === undefined ? "the execution" : "this scope"}: ` +
                    `expected End: true, a Succeed or a Fail.`,
            });
        }
    }

    names(graph: Graph): void {
        const first = new Map<string, Node>();
        for (const node of graph.nodes) {
            const other = first.get(node.name);
            if (other !== undefined) {
                this.at(
                    node,
                    "duplicate-state-name",
                    "",
                    `The name "${node.name}" is used twice, also at ${other.path}: ` +
                        `state names are unique in the whole state machine, branches included.`,
                );
            } else {
                first.set(node.name, node);
            }
            const length = [...node.name].length;
            if (length === 0 || length > longestName) {
                this.at(
                    node,
                    "state-name",
                    "",
                    length === 0
                        ? "A state's name may not be empty."
                        : `The name has ${length} characters; AWS takes at most ${longestName}.`,
                );
            } else if (/\p{Cc}/u.test(node.name)) {
                this.at(node, "state-name", "", "The name holds a control character.");
            }
        }
    }

    private state(node: Node): void {
        const { fields, type, language } = node;
        if (type === undefined) {
            if (fields.Type === undefined) {
                this.missing("Type", node.path, node.name, "A state");
            } else {
                const nearest =
                    typeof fields.Type === "string"
                        ? `; did you mean "${closest(fields.Type.slice(0, 40), [...stateTypes])}"?`
                        : "";
                this.at(
                    node,
                    "wrong-value",
                    "Type",
                    `Type is ${show(fields.Type)}, expected one of ${stateTypes.join(", ")}${nearest}`,
                );
            }
            return;
        }
        if (
            fields.QueryLanguage !== undefined &&
            fields.QueryLanguage !== "JSONata" &&
            fields.QueryLanguage !== "JSONPath"
        ) {
            this.at(
                node,
                "wrong-value",
                "QueryLanguage",
                `QueryLanguage is ${show(fields.QueryLanguage)}, expected "JSONata" or "JSONPath".`,
            );
        } else if (fields.QueryLanguage === "JSONPath" && this.context.graph.language === "JSONata") {
            this.at(
                node,
                "query-language",
                "QueryLanguage",
                "A state of a JSONata state machine cannot be JSONPath: AWS refuses the definition.",
            );
        }
        if (fields.Comment !== undefined && typeof fields.Comment !== "string") {
            this.at(node, "wrong-value", "Comment", `Comment is ${show(fields.Comment)}, expected a text.`);
        }
        this.stateFields(node, type);
        if (type !== "Choice" && type !== "Succeed" && type !== "Fail") {
            this.transition(node);
        }
        if (fields.Assign !== undefined && type !== "Succeed" && type !== "Fail") {
            this.assign(fields.Assign, "Assign", node);
        }
        switch (type) {
            case "Task":
                this.task(node);
                break;
            case "Choice":
                this.choice(node);
                break;
            case "Wait":
                this.wait(node);
                break;
            case "Fail":
                this.fail(node);
                break;
            case "Parallel":
                this.parallel(node);
                break;
            case "Map":
                this.map(node);
                break;
            default:
                break;
        }
        if (type === "Task" || type === "Parallel" || type === "Map") {
            this.retry(node);
            this.catch(node);
        }
        if (language === "JSONPath") {
            this.pathFields(node);
        } else {
            this.jsonata(node);
        }
    }

    private stateFields(node: Node, type: string): void {
        const allowed = allowedFields.get(`${type} ${node.language}`)!;
        for (const field of Object.keys(node.fields)) {
            if (allowed.has(field)) {
                continue;
            }
            const other = node.language === "JSONata" ? pathOnly[type] : jsonataOnly[type];
            if (other.includes(field)) {
                const counterpart =
                    node.language === "JSONata"
                        ? "use Arguments, Output and Assign"
                        : "use InputPath, Parameters, ResultSelector, ResultPath and OutputPath, or QueryLanguage JSONata";
                this.at(
                    node,
                    "query-language",
                    field,
                    `${field} belongs to ${node.language === "JSONata" ? "JSONPath" : "JSONata"}, ` +
                        `but this state's query language is ${node.language}: ${counterpart}.`,
                );
            } else {
                this.unknown(field, [...allowed], node.path, node.name, `A ${type} state`);
            }
        }
    }

    private transition(node: Node): void {
        const { Next: next, End: end } = node.fields;
        if (end !== undefined && typeof end !== "boolean") {
            this.at(node, "wrong-value", "End", `End is ${show(end)}, expected true.`);
        }
        if (next !== undefined && end === true) {
            this.at(node, "next-or-end", "", "The state has Next and End: keep exactly one.");
        } else if (next === undefined && end !== true) {
            this.at(
                node,
                "next-or-end",
                "",
                'The state has neither Next nor "End": true: say where the execution goes on.',
            );
        }
        if (next !== undefined) {
            this.nextOf(next, "Next", node);
        }
    }

    private nextOf(target: unknown, field: string, node: Node): void {
        if (typeof target !== "string") {
            this.at(node, "wrong-value", field, `${field} is ${show(target)}, expected the name of a state.`);
        } else if (!node.scope.byName.has(target)) {
            this.target(target, field, node.scope, node.path, node.name);
        }
    }

    private target(target: string, field: string, scope: Scope, path: string, state: string | undefined): void {
        const elsewhere = this.elsewhere(target);
        if (elsewhere !== undefined) {
            this.context.report.add({
                rule: "missing-target",
                path: join(path, field),
                state,
                message: `${field} names "${target}", which lies in another scope (${elsewhere.path}): a transition cannot enter or leave a branch.`,
            });
            return;
        }
        const names = [...scope.byName.keys()];
        const nearest =
            names.length === 0 || names.length > 2000
                ? ""
                : `; the nearest name is "${closest(target.slice(0, longestName), names)}"`;
        this.context.report.add({
            rule: "missing-target",
            path: join(path, field),
            state,
            message: `${field} names "${target}", and there is no such state${nearest}.`,
        });
    }

    private everywhere: Map<string, Node> | undefined;
    private elsewhere(name: string): Node | undefined {
        this.everywhere ??= new Map(this.context.graph.nodes.map((node) => [node.name, node]));
        return this.everywhere.get(name);
    }

    private task(node: Node): void {
        const { Resource: resource, TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = node.fields;
        if (resource === undefined) {
            this.missing("Resource", node.path, node.name, "A Task state");
        } else if (typeof resource !== "string" || resource === "") {
            this.at(
                node,
                "wrong-value",
                "Resource",
                `Resource is ${show(resource)}, expected the ARN of what the Task calls.`,
            );
        }
        this.duration(timeout, "TimeoutSeconds", node.path, node.name, 1, node.language === "JSONata");
        this.duration(heartbeat, "HeartbeatSeconds", node.path, node.name, 1, node.language === "JSONata");
        this.exclusive(node, "TimeoutSeconds", "TimeoutSecondsPath");
        this.exclusive(node, "HeartbeatSeconds", "HeartbeatSecondsPath");
        if (typeof heartbeat === "number" && typeof timeout === "number" && heartbeat >= timeout) {
            this.at(
                node,
                "time-limits",
                "HeartbeatSeconds",
                `HeartbeatSeconds (${heartbeat}) must be smaller than TimeoutSeconds (${timeout}).`,
            );
        }
        if (node.fields.Credentials !== undefined && !isFields(node.fields.Credentials)) {
            this.at(
                node,
                "wrong-value",
                "Credentials",
                `Credentials is ${show(node.fields.Credentials)}, expected an object with RoleArn.`,
            );
        }
    }

    private exclusive(node: Node, one: string, other: string): void {
        if (node.fields[one] !== undefined && node.fields[other] !== undefined) {
            this.at(node, "exclusive-fields", other, `The state has ${one} and ${other}: keep one.`);
        }
    }

    private wait(node: Node): void {
        const names =
            node.language === "JSONata"
                ? ["Seconds", "Timestamp"]
                : ["Seconds", "Timestamp", "SecondsPath", "TimestampPath"];
        const given = names.filter((name) => node.fields[name] !== undefined);
        if (given.length !== 1) {
            this.at(
                node,
                "wait-duration",
                "",
                `A Wait needs exactly one of ${names.join(", ")}, got ${given.length === 0 ? "none" : given.join(" and ")}.`,
            );
        }
        this.duration(node.fields.Seconds, "Seconds", node.path, node.name, 0, node.language === "JSONata");
        const time = node.fields.Timestamp;
        const dynamic = node.language === "JSONata" && typeof time === "string" && time.startsWith("{%");
        if (time !== undefined && !dynamic && (typeof time !== "string" || !timestamp.test(time))) {
            this.at(
                node,
                "wrong-value",
                "Timestamp",
                `Timestamp is ${show(time)}, expected a time such as "2026-01-31T12:00:00Z".`,
            );
        }
    }

    private fail(node: Node): void {
        this.exclusive(node, "Error", "ErrorPath");
        this.exclusive(node, "Cause", "CausePath");
        for (const field of ["Error", "Cause"]) {
            const value = node.fields[field];
            if (value !== undefined && typeof value !== "string") {
                this.at(node, "wrong-value", field, `${field} is ${show(value)}, expected a text.`);
            }
        }
    }

    private parallel(node: Node): void {
        const branches = node.fields.Branches;
        if (branches === undefined) {
            this.missing("Branches", node.path, node.name, "A Parallel state");
        } else if (!Array.isArray(branches) || branches.length === 0) {
            this.at(
                node,
                "wrong-value",
                "Branches",
                `Branches is ${show(branches)}, expected an array of at least one branch.`,
            );
        } else {
            branches.forEach((branch: unknown, index) => {
                if (!isFields(branch)) {
                    this.at(
                        node,
                        "wrong-value",
                        `Branches/${index}`,
                        `The branch is ${show(branch)}, expected an object with StartAt and States.`,
                    );
                }
            });
        }
    }

    private map(node: Node): void {
        const { fields } = node;
        if (innerGraphs(fields).length === 0) {
            const given = fields.ItemProcessor ?? fields.Iterator;
            if (given === undefined) {
                this.missing("ItemProcessor", node.path, node.name, "A Map state");
            } else {
                this.at(
                    node,
                    "wrong-value",
                    fields.ItemProcessor === undefined ? "Iterator" : "ItemProcessor",
                    `The processor is ${show(given)}, expected an object with StartAt and States.`,
                );
            }
        }
        this.exclusive(node, "ItemProcessor", "Iterator");
        this.exclusive(node, "MaxConcurrency", "MaxConcurrencyPath");
        this.exclusive(node, "ToleratedFailureCount", "ToleratedFailureCountPath");
        this.exclusive(node, "ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
        this.exclusive(node, "ItemSelector", "Parameters");
        const jsonata = node.language === "JSONata";
        this.range(fields.MaxConcurrency, "MaxConcurrency", node, 0, Infinity, jsonata);
        this.range(fields.ToleratedFailureCount, "ToleratedFailureCount", node, 0, Infinity, jsonata);
        this.range(fields.ToleratedFailurePercentage, "ToleratedFailurePercentage", node, 0, 100, jsonata);
        const config = isFields(fields.ItemProcessor) ? fields.ItemProcessor.ProcessorConfig : undefined;
        if (config !== undefined) {
            if (!isFields(config)) {
                this.at(
                    node,
                    "wrong-value",
                    "ItemProcessor/ProcessorConfig",
                    `ProcessorConfig is ${show(config)}, expected an object.`,
                );
            } else {
                const { Mode: mode, ExecutionType: execution } = config;
                if (mode !== undefined && mode !== "INLINE" && mode !== "DISTRIBUTED") {
                    this.at(
                        node,
                        "wrong-value",
                        "ItemProcessor/ProcessorConfig/Mode",
                        `Mode is ${show(mode)}, expected "INLINE" or "DISTRIBUTED".`,
                    );
                }
                if (mode === "DISTRIBUTED" && execution !== "STANDARD" && execution !== "EXPRESS") {
                    this.at(
                        node,
                        "wrong-value",
                        "ItemProcessor/ProcessorConfig/ExecutionType",
                        `ExecutionType is ${show(execution)}, expected "STANDARD" or "EXPRESS" in DISTRIBUTED mode.`,
                    );
                }
            }
        }
        if (!innerGraphs(fields).some((graph) => graph.isDistributed)) {
            for (const field of ["ItemReader", "ItemBatcher", "ResultWriter", "Label"]) {
                if (fields[field] !== undefined && innerGraphs(fields).length > 0) {
                    this.at(
                        node,
                        "exclusive-fields",
                        field,
                        `${field} works only in DISTRIBUTED mode; set ItemProcessor.ProcessorConfig.Mode.`,
                    );
                }
            }
        }
        if (typeof fields.Label === "string" && [...fields.Label].length > 40) {
            this.at(
                node,
                "wrong-value",
                "Label",
                `Label has ${[...fields.Label].length} characters; AWS takes at most 40.`,
            );
        }
    }

    private range(value: unknown, field: string, node: Node, least: number, most: number, jsonata: boolean): void {
        if (value === undefined || (jsonata && typeof value === "string" && value.startsWith("{%"))) {
            return;
        }
        if (typeof value !== "number" || value < least || value > most) {
            const wanted = most === Infinity ? `a number of at least ${least}` : `a number from ${least} to ${most}`;
            this.at(node, "wrong-value", field, `${field} is ${show(value)}, expected ${wanted}.`);
        }
    }

    private errorNames(names: unknown, path: string, node: Node): string[] | undefined {
        if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string")) {
            this.at(
                node,
                "error-names",
                `${path}/ErrorEquals`,
                `ErrorEquals is ${show(names)}, expected an array of at least one error name.`,
            );
            return undefined;
        }
        for (const name of names as string[]) {
            if (name.startsWith("States.") && !statesErrors.has(name)) {
                this.at(
                    node,
                    "error-names",
                    `${path}/ErrorEquals`,
                    `There is no error "${name}" (names that begin with "States." are AWS's); ` +
                        `the nearest is "${closest(name.slice(0, 60), [...statesErrors])}".`,
                );
            }
        }
        if (names.includes("States.ALL") && names.length > 1) {
            this.at(node, "states-all", `${path}/ErrorEquals`, "States.ALL must stand alone in ErrorEquals.");
        }
        if (names.includes("States.Runtime")) {
            this.at(
                node,
                "runtime-uncatchable",
                `${path}/ErrorEquals`,
                "States.Runtime is never retried and never caught, also not by name: prevent it, and let a rule outside the state machine notify.",
            );
        }
        return names as string[];
    }

    private handlerList(
        node: Node,
        field: "Retry" | "Catch",
    ): { readonly entry: Fields; readonly path: string; readonly names: readonly string[] }[] {
        const list = node.fields[field];
        if (list === undefined) {
            return [];
        }
        if (!Array.isArray(list)) {
            this.at(node, "wrong-value", field, `${field} is ${show(list)}, expected an array.`);
            return [];
        }
        const found: { entry: Fields; path: string; names: readonly string[] }[] = [];
        const before = new Set<string>();
        list.forEach((entry: unknown, index) => {
            const path = `${field}/${index}`;
            if (!isFields(entry)) {
                this.at(node, "wrong-value", path, `The entry is ${show(entry)}, expected an object with ErrorEquals.`);
                return;
            }
            const names = this.errorNames(entry.ErrorEquals, path, node) ?? [];
            if (names.includes("States.ALL") && index < list.length - 1) {
                this.at(
                    node,
                    "states-all",
                    path,
                    `States.ALL must be in the last entry of ${field}; entries after it would never be used.`,
                );
            }
            for (const name of names) {
                if (before.has(name)) {
                    this.at(
                        node,
                        "error-names",
                        `${path}/ErrorEquals`,
                        `"${name}" stands in an earlier entry of ${field} already: this one is never used for it.`,
                    );
                }
                before.add(name);
            }
            found.push({ entry, path, names });
        });
        return found;
    }

    private retry(node: Node): void {
        const fields = [
            "ErrorEquals",
            "IntervalSeconds",
            "MaxAttempts",
            "BackoffRate",
            "MaxDelaySeconds",
            "JitterStrategy",
            "Comment",
        ];
        for (const { entry, path } of this.handlerList(node, "Retry")) {
            this.knownFields(entry, fields, `${node.path}/${path}`, node.name, "A retrier");
            const number = (field: string, least: number, most: number, integer: boolean): void => {
                const value = entry[field];
                if (value === undefined) {
                    return;
                }
                if (
                    typeof value !== "number" ||
                    value < least ||
                    value > most ||
                    (integer && !Number.isInteger(value))
                ) {
                    this.at(
                        node,
                        "retry-values",
                        `${path}/${field}`,
                        `${field} is ${show(value)}, expected ${integer ? "a whole number" : "a number"} ` +
                            `${most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`}.`,
                    );
                }
            };
            number("IntervalSeconds", 1, longestDuration, true);
            number("MaxAttempts", 0, longestDuration, true);
            number("BackoffRate", 1, Infinity, false);
            number("MaxDelaySeconds", 1, 31_622_399, true);
            if (
                entry.JitterStrategy !== undefined &&
                entry.JitterStrategy !== "FULL" &&
                entry.JitterStrategy !== "NONE"
            ) {
                this.at(
                    node,
                    "retry-values",
                    `${path}/JitterStrategy`,
                    `JitterStrategy is ${show(entry.JitterStrategy)}, expected "FULL" or "NONE".`,
                );
            }
            if (
                typeof entry.MaxDelaySeconds === "number" &&
                typeof entry.IntervalSeconds === "number" &&
                entry.MaxDelaySeconds <= entry.IntervalSeconds
            ) {
                this.at(
                    node,
                    "retry-values",
                    `${path}/MaxDelaySeconds`,
                    `MaxDelaySeconds (${entry.MaxDelaySeconds}) must be larger than IntervalSeconds (${entry.IntervalSeconds}).`,
                );
            }
        }
    }

    private catch(node: Node): void {
        const own = node.language === "JSONata" ? ["Output"] : ["ResultPath"];
        for (const { entry, path } of this.handlerList(node, "Catch")) {
            const other = node.language === "JSONata" ? "ResultPath" : "Output";
            if (entry[other] !== undefined) {
                this.at(
                    node,
                    "query-language",
                    `${path}/${other}`,
                    `${other} in a catcher belongs to ${node.language === "JSONata" ? "JSONPath" : "JSONata"}, ` +
                        `but this state's query language is ${node.language}.`,
                );
            }
            this.knownFields(
                entry,
                ["ErrorEquals", "Next", "Assign", "Comment", ...own, other],
                `${node.path}/${path}`,
                node.name,
                "A catcher",
            );
            if (entry.Next === undefined) {
                this.missing("Next", `${node.path}/${path}`, node.name, "A catcher");
            } else {
                this.nextOf(entry.Next, `${path}/Next`, node);
            }
            if (entry.Assign !== undefined) {
                this.assign(entry.Assign, `${path}/Assign`, node);
            }
            if (node.language === "JSONPath" && entry.ResultPath !== undefined && entry.ResultPath !== null) {
                this.referencePath(entry.ResultPath, `${path}/ResultPath`, node);
            }
        }
    }

    private choice(node: Node): void {
        const { Choices: choices, Default: fallback } = node.fields;
        if (fallback !== undefined) {
            this.nextOf(fallback, "Default", node);
        }
        if (choices === undefined) {
            this.missing("Choices", node.path, node.name, "A Choice state");
            return;
        }
        if (!Array.isArray(choices) || choices.length === 0) {
            this.at(
                node,
                "wrong-value",
                "Choices",
                `Choices is ${show(choices)}, expected an array of at least one rule.`,
            );
            return;
        }
        choices.forEach((rule: unknown, index) => {
            const path = `Choices/${index}`;
            if (!isFields(rule)) {
                this.at(node, "choice-rule", path, `The rule is ${show(rule)}, expected an object with Next.`);
                return;
            }
            if (rule.Next === undefined) {
                this.missing("Next", `${node.path}/${path}`, node.name, "A choice rule");
            } else {
                this.nextOf(rule.Next, `${path}/Next`, node);
            }
            if (rule.Assign !== undefined) {
                this.assign(rule.Assign, `${path}/Assign`, node);
            }
            if (node.language === "JSONata") {
                this.knownFields(
                    rule,
                    ["Condition", "Next", "Assign", "Output", "Comment"],
                    `${node.path}/${path}`,
                    node.name,
                    "A JSONata choice rule",
                );
                const condition = rule.Condition;
                if (condition === undefined) {
                    this.missing("Condition", `${node.path}/${path}`, node.name, "A JSONata choice rule");
                } else if (
                    typeof condition !== "boolean" &&
                    !(typeof condition === "string" && condition.startsWith("{%"))
                ) {
                    this.at(
                        node,
                        "choice-rule",
                        `${path}/Condition`,
                        `Condition is ${show(condition)}, expected an expression {% ... %} or true or false.`,
                    );
                }
            } else {
                this.comparison(rule, path, node);
            }
        });
    }

    private comparison(top: Fields, topPath: string, node: Node): void {
        const work: { rule: Fields; path: string; nested: boolean }[] = [{ rule: top, path: topPath, nested: false }];
        for (let item = work.pop(); item !== undefined; item = work.pop()) {
            const { rule, path, nested } = item;
            const keys = Object.keys(rule).filter(
                (key) => key !== "Comment" && (nested || (key !== "Next" && key !== "Assign")),
            );
            if (nested && rule.Next !== undefined) {
                this.at(node, "choice-rule", `${path}/Next`, "Only the outermost rule may have Next.");
            }
            const combination = ["And", "Or", "Not"].filter((key) => rule[key] !== undefined);
            if (combination.length > 0) {
                if (combination.length > 1 || keys.some((key) => key !== combination[0] && key !== "Next")) {
                    this.at(
                        node,
                        "choice-rule",
                        path,
                        `A rule is either And, Or, Not or one comparison, got ${keys.join(", ")}.`,
                    );
                }
                const parts = rule[combination[0]];
                if (combination[0] === "Not") {
                    if (isFields(parts)) {
                        work.push({ rule: parts, path: `${path}/Not`, nested: true });
                    } else {
                        this.at(node, "choice-rule", `${path}/Not`, `Not is ${show(parts)}, expected a rule.`);
                    }
                } else if (!Array.isArray(parts) || parts.length === 0) {
                    this.at(
                        node,
                        "choice-rule",
                        `${path}/${combination[0]}`,
                        `${combination[0]} is ${show(parts)}, expected an array of at least one rule.`,
                    );
                } else {
                    parts.forEach((part: unknown, index) => {
                        if (isFields(part)) {
                            work.push({ rule: part, path: `${path}/${combination[0]}/${index}`, nested: true });
                        } else {
                            this.at(
                                node,
                                "choice-rule",
                                `${path}/${combination[0]}/${index}`,
                                `The rule is ${show(part)}, expected an object.`,
                            );
                        }
                    });
                }
                continue;
            }
            if (rule.Condition !== undefined) {
                this.at(
                    node,
                    "query-language",
                    `${path}/Condition`,
                    "Condition belongs to JSONata, but this state's query language is JSONPath.",
                );
                continue;
            }
            const comparisons = keys.filter((key) => operators.has(key));
            for (const key of keys) {
                if (key !== "Variable" && key !== "Next" && !operators.has(key)) {
                    this.unknown(
                        key,
                        ["Variable", ...operators.keys()],
                        `${node.path}/${path}`,
                        node.name,
                        "A choice rule",
                    );
                }
            }
            if (comparisons.length !== 1) {
                this.at(
                    node,
                    "choice-rule",
                    path,
                    `A rule needs exactly one comparison, got ${comparisons.length === 0 ? "none" : comparisons.join(" and ")}.`,
                );
            }
            if (rule.Variable === undefined) {
                this.missing("Variable", `${node.path}/${path}`, node.name, "A comparison");
            } else {
                this.anyPath(rule.Variable, `${path}/Variable`, node);
            }
            for (const key of comparisons) {
                const value = rule[key];
                const operand = operators.get(key)!;
                const fits =
                    operand === "path" ||
                    (operand === "timestamp"
                        ? typeof value === "string" && timestamp.test(value)
                        : typeof value === operand);
                if (operand === "path") {
                    this.anyPath(value, `${path}/${key}`, node);
                } else if (!fits) {
                    this.at(node, "choice-rule", `${path}/${key}`, `${key} is ${show(value)}, expected a ${operand}.`);
                }
            }
        }
    }

    private assign(value: unknown, path: string, node: Node): void {
        if (!isFields(value)) {
            this.at(node, "assign", path, `Assign is ${show(value)}, expected an object of variables.`);
            return;
        }
        for (const key of Object.keys(value)) {
            const name = node.language === "JSONPath" && key.endsWith(".$") ? key.slice(0, -2) : key;
            if (name === "states") {
                this.at(node, "assign", `${path}/${segment(key)}`, 'The variable "states" is reserved.');
            } else if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) || [...name].length > longestName) {
                this.at(
                    node,
                    "assign",
                    `${path}/${segment(key)}`,
                    `"${name.slice(0, 100)}" is no name of a variable: ` +
                        `letters, digits and "_", not a digit first, at most ${longestName} characters.`,
                );
            }
        }
        if (node.language === "JSONPath") {
            this.template(value, path, node);
        }
    }

    private pathFields(node: Node): void {
        const { fields } = node;
        for (const field of ["InputPath", "OutputPath"]) {
            const value = fields[field];
            if (value !== undefined && value !== null) {
                this.anyPath(value, field, node);
            }
        }
        if (
            fields.ResultPath !== undefined &&
            fields.ResultPath !== null &&
            pathOnly[node.type!].includes("ResultPath")
        ) {
            this.referencePath(fields.ResultPath, "ResultPath", node);
        }
        for (const field of [
            "ItemsPath",
            "SecondsPath",
            "TimestampPath",
            "TimeoutSecondsPath",
            "HeartbeatSecondsPath",
            "MaxConcurrencyPath",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentagePath",
        ]) {
            if (fields[field] !== undefined && pathOnly[node.type!].includes(field)) {
                this.anyPath(fields[field], field, node);
            }
        }
        for (const field of ["ErrorPath", "CausePath"]) {
            const value = fields[field];
            if (value !== undefined && node.type === "Fail") {
                if (typeof value === "string" && value.startsWith("States.")) {
                    this.intrinsic(value, field, node);
                } else {
                    this.anyPath(value, field, node);
                }
            }
        }
        for (const field of [
            "Parameters",
            "ResultSelector",
            "ItemSelector",
            "Credentials",
            "ItemReader",
            "ResultWriter",
            "ItemBatcher",
        ]) {
            if (fields[field] !== undefined) {
                this.template(fields[field], field, node);
            }
        }
    }

    /** A payload template: a field whose name ends in ".$" holds a path or a call. */
    private template(value: unknown, path: string, node: Node): void {
        for (const leaf of templateLeaves(value)) {
            const where = `${path}/${leaf.path}`;
            if (typeof leaf.value !== "string") {
                this.at(
                    node,
                    "payload-template",
                    where,
                    `A field whose name ends in ".$" holds a path or a call, got ${show(leaf.value)}.`,
                );
            } else if (leaf.value.startsWith("$")) {
                this.anyPath(leaf.value, where, node);
            } else {
                this.intrinsic(leaf.value, where, node);
            }
        }
    }

    private intrinsic(text: string, path: string, node: Node): void {
        const call = parseIntrinsic(text);
        if (typeof call === "string") {
            const name = /^[\w.]+/.exec(text)?.[0] ?? "";
            const nearest =
                name !== "" && !Object.hasOwn(intrinsics, name) && name.startsWith("States")
                    ? ` The nearest is ${closest(name.slice(0, 60), Object.keys(intrinsics))}.`
                    : "";
            this.at(
                node,
                "intrinsic-function",
                path,
                `${show(text)} is neither a path nor a call of an intrinsic function: ${call}.${nearest}`,
            );
        }
    }

    private anyPath(value: unknown, path: string, node: Node): void {
        if (typeof value !== "string") {
            this.at(
                node,
                "json-path",
                path,
                `${path.split("/").pop()!} is ${show(value)}, expected a path such as "$.field".`,
            );
            return;
        }
        const parsed = parsePath(value);
        if (typeof parsed === "string") {
            this.at(node, "json-path", path, `${show(value)} is no JSONPath: ${parsed}.`);
        }
    }

    private referencePath(value: unknown, path: string, node: Node): void {
        const parsed = typeof value === "string" ? parsePath(value) : undefined;
        if (parsed === undefined) {
            this.at(
                node,
                "json-path",
                path,
                `${path.split("/").pop()!} is ${show(value)}, expected a reference path such as "$.field", or null.`,
            );
        } else if (typeof parsed === "string") {
            this.at(node, "json-path", path, `${show(value)} is no reference path: ${parsed}.`);
        } else if (!parsed.definite) {
            this.at(
                node,
                "json-path",
                path,
                `${show(value)} is no reference path: it must name one place, without wildcards, slices, filters or "..".`,
            );
        } else if (parsed.root !== "input") {
            this.at(
                node,
                "json-path",
                path,
                `${show(value)} cannot be written: a ResultPath begins with "$." or is "$".`,
            );
        }
    }

    private jsonata(node: Node): void {
        for (const expression of expressionsOf(node)) {
            const parsed = this.context.expressions.parse(expression.code);
            if (parsed.error !== undefined) {
                this.at(node, "jsonata-syntax", expression.path, `${show(expression.code.trim())}: ${parsed.error}`);
            }
        }
        for (const field of ["Arguments", "Output", "Assign", "Condition", "Error", "Cause", "Items", "ItemSelector"]) {
            const value = node.fields[field];
            if (value === undefined) {
                continue;
            }
            for (const leaf of leaves(value)) {
                if (typeof leaf.value === "string" && leaf.value.startsWith("{%") !== leaf.value.endsWith("%}")) {
                    this.at(
                        node,
                        "jsonata-syntax",
                        `${field}${leaf.path === "" ? "" : `/${leaf.path}`}`,
                        `${show(leaf.value)} begins or ends an expression, but not both: an expression is "{% ... %}" with nothing around it.`,
                    );
                }
                if (leaf.key.endsWith(".$")) {
                    this.at(
                        node,
                        "query-language",
                        `${field}/${leaf.path}`,
                        `The field "${leaf.key}" is written as in JSONPath; in JSONata the value itself is an expression: "{% ... %}".`,
                    );
                }
            }
        }
    }

    private duration(
        value: unknown,
        field: string,
        path: string,
        state: string | undefined,
        least: number,
        jsonata: boolean,
    ): void {
        if (value === undefined || (jsonata && typeof value === "string" && value.startsWith("{%"))) {
            return;
        }
        if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > longestDuration) {
            this.context.report.add({
                rule: "time-limits",
                path: join(path, field),
                state,
                message:
                    `${field} is ${show(value)}, expected a whole number of seconds from ${least} to ${longestDuration.toLocaleString("en")}` +
                    `${jsonata ? ", or an expression {% ... %}" : ""}.`,
            });
        }
    }

    private knownFields(
        fields: Fields,
        known: readonly string[],
        path: string,
        state: string | undefined,
        what: string,
    ): void {
        for (const field of Object.keys(fields)) {
            if (!known.includes(field)) {
                this.unknown(field, known, path, state, what);
            }
        }
    }

    private unknown(
        field: string,
        known: readonly string[],
        path: string,
        state: string | undefined,
        what: string,
    ): void {
        const nearest = closest(field.slice(0, longestName), [...known]);
        this.context.report.add({
            rule: "unknown-field",
            path: join(path, segment(field)),
            state,
            message: `${what} has no field "${field.slice(0, 100)}"; the nearest is "${nearest}".`,
        });
    }

    private missing(field: string, path: string, state: string | undefined, what: string): void {
        this.context.report.add({ rule: "missing-field", path, state, message: `${what} needs the field ${field}.` });
    }

    private type(field: string, path: string, state: string | undefined, expected: string, got: unknown): void {
        this.context.report.add({
            rule: "wrong-value",
            path: join(path, field),
            state,
            message: `${field} is ${show(got)}, expected ${expected}.`,
        });
    }

    private at(node: Node, rule: string, sub: string, message: string): void {
        this.context.report.add({ rule, path: join(node.path, sub), state: node.name, message });
    }
}

const join = (path: string, rest: string): string => (path === "" ? rest : rest === "" ? path : `${path}/${rest}`);

/** A value for a message: short, on one line. */
export function show(value: unknown): string {
    if (value === undefined) {
        return "missing";
    }
    if (Array.isArray(value)) {
        return value.length === 0
            ? "an empty array"
            : value.every((item) => typeof item === "string") && value.length <= 4
              ? `[${value.map((item) => show(item)).join(", ")}]`
              : `an array of ${value.length}`;
    }
    if (typeof value === "object" && value !== null) {
        return Object.keys(value).length === 0 ? "an empty object" : "an object";
    }
    const text = typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
    return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The fields of a payload template whose names end in ".$". */
export function templateLeaves(value: unknown): { readonly path: string; readonly value: unknown }[] {
    const found: { path: string; value: unknown }[] = [];
    const work: { path: string; value: unknown }[] = [{ path: "", value }];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        const { path, value: current } = item;
        if (Array.isArray(current)) {
            current.forEach((element: unknown, index) => {
                if (typeof element === "object" && element !== null) {
                    work.push({ path: join(path, `${index}`), value: element });
                }
            });
        } else if (isFields(current)) {
            for (const key of Object.keys(current)) {
                if (key.endsWith(".$")) {
                    found.push({ path: join(path, segment(key)), value: current[key] });
                } else if (typeof current[key] === "object" && current[key] !== null) {
                    work.push({ path: join(path, segment(key)), value: current[key] });
                }
            }
        }
    }
    return found;
}
