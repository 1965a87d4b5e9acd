import assert from "node:assert/strict";
import fc from "fast-check";
import jsonata from "jsonata";
import {
    adopt,
    byteSize,
    compileIntrinsic,
    compileJsonata,
    compilePath,
    compilePayload,
    compileReferencePath,
    compileTemplate,
    copyJson,
    equalJson,
    ExpressionError,
    fill,
    isJsonata,
    NotJsonError,
    render,
    seededRandom,
    uuidFrom,
    type Scope,
} from "../../../asl/expressions/index";
import type { JsonObject, JsonValue } from "../../../asl/types";

function scope(input: JsonValue = {}, variables: JsonObject = {}, more: Partial<Scope> = {}): Scope {
    const random = seededRandom(7);
    return {
        input,
        variables,
        context: () => ({ Execution: { Name: "e" } }),
        host: { now: () => Date.UTC(2025, 4, 6, 7, 8, 9), random, uuid: () => uuidFrom(random) },
        ...more,
    };
}

const json = fc.jsonValue() as fc.Arbitrary<JsonValue>;

describe("JSON values", () => {
    it("are measured as JSON.stringify and UTF-8 measure them", () => {
        fc.assert(
            fc.property(json, (value) => {
                const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
                assert.equal(byteSize(plain), Buffer.byteLength(JSON.stringify(plain)));
            }),
            { numRuns: 500 },
        );
        assert.equal(byteSize("\ud800"), Buffer.byteLength(JSON.stringify("\ud800")));
    });

    it("are equal to their copies, which share nothing", () => {
        fc.assert(
            fc.property(json, (value) => {
                const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
                assert.ok(equalJson(plain, copyJson(plain)));
                assert.equal(JSON.stringify(copyJson(plain)), JSON.stringify(plain));
            }),
        );
    });

    it("refuse what JSON cannot hold, and say where", () => {
        for (const [value, where] of [
            [{ a: [1, undefined] }, "a[1]"],
            [{ a: { b: NaN } }, "a.b"],
            [[() => 1], "[0]"],
        ] as [unknown, string][]) {
            assert.throws(
                () => adopt(value),
                (error: unknown) => error instanceof NotJsonError && error.where === where,
            );
        }
    });
});

