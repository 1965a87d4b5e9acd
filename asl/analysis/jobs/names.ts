/** Names of jobs and executions: short enough, and new at every call. */
import { catchers, isFields, retriers } from "../definition";
import type { Context } from "../context";
import { cycles } from "../cycles";
import { expressionIn } from "../expressions";
import { describeSteps, type Step } from "../findings";
import type { Edge, Node } from "../graph";
import { calledName, childrenOf, type Ast } from "../jsonata";
import type { Integration } from "../models";
import { parseIntrinsic, parsePath, pathsIn, type ParsedPath } from "../paths";
import { assignsOf } from "../assignments";
import { variablesIn } from "../reads";
import { only, present } from "../values";
import type { Variables } from "../variables";
import { lastStep, type Ways } from "../ways";
import { fieldValue, payloadField, payloadOf } from "./values";

interface Name {
    readonly field: string;
    /** Characters. */
    readonly limit: number;
}

/** Names that AWS refuses when they were used before. */
const UNIQUE_NAMES: ReadonlyMap<string, Name> = new Map([
    ["sagemaker createTrainingJob", { field: "TrainingJobName", limit: 63 }],
    ["sagemaker createProcessingJob", { field: "ProcessingJobName", limit: 63 }],
    ["sagemaker createTransformJob", { field: "TransformJobName", limit: 63 }],
    ["sagemaker createHyperParameterTuningJob", { field: "HyperParameterTuningJobName", limit: 32 }],
    ["sagemaker createLabelingJob", { field: "LabelingJobName", limit: 63 }],
    ["states startExecution", { field: "Name", limit: 80 }],
]);
const NAMES: ReadonlyMap<string, Name> = new Map([
    ...UNIQUE_NAMES,
    ["batch submitJob", { field: "JobName", limit: 128 }],
]);

/** Members whose lengths are judged here: "batch JobName". */
export const LIMITED_NAMES: ReadonlySet<string> = new Set(
    [...NAMES].map(([call, { field }]) => `${call.slice(0, call.indexOf(" "))} ${field}`),
);

/** Functions whose results differ at every evaluation. */
const FRESH = ["uuid", "random", "now", "millis"];

/** @param loop the states of the cycle that the Task lies in */
export function checkNames(
    context: Context,
    ways: Ways,
    variables: Variables,
    node: Node,
    integration: Integration,
    loop: readonly Node[] | undefined,
): void {
    const call = `${integration.service} ${integration.operation}`;
    const name = NAMES.get(call);
    if (name !== undefined) {
        checkLength(context, variables, node, integration, name);
    }
    const unique = UNIQUE_NAMES.get(call);
    const sources = unique === undefined ? undefined : sourcesOf(context, node, unique.field);
    if (unique !== undefined && sources !== undefined) {
        for (const { message, steps } of repetitions(ways, node, sources, loop)) {
            const text =
                steps === undefined
                    ? undefined
                    : describeSteps(steps, `${integration.operation} is called with the same name again`);
            context.report.add({
                rule: "fixed-job-name",
                path: `${node.path}/${payloadField(node)}`,
                state: node.name,
                message: `${unique.field}: ${message}`,
                counterExample: steps,
                counterExampleText: text,
            });
        }
    }
}

