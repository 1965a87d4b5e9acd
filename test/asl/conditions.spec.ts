import { strict as assert } from "node:assert";
import fc from "fast-check";
import { analyse } from "../../asl/analysis";
import { execute } from "../../asl/interpreter";
import {
    all,
    any,
    at,
    between,
    Choice,
    eq,
    exists,
    ge,
    gt,
    isOfKind,
    isTrue,
    jsonata,
    le,
    lt,
    ne,
    not,
    oneOf,
    sourceOf,
    stateMachine,
    states,
    Succeed,
    type Expression,
    type Kind,
} from "../../asl/states";
import type { JsonValue } from "../../asl/types";

const input = states.input<{ a: number; b: number; text: string; list: number[] }>();

function machine(when: Expression<boolean>) {
    return stateMachine({
        timeoutSeconds: 60,
        states: [
            new Choice("C", { rules: [{ when, next: "Yes" }], otherwise: "No" }),
            new Succeed("Yes", { output: { answer: true } }),
            new Succeed("No", { output: { answer: false } }),
        ],
    }).definition;
}

async function answer(when: Expression<boolean>, given: JsonValue): Promise<boolean> {
    const { status, output, cause } = await execute(machine(when), { input: given, task: async () => null });
    assert.equal(status, "SUCCEEDED", cause);
    return (output as { answer: boolean }).answer;
}

const kindOf = (value: JsonValue | undefined): Kind | undefined => {
    if (value === null) {
        return "null";
    }
    return Array.isArray(value) ? "array" : (typeof value as Kind | undefined);
};

const COMPARE = {
    gt: [gt, (one: never, other: never) => one > other],
    ge: [ge, (one: never, other: never) => one >= other],
    lt: [lt, (one: never, other: never) => one < other],
    le: [le, (one: never, other: never) => one <= other],
} as const;

describe("conditions", () => {
    const anything = fc.oneof(
        fc.constant(undefined),
        fc.constant(null),
        fc.boolean(),
        fc.integer({ min: -3, max: 3 }),
        fc.constantFrom("", "a", "b"),
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 3 }),
        fc.constant({}),
    );

    it("of order are true where both are numbers or both texts and it holds, else false, for any input", async () => {
        await fc.assert(
            fc.asyncProperty(
                fc.constantFrom("gt", "ge", "lt", "le"),
                anything,
                fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom("", "a", "b")),
                fc.boolean(),
                async (name, a, b, isLiteral) => {
                    const [condition, plain] = COMPARE[name as keyof typeof COMPARE];
                    const given = JSON.parse(JSON.stringify({ a, b })) as JsonValue;
                    const expected =
                        ["number", "string"].includes(kindOf(a as JsonValue) ?? "") && typeof a === typeof b;
                    assert.equal(
                        await answer(condition(input.a, (isLiteral ? b : input.b) as never), given),
                        expected && plain(a as never, b as never),
                    );
                },
            ),
            { numRuns: 200 },
        );
    });

    const conditions: readonly Expression<boolean>[] = [
        gt(input.a, 0),
        lt(input.a, input.b),
        ge(at(input.list, 0), 1),
        le(jsonata<number>`$count(${input.list})`, jsonata<number>`$count(${input.text})`),
        between(input.a, 1, input.b),
        eq(input.a, input.b),
        ne(input.text, "x"),
        oneOf(input.text, "x", "y"),
        exists(input.a),
        isOfKind(input.list, "array"),
        isTrue(input.a),
        not(gt(input.a, 0)),
        all(gt(input.a, 0), any(eq(input.text, "x"), exists(input.b))),
    ];

    for (const condition of conditions) {
        it(`\`${sourceOf(condition)}\` is proven total`, () => {
            assert.deepEqual(
                analyse(machine(condition)).filter(({ rule }) => rule === "expression-may-fail"),
                [],
            );
        });
    }

    it("are joined in parentheses where an operator would tear them apart", async () => {
        const yes = jsonata<boolean>`true`;
        const no = jsonata<boolean>`false`;
        assert.equal(await answer(all(no, jsonata`false or true`), {}), false);
        assert.equal(await answer(all(no, any(yes, yes)), {}), false);
        assert.equal(await answer(any(yes, all(no, no)), {}), true);
        assert.equal(await answer(all(yes, jsonata`true ? false : true`), {}), false);
        assert.equal(sourceOf(all(yes, all(no, yes))), "true and false and true");
        assert.deepEqual([await answer(all(), {}), await answer(any(), {})], [true, false]);
    });
});
