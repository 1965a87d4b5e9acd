/**
 * Calls of services: fields that the service knows, job names that differ, hyperparameters that are texts, Spot with what it needs,
 * retries that end.
 */
import { closest } from "fastest-levenshtein";
import { formatDuration } from "../../ground/duration";
import type { Context } from "./context";
import { evaluate } from "./evaluate";
import { describeSteps } from "./findings";
import { cycles } from "./cycles";
import { catchers, isFields, segment, type Fields } from "./definition";
import { reachable, type Edge, type Node } from "./graph";
import { calledName, childrenOf, type Ast } from "./jsonata";
import { integrationOf, services, type Integration, type Service, type Shape } from "./models";
import { parseIntrinsic, parsePath, pathsIn, type Call } from "./paths";
import { show } from "./structure";
import { anyJson, constant, isNothing, kinds, only, present, text, textOf, textValue, type Value } from "./values";
import { assignsOf } from "./assignments";
import { variablesIn } from "./reads";
import type { Variables } from "./variables";
import { expressionIn, leaves } from "./expressions";
import { lastStep, type Ways } from "./ways";

/** Fields that the service takes as a text, and Step Functions as any JSON value. */
const freeJson = new Set([
    "lambda Payload",
    "lambda ClientContext",
    "sns Message",
    "sqs MessageBody",
    "events Detail",
    "states Input",
]);
const waits = new Set(["lambda", "sns", "sqs", "ecs", "events", "states"]);
const syncs = new Set(["batch", "sagemaker", "ecs", "glue", "states"]);

/** Names that AWS refuses when they were used before, and their limits in characters. */
const uniqueNames: { readonly [call: string]: { readonly field: string; readonly limit: number } } = {
    "sagemaker createTrainingJob": { field: "TrainingJobName", limit: 63 },
    "sagemaker createProcessingJob": { field: "ProcessingJobName", limit: 63 },
    "sagemaker createTransformJob": { field: "TransformJobName", limit: 63 },
    "sagemaker createHyperParameterTuningJob": { field: "HyperParameterTuningJobName", limit: 32 },
    "sagemaker createLabelingJob": { field: "LabelingJobName", limit: 63 },
    "states startExecution": { field: "Name", limit: 80 },
};
const limitedNames: { readonly [call: string]: { readonly field: string; readonly limit: number } } = {
    ...uniqueNames,
    "batch submitJob": { field: "JobName", limit: 128 },
};

/** A retrier that waits longer than this in all keeps everybody waiting for a failure that is known: seconds. */
const longestRetry = 3600;

export const payloadOf = (node: Node): unknown =>
    node.language === "JSONata" ? node.fields.Arguments : node.fields.Parameters;

export function checkJobs(context: Context, ways: Ways, variables: Variables): void {
    const looping = new Map<Node, readonly Node[]>();
    for (const scope of context.graph.scopes) {
        const seen = reachable(scope);
        for (const component of cycles(
            scope.nodes.filter((node) => seen[node.index] === 1),
            (node) => node.out,
        )) {
            component.forEach((node) => looping.set(node, component));
        }
    }
    for (const node of context.graph.nodes) {
        if (node.type !== "Task") {
            continue;
        }
        retries(context, node);
        const integration = integrationOf(node.fields.Resource);
        const service = integration === undefined ? undefined : services[integration.service];
        if (integration === undefined || service === undefined) {
            continue;
        }
        new PayloadCheck(context, variables, node, integration, service).check();
        names(context, ways, variables, node, integration, looping.get(node));
        if (integration.service === "sagemaker") {
            sagemaker(context, variables, node, integration, looping.has(node));
        }
    }
}

