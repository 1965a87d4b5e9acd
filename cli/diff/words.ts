/**
 * Differences between two definitions in the words of the ensemble: models, machines, limits; what follows from those
 * is only counted.
 */
import { describeChange, diffDefinitions, type Change } from "../../asl/diff";
import type { JsonValue, StateMachineDefinition } from "../../asl/types";
import { formatDuration } from "../../ground/duration";
import { present } from "../../ground/fields";
import type { ModelSettings, StageSettings } from "../../workflow/contract";

/** What changed, most important first. */
export interface Words {
    /** A line each. */
    readonly lines: readonly string[];
    /** Functions and jobs whose content, and nothing else, changed. */
    readonly code: readonly string[];
    /** Changes that follow from others: computed times inside conditions, names that contain the stage's. */
    readonly following: number;
}

interface Side {
    readonly definition: StateMachineDefinition;
    /** Of an ensemble; other machines have none. */
    readonly settings?: StageSettings;
}

const SETTINGS = /^Arguments\.Payload\.settings\b/;

export function wordsOf(before: Side, after: Side): Words {
    const left = named(before, after);
    const settings =
        left.settings === undefined || after.settings === undefined
            ? undefined
            : settingsWords(left.settings, after.settings);
    const all = diffDefinitions(left.definition, after.definition).filter(
        ({ field }) => settings === undefined || !SETTINGS.test(field ?? ""),
    );
    const rest = all.filter((change) => codeOf(change) === undefined);
    const told = rest.filter((change) => !computed(change, settings !== undefined));
    return {
        lines: [...(settings ?? []), ...grouped(told)],
        code: [...new Set(all.map(codeOf).filter((target) => target !== undefined))].sort(),
        following: rest.length - told.length,
    };
}

/** The first side under the second one's stage: names that differ only by the stage are no differences. */
function named({ definition, settings }: Side, { settings: other }: Side): Side {
    if (settings === undefined || other === undefined || settings.stage === other.stage) {
        return { definition, settings };
    }
    const [from, to] = [`${settings.service}-${settings.stage}`, `${other.service}-${other.stage}`];
    const renamed = <T>(value: T): T =>
        JSON.parse(
            JSON.stringify(value)
                .replaceAll(`${from}-`, `${to}-`)
                .replaceAll(`${from}"`, `${to}"`)
                .replaceAll(`Stage ${settings.stage}:`, `Stage ${other.stage}:`),
        ) as T;
    return { definition: renamed(definition), settings: { ...renamed(settings), stage: other.stage } };
}

function settingsWords(before: StageSettings, after: StageSettings): string[] {
    const models = (settings: StageSettings): Map<string, ModelSettings> =>
        new Map([...Object.entries(settings.members), [settings.combiner.name, settings.combiner]] as [
            string,
            ModelSettings,
        ][]);
    const [left, right] = [models(before), models(after)];
    const { members: _left, combiner: _before, prices: _old, ...leftRest } = before;
    const { members: _right, combiner: _after, prices: _new, ...rightRest } = after;
    return [
        ...[...left.keys()].filter((name) => !right.has(name)).map((name) => `model ${name} is gone`),
        ...[...right].flatMap(([name, model]) => {
            const old = left.get(name);
            return old === undefined ? [`new model ${name} on ${ladder(model)}`] : modelWords(name, old, model);
        }),
        ...fieldWords("stage", leftRest, rightRest),
    ];
}

function modelWords(name: string, before: ModelSettings, after: ModelSettings): string[] {
    const say = (what: string, from: string, to: string): string[] =>
        from === to ? [] : [`${name}: ${what} ${from} -> ${to}`];
    const {
        container: oldContainer,
        capacity: oldCapacity,
        maxRuntimeSeconds: oldRuntime,
        budgetSeconds: oldBudget,
        hyperparameters: oldParameters,
        minimumMetrics: oldMetrics,
        ...oldRest
    } = before;
    const { container, capacity, maxRuntimeSeconds, budgetSeconds, hyperparameters, minimumMetrics, ...rest } = after;
    const sameLadder =
        oldCapacity.length === capacity.length && capacity.every(({ spot }, index) => spot === oldCapacity[index].spot);
    const differing = !sameLadder
        ? []
        : [...capacity.keys()].filter((index) => capacity[index].instanceType !== oldCapacity[index].instanceType);
    return present([
        ...(differing.length === 1
            ? say("instance", oldCapacity[differing[0]].instanceType, capacity[differing[0]].instanceType)
            : say("machines", ladder(before), ladder(after))),
        ...say("one job at most", formatDuration(oldRuntime), formatDuration(maxRuntimeSeconds)),
        ...say("all attempts at most", formatDuration(oldBudget), formatDuration(budgetSeconds)),
        ...say("container", imageName(oldContainer.image), imageName(container.image)),
        oldContainer.codeHash === container.codeHash
            ? undefined
            : `${name}: new training code, so that it trains again`,
        ...fieldWords(name, oldParameters, hyperparameters),
        ...fieldWords(`${name}: quality gate`, oldMetrics, minimumMetrics),
        ...fieldWords(name, oldRest, rest),
    ]);
}

