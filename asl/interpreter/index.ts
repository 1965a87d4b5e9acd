/**
 * An interpreter of Amazon States Language: runs a definition in either query language, with the tasks and the clock
 * given by the caller, and writes a history like that of GetExecutionHistory.
 */
import type { StateMachineDefinition } from "../types";
import { compile } from "./compile/compile";
import type { CompiledMachine } from "./compile/compiled";
import { startExecution } from "./execution/run";
import type { ExecutionOptions, ExecutionResult } from "./types";

export { RealClock, VirtualClock, type Clock, type RealClockOptions, type SkippedWait, type WaitReason } from "./clock";
export { compile, DefinitionError } from "./compile/compile";
export type { CompiledMachine } from "./compile/compiled";
export { DEFAULT_LIMITS, DEFAULT_READINGS } from "./execution/run";
export { TaskStopped } from "./failure";
export type { MapRunCounts, MapRunProgress } from "./map/progress";
export { testState, type TestStateOptions } from "./testState/testState";
export { TestStateError, type TestStateRequest, type TestStateResponse } from "./testState/types";
export {
    TaskError,
    type ExecutionOptions,
    type ExecutionResult,
    type ExecutionStatus,
    type HistoryEvent,
    type Limits,
    type Readings,
    type TaskHandler,
    type TaskRequest,
} from "./types";

/**
 * Runs one execution to its end. Equal machines, options and handlers give equal results on a VirtualClock.
 * @param machine a definition, or the result of `compile` for many executions of the same machine.
 * @returns how it ended; a failed execution is a result, not a rejection.
 * @throws DefinitionError when the definition cannot be run; RangeError (as a rejection) when the input is too large to
 * start.
 */
export async function execute(
    machine: CompiledMachine | StateMachineDefinition,
    options: ExecutionOptions,
): Promise<ExecutionResult> {
    return startExecution("graph" in machine ? machine : compile(machine), options);
}
