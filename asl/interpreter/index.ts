/**
 * An interpreter of Amazon States Language: runs a definition in either query language, with the tasks and the clock
 * given by the caller, and writes a history like that of GetExecutionHistory.
 */
import type { StateMachineDefinition } from "../types";
import { compile, type CompiledMachine } from "./compile";
import { Execution } from "./execution";
import type { ExecutionOptions, ExecutionResult } from "./types";

export { RealClock, VirtualClock, type Clock, type RealClockOptions, type SkippedWait, type WaitReason } from "./clock";
export { compile, DefinitionError, type CompiledMachine } from "./compile";
export { DEFAULT_LIMITS, DEFAULT_READINGS } from "./execution";
export { TaskStopped } from "./failure";
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
    return new Execution("graph" in machine ? machine : compile(machine), options).run();
}
