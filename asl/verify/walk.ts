/**
 * Walks a machine with calls of TestState, one a state, so that nothing has to be deployed. Tasks are mocked; a
 * Parallel's branches are walked first, and their results are its mock.
 */
import type { TestStateRequest, TestStateResponse } from "../interpreter/index";
import { defined } from "../../ground/fields";
import type { JsonValue, State, StateGraph, StateMachineDefinition } from "../types";
import { FAILS, type Observation } from "./assumptions";

/** TestState, of AWS or of this project. @throws (as a rejection) an error named InvalidDefinition. */
export type CallTestState = (request: TestStateRequest) => Promise<TestStateResponse>;

/** More states than any machine of an assumption enters. */
const MOST_STATES = 50;

/** @returns what an execution would be seen to do. */
export async function walkMachine(
    definition: StateMachineDefinition,
    input: JsonValue,
    call: CallTestState,
): Promise<Observation> {
    try {
        const { variables: _, state: __, ...ended } = await new Walk(definition, call).graph(definition, input, "{}");
        return { created: true, ...ended };
    } catch (error) {
        if (error instanceof Error && error.name === "InvalidDefinition") {
            return { created: false };
        }
        throw error;
    }
}

/** How a line of states ended, and the state that it ended in. */
interface Ended {
    readonly status: "SUCCEEDED" | "FAILED";
    readonly output?: JsonValue;
    readonly error?: string;
    readonly cause?: string;
    readonly state: string;
    readonly variables: string;
}

class Walk {
    private readonly text: string;
    private entered = 0;

    constructor(
        definition: StateMachineDefinition,
        private readonly call: CallTestState,
    ) {
        this.text = JSON.stringify(definition);
    }

    /** @param variables JSON text. */
    async graph({ StartAt, States }: StateGraph, start: JsonValue, variables: string): Promise<Ended> {
        let name: string | undefined = StartAt;
        let input = start;
        let known = variables;
        let last = StartAt;
        while (name !== undefined) {
            this.entered += 1;
            if (this.entered > MOST_STATES) {
                throw new Error(`the machine enters more than ${MOST_STATES} states`);
            }
            last = name;
            const response: TestStateResponse = await this.state(name, States[name], input, known);
            known = response.inspectionData?.variables ?? known;
            if (response.status === "FAILED") {
                return failure(response, last, known);
            }
            input = JSON.parse(response.output ?? "null") as JsonValue;
            name = response.nextState;
        }
        return { status: "SUCCEEDED", output: input, state: last, variables: known };
    }

    private async state(
        name: string,
        state: State | undefined,
        input: JsonValue,
        variables: string,
    ): Promise<TestStateResponse> {
        const request = {
            definition: this.text,
            stateName: name,
            input: JSON.stringify(input),
            variables,
            inspectionLevel: "DEBUG",
            ...(await this.mocked(state, input, variables)),
        } as const;
        for (let retrierRetryCount = 0; ; retrierRetryCount += 1) {
            const stateConfiguration = { ...request.stateConfiguration, retrierRetryCount };
            const isRetried = retrierRetryCount > 0;
            const response = await this.call(isRetried ? { ...request, stateConfiguration } : request);
            if (response.status !== "RETRIABLE") {
                return response;
            }
        }
    }

    /** What stands in for the state's work. */
    private async mocked(
        state: State | undefined,
        input: JsonValue,
        variables: string,
    ): Promise<Pick<TestStateRequest, "mock" | "stateConfiguration">> {
        if (state?.Type === "Task") {
            return { mock: state.Resource === FAILS ? REFUSAL : IDENTITY };
        }
        if (state?.Type !== "Parallel") {
            return {};
        }
        const results: JsonValue[] = [];
        for (const branch of state.Branches) {
            const ended = await this.graph(branch, input, variables);
            if (ended.status === "FAILED") {
                const { error, cause } = ended;
                return {
                    mock: { errorOutput: defined({ error, cause }) },
                    stateConfiguration: { errorCausedByState: ended.state },
                };
            }
            results.push(ended.output ?? null);
        }
        return { mock: { result: JSON.stringify(results) } };
    }
}

function failure({ error, cause }: TestStateResponse, state: string, variables: string): Ended {
    return { status: "FAILED", state, variables, ...defined({ error, cause }) };
}

const REFUSAL = { errorOutput: { error: "Sfn.SfnException", cause: "AccessDeniedException" } };

const ACCOUNT = "111111111111";
const IDENTITY = {
    result: JSON.stringify({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:user/verify`, UserId: "verify" }),
};
