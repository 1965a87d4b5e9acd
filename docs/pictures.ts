/**
 * The pictures of the documents as Mermaid text, each drawn from what the program declares or from what an execution
 * does.
 */
import { toMermaid } from "../asl/drawing";
import { compile } from "../asl/interpreter";
import type { State, StateMachineDefinition } from "../asl/types";
import { statesIn } from "../asl/walk";
import { present } from "../ground/fields";
import type { EvaluatedStage, RecordedResource } from "../project/evaluate";
import { kindOf, simulate, type Outcome, type Scenario } from "../simulation";
import { settingsOf } from "../simulation/stages";
import { crossings, ROOMS } from "./rooms";

function fenced(text: string): string {
    return `\`\`\`mermaid\n${text.trimEnd()}\n\`\`\``;
}

/** The whole workflow, state by state. */
export function workflow(definition: StateMachineDefinition, failures: boolean): string {
    return fenced(toMermaid(definition, { failures, labels: failures }));
}

/** The workflow in one row: every model is a box, what is skipped on request is left out, all failures have one way. */
export function overview({ StartAt, States }: StateMachineDefinition): string {
    const names = Object.keys(States);
    const id = (name: string): string => `s${names.indexOf(name)}`;
    const lines = ["flowchart LR"];
    const edges: string[] = [];
    const drawn = new Set<string>();
    /** The state that a route leads to: a Choice between doing a step and skipping it is passed through. */
    const shown = (name: string): string => {
        const state = States[name];
        const skips = state.Type === "Choice" && States[String(state.Default)]?.Type === "Pass";
        return skips ? shown(String(state.Choices[0].Next)) : name;
    };
    const draw = (name: string): void => {
        if (drawn.has(name)) {
            return;
        }
        drawn.add(name);
        const state = States[name];
        if (state.Type === "Parallel" && state.Branches.length > 1) {
            lines.push(
                `    subgraph ${id(name)}["${name}"]`,
                "        direction TB",
                ...state.Branches.map((branch, index) => `        ${id(name)}_${index}["${branch.StartAt}"]`),
                "    end",
            );
        } else {
            lines.push(
                `    ${id(name)}${{ Choice: `{"${name}"}`, Fail: `[["${name}"]]`, Succeed: `(["${name}"])` }[state.Type as string] ?? `["${name}"]`}`,
            );
        }
        const next =
            state.Type === "Choice"
                ? [...state.Choices.map((rule) => String(rule.Next)), String(state.Default)]
                : "Next" in state && state.Next !== undefined
                  ? [state.Next]
                  : [];
        for (const to of next.map(shown)) {
            edges.push(`    ${id(name)} --> ${id(to)}`);
            draw(to);
        }
    };
    draw(shown(StartAt));
    // after its retries, every Task and Parallel goes where the first one's Catch goes
    const [catcher] = (States[StartAt] as { Catch?: { Next: string }[] }).Catch ?? [];
    return fenced(
        present([
            ...lines,
            ...edges,
            catcher === undefined ? undefined : `    any(("any step")) -.->|fails| ${id(catcher.Next)}`,
        ]).join("\n"),
    );
}

/** Rooms and their imports, as the import statements say; what everybody may use and what is implied is left out. */
export function rooms(): string {
    const found = new Map<string, Set<string>>();
    for (const { from, to } of crossings()) {
        found.set(from, (found.get(from) ?? new Set()).add(to));
    }
    const reaches = (from: string, to: string): boolean => {
        const seen = new Set([from]);
        seen.forEach((room) => found.get(room)?.forEach((next) => seen.add(next)));
        return seen.has(to);
    };
    const id = (room: string): string => room.replace(/\W/g, "_");
    return fenced(
        [
            "flowchart TD",
            ...Object.keys(ROOMS).map((room) => `    ${id(room)}["${room}"]`),
            ...Object.keys(ROOMS).flatMap((room) =>
                [...(found.get(room) ?? [])]
                    .sort()
                    .filter((to) => ![...(found.get(room) ?? [])].some((other) => other !== to && reaches(other, to)))
                    .map((to) => `    ${id(room)} --> ${id(to)}`),
            ),
        ].join("\n"),
    );
}