/** The seconds that a retrier waits when every attempt fails. */
export function retrySeconds(retrier: Fields): number {
    const number = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);
    const attempts = Math.min(number(retrier.MaxAttempts, 3), 100_000);
    const rate = number(retrier.BackoffRate, 2);
    const most = number(retrier.MaxDelaySeconds, Infinity);
    let wait = number(retrier.IntervalSeconds, 1);
    let sum = 0;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
        sum += Math.min(wait, most);
        wait = Math.min(wait * rate, Number.MAX_SAFE_INTEGER);
    }
    return sum;
}

export function retriers(fields: Fields): readonly Fields[] {
    return Array.isArray(fields.Retry) ? fields.Retry.filter(isFields) : [];
}

function retries(context: Context, node: Node): void {
    const limit = context.graph.definition.TimeoutSeconds;
    retriers(node.fields).forEach((retrier, index) => {
        const sum = retrySeconds(retrier);
        const beyond = typeof limit === "number" && sum >= limit;
        if (sum > longestRetry || beyond) {
            context.report.add({
                rule: "retry-span",
                severity: beyond ? "error" : undefined,
                path: `${node.path}/Retry/${index}`,
                state: node.name,
                message:
                    `This retrier waits ${formatDuration(sum)} in all before the failure is told${beyond ? `, longer than the execution may run (${limit} seconds)` : ""}: ` +
                    `lower MaxAttempts, or set MaxDelaySeconds.`,
            });
        }
        const names = Array.isArray(retrier.ErrorEquals) ? retrier.ErrorEquals : [];
        const lump = names.find(
            (name) =>
                typeof name === "string" &&
                (/^[A-Za-z]+\.Amazon[A-Za-z]+Exception$/.test(name) ||
                    ((name === "States.ALL" || name === "States.TaskFailed") && isJob(node))),
        );
        if (lump !== undefined && retrier.MaxAttempts !== 0) {
            context.report.add({
                rule: "retry-indiscriminate",
                path: `${node.path}/Retry/${index}`,
                state: node.name,
                message:
                    `"${String(lump)}" covers throttling, wrong input and missing permission alike, and a Retry cannot tell them apart: ` +
                    `catch it, classify by its cause, and repeat only what can pass.`,
            });
        }
    });
}

function isJob(node: Node): boolean {
    const integration = integrationOf(node.fields.Resource);
    return integration !== undefined && (integration.pattern.startsWith("sync") || integration.service === "sagemaker");
}

/** A payload checked against the model of the call. */
class PayloadCheck {
    private readonly environment;
    private readonly field: string;

    constructor(
        private readonly context: Context,
        private readonly variables: Variables,
        private readonly node: Node,
        private readonly integration: Integration,
        private readonly service: Service,
    ) {
        this.environment = variables.environment(node, "state");
        this.field = node.language === "JSONata" ? "Arguments" : "Parameters";
    }

    check(): void {
        const { service: name, operation, pattern } = this.integration;
        const input = this.service.calls[operation];
        if (input === undefined) {
            const known = Object.keys(this.service.calls);
            this.at(
                "api-call",
                "Resource",
                `Step Functions has no optimised call ${name}:${operation}; the nearest is ${name}:${closest(operation, known)}.`,
            );
            return;
        }
        const allowed =
            pattern === "" ||
            (pattern === "waitForTaskToken"
                ? waits.has(name)
                : pattern === "sync:2"
                  ? name === "states"
                  : pattern === "sync" && syncs.has(name));
        if (!allowed) {
            this.at("api-call", "Resource", `${name}:${operation} cannot be called with ".${pattern}".`);
        }
        const payload = payloadOf(this.node);
        if (
            pattern === "waitForTaskToken" &&
            !leaves(payload).some((leaf) => typeof leaf.value === "string" && leaf.value.includes("Task.Token"))
        ) {
            this.at(
                "task-token",
                this.field,
                "The Task waits for its token to come back, but does not send it ($states.context.Task.Token or $$.Task.Token): it waits for ever.",
            );
        }
        if (isFields(payload)) {
            this.value(payload, this.service.shapes[input], this.field, "");
        } else if (payload === undefined) {
            this.required({}, this.service.shapes[input], this.field);
        }
    }

