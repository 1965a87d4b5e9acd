/**
 * The interpreter beside aws-local-stepfunctions and moto's executor, on the same chains in JSONPath: microseconds of
 * processor time a transition, ours and the npm package's in turn in one process. aws-local-stepfunctions has no
 * JSONata.
 *
 *     npm ci --prefix bench && npx ts-node bench/interpreterPeers.ts [--python <interpreter with moto[stepfunctions]>]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import type { JsonValue, StateMachineDefinition } from "../asl/types";
import { compile, execute } from "../asl/interpreter/index";
import { defined } from "../ground/fields";

const STATES = 1_000;
const ROUNDS = 15;
const INPUT: JsonValue = { counter: 1, go: true, customer: { name: "Ada", tags: ["a", "b"] } };

// Node 22 has it, and the package needs it.
const promises = Promise as unknown as { withResolvers?: () => unknown };
promises.withResolvers ??= () => {
    let [resolve, reject]: [unknown, unknown] = [undefined, undefined];
    const promise = new Promise((yes, no) => {
        [resolve, reject] = [yes, no];
    });
    return { promise, resolve, reject };
};

interface LocalStateMachine {
    run(input: JsonValue, options: object): { readonly result: Promise<JsonValue> };
}

// eslint-disable-next-line @typescript-eslint/no-require-imports -- it is there only after `npm ci --prefix bench`
const { StateMachine } = require(join(__dirname, "node_modules/aws-local-stepfunctions")) as {
    StateMachine: new (definition: unknown, options: object) => LocalStateMachine;
};

type Make = (index: number, next: object) => object;

const JSONPATH: Readonly<Record<string, Make>> = {
    "Pass": (_index, next) => ({ Type: "Pass", ...next }),
    "Pass with a path and an intrinsic": (_index, next) => ({
        Type: "Pass",
        Parameters: { "counter.$": "States.MathAdd($.counter, 1)", "go.$": "$.go", "customer.$": "$.customer" },
        ...next,
    }),
    "Choice of three rules": (index, next) =>
        "End" in next
            ? { Type: "Succeed" }
            : {
                  Type: "Choice",
                  Default: `S${index + 1}`,
                  Choices: [
                      { Variable: "$.counter", NumericGreaterThan: 5, Next: `S${index + 1}` },
                      {
                          And: [
                              { Variable: "$.go", BooleanEquals: false },
                              { Variable: "$.customer.name", StringEquals: "Bob" },
                          ],
                          Next: `S${index + 1}`,
                      },
                      { Variable: "$.customer.name", StringMatches: "A*", Next: `S${index + 1}` },
                  ],
              },
    "Task": (_index, next) => ({
        Type: "Task",
        Resource: "arn:aws:lambda:eu-central-1:123456789012:function:work",
        ResultPath: "$.result",
        ...next,
    }),
};
const JSONATA: Readonly<Record<string, Make>> = {
    "Pass": JSONPATH.Pass,
    "Pass with a path and an intrinsic": (_index, next) => ({
        Type: "Pass",
        ...next,
        Output: {
            counter: "{% $states.input.counter + 1 %}",
            go: "{% $states.input.go %}",
            customer: "{% $states.input.customer %}",
        },
    }),
    "Choice of three rules": (index, next) =>
        "End" in next
            ? { Type: "Succeed" }
            : {
                  Type: "Choice",
                  Default: `S${index + 1}`,
                  Choices: [
                      { Condition: "{% $states.input.counter > 5 %}", Next: `S${index + 1}` },
                      {
                          Condition: "{% $states.input.go = false and $states.input.customer.name = 'Bob' %}",
                          Next: `S${index + 1}`,
                      },
                      { Condition: "{% $states.input.customer.name = 'Ada' %}", Next: `S${index + 1}` },
                  ],
              },
    "Task": (_index, next) => ({
        Type: "Task",
        Resource: "arn:aws:states:::lambda:invoke",
        Arguments: { FunctionName: "work" },
        Output: "{% $merge([$states.input, {'result': $states.result}]) %}",
        ...next,
    }),
};

function chain(make: Make, language?: "JSONata"): StateMachineDefinition {
    return defined({
        QueryLanguage: language,
        StartAt: "S0",
        States: Object.fromEntries(
            Array.from({ length: STATES }, (_, index) => [
                `S${index}`,
                make(index, index + 1 < STATES ? { Next: `S${index + 1}` } : { End: true }),
            ]),
        ),
    }) as unknown as StateMachineDefinition;
}

/** Processor microseconds a transition. */
async function once(work: () => Promise<unknown>): Promise<number> {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / STATES;
}

