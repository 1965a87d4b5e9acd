import { testState, TestStateError, type TestStateRequest } from "../../interpreter";
import type { JsonObject } from "../../types";
import { ServiceError } from "../errors";
import type { Operations } from "./service";

/** One state, tested with its work mocked. */
export function testOperations(): Operations {
    return {
        TestState: async (body) => {
            try {
                return (await testState(body as TestStateRequest)) as unknown as JsonObject;
            } catch (error) {
                throw error instanceof TestStateError ? new ServiceError(error.code, error.message) : error;
            }
        },
    };
}