    private at(rule: string, sub: string, message: string): void {
        this.context.report.add({ rule, path: `${this.node.path}/${sub}`, state: this.node.name, message });
    }

    private required(given: Fields, shape: Shape, path: string): void {
        for (const name of shape.required ?? []) {
            if (given[name] === undefined && given[`${name}.$`] === undefined) {
                this.at(
                    "api-missing-field",
                    path,
                    `${this.integration.service}:${this.integration.operation} needs ${name} here.`,
                );
            }
        }
    }

    /** Recursion follows the models' shapes, and payloads are at most 200 deep. */
    private value(value: unknown, shape: Shape | undefined, path: string, member: string): void {
        if (shape === undefined || freeJson.has(`${this.integration.service} ${member}`)) {
            return;
        }
        const code = this.node.language === "JSONata" ? expressionIn(value) : undefined;
        if (code !== undefined) {
            const ast = this.context.expressions.parse(code).ast;
            if (ast !== undefined) {
                this.set(evaluate(ast, this.environment).value, shape, path, member);
            }
            return;
        }
        if (shape.type === "structure" && isFields(value)) {
            const members = shape.members ?? {};
            for (const key of Object.keys(value)) {
                const dynamic = this.node.language === "JSONPath" && key.endsWith(".$");
                const name = dynamic ? key.slice(0, -2) : key;
                const inner = Object.hasOwn(members, name) ? members[name] : undefined;
                if (inner === undefined) {
                    const known = Object.keys(members);
                    this.at(
                        "api-unknown-field",
                        `${path}/${segment(key)}`,
                        `${this.integration.service}:${this.integration.operation} has no field "${name.slice(0, 80)}" here` +
                            `${known.length === 0 ? "." : `; the nearest is "${closest(name.slice(0, 80), known)}".`}`,
                    );
                } else if (!dynamic) {
                    this.value(value[key], this.service.shapes[inner], `${path}/${segment(key)}`, name);
                }
            }
            this.required(value, shape, path);
            return;
        }
        if (shape.type === "map" && isFields(value)) {
            for (const key of Object.keys(value)) {
                if (!(this.node.language === "JSONPath" && key.endsWith(".$")) && member !== "HyperParameters") {
                    this.value(value[key], this.service.shapes[shape.value!], `${path}/${segment(key)}`, key);
                }
            }
            return;
        }
        if (shape.type === "list" && Array.isArray(value)) {
            value.forEach((item, index) =>
                this.value(item, this.service.shapes[shape.member!], `${path}/${index}`, ""),
            );
            return;
        }
        this.set(constant(value), shape, path, member);
    }

    private set(value: Value, shape: Shape, path: string, member: string): void {
        const known = present(value);
        if (isNothing(known)) {
            return;
        }
        const wanted = wantedKinds(shape);
        if (wanted !== undefined && !kinds(known).some((kind) => wanted.includes(kind))) {
            this.at(
                "api-value",
                path,
                `${last(path)} is ${kinds(known).join(" or ")}, expected ${shape.type === "structure" || shape.type === "map" ? "an object" : `a ${shape.type}`}.`,
            );
            return;
        }
        if (known.text !== undefined && only(known, "text")) {
            const { values, min, max } = known.text;
            const limited = Object.values(limitedNames).some((entry) => entry.field === member);
            if (shape.enum !== undefined && values !== undefined) {
                const wrong = values.find((item) => !shape.enum!.includes(item));
                if (wrong !== undefined) {
                    this.at(
                        "api-value",
                        path,
                        `${last(path)} may be ${show(wrong)}, expected one of ${shape.enum.slice(0, 12).join(", ")}; ` +
                            `the nearest is "${closest(wrong.slice(0, 60), [...shape.enum])}".`,
                    );
                }
            } else if (
                shape.type === "string" &&
                !limited &&
                shape.max !== undefined &&
                (min > shape.max || (max > shape.max && max < Infinity))
            ) {
                this.at(
                    "api-value",
                    path,
                    `${last(path)} may have ${max < Infinity ? max : min} characters; ${this.integration.service} takes at most ${shape.max}.`,
                );
            } else if (shape.type === "string" && !limited && max < (shape.min ?? 0)) {
                this.at(
                    "api-value",
                    path,
                    `${last(path)} is too short: ${this.integration.service} wants at least ${shape.min} characters.`,
                );
            }
        }
        if (
            known.number !== undefined &&
            only(known, "number") &&
            (shape.type === "integer" || shape.type === "long")
        ) {
            const { lo, hi } = known.number;
            if ((shape.max !== undefined && lo > shape.max) || (shape.min !== undefined && hi < shape.min)) {
                this.at(
                    "api-value",
                    path,
                    `${last(path)} is ${lo === hi ? lo : `${lo} to ${hi}`}; ${this.integration.service} takes ${shape.min ?? "..."} to ${shape.max ?? "..."}.`,
                );
            }
        }
    }
}

