/** SageMaker: throttling, hyperparameters, Spot, and trainings that were stopped. */
import type { Context } from "../context";
import { isFields, retriers, segment, type Fields } from "../definition";
import { expressionIn } from "../expressions";
import type { Node } from "../graph";
import type { Integration } from "../models";
import { show } from "../structure";
import { constant, isNothing, kinds, present, type Value } from "../values";
import type { Variables } from "../variables";
import { payloadField, payloadOf, valueOf } from "./values";

const MOST_HYPERPARAMETERS = 100;
const LONGEST_KEY = 256;
const LONGEST_VALUE = 2500;

export function checkSageMaker(
    context: Context,
    variables: Variables,
    node: Node,
    integration: Integration,
    isInLoop: boolean,
): void {
    const waits = integration.pattern.startsWith("sync");
    if (waits && !isInLoop && retriers(node.fields).length === 0) {
        context.report.add({
            rule: "throttling-unhandled",
            path: node.path,
            state: node.name,
            message:
                `${integration.operation} is throttled now and then, and nothing repeats the call here: ` +
                `catch SageMaker.AmazonSageMakerException, classify its cause, and repeat what was throttled, ` +
                `a bounded number of times.`,
        });
    }
    if (integration.operation !== "createTrainingJob") {
        return;
    }
    if (waits && !readsStatus(node)) {
        stopped(context, node);
    }
    const payload = payloadOf(node);
    if (isFields(payload)) {
        const field = payloadField(node);
        hyperparameters(context, variables, node, payload.HyperParameters, `${field}/HyperParameters`);
        spot(context, variables, node, payload, field);
    }
}

/** A field of the description of a training that tells whether it came to its end. */
const STATUS = /TrainingJobStatus|SecondaryStatus/;
const looks = new WeakMap<Node, boolean>();

function looksAtStatus(node: Node): boolean {
    let answer = looks.get(node);
    if (answer === undefined) {
        answer = STATUS.test(JSON.stringify({ ...node.fields, Branches: undefined, ItemProcessor: undefined }));
        looks.set(node, answer);
    }
    return answer;
}

/** Does the state, or one that the execution may come to behind it, look at what became of the training? */
function readsStatus(node: Node): boolean {
    const seen = new Set<Node>([node]);
    const work = [node];
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
        if (looksAtStatus(at)) {
            return true;
        }
        const { owner } = at.scope;
        const after = at.ends === undefined || owner === undefined ? [] : [owner];
        for (const next of [...at.out.filter(({ kind }) => kind !== "catch").map(({ to }) => to), ...after]) {
            if (!seen.has(next)) {
                seen.add(next);
                work.push(next);
            }
        }
    }
    return false;
}

function stopped(context: Context, node: Node): void {
    context.report.add({
        rule: "training-stopped",
        path: node.path,
        state: node.name,
        message:
            "A training that is stopped, by somebody or at MaxRuntimeInSeconds, ends this Task in success, and " +
            "nothing behind it looks at TrainingJobStatus: go on only when it is Completed.",
    });
}

function hyperparameters(context: Context, variables: Variables, node: Node, given: unknown, path: string): void {
    const add = (sub: string, message: string): void => {
        context.report.add({ rule: "hyperparameters", path: `${node.path}/${path}${sub}`, state: node.name, message });
    };
    if (!isFields(given)) {
        return;
    }
    const keys = Object.keys(given);
    if (keys.length > MOST_HYPERPARAMETERS) {
        add("", `There are ${keys.length} hyperparameters; SageMaker takes at most ${MOST_HYPERPARAMETERS}.`);
    }
    for (const key of keys) {
        const isDynamic = node.language === "JSONPath" && key.endsWith(".$");
        const name = isDynamic ? key.slice(0, -2) : key;
        if (name.length > LONGEST_KEY) {
            add(`/${segment(key)}`, `The name has ${name.length} characters; SageMaker takes at most ${LONGEST_KEY}.`);
        }
        const problem = isDynamic
            ? undefined
            : notAText(present(valueOf(context, variables, node, given[key])), node, given[key]);
        if (problem !== undefined) {
            add(`/${segment(key)}`, `${name} ${problem}`);
        }
    }
}

/** Why the value is no hyperparameter; undefined where it may be one. */
function notAText(value: Value, node: Node, given: unknown): string | undefined {
    if (!isNothing(value) && value.text === undefined) {
        const isExpression = node.language === "JSONata" && expressionIn(given) !== undefined;
        const what = isExpression ? kinds(value).join(" or ") : show(given);
        return `is ${what}; SageMaker takes texts only: encode it where the parameter is made.`;
    }
    const { min = 0, max = 0 } = value.text ?? {};
    if (min <= LONGEST_VALUE && (max <= LONGEST_VALUE || max === Infinity)) {
        return undefined;
    }
    return `may have ${max < Infinity ? max : min} characters; SageMaker takes at most 2,500.`;
}

function spot(context: Context, variables: Variables, node: Node, payload: Fields, field: string): void {
    const add = (message: string): void => {
        context.report.add({ rule: "spot", path: `${node.path}/${field}`, state: node.name, message });
    };
    const value = (given: unknown): Value =>
        node.language === "JSONata"
            ? variables.template(given, variables.environment(node, "state")).value
            : constant(given);
    const { EnableManagedSpotTraining: enabled = false, StoppingCondition: condition } = payload;
    const isKnown = payload["EnableManagedSpotTraining.$"] === undefined;
    const wait = isFields(condition) ? condition.MaxWaitTimeInSeconds : undefined;
    if (isKnown && wait !== undefined && !value(enabled).true) {
        add("StoppingCondition.MaxWaitTimeInSeconds is for Spot training only: SageMaker refuses it without.");
    }
    if (!value(enabled).true) {
        return;
    }
    if (!has(payload, "CheckpointConfig")) {
        add("Spot training without CheckpointConfig: after an interruption everything is trained again.");
    }
    const hasWait = isFields(condition) ? has(condition, "MaxWaitTimeInSeconds") : has(payload, "StoppingCondition");
    if (!hasWait) {
        add("Spot training without StoppingCondition.MaxWaitTimeInSeconds: SageMaker refuses it.");
    } else if (isFields(condition) && wait !== undefined && condition.MaxRuntimeInSeconds !== undefined) {
        const most = value(wait).number;
        const least = value(condition.MaxRuntimeInSeconds).number;
        if (most !== undefined && least !== undefined && most.hi < least.lo) {
            add(`MaxWaitTimeInSeconds (${most.hi}) must be at least MaxRuntimeInSeconds (${least.lo}).`);
        }
    }
}

const has = (given: Fields, name: string): boolean => given[name] !== undefined || given[`${name}.$`] !== undefined;
