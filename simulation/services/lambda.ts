/** The stage's functions: Error Cause and Describe Failure are the real ones. */
import type { JsonObject, JsonValue } from "../../asl/types";
import { defined } from "../../ground/fields";
import { classify } from "../../workflow/failures";
import { describeFailure } from "../../workloads/functions/describe-failure";
import type { FaultName } from "../faults";
import { hang, pass, refuse, WORK_SECONDS, type Account, type Call, type Refusals } from "./call";

const REFUSALS: Refusals = {
    lambdaService: ["Lambda.ServiceException", "Service error"],
    lambdaThrottled: ["Lambda.TooManyRequestsException", "Rate exceeded"],
    thrown: [
        "InputError",
        JSON.stringify({
            errorType: "InputError",
            errorMessage: "initialization.fetch_data is missing",
            trace: [],
        }),
    ],
    accessDenied: ["Lambda.AWSLambdaException", "User is not authorized to perform: lambda:InvokeFunction"],
};

/** Answers that no function of the stage gives. */
const ODD_ANSWERS: Partial<Readonly<Record<FaultName, JsonValue>>> = {
    emptyAnswer: {},
    wrongAnswer: { class: 7, reason: { text: "x" }, subject: 1, message: [], errorType: null, cause: {} },
    nullAnswer: null,
};

interface Given {
    readonly FunctionName: string;
    readonly Payload: Readonly<Record<string, unknown>>;
}

/** Invoke */
export async function invoke(call: Call): Promise<JsonValue> {
    const { FunctionName, Payload } = call.request.arguments as unknown as Given;
    if (call.fault === "hangs") {
        await hang(call);
    }
    await pass(call, WORK_SECONDS.function);
    refuse(REFUSALS, call);
    const odd = call.fault === undefined ? undefined : ODD_ANSWERS[call.fault];
    if (odd !== undefined) {
        return { StatusCode: 200, Payload: odd };
    }
    const name = Object.keys(FUNCTIONS).find((part) => FunctionName.includes(`-${part}:`));
    const answer = name === undefined ? describe : (FUNCTIONS[name] ?? describe);
    return { StatusCode: 200, ExecutedVersion: "1", Payload: answer(call, Payload) as JsonValue };
}

type FunctionOfStage = (call: Call, payload: Given["Payload"]) => unknown;

const describe: FunctionOfStage = ({ request }, payload) => describeFailure(payload, new Date(request.clock.now()));

/** By the part of the function's name that tells it from the others. */
const FUNCTIONS: Readonly<Record<string, FunctionOfStage>> = {
    "setup": ({ account }) => account.run,
    "error-cause": ({ account }, payload) => errorCause(account, payload),
    "register": ({ account: { world } }, payload) => {
        world.registered.push(payload as JsonObject);
        world.models.add(String(payload.model));
        return { model: payload.model, outcome: "trained", jobName: (payload.job as JsonObject).TrainingJobName };
    },
    "describe-failure": describe,
};

function errorCause(account: Account, { error, cause, spot }: Given["Payload"]): unknown {
    const failureText = account.failureText;
    account.failureText = "";
    const read = classify({ error: String(error), cause: String(cause), spot: spot === true, failureText });
    return defined({
        class: read.class,
        reason: read.reason,
        jobName: read.jobName,
        billableSeconds: read.billableSeconds,
    });
}
