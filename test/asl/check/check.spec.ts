/* eslint @stylistic/max-len: off -- templates read best with one on a line */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { main } from "../../../asl/check/main";
import { catchAll, lambda, machine, type Json } from "../analysis/machines";

interface Answer {
    readonly code: number;
    readonly out: string;
    readonly err: string;
}

let folder: string;

async function check(args: readonly string[], stdin = Buffer.alloc(0)): Promise<Answer> {
    let out = "";
    let err = "";
    const code = await main(args, {
        stdin: async () => stdin,
        out: (text) => {
            out += text;
        },
        err: (text) => {
            err += text;
        },
    });
    return { code, out: out.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g"), ""), err };
}

function file(name: string, content: string | Buffer | Json): string {
    const path = join(folder, name);
    writeFileSync(
        path,
        typeof content === "string" || Buffer.isBuffer(content) ? content : JSON.stringify(content, undefined, 2),
    );
    return path;
}

const sound = machine({ Work: lambda() });
const silent = machine({ Work: lambda({ Catch: undefined }) });

describe("asl-check", () => {
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "asl-check-"));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true });
    });

    it("ends with 0 on a clean definition, 1 on findings, 2 when it could not read", async () => {
        assert.equal((await check([file("a.json", sound)])).code, 0);
        assert.equal((await check([file("b.json", silent)])).code, 1);
        assert.equal((await check([join(folder, "none.json")])).code, 2);
        assert.equal((await check([file("c.json", sound), file("d.json", "{")])).code, 2);
    });

    it("says file, line, column, rule, state, what is wrong and the counter-example", async () => {
        const path = file("a.json", silent);
        const { out } = await check([path]);
        assert.match(
            out,
            new RegExp(
                `^${path}:\\d+:\\d+  error  catch-all  Work\\n    This Task has no Catch: .*\\n    Work ` +
                    `-\\(States\\.TaskFailed\\): `,
            ),
        );
        assert.match(out, /1 definition: 1 error, 0 warnings\n$/);
    });

    it("reads standard input, JSON and YAML", async () => {
        assert.equal((await check([], Buffer.from(JSON.stringify(silent)))).code, 1);
        assert.equal((await check(["-"], Buffer.from(stringify(sound)))).code, 0);
    });

    it("reads YAML, with places", async () => {
        const text = stringify(silent);
        const { out, code } = await check([file("a.asl.yaml", text)]);
        assert.equal(code, 1);
        const line = Number(/a\.asl\.yaml:(\d+):/.exec(out)![1]);
        assert.match(text.split("\n")[line - 1], /Work:/);
    });

    it("walks through directories and passes over what holds no state machine", async () => {
        mkdirSync(join(folder, "deep/node_modules"), { recursive: true });
        file("deep/a.asl.json", silent);
        file("deep/package.json", { name: "x" });
        file("deep/broken.json", "{ not json");
        file("deep/node_modules/b.asl.json", silent);
        symlinkSync(folder, join(folder, "deep/round"));
        const { out, code } = await check([folder]);
        assert.equal(code, 1);
        assert.match(out, /1 definition: 1 error/);
    });

    it("reads definitions inside CloudFormation, SAM and CDK templates", async () => {
        const text = JSON.stringify(silent).replace('"work"', '"${Function}"');
        const template = {
            Resources: {
                One: {
                    Type: "AWS::StepFunctions::StateMachine",
                    Properties: { DefinitionString: { "Fn::Sub": text } },
                },
                Two: { Type: "AWS::StepFunctions::StateMachine", Properties: { Definition: sound } },
                Three: {
                    Type: "AWS::StepFunctions::StateMachine",
                    Properties: {
                        DefinitionString: {
                            "Fn::Join": [
                                "",
                                [
                                    JSON.stringify(silent).split("arn:aws:states")[0],
                                    "arn:",
                                    { Ref: "AWS::Partition" },
                                    ":states",
                                    JSON.stringify(silent).split("arn:aws:states").slice(1).join("arn:aws:states"),
                                ],
                            ],
                        },
                    },
                },
                Four: {
                    Type: "AWS::Serverless::StateMachine",
                    Properties: { DefinitionUri: "inner.asl.json", DefinitionSubstitutions: { Name: "work" } },
                },
                Other: { Type: "AWS::S3::Bucket" },
            },
        };
        file("inner.asl.json", silent);
        const { out } = await check([file("template.json", template), "--format", "json"]);
        const findings = (JSON.parse(out) as { findings: { rule: string; holder: string }[] }).findings;
        assert.deepEqual(
            findings.map(({ rule, holder }) => `${holder} ${rule}`),
            ["One catch-all", "Three catch-all", "Four catch-all"],
        );
    });

    it("reads CloudFormation in YAML with its short forms", async () => {
        const text = [
            "Resources:",
            "  Machine:",
            "    Type: AWS::StepFunctions::StateMachine",
            "    Properties:",
            "      RoleArn: !GetAtt Role.Arn",
            "      DefinitionString: !Sub |",
            ...JSON.stringify(silent, undefined, 2)
                .split("\n")
                .map((line) => `        ${line}`),
        ].join("\n");
        const { out, code } = await check([file("template.yaml", text)]);
        assert.equal(code, 1, out);
        assert.match(out, /template\.yaml:6:7  error  catch-all  Machine > Work/);
    });

    it("reads Terraform plans, Pulumi previews and stack exports", async () => {
        const definition = JSON.stringify(silent);
        const plan = {
            planned_values: {
                root_module: {
                    child_modules: [
                        {
                            resources: [
                                {
                                    address: "module.a.aws_sfn_state_machine.b",
                                    type: "aws_sfn_state_machine",
                                    values: { definition },
                                },
                            ],
                        },
                    ],
                },
            },
        };
        const type = "aws:sfn/stateMachine:StateMachine";
        const preview = {
            steps: [
                {
                    op: "create",
                    newState: { urn: `urn:pulumi:dev::p::${type}::machine`, type, inputs: { definition } },
                },
            ],
        };
        const exported = {
            version: 3,
            deployment: { resources: [{ urn: `urn:pulumi:dev::p::${type}::machine`, type, inputs: { definition } }] },
        };
        for (const [name, value] of [
            ["plan", plan],
            ["preview", preview],
            ["export", exported],
        ] as const) {
            const { out, code } = await check([file(`${name}.json`, value)]);
            assert.equal(code, 1, out);
            assert.match(out, /catch-all  (?:module\.a\.aws_sfn_state_machine\.b|machine) > Work/);
        }
    });

    it("does not pass over a definition that a preview does not know", async () => {
        const type = "aws:sfn/stateMachine:StateMachine";
        const preview = {
            steps: [
                {
                    newState: {
                        urn: "a::machine",
                        type,
                        inputs: { definition: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" },
                    },
                },
            ],
        };
        const { out, code } = await check([file("preview.json", preview)]);
        assert.equal(code, 2);
        assert.match(out, /machine: the definition is not known in this preview/);
    });

    it("writes SARIF 2.1.0", async () => {
        const { out, code } = await check([file("a.json", silent), "--format", "sarif"]);
        assert.equal(code, 1);
        const log = JSON.parse(out) as {
            version: string;
            runs: {
                tool: { driver: { name: string; rules: { id: string }[] } };
                results: {
                    ruleId: string;
                    ruleIndex: number;
                    level: string;
                    message: { text: string };
                    locations: { physicalLocation: { region: { startLine: number } } }[];
                }[];
            }[];
        };
        assert.equal(log.version, "2.1.0");
        const [{ tool, results }] = log.runs;
        assert.equal(tool.driver.name, "asl-check");
        assert.equal(results[0].level, "error");
        assert.equal(tool.driver.rules[results[0].ruleIndex].id, results[0].ruleId);
        assert.ok(results[0].message.text.includes("Work -("));
        assert.ok(results[0].locations[0].physicalLocation.region.startLine > 1);
    });

    it("explains rules, and names the nearest to a misspelt one", async () => {
        const known = await check(["--explain", "catch-all"]);
        assert.equal(known.code, 0);
        assert.match(known.out, /Every Task, Parallel and Map catches States\.ALL/);
        const unknown = await check(["--explain", "catchall"]);
        assert.equal(unknown.code, 2);
        assert.match(unknown.err, /the nearest is "catch-all"/);
        assert.equal((await check(["--disable", "nonsense", file("a.json", sound)])).code, 2);
        assert.match((await check(["--rules"])).out, /unbounded-loop/);
        assert.equal((await check(["--help"])).code, 0);
    });

    it("leaves out rules that the command line or the configuration file disables", async () => {
        const path = file("a.json", silent);
        assert.equal((await check([path, "--disable", "catch-all"])).code, 0);
        assert.equal((await check([path, "--config", file("c.yaml", "disable: [catch-all]\n")])).code, 0);
        const wrong = await check([path, "--config", file("d.json", '{"disabled": []}')]);
        assert.equal(wrong.code, 2);
        assert.match(wrong.err, /disabled/);
    });

    it("obeys --tolerance, --notification and --fail-on", async () => {
        const told = machine({
            Work: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Tell" }] }),
            Tell: lambda({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }], Next: "Failed" }),
        });
        const path = file("a.json", told);
        assert.equal((await check([path])).code, 1);
        const heard = await check([path, "--notification", "lambda:work"]);
        assert.equal(heard.code, 0, heard.out);
        const record = machine({
            Both: {
                Type: "Parallel",
                Catch: catchAll,
                Next: "Done",
                Branches: [
                    {
                        StartAt: "In",
                        States: {
                            In: lambda({
                                Catch: [{ ErrorEquals: ["States.ALL"], Next: "Note" }],
                                Next: undefined,
                                End: true,
                            }),
                            Note: { Type: "Pass", Comment: "records-failure-for: Join?", End: true },
                        },
                    },
                ],
            },
        });
        assert.match((await check([file("b.json", record), "--tolerance", "forbidden"])).out, /failure-swallowed/);
        const warned = machine({
            Work: lambda({ Retry: [{ ErrorEquals: ["A"], IntervalSeconds: 60, MaxAttempts: 100, BackoffRate: 1 }] }),
        });
        assert.equal((await check([file("c.json", warned)])).code, 1);
        assert.equal((await check([file("c.json", warned), "--fail-on", "error"])).code, 0);
    });
});

