import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyse } from "../../../asl/analysis";
import { main } from "../../../asl/check/main";
import { pathLambda, pathMachine, lambda, machine, training, type Json } from "../analysis/machines";

interface Bad {
    readonly name: string;
    readonly content: string | Buffer;
}

const SOUND = JSON.stringify(machine({ Work: lambda() }), undefined, 2);
const SOUND_YAML = "StartAt: A\nStates:\n  A:\n    Type: Pass\n    End: true\n";

/** The text cut short at a hundred places: no prefix of a JSON object is JSON. */
const cut = (): Bad[] =>
    Array.from({ length: 100 }, (_, index) => {
        const content = SOUND.slice(0, Math.floor((index * (SOUND.length - 1)) / 100));
        return { name: `cut-${index}.json`, content };
    });

/** One byte that is not UTF-8, at forty places. */
const notUtf8 = (): Bad[] =>
    Array.from({ length: 40 }, (_, index) => {
        const content = Buffer.from(SOUND);
        content[Math.floor((index * content.length) / 40)] = 0xff;
        return { name: `bytes-${index}.json`, content };
    });

/** A character that is out of place, before and behind each of thirty lines. */
const stray = (): Bad[] =>
    SOUND.split("\n")
        .slice(1, 31)
        .flatMap((line, index): Bad[] => [
            { name: `before-${index}.json`, content: SOUND.replace(line, `@${line}`) },
            { name: `behind-${index}.json`, content: SOUND.replace(line, `${line}@`) },
        ]);

/** What is JSON or YAML, and no definition. */
const others = (): Bad[] =>
    ["", " ", "null", "1", '"text"', "true", "[]", "[[]]", "{}", '{"a":1}', "NaN", "undefined", "\u0000", "\uFEFF", "{"]
        .flatMap((content): Bad[] => [
            { name: "other.json", content },
            { name: "other.yaml", content },
        ])
        .map(({ name, content }, index) => ({ name: `${index}-${name}`, content }));

const YAML_MISTAKES = [
    "StartAt: A\n\tStates: {}\n",
    "StartAt: [A\nStates: {}\n",
    "StartAt: *nobody\nStates: {}\n",
    "StartAt: &a [*a]\nStates: {}\n",
    'StartAt: "A\nStates: {}\n',
    "StartAt: A: B\nStates: {}\n",
    "%YAML 9.9\n---\n- [}\n",
    "StartAt: A\n States: {}\n",
    "? [a\n: b\nStates: {}\n",
    "States: !Ref [\n",
];

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth);

/** Nesting and size; each in JSON and YAML. */
const huge = (): Bad[] => [
    ...[401, 1000, 5000, 100_000].map((depth) => ({
        name: `nested-${depth}.json`,
        content: `{"StartAt":"A","States":${nested("[", "]", depth)}}`,
    })),
    ...[401, 1000, 5000].flatMap((depth) => [
        { name: `flow-${depth}.yaml`, content: `StartAt: A\nStates: ${nested("[", "]", depth)}\n` },
        { name: `flow-map-${depth}.yaml`, content: `StartAt: A\nStates: ${nested("{a: ", "}", depth)}\n` },
        { name: `sequence-${depth}.yaml`, content: `StartAt: A\nStates:\n  ${"- ".repeat(depth)}x\n` },
    ]),
    {
        name: "block-1000.yaml",
        content: Array.from({ length: 1000 }, (_, index) => `${" ".repeat(index)}a:`).join("\n"),
    },
    {
        name: "aliases.yaml",
        content: Array.from({ length: 12 }, (_, index) => {
            const items = index === 0 ? "1" : Array.from({ length: 9 }, () => `*a${index - 1}`).join(", ");
            return `a${index}: &a${index} [${items}]`;
        }).join("\n"),
    },
    { name: "large.yaml", content: `States: ${"x".repeat(8 * 1024 * 1024)}` },
];

const all = (): Bad[] => [
    ...cut(),
    ...notUtf8(),
    ...stray(),
    ...others(),
    ...YAML_MISTAKES.map((content, index) => ({ name: `mistake-${index}.yaml`, content })),
    ...huge(),
    ...Array.from({ length: 50 }, (_, index) => ({
        name: `yaml-cut-${index}.yaml`,
        content: `${SOUND_YAML.slice(0, 11)}${"[".repeat(index + 1)}`,
    })),
];