/** Without registry, and without the content hash of an image that is built here. */
function imageName(image: string): string {
    return String(image.split("/").at(-1)).replace(/:[0-9a-f]{64}$/, "");
}

/** Fields of two objects; nested ones are told by their path. */
function fieldWords(subject: string, before: object, after: object): string[] {
    const [left, right] = [before, after] as Record<string, unknown>[];
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) => {
        const [old, fresh] = [left[key], right[key]];
        if (JSON.stringify(old) === JSON.stringify(fresh)) {
            return [];
        }
        const separator = subject.includes(": ") ? " " : ": ";
        const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
        return isObject(old) && isObject(fresh)
            ? fieldWords(`${subject}${separator}${key}`, old, fresh)
            : [
                  `${subject}${separator}${key} ${
                      old === undefined
                          ? `is new: ${shown(fresh)}`
                          : fresh === undefined
                            ? `is gone (was ${shown(old)})`
                            : `${shown(old)} -> ${shown(fresh)}`
                  }`,
              ];
    });
}

function isObject(value: unknown): value is object {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function ladder({ capacity }: ModelSettings): string {
    return capacity.map(({ instanceType, spot }) => `${instanceType}${spot ? " (Spot)" : ""}`).join(", ");
}

/** What the workflow writes into a training from the model's settings, which are told already. */
const FROM_SETTINGS =
    /^(Arguments\.(StoppingCondition|EnableManagedSpotTraining|AlgorithmSpecification\.TrainingImage|CheckpointConfig|Payload\.(spot|prices))|Assign\.tags)\b/;

/**
 * Whether a change only carries another one on: from the settings, the same expression with other numbers, or the
 * stage's name.
 */
function computed({ kind, field, before, after }: Change, ensemble: boolean): boolean {
    const bare = (value: JsonValue | undefined): string => String(value).replace(/\d+/g, "#");
    return (
        (ensemble &&
            kind === "changed" &&
            (/\b(Tags|Payload\.stage)\b/.test(field ?? "") ||
                (typeof before === "string" && before.startsWith("{%") && bare(before) === bare(after)))) ||
        (ensemble && FROM_SETTINGS.test(field ?? ""))
    );
}

/** One line a change; the same change of several states is one line, and so are all fields of a new Retry or Catch. */
function grouped(changes: readonly Change[]): string[] {
    const lines = new Map<string, Set<string>>();
    const choices = (state: string | undefined) =>
        changes.filter((one) => one.state === state && one.field?.startsWith("Choices.") === true).length;
    for (const change of changes) {
        const [, list, errors] = /^(Catch|Retry)\[(.+?)\]/.exec(change.field ?? "") ?? [];
        const { before, after } = change;
        const ofMachine = change.state === undefined && change.field === "TimeoutSeconds";
        const text =
            ofMachine && typeof before === "number" && typeof after === "number"
                ? `execution: at most ${formatDuration(before)} -> ${formatDuration(after)}`
                : change.field?.startsWith("Choices.") === true && choices(change.state) > 3
                  ? `decides differently (${choices(change.state)} changes, see --json)`
                  : list !== undefined && change.kind !== "changed"
                    ? `${change.kind === "added" ? "new" : "no"} ${list === "Retry" ? "retry on" : "catch of"} ${errorWords(
                          errors,
                      )}${change.kind === "added" ? "" : " any more"}`
                    : change.field === undefined || change.state === undefined
                      ? describeChange(change)
                      : describeChange(change).replace(`"${change.state}": `, "");
        const states = lines.get(text) ?? new Set<string>();
        lines.set(text, change.state === undefined || change.field === undefined ? states : states.add(change.state));
    }
    return [...lines].map(([text, states]) =>
        states.size === 0
            ? text
            : states.size <= 3
              ? `${[...states].join(", ")}: ${text}`
              : `${[...states].slice(0, 2).join(", ")} and ${states.size - 2} more: ${text}`,
    );
}

function errorWords(errors: string): string {
    const names = errors.split(", ");
    return names.every((name) => /throttl|toomanyrequests/i.test(name))
        ? `throttling (${errors})`
        : errors === "States.ALL"
          ? "every error"
          : errors;
}

/** The function or job of a change that is only a new content hash at the end of its ARN. */
function codeOf({ before, after }: Change): string | undefined {
    const [left, right] = [before, after].map((value) =>
        typeof value === "string" && value.startsWith("arn:")
            ? /^(.+)[-](?:[0-9a-f]{12})$/.exec(value)?.[1]
            : undefined,
    );
    return left !== undefined && left === right
        ? left
              .split(":")
              .slice(5)
              .join(":")
              .replace(/^function:|^job-definition\/|:h$/g, "")
        : undefined;
}
