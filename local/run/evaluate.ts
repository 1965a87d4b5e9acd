import { setTimeout as delay } from "node:timers/promises";
import { EXIT, ToolError } from "../../ground/errors";
import { evaluateStage, type EvaluatedStage, type EvaluateOptions } from "../../project/evaluate";

/**
 * Evaluates a stage's program; mistakes in the configuration and refused definitions are told as they are. Pulumi's
 * runtime rejects a second promise, which nobody can reach, with the error that it has thrown: that one is taken off
 * the process.
 */
export async function evaluateProgram(stage: string, options: EvaluateOptions): Promise<EvaluatedStage> {
    const stray: unknown[] = [];
    const collect = (reason: unknown) => {
        stray.push(reason);
    };
    process.on("unhandledRejection", collect);
    try {
        return await evaluateStage(stage, options);
    } catch (error) {
        // the second rejection is reported after this one
        await delay(20);
        const other = stray.find(
            (reason) => reason !== error && (reason as Error)?.message !== (error as Error).message,
        );
        throw other ?? new ToolError((error as Error).message, EXIT.usage);
    } finally {
        process.off("unhandledRejection", collect);
    }
}