const last = (path: string): string => path.split("/").pop()!;

/** Kinds that a shape accepts; numbers and booleans as texts are left alone, since Step Functions converts some. */
function wantedKinds(shape: Shape): readonly string[] | undefined {
    switch (shape.type) {
        case "structure":
        case "map":
            return ["object"];
        case "list":
            return ["array"];
        case "string":
            return ["text"];
        case "integer":
        case "long":
        case "float":
        case "double":
            return ["number", "text"];
        case "boolean":
            return ["boolean", "text"];
        default:
            return undefined;
    }
}

/** What a text of the payload may be: an expression, a path, a call, or the text itself. */
function fieldValue(context: Context, variables: Variables, node: Node, field: string): Value | undefined {
    const payload = payloadOf(node);
    if (!isFields(payload)) {
        return undefined;
    }
    const dynamic = node.language === "JSONPath" ? payload[`${field}.$`] : undefined;
    if (typeof dynamic === "string") {
        return pathText(dynamic);
    }
    const value = payload[field];
    const code = node.language === "JSONata" ? expressionIn(value) : undefined;
    if (code === undefined) {
        return value === undefined ? undefined : constant(value);
    }
    const ast = context.expressions.parse(code).ast;
    return ast === undefined ? undefined : evaluate(ast, variables.environment(node, "state")).value;
}

function pathText(source: string): Value {
    if (source.startsWith("$$.")) {
        const known = ["$$.Execution.Name", "$$.StateMachine.Name", "$$.State.Name"].includes(source);
        return known
            ? textOf({ min: 1, max: 80, prefix: "" })
            : source.endsWith("RetryCount")
              ? textOf({ min: 1, max: 8, prefix: "" })
              : anyJson;
    }
    const call = source.startsWith("States.") ? parseIntrinsic(source) : undefined;
    return call === undefined || typeof call === "string" ? anyJson : callText(call);
}

function callText(call: Call): Value {
    if (call.name === "States.UUID") {
        return textOf({ min: 36, max: 36, prefix: "" });
    }
    const [format, ...rest] = call.arguments;
    if (call.name !== "States.Format" || format?.kind !== "constant" || typeof format.value !== "string") {
        return textValue;
    }
    let min = format.value.replace(/\{\}/g, "").length;
    let max = min;
    for (const argument of rest) {
        const value =
            argument.kind === "constant"
                ? text(String(argument.value))
                : argument.kind === "call"
                  ? callText(argument.call)
                  : pathText(argument.text);
        min += value.text?.min ?? 0;
        max += only(value, "text") ? value.text!.max : Infinity;
    }
    return textOf({ min, max, prefix: "" });
}

