/**
 * Every transition of the failure handling, led to every other state of its scope: the prover notices it, or it does no
 * harm. What harm is, executions in the interpreter say: each Task fails in turn, and each execution must end SUCCEEDED
 * with its artefacts, or FAILED with one message.
 */
import { strict as assert } from "node:assert";
import { analyse } from "../../asl/analysis";
import { compile } from "../../asl/interpreter";
import type { JsonObject, StateGraph, StateMachineDefinition } from "../../asl/types";
import { present } from "../../ground/fields";
import { renderDefinition } from "../../workflow";
import { stageSettings, targets } from "../../simulation/sampleStages";
import { tasksOf } from "../../simulation/faultSweep";
import { judge, simulate, type Fault, type Kind } from "../../simulation";

interface Redirect {
    readonly name: string;
    readonly definition: StateMachineDefinition;
}

type Transition = { readonly where: string; readonly holder: JsonObject; readonly field: "Next" | "Default" };

/** Transitions behind a failure: of catchers, and of the states that only they lead to. */
function transitions(graph: StateGraph): Transition[] {
    const states = Object.entries(graph.States as unknown as Record<string, JsonObject>);
    const list = (value: unknown): JsonObject[] => (Array.isArray(value) ? (value as JsonObject[]) : []);
    const plainly = new Set<string>([graph.StartAt]);
    const work = [graph.StartAt];
    for (let name = work.pop(); name !== undefined; name = work.pop()) {
        const fields = graph.States[name] as unknown as JsonObject;
        for (const next of [fields.Next, fields.Default, ...list(fields.Choices).map((rule) => rule.Next)]) {
            if (typeof next === "string" && !plainly.has(next)) {
                plainly.add(next);
                work.push(next);
            }
        }
    }
    return states.flatMap(([name, fields]): Transition[] => [
        ...list(fields.Catch).map((holder, index): Transition => ({
            where: `${name}, Catch ${index}`,
            holder,
            field: "Next",
        })),
        ...(plainly.has(name) && fields.Type !== "Choice"
            ? []
            : present([
                  typeof fields.Next === "string"
                      ? ({ where: name, holder: fields, field: "Next" } as const)
                      : undefined,
                  ...list(fields.Choices).map((holder, index): Transition => ({
                      where: `${name}, rule ${index}`,
                      holder,
                      field: "Next",
                  })),
                  typeof fields.Default === "string"
                      ? ({ where: `${name}, Default`, holder: fields, field: "Default" } as const)
                      : undefined,
              ])),
    ]);
}

function* redirects(original: StateMachineDefinition): Generator<Redirect> {
    const scopes = (graph: StateGraph): StateGraph[] => [
        graph,
        ...Object.values(graph.States).flatMap((fields) =>
            fields.Type === "Parallel" ? fields.Branches.flatMap(scopes) : [],
        ),
    ];
    const count = scopes(original).map((graph) => transitions(graph).length);
    for (const [scope, transitionCount] of count.entries()) {
        for (let index = 0; index < transitionCount; index += 1) {
            for (const target of Object.keys(scopes(original)[scope]!.States)) {
                const definition = structuredClone(original);
                const { where, holder, field } = transitions(scopes(definition)[scope]!)[index]!;
                if (holder[field] !== target) {
                    const name = `${where}: ${String(holder[field])} -> ${target}`;
                    holder[field] = target;
                    yield { name, definition };
                }
            }
        }
    }
}

/** One fault that lasts for each kind of Task, besides those that make its state give up at once. */
const FAULT: Readonly<Record<Kind, readonly Fault["fault"][]>> = {
    sagemaker: ["algorithm", "capacity"],
    batch: ["data"],
    lambda: ["thrown", "wrongAnswer"],
    sns: ["accessDenied"],
    registry: ["accessDenied"],
};

describe("a transition of the failure handling that leads elsewhere", function () {
    this.timeout(3_600_000);
    const settings = stageSettings("dev");
    const original = renderDefinition(settings, targets("dev"));
    // All of them take a quarter of an hour: REDIRECTS=0/1. By default every twentieth; REDIRECTS=7/20 begins with the
    // seventh.
    const [first, step] = (process.env.REDIRECTS ?? "0/20").split("/").map(Number) as [number, number];

    it("is noticed by the prover, or does no harm in any execution", async () => {
        const escaped: string[] = [];
        let noticed = 0;
        let harmless = 0;
        for (const [index, { name, definition }] of [...redirects(original)].entries()) {
            if (index % step !== first % step) {
                continue;
            }
            if (analyse(definition, { notifiedPrefix: "Notified." }).some(({ severity }) => severity !== "info")) {
                noticed += 1;
                continue;
            }
            const machine = compile(definition);
            const tasks = tasksOf(definition);
            const problems = new Set<string>();
            const scenarios: Fault[][] = [
                [],
                ...tasks.flatMap(({ state, kind }) =>
                    FAULT[kind].flatMap((fault) =>
                        present([
                            [{ state, fault, count: 1_000 }],
                            kind === "lambda" || kind === "sns"
                                ? [
                                      { state: "Text Model Training", fault: "algorithm", count: 1_000 } as Fault,
                                      { state, fault, count: 1_000 },
                                  ]
                                : undefined,
                        ]),
                    ),
                ),
            ];
            for (const faults of scenarios) {
                const outcome = await simulate(machine, { settings, faults });
                judge(outcome, settings, definition.TimeoutSeconds!).forEach((problem) =>
                    problems.add(`${JSON.stringify(faults)}: ${problem}`),
                );
            }
            if (problems.size === 0) {
                harmless += 1;
            } else {
                escaped.push(`${name}: ${[...problems].slice(0, 2).join("; ")}`);
            }
        }
        console.log(`      ${noticed} noticed, ${harmless} harmless, ${escaped.length} neither`);
        assert.deepEqual(escaped, []);
        assert.ok(noticed > 0);
    });
});
