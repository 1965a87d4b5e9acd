/**
 * `ts-node bench/rendering.ts`: how long definitions of 2, 3, 20 and 100 members take to render and to prove, how large
 * they are, and what an execution of them costs in transitions, events and virtual time: the normal path, and the worst
 * that one kind of error makes.
 */
import Table from "cli-table3";
import { analyse } from "../asl/analysis";
import { compile } from "../asl/interpreter";
import type { StageSettings } from "../workflow/contract";
import { attemptLimits, ensembleTraining } from "../workflow";
import { manyMembers, targets } from "../simulation/sampleStages";
import { judge, simulate, type Fault, type Outcome } from "../simulation";
import { tasksOf } from "../simulation/faultSweep";

const REPEATS = 5;

function median(work: () => void): number {
    const times = Array.from({ length: REPEATS }, () => {
        const start = process.hrtime.bigint();
        work();
        return Number(process.hrtime.bigint() - start) / 1e6;
    }).sort((left, right) => left - right);
    return times[Math.floor(REPEATS / 2)]!;
}

async function main(): Promise<void> {
    const rendering = new Table({
        head: ["members", "bytes", "states", "render, ms", "proof, ms", "time-out, h"],
        style: { head: [], border: [] },
    });
    const running = new Table({
        head: ["members", "path", "ends", "transitions", "events", "virtual time, h", "wall, ms"],
        style: { head: [], border: [] },
    });
    for (const members of [2, 3, 20, 100]) {
        const settings = manyMembers(members);
        const { definition } = ensembleTraining(settings, targets("prod"));
        const text = JSON.stringify(definition);
        rendering.push([
            members,
            Buffer.byteLength(text),
            text.split('"Type":').length - 1,
            median(() => ensembleTraining(settings, targets("prod"))).toFixed(1),
            median(() => analyse(definition)).toFixed(1),
            (definition.TimeoutSeconds! / 3_600).toFixed(1),
        ]);
        const machine = compile(definition);
        const path = async (label: string, faults: readonly Fault[], all: StageSettings = settings) => {
            const start = process.hrtime.bigint();
            const outcome: Outcome = await simulate(machine, { settings: all, faults });
            const problems = judge(outcome, all, definition.TimeoutSeconds!);
            if (problems.length > 0) {
                throw new Error(`${members} members, ${label}: ${problems.join("; ")}`);
            }
            running.push([
                members,
                label,
                outcome.result.status,
                outcome.result.transitions,
                outcome.result.eventCount,
                (outcome.seconds / 3_600).toFixed(1),
                (Number(process.hrtime.bigint() - start) / 1e6).toFixed(0),
            ]);
        };
        const trainings = tasksOf(definition)
            .filter(({ kind }) => kind === "sagemaker")
            .map(({ state }) => state);
        const members1 = trainings.filter((state) => state !== "Sequence Model Training");
        const ever = { count: 10_000 };
        await path("normal", []);
        await path(
            "no capacity for any member",
            members1.map((state) => ({ state, fault: "capacity" as const, ...ever })),
        );
        await path(
            "every request for a training throttled",
            members1.map((state) => ({ state, fault: "throttled" as const, ...ever })),
        );
        // The most events: members whose every attempt but the last fails, and a combiner and jobs behind them that do
        // so too.
        await path("throttled up to the last attempt everywhere, then well", [
            ...trainings.map((state) => ({
                state,
                fault: "throttled" as const,
                count: Math.min(60, lastAttempt(settings)),
            })),
            ...[
                "Fetch Preprocessing Artifacts",
                "Sequence Model Dataframe generation",
                "Post Training Artifact Fetcher",
            ].map((state) => ({ state, fault: "throttled" as const, count: Math.min(60, lastAttempt(settings)) })),
        ]);
    }
    console.log(
        `Rendering and proof, median of ${REPEATS}\n${rendering.toString()}\n\nExecutions in the interpreter, ` +
            `simulated work\n${running.toString()}`,
    );
}

function lastAttempt(settings: StageSettings): number {
    return attemptLimits(settings).maximumAttempts - 1;
}

void main();