/** What a group of resources is called in the picture, by type token; `name` makes one group a resource. */
const GROUPS: readonly (readonly [RegExp, string | ((name: string) => string)])[] = [
    [/^aws:sfn\/stateMachine:/, "State machine"],
    [/^aws:lambda\/(?:function|alias):/, "Functions"],
    [/^aws:batch\//, "Batch: job definitions, queue, machines"],
    [/^aws:s3\/bucket:/, "Artefact bucket"],
    [/^aws:sns\/topic:/, (name) => `Topic ${name}`],
    [/^aws:cloudwatch\/event(?:Rule|Target):/, "Rule: failed without a message"],
    [/^aws:sqs\/queue:/, "Queue: what the rule could not deliver"],
    [/^aws:cloudwatch\/metricAlarm:/, "Alarms"],
    [/^aws:ecr\/repository:/, "Image repositories"],
];
const TRAININGS = "SageMaker trainings";

function groupOf({ type, name }: RecordedResource): string | undefined {
    const found = GROUPS.find(([pattern]) => pattern.test(type))?.[1];
    return typeof found === "function" ? found(name.split("-").at(-1) ?? name) : found;
}

/** How others refer to a resource. */
function reference({ type, inputs }: RecordedResource): string | undefined {
    const name = String(inputs.name ?? inputs.bucket);
    const kind = type.split(":")[1].split("/")[1];
    const forms: Readonly<Record<string, string>> = {
        stateMachine: `stateMachine:${name}`,
        function: `function:${name}`,
        jobQueue: `job-queue/${name}`,
        jobDefinition: `job-definition/${name}`,
        bucket: `:::${name}`,
        queue: `:${name}"`,
        eventRule: `"RuleName":"${name}"`,
        repository: `repository/${name}"`,
        topic: `:${name}"`,
    };
    return forms[kind];
}

/**
 * Who refers to whom among a stage's deployed resources: through a definition, a target, an alarm's action, or a role's
 * policies.
 */
export function resources(stage: EvaluatedStage): string {
    const texts = new Map<string, string>();
    const references: [string, string][] = [];
    const say = (group: string, text: string): void =>
        void texts.set(group, (texts.get(group) ?? "") + text.replaceAll('\\"', '"'));
    const custom = stage.resources.filter((resource) => resource.custom);
    const counts = new Map<string, number>();
    for (const resource of custom) {
        const group = groupOf(resource);
        if (group !== undefined) {
            counts.set(group, (counts.get(group) ?? 0) + (/:(?:Alias|EventTarget)$/.test(resource.type) ? 0 : 1));
            say(group, JSON.stringify(resource.inputs));
            const text = reference(resource);
            if (text !== undefined) {
                references.push([group, text]);
            }
        }
    }
    const policies = custom.filter(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
    for (const { inputs } of custom.filter(({ type }) => type === "aws:iam/role:Role")) {
        const role = String(inputs.name);
        const own = policies
            .filter((policy) => policy.inputs.role === role)
            .map((policy) => String(policy.inputs.policy))
            .join("");
        const takers = String(inputs.assumeRolePolicy).includes("sagemaker.amazonaws.com")
            ? [TRAININGS]
            : [...texts]
                  .filter(([, text]) => new RegExp(`(?:roleArn|RoleArn|role)":"[^"]*role/${role}"`).test(text))
                  .map(([group]) => group);
        takers.forEach((group) => say(group, own));
    }
    const groups = [...counts.keys(), TRAININGS].sort();
    const id = (group: string): string => `r${groups.indexOf(group)}`;
    const named = (from: string): Set<string> =>
        new Set(references.filter(([to, text]) => to !== from && texts.get(from)?.includes(text)).map(([to]) => to));
    const edges = groups.flatMap((from) => [...named(from)].sort().map((to) => `    ${id(from)} --> ${id(to)}`));
    const trains = JSON.stringify(stage.stateMachine.definition).includes("createTrainingJob")
        ? groups.filter((group) => group === "State machine").map((group) => `    ${id(group)} --> ${id(TRAININGS)}`)
        : [];
    return fenced(
        [
            "flowchart LR",
            ...groups.map((group) => {
                const count = counts.get(group) ?? 1;
                return `    ${id(group)}["${group}${count === 1 ? "" : ` (${count})`}"]`;
            }),
            ...trains,
            ...edges,
        ].join("\n"),
    );
}

/** Where a failure goes: from the states to the message, and from outside what no state can see. */
export function failureRoutes(stage: EvaluatedStage): string {
    const { definition } = stage.stateMachine;
    const catching = statesIn(definition).filter(({ state }) => "Catch" in state);
    const behind = new Set(["Describe Failure"]);
    for (const name of behind) {
        const state = definition.States[name] as State & { Next?: string; Catch?: { Next: string }[] };
        [state?.Next, ...(state?.Catch?.map(({ Next }) => Next) ?? [])].forEach(
            (next) => next !== undefined && behind.add(next),
        );
    }
    const rule = stage.resources.find(({ type }) => type === "aws:cloudwatch/eventRule:EventRule");
    const { detail } = JSON.parse(String(rule?.inputs.eventPattern)) as { detail: { status: string[] } };
    const alarms = stage.resources.filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm");
    const names = [...behind];
    const outer = catching.filter(({ owner }) => owner === undefined).length;
    const lines = [
        `    caught["a Task or Parallel of the workflow fails (${outer} states catch States.ALL)"]`,
        `    inner["a Task of a model fails (${catching.length - outer} states catch States.ALL)"]`,
        '    member["the model\'s own Parallel ends: its Fail says class, reason, jobs"]',
        '    record("Record ... Model Failure: the siblings go on")',
        '    join{"Ensemble Complete?"}',
        '    inner -->|"retries, rungs and time used up"| member -->|"base model"| record --> join',
        '    member -->|"combiner"| caught',
        '    caught -->|"retries used up"| f0',
        '    join -->|"a required member failed, or fewer than the quorum are there"| f0',
        ...names.map(
            (name, index) =>
                `    f${index}${definition.States[name].Type === "Fail" ? `[["${name}"]]` : `["${name}"]`}`,
        ),
        ...names.flatMap((name, index) => {
            const state = definition.States[name] as State & { Next?: string; Catch?: { Next: string }[] };
            return present([
                state.Next === undefined ? undefined : `    f${index} --> f${names.indexOf(state.Next)}`,
                ...(state.Catch ?? []).map(({ Next }) => `    f${index} -.->|"States.ALL"| f${names.indexOf(Next)}`),
            ]);
        }),
        '    alerts(["topic alerts"])',
        '    operations(["topic operations"])',
        `    f${names.indexOf("Notify Failure")} -->|"one message"| alerts`,
        `    outside["the execution ended ${detail.status.join(", ")}, and its error does not begin with Notified."] ` +
            `--> rule["EventBridge rule"]`,
        `    f${names.indexOf("Notification Failed")} --> outside`,
        "    rule --> alerts",
        '    rule -.->|"cannot deliver"| queue["dead-letter queue"]',
        `    alarms["${alarms.length} alarms: executions, rule, queue, topic"] --> operations`,
        "    queue --> alarms",
    ];
    return fenced(["flowchart TD", ...lines].join("\n"));
}

/** Runs the stage's definition in virtual time against a simulated AWS. */
export function simulated(stage: EvaluatedStage, scenario: Omit<Scenario, "settings">): Promise<Outcome> {
    const { definition } = stage.stateMachine;
    return simulate(compile(definition), { settings: settingsOf(definition), ...scenario });
}

/** What an execution calls, in order, with virtual times: the first rung of the image model has no capacity. */
export async function life(stage: EvaluatedStage): Promise<string> {
    const who = { lambda: "L", batch: "B", sagemaker: "S", registry: "S", sns: "N" } as const;
    const calls: string[] = [];
    let began: number | undefined;
    await simulated(stage, {
        faults: [{ state: "Image Model Training", fault: "capacity" }],
        onTask: ({ resource, state, clock }) => {
            began ??= clock.now();
            const minutes = Math.floor((clock.now() - began) / 60_000);
            const at = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
            calls.push(`    E->>${who[kindOf(resource)]}: ${at} ${state}`);
        },
    });
    return fenced(
        [
            "sequenceDiagram",
            "    participant E as Execution",
            "    participant L as Functions",
            "    participant B as Batch jobs",
            "    participant S as SageMaker",
            ...calls,
        ].join("\n"),
    );
}
