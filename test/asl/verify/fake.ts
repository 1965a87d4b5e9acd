/** A small Step Functions endpoint: its JSON protocol over HTTP, with the interpreter behind it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
    compile,
    DefinitionError,
    execute,
    TaskError,
    testState,
    TestStateError,
    type ExecutionResult,
    type Readings,
    type TestStateRequest,
} from "../../../asl/interpreter/index";
import type { StateMachineDefinition } from "../../../asl/types";
import { FAILS } from "../../../asl/verify/assumptions";
import { defined } from "../../../ground/fields";

export interface Fake {
    readonly endpoint: string;
    /** Names of the machines that exist now. */
    readonly machines: Map<string, StateMachineDefinition>;
    readonly calls: string[];
    readonly close: () => Promise<void>;
}

async function tested(request: TestStateRequest): Promise<object> {
    try {
        return await testState(request);
    } catch (problem) {
        throw problem instanceof TestStateError ? Object.assign(problem, { type: problem.code }) : problem;
    }
}

export async function fakeStepFunctions(
    readings: Partial<Readings> = {},
    refuse?: (action: string) => string | undefined,
): Promise<Fake> {
    const machines = new Map<string, StateMachineDefinition>();
    const executions = new Map<string, ExecutionResult | undefined>();
    const calls: string[] = [];
    const act = async (action: string, body: Record<string, string>): Promise<object> => {
        const error = refuse?.(action);
        if (error !== undefined) {
            throw Object.assign(new Error("told to refuse"), { type: error });
        }
        switch (action) {
            case "CreateStateMachine": {
                const definition = JSON.parse(body.definition) as StateMachineDefinition;
                try {
                    compile(definition);
                } catch (problem) {
                    throw problem instanceof DefinitionError
                        ? Object.assign(problem, { type: "InvalidDefinition" })
                        : problem;
                }
                const stateMachineArn = `arn:aws:states:eu-central-1:111111111111:stateMachine:${body.name}`;
                machines.set(stateMachineArn, definition);
                return { stateMachineArn, creationDate: 1 };
            }
            case "StartExecution": {
                const executionArn =
                    `${body.stateMachineArn.replace(":stateMachine:", ":execution:")}:` + `${executions.size}`;
                executions.set(executionArn, undefined);
                void execute(machines.get(body.stateMachineArn) as StateMachineDefinition, {
                    input: JSON.parse(body.input),
                    readings,
                    task: async (request) => {
                        if (request.resource === FAILS) {
                            throw new TaskError("Sfn.SfnException", "AccessDeniedException");
                        }
                        return { Account: "111111111111" };
                    },
                }).then((result) => executions.set(executionArn, result));
                return { executionArn, startDate: 1 };
            }
            case "DescribeExecution": {
                const result = executions.get(body.executionArn);
                return result === undefined
                    ? { executionArn: body.executionArn, status: "RUNNING" }
                    : defined({
                          executionArn: body.executionArn,
                          status: result.status,
                          error: result.error,
                          cause: result.cause,
                          output: result.status === "SUCCEEDED" ? JSON.stringify(result.output) : undefined,
                      });
            }
            case "TestState":
                return tested(body as unknown as TestStateRequest);
            case "DeleteStateMachine":
                machines.delete(body.stateMachineArn);
                return {};
            default:
                throw Object.assign(new Error(`unknown action ${action}`), { type: "UnknownOperationException" });
        }
    };
    const server: Server = createServer((request, response) => {
        let text = "";
        request.on("data", (chunk: Buffer) => (text += chunk.toString()));
        request.on("end", () => {
            const action = String(request.headers["x-amz-target"]).split(".").pop() as string;
            calls.push(action);
            act(action, JSON.parse(text)).then(
                (answer) => {
                    response
                        .writeHead(200, { "content-type": "application/x-amz-json-1.0" })
                        .end(JSON.stringify(answer));
                },
                (error: Error & { type?: string }) => {
                    response
                        .writeHead(400, { "content-type": "application/x-amz-json-1.0" })
                        .end(JSON.stringify({ __type: error.type ?? "InternalFailure", message: error.message }));
                },
            );
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        machines,
        calls,
        close: () =>
            new Promise((resolve) => {
                server.closeAllConnections();
                server.close(() => resolve());
            }),
    };
}