async function check(args: readonly string[]): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
    let out = "";
    const code = await main(args, {
        stdin: async () => Buffer.alloc(0),
        out: (text) => {
            out += text;
        },
        err: (text) => {
            out += text;
        },
    });
    return { code, lines: out.trimEnd().split("\n") };
}

describe("asl-check on bad input", function () {
    // What it needs is processor time, and a busy machine gives it late.
    this.timeout(120_000);
    let folder: string;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), "asl-check-bad-"));
    });
    after(() => {
        rmSync(folder, { recursive: true });
    });

    it("says of each of 300 files in one line what is wrong, and where", async () => {
        const list = all();
        assert.ok(list.length >= 300, String(list.length));
        for (const { name, content } of list) {
            const file = join(folder, name);
            writeFileSync(file, content);
            const { code, lines } = await check([file]);
            assert.equal(code, 2, `${name}: ${lines.join(" | ")}`);
            assert.equal(lines.length, 2, lines.join("\n"));
            const [line = ""] = lines;
            assert.ok(line.includes(`${name}`) && line.includes("unreadable"), line);
            assert.doesNotMatch(line, /call stack|Cannot read|is not a function|undefined|\n/, name);
            assert.ok(line.length < 600, line);
        }
    });

    it("reads what is large and sound: 20,000 keys, and a file that ends below its key", async () => {
        const states = Array.from({ length: 20_000 }, (_, index) => `  k${index}: {Type: Pass, Next: k${index + 1}}`);
        const file = join(folder, "keys.yaml");
        writeFileSync(file, `StartAt: k0\nStates:\n${states.join("\n")}\n  k20000: {Type: Succeed}\n`);
        assert.equal((await check([file])).code, 0);
        const flow = join(folder, "flow.yaml");
        writeFileSync(flow, "StartAt: A\nStates: {\n  A: {Type: Pass,\n  End: true\n}\n}\n");
        assert.deepEqual((await check([flow])).lines, ["1 definition: 0 errors, 0 warnings"]);
    });

    it("says of what vanished, may not be read or is no file that it is so", async () => {
        const dangling = join(folder, "dangling.json");
        symlinkSync(join(folder, "gone.json"), dangling);
        const circle = join(folder, "circle.json");
        symlinkSync(circle, circle);
        const expected = [
            [join(folder, "gone.json"), "there is no such file"],
            [dangling, "there is no such file"],
            [circle, "its links lead in a circle"],
            ["/dev/null", "this is a device"],
        ] as const;
        for (const [file, message] of expected) {
            const { code, lines } = await check([file]);
            assert.equal(code, 2, file);
            assert.ok(lines[0]?.includes(message), lines.join("\n"));
        }
        const empty = join(folder, "empty");
        mkdirSync(empty);
        assert.equal((await check([empty])).code, 0);
    });
});

const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "prototype"];

/** The definition with one text or one key at a time replaced by a name that every object knows. */
function* disguised(definition: Json): Generator<unknown> {
    const text = JSON.stringify(definition);
    for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"/g)) {
        const name = NAMES[match.index % NAMES.length];
        yield JSON.parse(`${text.slice(0, match.index)}"${name}"${text.slice(match.index + match[0].length)}`);
    }
}

describe("analysis of names that every object knows", () => {
    const machines = [
        machine({ Work: lambda({ Assign: { x: "{% $states.result.a %}" } }) }),
        machine({ Train: training() }),
        pathMachine({ Work: pathLambda({ ResultPath: "$.a.b", TimeoutSecondsPath: "$.t" }) }),
        machine({ "Which?": { Type: "Choice", Choices: [{ Condition: "{% $f($x) %}", Next: "Done" }] } }),
    ];
    it("ends with findings, never in the analysis", () => {
        for (const definition of machines.flatMap((given) => [...disguised(given)])) {
            const stopped = analyse(definition).filter(({ rule }) => rule === "not-analysed");
            assert.deepEqual(stopped, [], JSON.stringify(definition));
        }
    });
});
