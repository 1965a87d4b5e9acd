/**
 * Time of the analysis beside asl-validator, @wmfs/statelint (npm) and statelint (PyPI), on the same generated
 * definitions, and who finds which seeded defect. Usage: npm run bench:analysis [-- --python <interpreter with
 * statelint installed>]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jsonata from "jsonata";
import { analyse } from "../asl/analysis";
import { defined } from "../ground/fields";
import { defects, sound } from "../test/asl/analysis/seeded";

/* eslint-disable @typescript-eslint/no-require-imports -- these two have no types and one of them reads files when it is loaded */
const aslValidator = require("asl-validator") as (definition: unknown) => { isValid: boolean };
const stateLint = require("@wmfs/statelint") as () => { validate: (definition: unknown) => readonly unknown[] };
/* eslint-enable @typescript-eslint/no-require-imports */

type Json = { [key: string]: unknown };

const failure: Json = {
    Notify: {
        Type: "Task",
        Resource: "arn:aws:states:::sns:publish",
        Parameters: { TopicArn: "arn:aws:sns:eu-central-1:123456789012:alerts", Message: "failed" },
        Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
        Next: "Failed",
    },
    Failed: { Type: "Fail", Error: "Failed", Cause: "see the notification" },
};

/** Task with Retry and Catch, Choice, Pass with calls, and so on: about 148 bytes a state. */
function chain(states: number, language: "JSONPath" | "JSONata"): Json {
    const all: Json = {
        Seed: {
            Type: "Pass",
            ...(language === "JSONPath" ? { Result: { go: true } } : { Assign: { go: true } }),
            Next: "S0",
        },
    };
    for (let index = 0; index < states - 4; index += 1) {
        const next = index + 1 < states - 4 ? `S${index + 1}` : "Done";
        const payload = language === "JSONPath" ? { ResultPath: `$.r${index % 20}` } : {};
        all[`S${index}`] =
            index % 3 === 0
                ? defined({
                      Type: "Task",
                      Resource: "arn:aws:lambda:eu-central-1:123456789012:function:work",
                      ...payload,
                      Retry: [{ ErrorEquals: ["States.Timeout"] }],
                      Arguments: language === "JSONata" ? { n: `{% $go and ${index} > 3 %}` } : undefined,
                      Catch: [{ ErrorEquals: ["States.ALL"], Next: "Notify" }],
                      Next: next,
                  })
                : index % 3 === 1
                  ? {
                        Type: "Choice",
                        Choices: [
                            language === "JSONPath"
                                ? { Variable: "$.go", BooleanEquals: true, Next: next }
                                : { Condition: `{% $go and ${index} > 2 %}`, Next: next },
                        ],
                        Default: next,
                    }
                  : language === "JSONPath"
                    ? {
                          Type: "Pass",
                          Parameters: { "id.$": "States.Format('{}-{}', $.go, 'x')" },
                          ResultPath: `$.p${index % 20}`,
                          Next: next,
                      }
                    : { Type: "Pass", Output: `{% $string(${index}) & '-' & $go %}`, Next: next };
    }
    const notify = failure.Notify as Json;
    const told =
        language === "JSONPath"
            ? failure
            : { ...failure, Notify: { ...notify, Parameters: undefined, Arguments: notify.Parameters } };
    return defined({
        QueryLanguage: language === "JSONata" ? language : undefined,
        StartAt: "Seed",
        TimeoutSeconds: 90_000_000,
        States: { ...all, Done: { Type: "Succeed" }, ...told },
    });
}

/** Parallels of two branches, each with half of the states. */
function tree(states: number): Json {
    let count = 0;
    const graph = (size: number): Json => {
        const id = count;
        count += 1;
        if (size < 8) {
            const names = Array.from({ length: Math.max(1, size) }, (_, index) => `L${id}-${index}`);
            return {
                StartAt: names[0],
                States: Object.fromEntries(
                    names.map((name, index) => [
                        name,
                        index + 1 < names.length
                            ? { Type: "Pass", Next: names[index + 1] }
                            : { Type: "Pass", End: true },
                    ]),
                ),
            };
        }
        return {
            StartAt: `P${id}`,
            States: {
                [`P${id}`]: {
                    Type: "Parallel",
                    Branches: [graph((size - 2) / 2), graph((size - 2) / 2)],
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: `F${id}` }],
                    End: true,
                },
                [`F${id}`]: { Type: "Fail", Error: "Inner", Cause: "inner" },
            },
        };
    };
    return graph(states);
}

/**
 * Processor time of the best of several rounds: other work on the machine counts little, and the compiler has warmed
 * up.
 */
function milliseconds(work: () => void, least = 6): number {
    let best = Infinity;
    const begin = performance.now();
    for (let round = 0; round < least || (performance.now() - begin < 1500 && round < 30); round += 1) {
        const before = process.cpuUsage();
        work();
        const { user, system } = process.cpuUsage(before);
        best = Math.min(best, (user + system) / 1000);
        if (performance.now() - begin > 20_000) {
            break;
        }
    }
    return best;
}