/** What a name depends on. */
interface Sources {
    /** Variables ("n") and places of the JSONPath input ("$.a.b"). */
    readonly reads: ReadonlySet<string>;
    /** Differs at every evaluation: a UUID, a random number, the time. */
    readonly fresh: boolean;
    readonly retryCount: boolean;
    readonly fixed: boolean;
}

function sourcesOf(context: Context, node: Node, field: string): Sources | undefined {
    const payload = payloadOf(node);
    if (!isFields(payload)) {
        return undefined;
    }
    if (node.language === "JSONata") {
        const code = expressionIn(payload[field]);
        if (code === undefined) {
            return payload[field] === undefined
                ? undefined
                : { reads: new Set(), fresh: false, retryCount: false, fixed: true };
        }
        const ast = context.expressions.parse(code).ast;
        if (ast === undefined) {
            return undefined;
        }
        const { read } = variablesIn(ast);
        const called = functionsIn(ast);
        return {
            reads: read,
            fresh: ["uuid", "random", "now", "millis"].some((name) => called.has(name)),
            retryCount: code.includes("RetryCount"),
            fixed: read.size === 0 && called.size === 0 && !code.includes("$states"),
        };
    }
    const source = payload[`${field}.$`];
    if (typeof source !== "string") {
        return payload[field] === undefined
            ? undefined
            : { reads: new Set(), fresh: false, retryCount: false, fixed: true };
    }
    const call = source.startsWith("States.") ? parseIntrinsic(source) : undefined;
    const own = parsePath(source);
    const paths =
        call !== undefined && typeof call !== "string"
            ? pathsIn(call).map((inner) => inner.path)
            : typeof own === "string"
              ? []
              : [own];
    return {
        reads: new Set(
            paths.flatMap((path) =>
                typeof path.root === "object"
                    ? [path.root.variable]
                    : path.root === "input"
                      ? [`$.${path.segments.join(".")}`]
                      : [],
            ),
        ),
        fresh: source.includes("States.UUID") || source.includes("States.MathRandom"),
        retryCount: source.includes("RetryCount"),
        fixed: paths.length === 0 && !source.startsWith("States."),
    };
}

function functionsIn(ast: Ast): Set<string> {
    const found = new Set<string>();
    const work = [ast];
    for (let node = work.pop(); node !== undefined; node = work.pop()) {
        const name = calledName(node);
        if (name !== undefined) {
            found.add(name);
        }
        work.push(...childrenOf(node));
    }
    return found;
}

