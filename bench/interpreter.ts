/**
 * Transitions per second of the interpreter, on chains of 1,000 Pass states in both query languages. Run:
 * `npm run bench:interpreter`.
 */
import type { JsonValue, StateMachineDefinition } from "../asl/types";
import { compile, execute, type CompiledMachine } from "../asl/interpreter/index";

const STATES = 1000;

function chain(queryLanguage: "JSONata" | "JSONPath", fields: object): StateMachineDefinition {
    const states = Object.fromEntries(
        Array.from({ length: STATES }, (_, index) => [
            `S${index}`,
            {
                Type: "Pass",
                ...fields,
                ...(index + 1 < STATES ? { Next: `S${index + 1}` } : { End: true }),
            },
        ]),
    );
    return { QueryLanguage: queryLanguage, StartAt: "S0", States: states } as unknown as StateMachineDefinition;
}

async function measure(name: string, machine: CompiledMachine, history: boolean): Promise<void> {
    const input: JsonValue = { counter: 1, customer: { name: "Ada", tags: ["a", "b"] } };
    const run = async (): Promise<void> => {
        const result = await execute(machine, { input, task: async () => null, history });
        if (result.status !== "SUCCEEDED" || result.transitions !== STATES) {
            throw new Error(`${name}: ${result.status} after ${result.transitions} transitions: ${result.cause}`);
        }
    };
    const first = process.hrtime.bigint();
    await run();
    const cold = Number(process.hrtime.bigint() - first) / 1000 / STATES;
    for (let index = 0; index < 10; index++) {
        await run();
    }
    const runs = 30;
    const start = process.hrtime.bigint();
    for (let index = 0; index < runs; index++) {
        await run();
    }
    const warm = Number(process.hrtime.bigint() - start) / 1000 / STATES / runs;
    console.log(
        `${name.padEnd(52)} ${history ? "history" : "       "} ${cold.toFixed(2).padStart(8)} ` +
            `${warm.toFixed(2).padStart(8)} ` +
            `${Math.round(1e6 / warm)
                .toLocaleString("en")
                .padStart(12)}`,
    );
}

async function main(): Promise<void> {
    console.log(
        `${"chain of 1,000 Pass states".padEnd(60)} ${"first µs".padStart(8)} ${"warm µs".padStart(8)} ` +
            `${"per second".padStart(12)}`,
    );
    const machines: [string, StateMachineDefinition][] = [
        ["JSONPath, empty", chain("JSONPath", {})],
        [
            "JSONPath, Parameters with a path and an intrinsic",
            chain("JSONPath", {
                Parameters: { "counter.$": "States.MathAdd($.counter, 1)", "customer.$": "$.customer" },
            }),
        ],
        ["JSONata, empty", chain("JSONata", {})],
        [
            "JSONata, Output with two expressions",
            chain("JSONata", {
                Output: { counter: "{% $states.input.counter + 1 %}", customer: "{% $states.input.customer %}" },
            }),
        ],
        ["JSONata, Assign of one variable", chain("JSONata", { Assign: { last: "{% $states.input.counter %}" } })],
    ];
    for (const [name, definition] of machines) {
        const started = process.hrtime.bigint();
        const machine = compile(definition);
        const compiled = Number(process.hrtime.bigint() - started) / 1e6;
        await measure(name, machine, true);
        await measure(`  (compiled in ${compiled.toFixed(1)} ms)`, machine, false);
    }
}

main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
});