describe("JSONata", () => {
    const evaluate = async (text: string, ...given: Parameters<typeof scope>): Promise<JsonValue> =>
        compileJsonata(`{% ${text} %}`, "Output").evaluate(scope(...given));

    it("is a text in its delimiters and nothing else", () => {
        assert.deepEqual(["{% 1 %}", "{%%}", " {% 1 %}", "{% 1 %} ", "{% 1", 1, null].map(isJsonata), [
            true,
            true,
            false,
            false,
            false,
            false,
            false,
        ]);
    });

    const cases: [string, JsonValue][] = [
        ["$states.input.a.b", 5],
        ["$v.x", [1, 2]],
        ["$states.context.Execution.Name", "e"],
        ["$partition([1,2,3,4], 3)", [[1, 2, 3], [4]]],
        ["$range(0, 10, 5)", [0, 5, 10]],
        ["$range(3, 1, -1)", [3, 2, 1]],
        ["$range(5, 1, 1)", []],
        ["$hash('a', 'MD5')", "0cc175b9c0f1b6a831c399e269772661"],
        ["$hash('a', 'SHA-256')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"],
        ["$parse('[1, {\"a\": null}]')", [1, { a: null }]],
        ["$random(42) = $random(42)", true],
        ["$random() < 1", true],
        ["$uuid() != $uuid()", true],
        ["$millis()", Date.UTC(2025, 4, 6, 7, 8, 9)],
        ["$now()", "2025-05-06T07:08:09.000Z"],
        ["$now('[Y0001]')", "2025"],
        ["$fromMillis($millis(), '[M01]')", "05"],
        ["$toMillis('10', '[H01]')", Date.UTC(2025, 4, 6, 10)],
        ["$toMillis('2025-01-01T00:00:00Z')", Date.UTC(2025, 0, 1)],
        ["$count($shuffle([1,2,3]))", 3],
        ["[1,2,3][$ > 1]", [2, 3]],
        ["$states.input.list.n", [1, 2]],
        ["$string({'a': [1]})", '{"a":[1]}'],
    ];
    for (const [text, expected] of cases) {
        it(text, async () => {
            assert.deepEqual(
                await evaluate(text, { a: { b: 5 }, list: [{ n: 1 }, { n: 2 }] }, { v: { x: [1, 2] } }),
                expected,
            );
        });
    }

    const failing: [string, RegExp][] = [
        ["$states.input.none", /returned nothing \(undefined\)/u],
        ["1 + 'a'", /threw an error during evaluation\. T2002/u],
        ["$sum", /returned an unsupported result type\.$/u],
        ["$error('mine')", /D3137: mine/u],
        ["$parse('{')", /D3000/u],
        ["$hash('a', 'CRC')", /SHA-512/u],
        ["$range(1, 5000, 1)", /1,000/u],
        ["$partition([1], 0)", /positive/u],
        ["$nosuch()", /T1006/u],
        ["$states.result", /returned nothing/u],
    ];
    for (const [text, pattern] of failing) {
        it(`${text} fails`, async () => {
            await assert.rejects(
                evaluate(text),
                (error: unknown) =>
                    error instanceof ExpressionError && error.kind === "JSONata" && pattern.test(error.message),
            );
        });
    }

    it("has no $eval: a call of it fails, as a call of what is no function", async () => {
        await assert.rejects(
            evaluate("$eval('1')"),
            /threw an error during evaluation\. T1006: Attempted to invoke a non-function/u,
        );
        assert.equal(await evaluate("$exists($eval)"), false);
    });

    it("refuses bad syntax when it is compiled", () => {
        assert.throws(() => compileJsonata("{% (1 %}", "Output"), /S0/u);
    });

    it("gives the same as the package itself, whatever the values", async () => {
        const { text } = fc.letrec<{ text: string }>((tie) => ({
            text: fc.oneof(
                { maxDepth: 4, depthIdentifier: "text" },
                fc.constantFrom(
                    "$states.input",
                    "$states.input.a",
                    "$states.input.a.b",
                    "$v",
                    "$v.a",
                    "$v.a.b.c",
                    "$w",
                    "$states.result",
                    "'x'",
                    "''",
                    "0",
                    "12",
                    "1.5",
                    "null",
                    "true",
                ),
                fc
                    .tuple(
                        tie("text"),
                        fc.constantFrom("&", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "and", "or", "in"),
                        tie("text"),
                    )
                    .map((parts) => `(${parts.join(" ")})`),
                fc
                    .tuple(tie("text"), tie("text"), tie("text"))
                    .map(([test, then, other]) => `(${test} ? ${then} : ${other})`),
                fc.tuple(tie("text"), tie("text")).map(([test, then]) => `(${test} ? ${then})`),
                tie("text").map((inner) => `$exists(${inner})`),
                tie("text").map((inner) => `$string(${inner})`),
                tie("text").map((inner) => `[${inner}]`),
                fc.tuple(tie("text"), tie("text")).map(([left, right]) => `{'k': ${left}, 'l': ${right}}`),
            ),
        }));
        const leaf = fc.oneof(
            json,
            fc.record({ a: json }),
            fc.record({ a: fc.record({ b: json }) }),
            fc.array(fc.record({ a: json })),
            fc.constantFrom<JsonValue>(
                "",
                0,
                false,
                null,
                [],
                [[]],
                "x",
                1,
                true,
                12,
                { a: 12 },
                { a: "x" },
                { a: [{ b: 1 }] },
            ),
        );
        await fc.assert(
            fc.asyncProperty(text, leaf, leaf, async (text, rawInput, rawV) => {
                const [input, v] = [rawInput, rawV].map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
                const reference = async (): Promise<string> => {
                    const value: unknown = await jsonata(text).evaluate(undefined, { states: { input }, v });
                    let finite = true;
                    const written = JSON.stringify(value, (_, part: unknown) => {
                        finite &&= typeof part !== "number" || Number.isFinite(part);
                        return part;
                    });
                    return value === undefined ? "nothing" : finite ? written : "no JSON";
                };
                const [expected, got] = await Promise.all([
                    reference().catch((error: { code: string }) => error.code),
                    evaluate(text, input, { v }).then(
                        (value) => JSON.stringify(value),
                        (error: Error) =>
                            /nothing/u.test(error.message)
                                ? "nothing"
                                : /unsupported result/u.test(error.message)
                                  ? "no JSON"
                                  : /evaluation\. (\w+):/u.exec(error.message)?.[1],
                    ),
                ]);
                assert.equal(got, expected);
            }),
            { numRuns: 3_000 },
        );
    });

    describe("is bounded as AWS bounds it", () => {
        const doubling = (times: number) =>
            `($p := function($s, $n) { $n = 0 ? $s : $p($s & $s, $n - 1) }; $length($p("x", ${times})))`;
        const sum = (terms: number) => Array.from({ length: terms }, () => "1").join("+");
        const pad = (times: number) => `$length($pad("x", ${times}))`;

        it("succeeds up to the bounds", async () => {
            assert.equal(await evaluate("[1..873782] ~> $count()"), 873_782);
            assert.equal(await evaluate(doubling(22)), 4_194_304);
            assert.equal(await evaluate(sum(99)), 99);
            assert.equal(await evaluate(pad(6_000_000)), 6_000_000);
        });

        const beyond: [string, RegExp][] = [
            ["[1..873783] ~> $count()", /memory limit exceeded/u],
            ["[1..100000000] ~> $count()", /memory limit exceeded/u],
            [doubling(23), /memory limit exceeded/u],
            [pad(1_000_000_000), /memory limit exceeded/u],
            [sum(102), /Stack overflow error: Check for non-terminating recursive function/u],
            [
                "($f := function($x){ $x = 0 ? 0 : 1 + $f($x - 1) }; $f(150))",
                /Stack overflow error: Check for non-terminating recursive function/u,
            ],
            [`$match("${"a".repeat(40)}!", /^(a+)+$/)`, /evaluation timeout/u],
        ];
        for (const [text, words] of beyond) {
            it(`fails beyond: ${text.slice(0, 60)}`, () => assert.rejects(evaluate(text), words));
        }

        it("counts items of a list, and values of an object, as beside each other", async () => {
            const list = JSON.stringify(Array.from({ length: 300 }, (_, index) => index));
            const fields = Array.from({ length: 300 }, (_, index) => `"f${index}": 1+1`).join(", ");
            assert.equal(await evaluate(`$count($map(${list}, function($n) { $n + 1 }))`), 300);
            assert.equal(await evaluate(`$count($keys({${fields}}))`), 300);
            assert.equal(await evaluate(`$count($keys(${list}{ $string($): $ + 1 }))`), 300);
            assert.equal(await evaluate(`$sum(${list}[$ in ${list}])`), 44_850);
        });

        it("counts a function that is called inside of a list or an object", async () => {
            for (const call of ["[0, $f($x - 1)]", "{'a': $f($x - 1)}"]) {
                const recursive = `($f := function($x){ $x = 0 ? 0 : ${call} }; $f(150))`;
                await assert.rejects(evaluate(recursive), /Stack overflow error/u, call);
            }
        });

        it("ends an expression that would run for ever", async () => {
            const { now } = Date;
            let calls = 0;
            Date.now = () => {
                calls += 1;
                return now() + 100 * calls;
            };
            try {
                await assert.rejects(evaluate("($f := function($x){ $f($x + 1) }; $f(1))"), /evaluation timeout/u);
            } finally {
                Date.now = now;
            }
        });

        it("finds what is distinct in as many steps as there are values", async () => {
            assert.equal(await evaluate("$count($distinct([1..200000]))"), 200_000);
            const distinct = await evaluate("$distinct([1, '1', 1, null, {'a': 1, 'b': 2}, {'b': 2, 'a': 1}])");
            assert.equal(JSON.stringify(distinct), '[1,"1",null,{"a":1,"b":2}]');
        });
    });

    it("keeps a sequence's mark from changing later expressions", async () => {
        const first = await evaluate("$states.input.list[n > 0].n", { list: [{ n: 1 }, { n: 2 }] });
        assert.deepEqual(Object.getOwnPropertyNames(first), ["0", "1", "length"]);
        assert.deepEqual(await evaluate("[$v, 3]", {}, { v: first }), await evaluate("[$v, 3]", {}, { v: [1, 2] }));
    });

    it("templates: evaluate in place, and give constants back as they are", async () => {
        const constant = { a: [1, { b: "{% no" }] };
        assert.equal(compileTemplate(constant, "Output").constant, constant);
        assert.deepEqual(
            await render(
                compileTemplate({ a: ["{% 1 + 1 %}", { "b c": "{% $v %}" }], __proto__x: 1 }, "Output"),
                scope({}, { v: null }),
            ),
            { a: [2, { "b c": null }], __proto__x: 1 },
        );
    });
});

