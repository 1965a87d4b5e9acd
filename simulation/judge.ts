/** How an execution of the simulated AWS may end, and how it may not. */
import type { ExecutionResult } from "../asl/interpreter";
import { MAXIMUM_EVENTS, MAXIMUM_PAYLOAD_BYTES } from "../ground/awsLimits";
import type { StageSettings } from "../workflow/contract";
import type { World } from "./world";

/** An execution that has ended, and what it left. */
export interface Outcome {
    readonly result: ExecutionResult;
    readonly world: World;
    /** Virtual time from start to end. */
    readonly seconds: number;
}

/** The rule on executions that ended badly leaves out what was told already. */
export function ruleFires({ status, error }: Pick<ExecutionResult, "status" | "error">): boolean {
    if (status === "FAILED") {
        return !(error ?? "").startsWith("Notified.");
    }
    return status === "TIMED_OUT" || status === "ABORTED";
}

/** Everything that is wrong with how an execution ended; empty when nothing is. */
export function judge(outcome: Outcome, settings: StageSettings, timeoutSeconds: number): readonly string[] {
    return [...endProblems(outcome, settings), ...boundProblems(outcome, timeoutSeconds)];
}

/** A success is complete and tells of no failure; a failure is told exactly once. */
function endProblems({ result, world }: Outcome, settings: StageSettings): string[] {
    const told = world.messages.filter((message) => message.failure).length + (ruleFires(result) ? 1 : 0);
    const problems: string[] = [];
    if (result.status === "SUCCEEDED") {
        problems.push(...gaps(world, settings));
        if (told !== 0) {
            problems.push(`succeeded and told of ${told} failures`);
        }
    } else if (result.status !== "FAILED") {
        problems.push(`ended ${result.status}`);
    } else if (told !== 1) {
        problems.push(`failed with ${result.error ?? "no error"} and ${told} messages`);
    }
    if (/^States\./.test(result.error ?? "")) {
        problems.push(`ended in ${result.error}: ${(result.cause ?? "").slice(0, 200)}`);
    }
    return problems;
}

/** What a success lacks. */
function gaps(world: World, settings: StageSettings): string[] {
    const required = Object.entries(settings.members)
        .filter(([, member]) => member.required)
        .map(([name]) => name);
    const problems = [...required, settings.combiner.name]
        .filter((model) => !world.models.has(model))
        .map((name) => `succeeded without ${name}`);
    if (!world.published) {
        problems.unshift("succeeded without publishing");
    }
    if (world.starts.has("Register Ensemble") && world.packages.size !== 1) {
        problems.push(`registered ${world.packages.size} times`);
    }
    return problems;
}

/** Bounds that hold however it ended: time, events, names, jobs left behind, payloads. */
function boundProblems({ result, world, seconds }: Outcome, timeoutSeconds: number): string[] {
    const problems: string[] = [];
    if (seconds > timeoutSeconds) {
        problems.push(`took ${seconds} s of ${timeoutSeconds}`);
    }
    if (result.eventCount >= MAXIMUM_EVENTS) {
        problems.push(`${result.eventCount} events`);
    }
    if (new Set(world.jobNames).size !== world.jobNames.length) {
        problems.push("a job name twice");
    }
    if (world.running.size > 0) {
        problems.push(`still running: ${[...world.running].join(", ")}`);
    }
    if (world.largest > MAXIMUM_PAYLOAD_BYTES) {
        problems.push(`a payload of ${world.largest} bytes`);
    }
    return problems;
}