function names(
    context: Context,
    ways: Ways,
    variables: Variables,
    node: Node,
    integration: Integration,
    component: readonly Node[] | undefined,
): void {
    const call = `${integration.service} ${integration.operation}`;
    const limited = limitedNames[call];
    const field = node.language === "JSONata" ? "Arguments" : "Parameters";
    if (limited !== undefined) {
        const value = fieldValue(context, variables, node, limited.field);
        const set = value === undefined || !only(present(value), "text") ? undefined : value.text;
        if (set !== undefined && (set.min > limited.limit || (set.max > limited.limit && set.max < Infinity))) {
            context.report.add({
                rule: "job-name-too-long",
                path: `${node.path}/${field}/${limited.field}`,
                state: node.name,
                message:
                    `${limited.field} ${set.min > limited.limit ? `has at least ${set.min}` : `may have up to ${set.max}`} characters; ` +
                    `${integration.service} takes at most ${limited.limit}: shorten or hash what it is made of.`,
            });
        }
    }
    const unique = uniqueNames[call];
    const sources = unique === undefined ? undefined : sourcesOf(context, node, unique.field);
    if (unique === undefined || sources === undefined) {
        return;
    }
    const report = (message: string, steps?: ReturnType<Ways["to"]>): void => {
        context.report.add({
            rule: "fixed-job-name",
            path: `${node.path}/${field}`,
            state: node.name,
            message: `${unique.field}: ${message}`,
            counterExample: steps,
            counterExampleText:
                steps === undefined
                    ? undefined
                    : describeSteps(steps, `${integration.operation} is called with the same name again`),
        });
    };
    if (sources.fixed) {
        report(
            "the name is a constant, and AWS refuses a name that was used before: the second execution fails. Make it from the execution's name.",
        );
        return;
    }
    if (retriers(node.fields).some((retrier) => retrier.MaxAttempts !== 0) && !sources.retryCount && !sources.fresh) {
        report(
            "every attempt of the Retry uses the same name, and AWS refuses a name that was used before: put $states.context.State.RetryCount into it.",
            [...ways.to(node), lastStep(node, "error", "SageMaker.AmazonSageMakerException"), lastStep(node, "next")],
        );
    }
    if (component !== undefined && !sources.fresh) {
        const inside = new Set(component);
        const renews = (edge: Edge): boolean => [...sources.reads].some((read) => writes(edge, read));
        const allowed = (edge: Edge): boolean => inside.has(edge.to) && !renews(edge);
        const same = cycles(component, (from) => from.out.filter(allowed)).find((part) => part.includes(node));
        const again =
            same === undefined
                ? undefined
                : node.out
                      .filter(allowed)
                      .map((edge) => ({ edge, way: ways.between(edge.to, (to) => to === node, allowed) }))
                      .filter((candidate) => candidate.way !== undefined)
                      .sort((a, b) => a.way!.steps.length - b.way!.steps.length)[0];
        if (again !== undefined) {
            const first =
                again.edge.kind === "catch"
                    ? { ...lastStep(node, "error", "States.TaskFailed"), index: again.edge.index }
                    : lastStep(node, "next");
            report(
                "a way round the loop changes nothing that the name is made of, and AWS refuses a name that was used before: count the rounds in a variable, and put it into the name.",
                [...ways.to(node), first, ...again.way!.steps, lastStep(node, "next")],
            );
        }
    }
}

/** Does taking the edge write what is read? A result that replaces the whole input is no new name. */
function writes(edge: Edge, read: string): boolean {
    const assigns = assignsOf(edge);
    if (!read.startsWith("$.")) {
        return Object.hasOwn(assigns, read) || Object.hasOwn(assigns, `${read}.$`);
    }
    const { fields } = edge.from;
    const entry =
        edge.kind === "catch" ? catchers(fields).find((catcher) => catcher.index === edge.index)?.fields : fields;
    const target = typeof entry?.ResultPath === "string" ? parsePath(entry.ResultPath) : undefined;
    if (target === undefined || typeof target === "string" || target.segments.length === 0) {
        return false;
    }
    const at = `$.${target.segments.join(".")}`;
    return read === at || read.startsWith(`${at}.`);
}

function sagemaker(context: Context, variables: Variables, node: Node, integration: Integration, loops: boolean): void {
    const field = node.language === "JSONata" ? "Arguments" : "Parameters";
    const payload = payloadOf(node);
    if (integration.pattern.startsWith("sync") && !loops && retriers(node.fields).length === 0) {
        context.report.add({
            rule: "throttling-unhandled",
            path: node.path,
            state: node.name,
            message:
                `${integration.operation} is throttled now and then, and nothing repeats the call here: ` +
                `catch SageMaker.AmazonSageMakerException, classify its cause, and repeat what was throttled, a bounded number of times.`,
        });
    }
    if (!isFields(payload)) {
        return;
    }
    if (integration.operation === "createTrainingJob") {
        hyperparameters(context, variables, node, payload.HyperParameters, `${field}/HyperParameters`);
        spot(context, variables, node, payload, field);
    }
}