describe("JSONPath", () => {
    const document = {
        "a": { b: [10, 20, { c: "x" }] },
        "odd key": 1,
        "d-e": 2,
        "items": [{ p: 1 }, { p: 5 }],
        "n": null,
    } as JsonValue;
    const read = (path: string, variables: JsonObject = {}): JsonValue =>
        compilePath(path, "InputPath").read(scope(document, variables));
    const cases: [string, JsonValue][] = [
        ["$.a.b[0]", 10],
        ["$.a.b[-1].c", "x"],
        ["$['odd key']", 1],
        ["$.d-e", 2],
        ["$[\"a\"]['b'][1]", 20],
        ["$.n", null],
        ["$.a.b[*].c", ["x"]],
        ["$.a.b[0:2]", [10, 20]],
        ["$.items[?(@.p > 2)]", [{ p: 5 }]],
        ["$.items[?(@.p == 9)]", []],
        ["$..p", [1, 5]],
        ["$.missing[*]", []],
        ["$.missing.items[1:]", []],
        ["$.items[0,1].p", [1, 5]],
        ["$.items[?(@.p =~ /[1-3]/)].p", [1]],
        ["$.items[?(@.p in [5, 6])].p", [5]],
        ["$.items[?(@.p == 1 && @.p == 1 && @.p == 5)]", []],
        ["$.items.length()", 2],
        ["$.['odd key']", 1],
        ["$.a.b.[0]", 10],
        ["$.a.b[0] ", 10],
        ["$.a['b', 'z']", { b: [10, 20, { c: "x" }] }],
        ["$$.Execution.Name", "e"],
        ["$v.q[0]", 3],
        ["$v", { q: [3] }],
    ];
    for (const [path, expected] of cases) {
        it(path, () => assert.deepEqual(read(path, { v: { q: [3] } }), expected));
    }
    it("$ is the whole", () => assert.equal(read("$"), document));

    for (const path of [
        "$.missing",
        "$.a.b[3]",
        "$.a.c.d",
        "$.n.x",
        "$w",
        "$$.Nope",
        "$.",
        "$[",
        "a",
        "$.a..",
        "$.items[?(@.p =~ /x++/)]",
        "$.items[?(@.p == )]",
        "$.items[?(@.p)",
        "$.items.length().x",
        "$.items.length(",
        "$.n.max()",
        "$..",
        "$.a b",
    ]) {
        it(`${path} fails`, () => assert.throws(() => read(path), ExpressionError));
    }

    it("ends, whatever the path and its pattern", () => {
        let deep: JsonValue = [1];
        for (let depth = 0; depth < 200; depth += 1) {
            deep = [deep, deep];
        }
        const hostile = scope({ deep, texts: [`${"a".repeat(40)}!`] } as JsonValue);
        for (const path of ["$..*..*..*", "$.texts[?(@ =~ /(a+)+/)]"]) {
            assert.throws(() => compilePath(path, "InputPath").read(hostile), ExpressionError);
        }
    });

    it("reads back what a reference path has written, and changes nothing else", () => {
        const name = fc.constantFrom("a", "b", "odd key", "x'y", "__proto__");
        fc.assert(
            fc.property(
                fc.array(name, { minLength: 1, maxLength: 4 }),
                json,
                fc.record({ z: json }),
                (names, value, target) => {
                    const path = `$${names.map((step) => `['${step.replaceAll("'", "\\'")}']`).join("")}`;
                    const before = JSON.stringify(target);
                    const written = compileReferencePath(path, "ResultPath").write(target as JsonObject, value);
                    assert.deepEqual(compilePath(path, "InputPath").read(scope(written)), value);
                    assert.equal(JSON.stringify(target), before);
                    assert.deepEqual((written as JsonObject).z, target.z);
                },
            ),
        );
    });

    it("a reference path cannot pass through a value or select many", () => {
        assert.throws(() => compileReferencePath("$.a.b", "ResultPath").write({ a: 1 }, 2), ExpressionError);
        assert.throws(() => compileReferencePath("$.a[5]", "ResultPath").write({ a: [] }, 2), ExpressionError);
        assert.throws(() => compileReferencePath("$.a[*]", "ResultPath").write({ a: [] }, 2), ExpressionError);
        assert.deepEqual(compileReferencePath("$.a[1].x", "ResultPath").write({ a: [0, {}] }, 2), { a: [0, { x: 2 }] });
    });

    it("payload templates: only names that end in .$ are evaluated, at any depth", () => {
        const template = compilePayload(
            { "x.$": "$.a.b[0]", "y": "$.a", "l": [{ "z.$": "States.Format('{}!', $.d-e)" }, "$.a"] },
            "Parameters",
        );
        assert.deepEqual(fill(template, scope(document)), { x: 10, y: "$.a", l: [{ z: "2!" }, "$.a"] });
        assert.throws(() => fill(compilePayload({ "x.$": "no path" }, "Parameters"), scope()), ExpressionError);
        assert.throws(() => fill(compilePayload({ "x.$": 5 }, "Parameters"), scope()), ExpressionError);
    });
});