const attempt = (work: () => unknown): boolean => {
    try {
        return Boolean(work());
    } catch {
        return true;
    }
};

const python = process.argv.includes("--python") ? process.argv[process.argv.indexOf("--python") + 1] : undefined;
const script = `
import json, sys, time
from statelint.linter import Linter
out = []
for name in sys.argv[1:]:
    document = json.load(open(name))
    start = time.perf_counter()
    try:
        problems = list(Linter.validate(document) or [])
    except Exception as error:
        problems = [str(error)]
    out.append([(time.perf_counter() - start) * 1000, len(problems)])
print(json.dumps(out))
`;

/** Milliseconds and number of findings of statelint (PyPI); undefined where it is not to be had. */
function pythonLint(definitions: readonly Json[]): [number, number][] | undefined {
    if (python === undefined) {
        return undefined;
    }
    const folder = mkdtempSync(join(tmpdir(), "bench-"));
    try {
        const files = definitions.map((definition, index) => {
            const file = join(folder, `${index}.json`);
            writeFileSync(file, JSON.stringify(definition));
            return file;
        });
        return JSON.parse(execFileSync(python, ["-c", script, ...files], { encoding: "utf8", maxBuffer: 1 << 26 })) as [
            number,
            number,
        ][];
    } finally {
        rmSync(folder, { recursive: true });
    }
}

function expressionsOf(definition: Json): string[] {
    return [
        ...new Set(
            [...JSON.stringify(definition).matchAll(/"\{%((?:[^"\\]|\\.)*)%\}"/g)].map(
                (match) => JSON.parse(`"${match[1]}"`) as string,
            ),
        ),
    ];
}

const shape = (value: number | undefined): string =>
    value === undefined ? "-" : value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");

console.log(
    `Analysis, milliseconds of processor time, best of several, parsing the JSON included (node ${process.version})\n`,
);
console.log(
    "| definition | states | kB | analyse | us/state | bare jsonata parse | asl-validator | @wmfs/statelint | " +
        "statelint (PyPI) |",
);
console.log("|---|---|---|---|---|---|---|---|---|");
const linter = stateLint();
for (const [kind, make] of [
    ["chain, JSONPath", (size: number) => chain(size, "JSONPath")],
    ["chain, JSONata", (size: number) => chain(size, "JSONata")],
    ["tree", tree],
] as const) {
    for (const size of [100, 1000, 5000, 10_000]) {
        const definition = make(size);
        const text = JSON.stringify(definition);
        const fresh = (): Json => JSON.parse(text) as Json;
        const states = text.split('"Type"').length - 1;
        const own = milliseconds(() => analyse(fresh()));
        const codes = expressionsOf(definition);
        const bare = codes.length === 0 ? undefined : milliseconds(() => codes.forEach((code) => jsonata(code)));
        const slow = kind === "tree" && size > 1000;
        const validator = slow ? undefined : milliseconds(() => attempt(() => aslValidator(fresh())), 1);
        const lint =
            kind === "chain, JSONata" ? undefined : milliseconds(() => attempt(() => linter.validate(fresh())), 1);
        const lintPython = size > 5000 ? undefined : pythonLint([definition])?.[0][0];
        const cells = [
            kind,
            states,
            Math.round(text.length / 1024),
            shape(own),
            ((own * 1000) / states).toFixed(1),
            shape(bare),
            shape(validator),
            shape(lint),
            shape(lintPython),
        ];
        console.log(`| ${cells.join(" | ")} |`);
    }
}

console.log(
    "\nSeeded defects: 1 = reports at least one error\n\n| definition | analyse | asl-validator | @wmfs/statelint | " +
        "statelint (PyPI) |\n|---|---|---|---|---|",
);
const py = pythonLint([...defects, ...sound].map((entry) => entry.definition));
const totals = [0, 0, 0, 0];
const row = (name: string, definition: Json, index: number, found: boolean): void => {
    const copy = (): Json => structuredClone(definition);
    const results = [
        found,
        attempt(() => !aslValidator(copy()).isValid),
        attempt(() => linter.validate(copy()).length > 0),
        py === undefined ? undefined : py[index][1] > 0,
    ];
    results.forEach((result, tool) => {
        totals[tool] += result === true ? 1 : 0;
    });
    console.log(`| ${name} | ${results.map((result) => (result === undefined ? "-" : result ? 1 : 0)).join(" | ")} |`);
};
defects.forEach(({ name, definition, rule }, index) =>
    row(
        name,
        definition,
        index,
        analyse(definition).some((finding) => finding.rule === rule),
    ),
);
console.log(`| found of ${defects.length} | ${totals.join(" | ")} |`);
totals.fill(0);
sound.forEach(({ name, definition }, index) =>
    row(`sound: ${name}`, definition, defects.length + index, analyse(definition).length > 0),
);
console.log(`| false alarms of ${sound.length} | ${totals.join(" | ")} |`);