function hyperparameters(context: Context, variables: Variables, node: Node, given: unknown, path: string): void {
    const at = (sub: string, message: string): void => {
        context.report.add({ rule: "hyperparameters", path: `${node.path}/${path}${sub}`, state: node.name, message });
    };
    if (!isFields(given)) {
        return;
    }
    const keys = Object.keys(given);
    if (keys.length > 100) {
        at("", `There are ${keys.length} hyperparameters; SageMaker takes at most 100.`);
    }
    const environment = variables.environment(node, "state");
    for (const key of keys) {
        const dynamic = node.language === "JSONPath" && key.endsWith(".$");
        const name = dynamic ? key.slice(0, -2) : key;
        if (name.length > 256) {
            at(`/${segment(key)}`, `The name has ${name.length} characters; SageMaker takes at most 256.`);
        }
        if (dynamic) {
            continue;
        }
        const code = node.language === "JSONata" ? expressionIn(given[key]) : undefined;
        const ast = code === undefined ? undefined : context.expressions.parse(code).ast;
        const value =
            ast === undefined
                ? code === undefined
                    ? constant(given[key])
                    : anyJson
                : evaluate(ast, environment).value;
        const known = present(value);
        if (!isNothing(known) && known.text === undefined) {
            at(
                `/${segment(key)}`,
                `${name} is ${code === undefined ? show(given[key]) : kinds(known).join(" or ")}; SageMaker takes texts only: encode it where the parameter is made.`,
            );
        } else if (
            known.text !== undefined &&
            (known.text.min > 2500 || (known.text.max > 2500 && known.text.max < Infinity))
        ) {
            at(
                `/${segment(key)}`,
                `${name} may have ${known.text.max < Infinity ? known.text.max : known.text.min} characters; SageMaker takes at most 2,500.`,
            );
        }
    }
}

function spot(context: Context, variables: Variables, node: Node, payload: Fields, field: string): void {
    const at = (message: string): void => {
        context.report.add({ rule: "spot", path: `${node.path}/${field}`, state: node.name, message });
    };
    const value = (given: unknown): Value =>
        node.language === "JSONata"
            ? variables.template(given, variables.environment(node, "state")).value
            : constant(given);
    const enabled = payload.EnableManagedSpotTraining;
    if (enabled === undefined || !value(enabled).true) {
        return;
    }
    if (payload.CheckpointConfig === undefined && payload["CheckpointConfig.$"] === undefined) {
        at("Spot training without CheckpointConfig: after an interruption everything is trained again.");
    }
    const condition = payload.StoppingCondition;
    if (condition === undefined && payload["StoppingCondition.$"] === undefined) {
        at("Spot training without StoppingCondition.MaxWaitTimeInSeconds: SageMaker refuses it.");
    } else if (isFields(condition)) {
        const wait = condition.MaxWaitTimeInSeconds;
        const run = condition.MaxRuntimeInSeconds;
        if (wait === undefined && condition["MaxWaitTimeInSeconds.$"] === undefined) {
            at("Spot training without StoppingCondition.MaxWaitTimeInSeconds: SageMaker refuses it.");
        } else if (wait !== undefined && run !== undefined) {
            const most = value(wait).number;
            const least = value(run).number;
            if (most !== undefined && least !== undefined && most.hi < least.lo) {
                at(`MaxWaitTimeInSeconds (${most.hi}) must be at least MaxRuntimeInSeconds (${least.lo}).`);
            }
        }
    }
}

/** The upper bound of a payload's number, such as StoppingCondition.MaxRuntimeInSeconds. */
export function payloadNumber(
    context: Context,
    variables: Variables,
    node: Node,
    ...path: readonly string[]
): number | undefined {
    let value: unknown = payloadOf(node);
    for (const part of path) {
        value = isFields(value) ? value[part] : undefined;
    }
    if (typeof value === "number") {
        return value;
    }
    const code = node.language === "JSONata" ? expressionIn(value) : undefined;
    const ast = code === undefined ? undefined : context.expressions.parse(code).ast;
    const range = ast === undefined ? undefined : evaluate(ast, variables.environment(node, "state")).value.number;
    return range === undefined || range.hi === Infinity ? undefined : range.hi;
}
