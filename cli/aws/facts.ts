/** An execution on AWS as the report takes it. */
import {
    DescribeExecutionCommand,
    DescribeStateMachineForExecutionCommand,
    type DescribeExecutionOutput,
    type SFNClient,
} from "@aws-sdk/client-sfn";
import type { StateMachineDefinition } from "../../asl/types";
import { EXIT, ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import type { ExecutionFacts } from "../../report/execution";
import type { ExecutionStatus, Missing } from "../../report/model";
import { settingsOf, type DeployedStage } from "./executions";
import { historyOf } from "./history";

/**
 * Describes an execution, with its whole history and the definition that it runs.
 * @throws ToolError where there is no such execution. A history that may not be read is named as missing.
 */
export async function factsOf(
    client: SFNClient,
    stage: DeployedStage,
    executionArn: string,
    now: Date,
    abortSignal?: AbortSignal,
): Promise<ExecutionFacts> {
    const execution = await describe(client, executionArn, abortSignal);
    const missing: Missing[] = [];
    const denied = async <T>(what: string, work: () => Promise<T>, instead: T): Promise<T> => {
        try {
            return await work();
        } catch (error) {
            if (/AccessDenied|not authorized/i.test(`${(error as Error).name} ${(error as Error).message}`)) {
                missing.push({ what, why: `no permission: ${(error as Error).message}` });
                return instead;
            }
            throw error;
        }
    };
    const definition = await denied(
        "definition of this execution (the deployed one is shown)",
        async () => {
            const answer = await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }), {
                abortSignal,
            });
            return JSON.parse(answer.definition ?? "{}") as StateMachineDefinition;
        },
        stage.definition,
    );
    const events = await denied("history of the execution", () => historyOf(client, executionArn, abortSignal), []);
    const stoppedAt = execution.stopDate ?? now;
    return defined({
        where: "aws",
        executionArn,
        name: execution.name ?? executionArn.split(":").at(-1) ?? executionArn,
        status: execution.status as ExecutionStatus,
        error: execution.error,
        cause: execution.cause,
        startedAt: (execution.startDate ?? stoppedAt).getTime(),
        stoppedAt: stoppedAt.getTime(),
        definition,
        settings: settingsOf(definition, stage.stateMachineArn.split(":").at(-1) ?? ""),
        events: events as unknown as ExecutionFacts["events"],
        remarks: [],
        missing,
    });
}

async function describe(
    client: SFNClient,
    executionArn: string,
    abortSignal?: AbortSignal,
): Promise<DescribeExecutionOutput> {
    try {
        return await client.send(new DescribeExecutionCommand({ executionArn }), { abortSignal });
    } catch (error) {
        if (["ExecutionDoesNotExist", "InvalidArn"].includes((error as Error).name)) {
            throw new ToolError(
                `There is no execution ${executionArn}. Executions are kept for 90 days after their end; ` +
                    "`ensemble report` without a name takes the newest.",
                EXIT.usage,
            );
        }
        throw error;
    }
}