function checkLength(
    context: Context,
    variables: Variables,
    node: Node,
    { service }: Integration,
    { field, limit }: Name,
): void {
    const value = fieldValue(context, variables, node, field);
    const set = value === undefined || !only(present(value), "text") ? undefined : value.text;
    if (set === undefined || (set.min <= limit && (set.max <= limit || set.max === Infinity))) {
        return;
    }
    const length = set.min > limit ? `has at least ${set.min}` : `may have up to ${set.max}`;
    context.report.add({
        rule: "job-name-too-long",
        path: `${node.path}/${payloadField(node)}/${field}`,
        state: node.name,
        message:
            `${field} ${length} characters; ${service} takes at most ${limit}: ` +
            `shorten or hash what it is made of.`,
    });
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

const FIXED: Sources = { reads: new Set(), fresh: false, retryCount: false, fixed: true };

function sourcesOf(context: Context, node: Node, field: string): Sources | undefined {
    const payload = payloadOf(node);
    if (!isFields(payload)) {
        return undefined;
    }
    const plain = payload[field] === undefined ? undefined : FIXED;
    if (node.language === "JSONata") {
        const code = expressionIn(payload[field]);
        return code === undefined ? plain : ofExpression(context, code);
    }
    const source = payload[`${field}.$`];
    return typeof source === "string" ? ofPath(source) : plain;
}

function ofExpression(context: Context, code: string): Sources | undefined {
    const { ast } = context.expressions.parse(code);
    if (ast === undefined) {
        return undefined;
    }
    const { read } = variablesIn(ast);
    const called = functionsIn(ast);
    return {
        reads: read,
        fresh: FRESH.some((name) => called.has(name)),
        retryCount: code.includes("RetryCount"),
        fixed: read.size === 0 && called.size === 0 && !code.includes("$states"),
    };
}

function ofPath(source: string): Sources {
    const paths = pathsOf(source);
    return {
        reads: new Set(paths.flatMap((path) => placeOf(path) ?? [])),
        fresh: source.includes("States.UUID") || source.includes("States.MathRandom"),
        retryCount: source.includes("RetryCount"),
        fixed: paths.length === 0 && !source.startsWith("States."),
    };
}

function pathsOf(source: string): readonly ParsedPath[] {
    if (source.startsWith("States.")) {
        const call = parseIntrinsic(source);
        return typeof call === "string" ? [] : pathsIn(call).map(({ path }) => path);
    }
    const path = parsePath(source);
    return typeof path === "string" ? [] : [path];
}

function placeOf({ root, segments }: ParsedPath): string | undefined {
    if (typeof root === "object") {
        return root.variable;
    }
    return root === "input" ? `$.${segments.join(".")}` : undefined;
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

interface Repetition {
    readonly message: string;
    readonly steps?: Step[];
}

/** The ways on which a call is made with a name that was used. */
function repetitions(ways: Ways, node: Node, sources: Sources, loop: readonly Node[] | undefined): Repetition[] {
    if (sources.fixed) {
        const message =
            "the name is a constant, and AWS refuses a name that was used before: the second execution fails. " +
            "Make it from the execution's name.";
        return [{ message }];
    }
    const found: Repetition[] = [];
    const isRetried = retriers(node.fields).some((retrier) => retrier.MaxAttempts !== 0);
    if (isRetried && !sources.retryCount && !sources.fresh) {
        found.push({
            message:
                "every attempt of the Retry uses the same name, and AWS refuses a name that was used before: " +
                "put $states.context.State.RetryCount into it.",
            steps: [
                ...ways.to(node),
                lastStep(node, "error", "SageMaker.AmazonSageMakerException"),
                lastStep(node, "next"),
            ],
        });
    }
    const round = loop === undefined || sources.fresh ? undefined : roundWithTheSame(ways, node, sources, loop);
    if (round !== undefined) {
        found.push({
            message:
                "a way round the loop changes nothing that the name is made of, and AWS refuses a name that was " +
                "used before: count the rounds in a variable, and put it into the name.",
            steps: [...ways.to(node), ...round, lastStep(node, "next")],
        });
    }
    return found;
}

/** The shortest way round a loop that writes nothing that the name is made of. */
function roundWithTheSame(ways: Ways, node: Node, { reads }: Sources, loop: readonly Node[]): Step[] | undefined {
    const inside = new Set(loop);
    const renews = (edge: Edge): boolean => [...reads].some((read) => writes(edge, read));
    const allowed = (edge: Edge): boolean => inside.has(edge.to) && !renews(edge);
    if (!cycles(loop, (from) => from.out.filter(allowed)).some((part) => part.includes(node))) {
        return undefined;
    }
    let shortest: Step[] | undefined;
    for (const edge of node.out.filter(allowed)) {
        const way = ways.between(edge.to, (to) => to === node, allowed);
        const first =
            edge.kind === "catch"
                ? { ...lastStep(node, "error", "States.TaskFailed"), index: edge.index }
                : lastStep(node, "next");
        if (way !== undefined && way.steps.length + 1 < (shortest?.length ?? Infinity)) {
            shortest = [first, ...way.steps];
        }
    }
    return shortest;
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
