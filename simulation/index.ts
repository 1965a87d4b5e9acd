/**
 * AWS as the workflow sees it, in virtual time: functions, Batch, SageMaker and SNS with faults on order, and a judge
 * of how an execution ended. Error and describe functions are the real ones; what AWS answers is shaped like AWS's
 * answers.
 */
import type { JsonValue } from "../asl/types";
import { execute, VirtualClock, type CompiledMachine, type Readings, type TaskRequest } from "../asl/interpreter";
import { defined } from "../ground/fields";
import type { StageSettings } from "../workflow/contract";
import { faultAt, kindOf, type Fault, type Kind } from "./faults";
import type { Outcome } from "./judge";
import { runOf, type RunChanges } from "./run";
import { submit } from "./services/batch";
import type { Account, Service } from "./services/call";
import { invoke } from "./services/lambda";
import { registry } from "./services/modelRegistry";
import { train } from "./services/sagemaker";
import { publish } from "./services/sns";
import { newWorld, type World } from "./world";

export { FAULTS, kindOf, type Fault, type FaultName, type Kind } from "./faults";
export { judge, ruleFires, type Outcome } from "./judge";
export { runOf } from "./run";

/** An execution to simulate. */
export interface Scenario extends RunChanges {
    readonly settings: StageSettings;
    readonly faults?: readonly Fault[];
    readonly redriveCount?: number;
    /** The execution began so long before its first state, as after a redrive. */
    readonly startedSecondsAgo?: number;
    readonly random?: () => number;
    readonly readings?: Partial<Readings>;
    readonly history?: boolean;
    /** Descriptions of the ensembles that are registered already. */
    readonly versions?: readonly string[];
    readonly signal?: AbortSignal;
    /** Called with every task before it works. */
    readonly onTask?: (request: TaskRequest) => void;
}

const SERVICES: Readonly<Record<Kind, Service>> = {
    sagemaker: train,
    batch: submit,
    sns: publish,
    registry,
    lambda: invoke,
};

/** Runs the workflow once, in virtual time. */
export async function simulate(machine: CompiledMachine, scenario: Scenario): Promise<Outcome> {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1));
    const run = runOf(scenario.settings, scenario);
    const world = newWorld(run, scenario.settings.combiner.name);
    const account: Account = { world, run, versions: scenario.versions ?? [], failureText: "" };
    const { startedSecondsAgo } = scenario;
    const result = await execute(
        machine,
        defined({
            input: { initialization: {} },
            task: (request: TaskRequest) => perform(account, scenario, request),
            clock,
            name: "simulated",
            executionArn: "arn:aws:states:eu-central-1:123456789012:execution:smartcat-model-training-dev:simulated",
            stateMachineArn: "arn:aws:states:eu-central-1:123456789012:stateMachine:smartcat-model-training-dev",
            stateMachineName: "smartcat-model-training-dev",
            redriveCount: scenario.redriveCount ?? 0,
            history: scenario.history ?? false,
            startTime: startedSecondsAgo === undefined ? undefined : clock.now() - startedSecondsAgo * 1000,
            random: scenario.random,
            readings: scenario.readings,
            signal: scenario.signal,
        }),
    );
    return { result, world, seconds: (result.stopTime - result.startTime) / 1000 };
}

/** Does a Task's call, with the fault that is on order for this entry of its state. */
async function perform(account: Account, scenario: Scenario, request: TaskRequest): Promise<JsonValue> {
    const { world } = account;
    const entry = (world.starts.get(request.state) ?? 0) + 1;
    world.starts.set(request.state, entry);
    scenario.onTask?.(request);
    measure(world, request.arguments);
    const fault = faultAt(scenario.faults ?? [], request.state, entry);
    const answer = await SERVICES[kindOf(request.resource)]({ account, request, fault });
    measure(world, answer);
    return answer;
}

function measure(world: World, value: unknown): void {
    world.largest = Math.max(world.largest, Buffer.byteLength(JSON.stringify(value)));
}
