/**
 * The fault sweep: the rendered definition in the interpreter, with every Task meeting every fault at every attempt,
 * with pairs of faults, and with random sequences of them. Seeded: the same seed gives the same executions.
 */
import { compile, type CompiledMachine, type Readings } from "../asl/interpreter";
import type { StateGraph } from "../asl/types";
import { statesIn } from "../asl/walk";
import { defined } from "../ground/fields";
import { ensembleTraining, type Targets } from "../workflow";
import type { ModelRun, StageSettings } from "../workflow/contract";
import { targets } from "./sampleStages";
import {
    FAULTS,
    judge,
    kindOf,
    ruleFires,
    simulate,
    type Fault,
    type FaultName,
    type Kind,
    type Outcome,
    type Scenario,
} from "./index";

export interface Subject {
    readonly label: string;
    readonly settings: StageSettings;
    readonly machine: CompiledMachine;
    readonly timeoutSeconds: number;
    readonly tasks: readonly { readonly state: string; readonly kind: Kind }[];
}

export interface Row {
    readonly stage: string;
    readonly state: string;
    readonly fault: FaultName;
    readonly end: string;
    /** Sent by the workflow itself and by the rule on executions. */
    readonly messages: number;
    readonly attempts: number;
    readonly seconds: number;
    readonly transitions: number;
    readonly events: number;
}

export interface Sweep {
    readonly executions: number;
    readonly problems: readonly string[];
    /** One for each state and fault that lasts. */
    readonly rows: readonly Row[];
    readonly milliseconds: number;
    readonly most: { readonly events: number; readonly payloadBytes: number; readonly seconds: number };
}

export function subject(label: string, settings: StageSettings, more: Partial<Targets> = {}): Subject {
    const { definition } = ensembleTraining(settings, targets(settings.stage, more));
    return {
        label,
        settings,
        machine: compile(definition),
        timeoutSeconds: definition.TimeoutSeconds!,
        tasks: tasksOf(definition),
    };
}

export function tasksOf(graph: StateGraph): Subject["tasks"] {
    return statesIn(graph).flatMap(({ name, state }) =>
        state.Type === "Task" ? [{ state: name, kind: kindOf(state.Resource) }] : [],
    );
}

/** Mulberry32: a number at least 0 and below 1 from 32 bits of state. */
export function generator(seed: number): () => number {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    };
}

/** Where it is in doubt what AWS does, both ways are run. */
const READINGS: readonly Partial<Readings>[] = [
    {},
    { queryErrorsAreCatchable: false },
    { allCatchesDataLimit: false },
    { taskFailedMatchesAll: false },
    { unnamed: "absent" },
    { unnamed: "empty" },
];

const EVER = 10_000;

/**
 * @param pairs how many pairs of faults, drawn from all.
 * @param random how many executions with random sequences of faults.
 * @param least more of those until so many executions have run in all.
 */
