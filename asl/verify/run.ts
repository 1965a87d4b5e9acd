/** Runs the machines of the assumptions on an account and says which rules hold. */
import {
    CreateStateMachineCommand,
    DeleteStateMachineCommand,
    DescribeExecutionCommand,
    StartExecutionCommand,
    type SFNClient,
} from "@aws-sdk/client-sfn";
import type { JsonValue } from "../types";
import { equalJson } from "../expressions/index";
import type { Assumption, Expectation, Observation } from "./assumptions";
import { walkMachine, type CallTestState } from "./walk";

export interface Verdict {
    readonly id: string;
    readonly rule: string;
    readonly expected: string;
    readonly observed: string;
    /** Undefined when the machine could not be run; `observed` says why. */
    readonly holds: boolean | undefined;
}

export interface VerifyOptions {
    /** A role that states.amazonaws.com may assume; it needs no permission at all. */
    readonly roleArn: string;
    /** Part of the machines' names, so that runs do not meet. */
    readonly run: string;
    /** Milliseconds between two looks at an execution; default 500. */
    readonly pollMilliseconds?: number;
    /** Milliseconds after which an execution counts as not ending; default 60,000. */
    readonly patienceMilliseconds?: number;
    readonly onVerdict?: (verdict: Verdict) => void;
}

/** Verifies the assumptions one after the other; every machine that it creates is deleted again, whatever happens. */
export async function verify(
    client: SFNClient,
    assumptions: readonly Assumption[],
    options: VerifyOptions,
): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const assumption of assumptions) {
        const verdict = await verifyOne(client, assumption, options);
        verdicts.push(verdict);
        options.onVerdict?.(verdict);
    }
    return verdicts;
}

/** As verify, by calls of TestState: nothing is deployed, and rules that only an execution shows are not run. */
export async function verifyByTestState(
    call: CallTestState,
    assumptions: readonly Assumption[],
    onVerdict: (verdict: Verdict) => void = () => undefined,
): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const assumption of assumptions) {
        const verdict = await testOne(call, assumption);
        verdicts.push(verdict);
        onVerdict(verdict);
    }
    return verdicts;
}

async function testOne(call: CallTestState, assumption: Assumption): Promise<Verdict> {
    const { id, rule, expected, definition, input, onlyInExecution } = assumption;
    const said = { id, rule, expected: describe(expected) };
    if (onlyInExecution !== undefined) {
        return { ...said, observed: `only an execution shows it: ${onlyInExecution}`, holds: undefined };
    }
    try {
        const observed = await walkMachine(definition, input ?? {}, call);
        return { ...said, observed: describe(observed), holds: matches(expected, observed) };
    } catch (error) {
        const { name, message } = error as Error;
        return { ...said, observed: `could not run: ${name}: ${message}`, holds: undefined };
    }
}

async function verifyOne(client: SFNClient, assumption: Assumption, options: VerifyOptions): Promise<Verdict> {
    const { id, rule, expected } = assumption;
    const say = (observed: string, holds: boolean | undefined): Verdict => ({
        id,
        rule,
        expected: describe(expected),
        observed,
        holds,
    });
    let observation: Observation;
    try {
        observation = await observe(client, assumption, options);
    } catch (error) {
        return say(`could not run: ${(error as Error).name}: ${(error as Error).message}`, undefined);
    }
    return say(describe(observation), matches(expected, observation));
}

async function observe(client: SFNClient, assumption: Assumption, options: VerifyOptions): Promise<Observation> {
    let stateMachineArn: string;
    try {
        const created = await client.send(
            new CreateStateMachineCommand({
                name: `verify-asl-${assumption.id}-${options.run}`.slice(0, 80),
                roleArn: options.roleArn,
                type: "STANDARD",
                definition: JSON.stringify(assumption.definition),
            }),
        );
        stateMachineArn = created.stateMachineArn as string;
    } catch (error) {
        if ((error as Error).name === "InvalidDefinition") {
            return { created: false };
        }
        throw error;
    }
    try {
        const input = JSON.stringify(assumption.input ?? {});
        const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, input }));
        const end = Date.now() + (options.patienceMilliseconds ?? 60_000);
        for (;;) {
            const { status, output, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn }));
            if (status !== "RUNNING") {
                return {
                    created: true,
                    status: status as string,
                    ...(error === undefined ? {} : { error }),
                    ...(cause === undefined ? {} : { cause }),
                    ...(output === undefined ? {} : { output: JSON.parse(output) as JsonValue }),
                };
            }
            if (Date.now() > end) {
                return { created: true, status: "RUNNING" };
            }
            await new Promise((resolve) => setTimeout(resolve, options.pollMilliseconds ?? 500));
        }
    } finally {
        await client.send(new DeleteStateMachineCommand({ stateMachineArn }));
    }
}

export function matches(expected: Expectation, observed: Observation): boolean {
    return (
        (expected.created ?? true) === observed.created &&
        (expected.status === undefined || expected.status === observed.status) &&
        (expected.error === undefined || expected.error === observed.error) &&
        (expected.cause === undefined || new RegExp(expected.cause, "u").test(observed.cause ?? "")) &&
        (expected.output === undefined ||
            (observed.output !== undefined && equalJson(expected.output, observed.output)))
    );
}

function describe(value: Expectation | Observation): string {
    if (value.created === false) {
        return "refused at creation";
    }
    const output = value.output === undefined ? undefined : JSON.stringify(value.output);
    return [value.status, value.error, output === undefined || output.length <= 80 ? output : `${output.slice(0, 79)}…`]
        .filter((part) => part !== undefined)
        .join(" ");
}
