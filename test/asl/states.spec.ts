import { strict as assert } from "node:assert";
import fc from "fast-check";
import { execute } from "../../asl/interpreter";
import type { JsonValue, TaskState } from "../../asl/types";
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
    type Failure,
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

    const choice = new Choice("C", {
        rules: [{ when: jsonata`${variable("attempt")} < 3`, next: "S" }],
        otherwise: "S",
    });

    it("names a variable that nobody sets, and where it is read", () => {
        assert.throws(
            () => machine([choice, new Succeed("S")]),
            /state "C", Choices\[0\]\.Condition: the variable \$attempt is read, and no state assigns it; none is/,
        );
        assert.doesNotThrow(() =>
            machine([new Pass("A", { assign: { attempt: 0 }, next: "C" }), choice, new Succeed("S")]),
        );
    });

    it("knows that a variable of a branch ends with the branch, and that branches see those outside", () => {
        const inner = new Pass("Inner", { assign: { attempt: 0, copy: variable("outer") } });
        const start = new Pass("Start", { assign: { outer: 1 }, next: "P" });
        const parallel = new Parallel("P", { branches: [[inner]], next: "C", catch: [{ next: "S" }] });
        assert.throws(
            () => machine([start, parallel, choice, new Succeed("S")]),
            /\$attempt is read, and no state assigns it; assigned are outer$/,
        );
        assert.doesNotThrow(() =>
            machine([start, new Parallel("P", { branches: [[inner]], catch: [{ next: "S" }] }), new Succeed("S")]),
        );
    });

    it("takes what JSONata takes: local variables, functions with names of their own, texts with a dollar sign", () => {
        for (const output of [
            jsonata`($n := 1; $n + 1)`,
            jsonata`'costs $price'`,
            jsonata`${"costs $price"}`,
            jsonata`"a $quoted text" & /$re/`,
            jsonata`($add := function($a, $b){$a + $b}; $reduce([1,2], $add))`,
            jsonata`$map([1,2], λ($v){$v})`,
            jsonata`[1, 2]@$one.[2, 3]#$i[$i = $one]`,
            jsonata`$exists($perhaps) ? $perhaps : 0`,
        ]) {
            assert.doesNotThrow(() => machine([new Pass("A", { output })]), sourceOf(output));
        }
        assert.throws(() => machine([new Pass("A", { output: jsonata`($n := $m; $n)` })]), /\$m is read/);
    });

    it("names every expression that is no JSONata", () => {
        assert.throws(
            () =>
                machine([
                    new Pass("A", { output: { x: jsonata`1 +` }, next: "B" }),
                    new Pass("B", { output: jsonata`$f(` }),
                ]),
            /^Error: state "A", Output\.x: \{% 1 \+ %\} is no JSONata: .*\nstate "B", Output: /,
        );
    });

    it("names states that nothing leads to", () => {
        assert.throws(
            () => machine([new Pass("A"), new Pass("B", { next: "C" }), new Pass("C")]),
            /the state machine: "B", "C" are states that nothing leads to; it starts at "A"/,
        );
        const parallel = new Parallel("P", { branches: [[new Pass("A"), new Pass("B")]], catch: [{ next: "F" }] });
        assert.throws(() => machine([parallel, new Fail("F", { error: "E", cause: "c" })]), /a branch of "P": "B" is/);
    });

    it("wants every failure caught, by a catcher of States.ALL, alone and last", () => {
        const caught =
            (...failures: [Failure, ...Failure[]]) =>
            () =>
                new Parallel("P", { branches: [[new Pass("A")]], catch: failures });
        assert.throws(
            caught({ errors: ["States.Timeout"], next: "F" }),
            /takes States\.Timeout, and any other error ends/,
        );
        assert.throws(
            caught({ next: "F" }, { errors: ["A"], next: "F" }),
            /catch\[0\] takes States\.ALL; .* alone and last/,
        );
        assert.throws(caught({ errors: ["States.ALL", "A"], next: "F" }), /alone and last/);
        assert.throws(caught({ errors: [], next: "F" }), /names no error/);
        assert.doesNotThrow(caught({ errors: ["States.Timeout"], next: "F" }, { next: "F" }));
    });

    it("wants time-outs that can be reached", () => {
        assert.throws(
            () => stateMachine({ timeoutSeconds: 0, states: [] }),
            /between 1 and 99,999,999 seconds, received 0/,
        );
        assert.throws(
            () => stateMachine({ timeoutSeconds: 5, states: [invoke("A", undefined), failed] }),
            /state "A", timeoutSeconds: 5 s, but the whole machine ends TIMED_OUT after 5 s/,
        );
        const task = (given: { timeoutSeconds: number; heartbeatSeconds?: number }) => () =>
            new LambdaInvoke("T", {
                functionArn: "arn:aws:lambda:e:1:function:f",
                payload: {},
                catch: [{ next: "F" }],
                ...given,
            });
        assert.throws(
            task({ timeoutSeconds: -1 }),
            /timeoutSeconds must be between 1 and 99,999,999 seconds, received -1/,
        );
        assert.throws(
            task({ timeoutSeconds: 10, heartbeatSeconds: 10 }),
            /heartbeatSeconds must be between 1 and 9 seconds, received 10/,
        );
    });

    it("lets another role do a call, and then needs only to take that role", () => {
        const credentialsRoleArn = "arn:aws:iam::222222222222:role/theirs";
        const invoked = new LambdaInvoke("A", {
            functionArn: "arn:aws:lambda:e:1:function:f",
            payload: {},
            timeoutSeconds: 5,
            credentialsRoleArn,
            catch: [{ next: "Failed" }],
        });
        const { definition, permissions } = machine([invoked, failed]);
        assert.deepEqual((definition.States.A as TaskState).Credentials, { RoleArn: credentialsRoleArn });
        assert.deepEqual(permissions, [{ actions: ["sts:AssumeRole"], resources: [credentialsRoleArn] }]);
    });

    it("refuses waits that Step Functions refuses", () => {
        assert.throws(
            () => new Wait("W", { seconds: 0.5, next: "A" }),
            /seconds must be a whole number between 1 and 99,999,999, received 0.5/,
        );
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
        const expressions = [
            jsonata`$states.result`,
            jsonata`{'v': $states . result.\`a b\`, 'text': "$states.result" & '$states.result'}`,
            jsonata`$string($lookup($states, 'result'))`,
            jsonata`$map([1, 2], function($v) { '' & $states.result.list[$v] })`,
            jsonata`$count($states.result.list.($string($) & $string($states.result.number)))`,
            jsonata`$keys($states) ~> $count()`,
            jsonata`[$states.result.list]{$string($): $count($states.result.list)}`,
        ];
        const value = fc.record({
            "list": fc.array(fc.oneof(fc.integer(), fc.string({ unit: "grapheme" })), { maxLength: 3 }),
            "number": fc.integer(),
            "a b": fc.constantFrom("%}", "{% 1 %}", "it's", "$states.result", '"', "\\"),
        });
        await fc.assert(
            fc.asyncProperty(value, fc.constantFrom(undefined, ...expressions), async (recorded, output) => {
                const result = { ...recorded, Payload: recorded.list };
                const task = new LambdaInvoke("A", {
                    functionArn: "arn:aws:lambda:eu-west-1:1:function:f:h-1",
                    payload: {},
                    timeoutSeconds: 5,
                    output,
                    assign: { answer: states.result<{ Payload: unknown }>().Payload },
                    next: "B",
                    catch: [{ next: "Failed" }],
                });
                const nodes = [
                    task,
                    new Succeed("B", { output: { in: states.input(), answer: variable("answer") } }),
                    failed,
                ];
                const outputOf = async (stubs?: Record<string, JsonValue>) => {
                    const { definition } = machine(nodes, stubs);
                    const ended = await execute(definition, { input: {}, task: async () => result });
                    return [ended.status, ended.output, ended.cause];
                };
                assert.deepEqual(await outputOf({ A: result }), await outputOf());
            }),
            { numRuns: 150 },
        );
    });
});