export async function sweep(
    subjects: readonly Subject[],
    seed: number,
    pairs: number,
    random: number,
    least = 0,
): Promise<Sweep> {
    const start = process.hrtime.bigint();
    const problems: string[] = [];
    const rows: Row[] = [];
    const most = { events: 0, payloadBytes: 0, seconds: 0 };
    const draw = generator(seed);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(draw() * items.length)]!;
    let executions = 0;

    async function run(one: Subject, scenario: Omit<Scenario, "settings">): Promise<Outcome> {
        executions += 1;
        const outcome = await simulate(one.machine, {
            settings: one.settings,
            random: generator(seed + executions),
            ...scenario,
        });
        most.events = Math.max(most.events, outcome.result.eventCount);
        most.payloadBytes = Math.max(most.payloadBytes, outcome.world.largest);
        most.seconds = Math.max(most.seconds, outcome.seconds);
        const aborted = outcome.result.status === "ABORTED" && scenario.signal !== undefined;
        // With errors of expressions that nothing catches, the rule on executions is what tells of them; of an abort,
        // too.
        const uncaught = scenario.readings?.queryErrorsAreCatchable === false;
        const found = judge(outcome, one.settings, one.timeoutSeconds).filter(
            (problem) =>
                !(aborted && problem === "ended ABORTED") &&
                !(uncaught && problem.startsWith("ended in States.QueryEvaluationError")),
        );
        if (found.length > 0) {
            problems.push(`${one.label} ${JSON.stringify({ ...scenario, signal: undefined })}: ${found.join("; ")}`);
        }
        return outcome;
    }

    const all = (one: Subject) =>
        one.tasks.flatMap(({ state, kind }) => FAULTS[kind].map((fault) => ({ state, fault })));

    for (const one of subjects) {
        for (const { state, fault } of all(one)) {
            const trigger = triggerOf(one, state);
            for (const readings of READINGS) {
                const outcome = await run(one, { faults: [...trigger, { state, fault, count: EVER }], readings });
                if (readings === READINGS[0]) {
                    rows.push(row(one, state, fault, outcome));
                }
            }
            for (const from of [1, 2, 3]) {
                await run(one, { faults: [...trigger, { state, fault, from }] });
            }
        }
    }
    for (let index = 0; index < pairs; index += 1) {
        const one = pick(subjects);
        const faults: Fault[] = [0, 1].map(() => ({
            ...pick(all(one)),
            count: draw() < 0.5 ? EVER : 1 + Math.floor(draw() * 3),
        }));
        await run(one, { faults });
    }
    for (let index = 0; index < random || executions < least; index += 1) {
        const one = pick(subjects);
        const faults: Fault[] = Array.from({ length: 1 + Math.floor(draw() * 8) }, () => ({
            ...pick(all(one)),
            from: 1 + Math.floor(draw() * 4),
            count: draw() < 0.3 ? EVER : 1 + Math.floor(draw() * 4),
        }));
        const names = [...Object.keys(one.settings.members), one.settings.combiner.name];
        const models = Object.fromEntries(
            names.map((name): [string, Partial<ModelRun>] => [
                name,
                draw() < 0.7 ? {} : { action: draw() < 0.5 ? "reuse" : "skip" },
            ]),
        );
        const stop = draw() < 0.1 ? new AbortController() : undefined;
        const after = Math.floor(draw() * 20_000) * 1000;
        let planned = false;
        await run(
            one,
            defined({
                faults,
                models,
                fetch: draw() < 0.5,
                redriveCount: Math.floor(draw() * 3),
                readings: pick(READINGS),
                signal: stop !== undefined ? stop.signal : undefined,
                onTask:
                    stop !== undefined
                        ? ({ clock }) => {
                              if (!planned) {
                                  planned = true;
                                  void clock.sleep(after).then(() => stop.abort());
                              }
                          }
                        : undefined,
            }),
        );
    }
    return { executions, problems, rows, milliseconds: Number((process.hrtime.bigint() - start) / 1_000_000n), most };
}

/** The fault that brings an execution to a state that only failures reach. */
function triggerOf(one: Subject, state: string): readonly Fault[] {
    if (state === "Describe Failure" || state === "Notify Failure") {
        return [{ state: "Setup Statemachine", fault: "thrown", count: EVER }];
    }
    const explained = /^JSONify (.*) Error Cause$/.exec(state)?.[1];
    if (explained === undefined) {
        return [];
    }
    const step = one.tasks.find(({ state: name }) => name === explained || name === `${explained} Training`)!;
    return [{ state: step.state, fault: "throttled", count: 2 }];
}

function row(one: Subject, state: string, fault: FaultName, { result, world, seconds }: Outcome): Row {
    return {
        stage: one.settings.stage,
        state,
        fault,
        end: result.status === "SUCCEEDED" ? "SUCCEEDED" : `${result.status} ${result.error ?? ""}`,
        messages: world.messages.filter((message) => message.failure).length + (ruleFires(result) ? 1 : 0),
        attempts: world.starts.get(state) ?? 0,
        seconds: Math.round(seconds),
        transitions: result.transitions,
        events: result.eventCount,
    };
}