describe("intrinsic functions", () => {
    const input = {
        s: "it's",
        n: 3,
        list: [1, 2, 3, 3, { a: 1 }, { a: 1 }],
        o: { a: 1, b: 2 },
        p: { b: 3, c: { d: 1 } },
        json: '{"k": [1]}',
        nil: null,
    };
    const call = (text: string): JsonValue => compileIntrinsic(text, "x.$")(scope(input, { v: "var" }));
    const cases: [string, JsonValue][] = [
        ["States.Format('Hi {}, {} {} {}', $.s, $.n, $.nil, $.o)", 'Hi it\'s, 3 null {"a":1,"b":2}'],
        ["States.Format('\\{\\} {}', 1)", "{} 1"],
        ["States.Format('it\\'s')", "it's"],
        ["States.Format('{}', $v)", "var"],
        ["States.StringToJson($.json)", { k: [1] }],
        ["States.JsonToString($.o)", '{"a":1,"b":2}'],
        ["States.Array()", []],
        ["States.Array(1, 'a', true, null, $.n, States.Array(-2.5))", [1, "a", true, null, 3, [-2.5]]],
        [
            "States.ArrayPartition($.list, 4)",
            [
                [1, 2, 3, 3],
                [{ a: 1 }, { a: 1 }],
            ],
        ],
        ["States.ArrayContains($.list, $.list[4])", true],
        ["States.ArrayContains($.list, '1')", false],
        ["States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]],
        ["States.ArrayRange(5, 1, -2)", [5, 3, 1]],
        ["States.ArrayGetItem($.list, 1)", 2],
        ["States.ArrayLength($.list)", 6],
        ["States.ArrayUnique($.list)", [1, 2, 3, { a: 1 }]],
        ["States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="],
        ["States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "Data to encode"],
        ["States.Hash('a', 'SHA-1')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"],
        ["States.JsonMerge($.o, $.p, false)", { a: 1, b: 3, c: { d: 1 } }],
        ["States.MathAdd($.n, -1)", 2],
        ["States.MathAdd(1.6, 1)", 3],
        ["States.StringSplit('1.2+3', '.+')", ["1", "2", "3"]],
        ["States.StringSplit('a,,b', ',')", ["a", "b"]],
        ["States.ArrayLength(States.ArrayRange(1, 1000, 1))", 1000],
    ];
    for (const [text, expected] of cases) {
        it(text, () => assert.deepEqual(call(text), expected));
    }

    it("States.MathRandom stays in its bounds, and a seed fixes it", () => {
        for (let run = 0; run < 50; run += 1) {
            const value = call("States.MathRandom(3, 6)") as number;
            assert.ok(Number.isInteger(value) && value >= 3 && value < 6);
        }
        assert.equal(call("States.MathRandom(1, 1000, 5)"), call("States.MathRandom(1, 1000, 5)"));
    });

    it("States.UUID is a version 4 UUID", () => {
        assert.match(
            call("States.UUID()") as string,
            /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u,
        );
    });

    for (const text of [
        "States.Format('{}')",
        "States.Format('x', 1)",
        "States.StringToJson('{')",
        "States.ArrayGetItem($.list, 6)",
        "States.ArrayPartition($.list, 0)",
        "States.ArrayRange(1, 1001, 1)",
        "States.ArrayRange(1, 2, 0)",
        "States.Hash('a', 'CRC32')",
        "States.JsonMerge($.o, $.p, true)",
        "States.JsonMerge($.o, 1, false)",
        "States.MathAdd(2147483647, 1)",
        "States.MathRandom(5, 5)",
        "States.Nope(1)",
        "States.ArrayLength()",
        "States.ArrayLength($.list, 1)",
        "States.ArrayLength($.nope)",
        "States.Format('open)",
        "States.UUID() x",
        "States.Base64Decode('***')",
        "States.MathAdd('1', 2)",
        "States.Array(abc)",
    ]) {
        it(`${text} fails`, () => assert.throws(() => call(text), ExpressionError));
    }
});
