import { strict as assert } from "node:assert";
import fc from "fast-check";
import { execute } from "../../asl/interpreter";
import type { JsonValue } from "../../asl/types";
import {
    all,
    at,
    Choice,
    Fail,
    jsonata,
    LambdaInvoke,
    Parallel,
    Pass,
    policyDocument,
    render,
    sourceOf,
    stateMachine,
    states,
    Succeed,
    text,
    variable,
    Wait,
    type StateNode,
} from "../../asl/states";

async function evaluate(
    expression: Parameters<typeof sourceOf>[0],
    input: JsonValue = {},
): Promise<JsonValue | undefined> {
    const result = await execute(
        {
            QueryLanguage: "JSONata",
            StartAt: "A",
            States: { A: { Type: "Pass", Output: render(expression, "test"), End: true } },
        },
        { input, task: () => Promise.reject(new Error("no tasks")) },
    );
    assert.equal(result.status, "SUCCEEDED", result.cause);
    return result.output;
}

function machine(nodes: readonly StateNode[], stubs?: Record<string, JsonValue>) {
    return stateMachine({ timeoutSeconds: 60, states: nodes, stubs });
}

describe("handles", () => {
    const run = variable<{ members: Record<string, { key: string; rungs: { spot: boolean }[] }> }>("run");

    it("render the path that they stand for", () => {
        assert.equal(render(run.members.image!.key, "test"), "{% $run.members.image.key %}");
        assert.equal(
            render(at(run.members.image!.rungs, variable<number>("rung")).spot, "test"),
            "{% $run.members.image.rungs[$rung].spot %}",
        );
        assert.equal(render(states.context.Execution.Id, "test"), "{% $states.context.Execution.Id %}");
    });

    it("put names into backticks that would be read as something else", async () => {
        const input = states.input<Record<string, unknown>>();
        for (const name of ["layout-v2", "and", "in", "1st", "a b", "ä", "%}"]) {
            assert.equal(await evaluate(input[name]!, { [name]: 7 }), 7, name);
        }
        assert.throws(() => input["a`b"], /holds a backtick/);
    });

    it("are no variables with names that are none", () => {
        assert.throws(() => variable("2nd"), /no name for a variable/);
    });
});

describe("the jsonata tag", () => {
    it("takes any JSON value as the literal that it is", async () => {
        // Numbers as definitions hold them: JSONata writes no exponent with a plus.
        const value = fc.letrec((tie) => ({
            any: fc.oneof(
                { maxDepth: 3 },
                fc.string({ unit: "grapheme" }),
                fc.integer(),
                fc.boolean(),
                fc.constant(null),
                tie("list"),
                tie("map"),
            ),
            list: fc.array(tie("any"), { maxLength: 4 }),
            map: fc.dictionary(fc.string({ unit: "grapheme" }), tie("any"), { maxKeys: 4, noNullPrototype: true }),
        })).any;
        await fc.assert(
            fc.asyncProperty(value, async (given) => {
                assert.deepEqual(await evaluate(jsonata`{'v': ${given}}`), { v: given });
            }),
            { numRuns: 200 },
        );
    });

    it("takes expressions as they are, in parentheses where an operator could tear them apart", async () => {
        const sum = jsonata<number>`1 + 2`;
        assert.equal(await evaluate(jsonata`${sum} * 3`), 9);
        assert.equal(sourceOf(all(jsonata`true`, jsonata`false`)), "true and false");
    });

    it("refuses a handle that is not there", () => {
        const names: Record<string, ReturnType<typeof variable>> = {};
        assert.throws(() => jsonata`$count(${names.missing}) > 0`, /after "\$count\(" is undefined/);
        assert.throws(() => jsonata`${NaN}`, /has no literal/);
    });

    it("makes a text of what may be missing", async () => {
        assert.equal(await evaluate(text(states.input<{ gone: string }>().gone)), "");
    });
});

describe("a machine of typed states", () => {
    const invoke = (
        name: string,
        next: string | undefined,
        functionArn = "arn:aws:lambda:eu-west-1:1:function:f:h-1",
    ) =>
        new LambdaInvoke(name, {
            functionArn,
            payload: { x: 1 },
            timeoutSeconds: 5,
            next,
            assign: { answer: states.result<{ Payload: unknown }>().Payload },
            catch: [{ next: "Failed" }],
        });
    const failed = new Fail("Failed", { error: "It", cause: "failed" });

    it("needs a name only once, and every target", () => {
        assert.throws(() => machine([new Pass("A", { next: "A" }), new Pass("A")]), /state "A" is there twice/);
        assert.throws(
            () => machine([new Pass("Begin", { next: "Finsh" }), new Succeed("Finish")]),
            /goes to "Finsh", which is not there; did you mean "Finish"/,
        );
        const branch = new Parallel("P", { branches: [[new Pass("A")]], catch: [{ next: "A" }] });
        assert.throws(() => machine([branch, new Pass("A")]), /state "A" is there twice/);
        assert.throws(() => machine([new Pass("n".repeat(81))]), /has 81 characters/);
    });

    it("names a variable that nobody sets", () => {
        const choice = new Choice("C", {
            rules: [{ when: jsonata`${variable("attempt")} < 3`, next: "S" }],
            otherwise: "S",
        });
        assert.throws(() => machine([choice, new Succeed("S")]), /\$attempt is read, and no state assigns it/);
        assert.doesNotThrow(() =>
            machine([new Pass("A", { assign: { attempt: 0 }, next: "C" }), choice, new Succeed("S")]),
        );
    });

    it("refuses waits that Step Functions refuses", () => {
        assert.throws(() => new Wait("W", { seconds: 0.5, next: "A" }), /expected a whole number from 1/);
    });

    it("derives the role's permissions from its states", () => {
        const { permissions } = machine([
            invoke("A", "B"),
            invoke("B", undefined, "arn:aws:lambda:eu-west-1:1:function:g:h-2"),
            failed,
        ]);
        assert.deepEqual(policyDocument(permissions).Statement, [
            {
                Sid: "lambdaInvokeFunction0",
                Effect: "Allow",
                Action: ["lambda:InvokeFunction"],
                Resource: ["arn:aws:lambda:eu-west-1:1:function:f:*", "arn:aws:lambda:eu-west-1:1:function:g:*"],
            },
        ]);
    });

    it("refuses a permission with a wildcard and no reason", () => {
        assert.throws(() => policyDocument([{ actions: ["s3:GetObject"], resources: ["*"] }]), /gives no reason/);
    });

    it("gives a stub's variables and output as the state itself would have after that result", async () => {
        const { definition } = machine([invoke("A", "B"), new Succeed("B", { output: variable("answer") }), failed], {
            A: { Payload: { "list": [1], "%}": "$states.result" } },
        });
        const result = await execute(definition, {
            input: {},
            task: () => Promise.reject(new Error("the stub calls nothing")),
        });
        assert.deepEqual(result.output, { "list": [1], "%}": "$states.result" });
    });
});