describe("asl-check on broken and hostile input: one line, a place, never a stack", () => {
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "asl-check-"));
    });
    afterEach(() => {
        rmSync(folder, { recursive: true });
    });

    const anchors = `a: &a [x, x, x, x, x, x, x, x, x, x]\n${"bcdefgh"
        .split("")
        .map(
            (name, index) =>
                `${name}: &${name} [${Array.from({ length: 10 }, () => `*${"abcdefgh"[index]}`).join(", ")}]`,
        )
        .join("\n")}\nStates: *h\n`;
    const inputs: readonly (readonly [what: string, name: string, content: string | Buffer, place: RegExp])[] = [
        ["an empty file", "a.json", "", /a\.json:1:1/],
        ["no JSON", "a.json", '{ "States": }', /a\.json:1:13/],
        ["a stray comma", "a.json", '{ "States": {},\n}', /a\.json:1:15.*[Ss]tray comma/],
        [
            "bytes that are not UTF-8",
            "a.json",
            Buffer.concat([Buffer.from('{ "States":\n "'), Buffer.from([0xff, 0xfe]), Buffer.from('" }')]),
            /a\.json:2:3.*not UTF-8/,
        ],
        ["deep JSON", "a.json", `{"States": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`, /a\.json:1:\d+.*deep/],
        ["deep YAML", "a.yaml", `States: ${"[".repeat(20_000)}${"]".repeat(20_000)}`, /a\.yaml.*/],
        [
            "a reference to itself",
            "a.yaml",
            "States: &a\n  A:\n    Type: Pass\n    Result: *a\n",
            /a\.yaml:4:\d+.*contains it/,
        ],
        ["aliases that multiply", "a.yaml", anchors, /a\.yaml.*alias/i],
        ["an alias without anchor", "a.yaml", "States: *nobody\n", /a\.yaml:1:1.*nobody/],
        ["broken YAML", "a.yaml", "States:\n  A: [\n", /a\.yaml:\d+:\d+/],
        ["no state machine", "a.json", '{ "name": "x" }', /no state machine was found/],
        ["a list", "a.json", "[1, 2]", /no state machine was found/],
        ["binary", "a.json", Buffer.from([0, 1, 2, 3]), /a\.json:1:1/],
    ];
    for (const [what, name, content, place] of inputs) {
        it(what, async () => {
            const begin = Date.now();
            const { code, out, err } = await check([file(name, content)]);
            assert.equal(code, 2, out);
            const lines = `${out}${err}`.trim().split("\n");
            assert.equal(lines.length, 2, out);
            assert.match(lines[0], place);
            assert.doesNotMatch(out, /^\s+at /m);
            assert.ok(Date.now() - begin < 10_000);
        });
    }

    it("a key that stands twice, at its place", async () => {
        const { code, out } = await check([
            file("a.json", '{ "StartAt": "A", "StartAt": "A",\n "States": { "A": { "Type": "Succeed" } } }'),
        ]);
        assert.equal(code, 1);
        assert.match(out, /a\.json:1:19  error  duplicate-key/);
        const yaml = await check([file("a.yaml", "StartAt: A\nStartAt: A\nStates:\n  A:\n    Type: Succeed\n")]);
        assert.equal(yaml.code, 1);
        assert.match(yaml.out, /a\.yaml:2:1  error  duplicate-key/);
    });

    it("a very large file is not read", async () => {
        const { code, out } = await check([file("a.json", Buffer.alloc(65 * 1024 * 1024, 32))]);
        assert.equal(code, 2);
        assert.match(out, /at most 67,108,864 are read/);
    });

    it("a large definition within bounds is done in seconds", async () => {
        const states: Json = {};
        for (let index = 0; index < 30_000; index += 1) {
            states[`S${index}`] = { Type: "Pass", Next: index === 29_999 ? "Done" : `S${index + 1}` };
        }
        const begin = Date.now();
        const { out } = await check([file("a.json", machine(states))]);
        assert.match(out, /definition-too-large/);
        assert.ok(Date.now() - begin < 15_000);
    });
});