function ours(definition: StateMachineDefinition, history: boolean): () => Promise<void> {
    const machine = compile(definition);
    return async () => {
        const { status, transitions, cause } = await execute(machine, {
            input: INPUT,
            task: async () => "done",
            history,
        });
        if (status !== "SUCCEEDED" || transitions !== STATES) {
            throw new Error(`${status} after ${transitions} transitions: ${cause}`);
        }
    };
}

function local(definition: StateMachineDefinition): () => Promise<void> {
    const machine = new StateMachine(definition, { validationOptions: { checkPaths: false, checkArn: false } });
    const taskResourceLocalHandlers = Object.fromEntries(
        Object.keys(definition.States).map((name) => [name, () => "done"]),
    );
    return async () => {
        await machine.run(INPUT, { overrides: { taskResourceLocalHandlers } }).result;
    };
}

const MOTO = `
import json, os, resource, sys, time
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="eu-central-1")
import boto3
from moto import mock_aws
def seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions")
    for number, file in enumerate(sys.argv[2:]):
        definition = open(file).read()
        arn = client.create_state_machine(name=f"m{number}", definition=definition, roleArn="arn:aws:iam::123456789012:role/r")["stateMachineArn"]
        start = seconds()
        execution = client.start_execution(stateMachineArn=arn, input=sys.argv[1])["executionArn"]
        while (status := client.describe_execution(executionArn=execution)["status"]) == "RUNNING":
            time.sleep(0.05)
        print(json.dumps([status, seconds() - start]), flush=True)
`;

/**
 * Processor microseconds a transition of moto's executor, the parse included. Nothing without --python; a Task would
 * call a Lambda.
 */
function moto(names: readonly string[]): ReadonlyMap<string, number> {
    const at = process.argv.indexOf("--python");
    if (at < 0) {
        return new Map();
    }
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    try {
        const files = names.map((name, index) => {
            const file = join(folder, `${index}.json`);
            writeFileSync(file, JSON.stringify(chain(JSONPATH[name])));
            return file;
        });
        const output = execFileSync(process.argv[at + 1], ["-c", MOTO, JSON.stringify(INPUT), ...files], {
            encoding: "utf8",
        });
        return new Map(
            output
                .trim()
                .split("\n")
                .map((line, index) => {
                    const [status, seconds] = JSON.parse(line) as [string, number];
                    if (status !== "SUCCEEDED") {
                        throw new Error(`moto: ${names[index]} ended ${status}`);
                    }
                    return [names[index], (seconds * 1e6) / STATES];
                }),
        );
    } finally {
        rmSync(folder, { recursive: true });
    }
}

const median = (values: readonly number[]): number =>
    [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)];

async function main(): Promise<void> {
    const peers = moto(Object.keys(JSONPATH).filter((name) => name !== "Task"));
    const table = new Table({
        head: [
            "1,000 states",
            "ours, history",
            "ours",
            "aws-local-stepfunctions",
            "ours / theirs",
            "moto",
            "moto / ours with history",
            "ours, JSONata",
        ],
        style: { head: [], border: [], compact: true },
    });
    for (const [name, make] of Object.entries(JSONPATH)) {
        const definition = chain(make);
        const works = [
            ours(definition, true),
            ours(definition, false),
            local(definition),
            ours(chain(JSONATA[name], "JSONata"), false),
        ];
        const times: number[][] = works.map(() => []);
        for (let round = 0; round < ROUNDS + 5; round += 1) {
            for (const [index, work] of works.entries()) {
                const time = await once(work);
                // the first rounds warm the compiler up
                if (round >= 5) {
                    times[index].push(time);
                }
            }
        }
        const [recorded, bare, theirs, jsonata] = times.map(median);
        const theirMoto = peers.get(name);
        table.push([
            name,
            recorded.toFixed(1),
            bare.toFixed(1),
            theirs.toFixed(1),
            (bare / theirs).toFixed(2),
            ...(theirMoto === undefined ? ["-", "-"] : [theirMoto.toFixed(0), (theirMoto / recorded).toFixed(0)]),
            jsonata.toFixed(1),
        ]);
    }
    console.log(
        `Microseconds of processor time a transition, medians of ${ROUNDS} warm rounds in turn; Node ` +
            `${process.version}`,
    );
    console.log(table.toString());
}

void main();
