import assert from "node:assert/strict";
import { nextFault, parseFault, type TaskKind, unrehearsed } from "../../local/faults";

const states = new Map<string, TaskKind>([
    ["Setup Statemachine", "lambda"],
    ["Image Model Training", "training"],
    ["Create Image Model Split Set", "batch"],
    ["Notify Failure", "sns"],
]);

describe("local/faults: --fail STATE=ERROR", () => {
    it("happens once, then no more", () => {
        const fault = parseFault("Image Model Training=CapacityError", states);
        const context = { state: "Image Model Training", arguments: { TrainingJobName: "x" } };
        const effect = nextFault([fault], context);
        assert.ok(effect && "throws" in effect);
        assert.equal(effect.throws.error, "States.TaskFailed");
        assert.match(
            (JSON.parse(effect.throws.causeText) as { FailureReason: string }).FailureReason,
            /^CapacityError: Unable to provision/,
        );
        assert.equal(nextFault([fault], context), undefined);
    });

    it("happens as often as is asked, and at its own state only", () => {
        const faults = [parseFault("Create Image Model Split Set=JobFailed*2", states)];
        assert.equal(nextFault(faults, { state: "Image Model Training", arguments: {} }), undefined);
        const own = { state: "Create Image Model Split Set", arguments: {} };
        assert.deepEqual(
            [1, 2, 3].map(() => nextFault(faults, own) !== undefined),
            [true, true, false],
        );
    });

    it("that did not happen as often as asked is told: what did not run was not rehearsed", () => {
        const faults = [
            parseFault("Image Model Training=CapacityError", states),
            parseFault("Create Image Model Split Set=JobFailed*3", states),
            parseFault("Setup Statemachine=Lambda.SdkClientException", states),
        ];
        for (const state of ["Create Image Model Split Set", "Setup Statemachine"]) {
            nextFault(faults, { state, arguments: {} });
        }
        assert.deepEqual(unrehearsed(faults), [
            '--fail "Image Model Training=CapacityError": did not happen, since Image Model Training did not run (it ' +
                "was skipped, or its result reused); --fresh runs everything",
            '--fail "Create Image Model Split Set=JobFailed*3": happened 1 times, since Create Image Model Split Set ' +
                "did not run again",
        ]);
    });

    it("a Spot wait ends Stopped, which is an answer and no error", () => {
        const effect = nextFault([parseFault("Image Model Training=SpotNeverStarted", states)], {
            state: "Image Model Training",
            arguments: {},
        });
        assert.ok(effect && "answers" in effect);
        assert.deepEqual(
            [effect.answers.TrainingJobStatus, effect.answers.SecondaryStatus],
            ["Stopped", "MaxWaitTimeExceeded"],
        );
    });

    it("takes any error name of a service", () => {
        const effect = nextFault([parseFault("Setup Statemachine=Lambda.SdkClientException", states)], {
            state: "Setup Statemachine",
            arguments: {},
        });
        assert.ok(effect && "throws" in effect && effect.throws.error === "Lambda.SdkClientException");
    });

    const refused: readonly (readonly [string, RegExp])[] = [
        ["Image Model Training", /STATE=ERROR is expected/],
        [
            "Imag Model Training=CapacityError",
            /no Task state is called "Imag Model Training"; nearest: "Image Model Training".*\n {2}.*\n {2}/,
        ],
        ["Image Model Training=CapacityErorr", /cannot fail with "CapacityErorr"; nearest: CapacityError/],
        ["Setup Statemachine=CapacityError", /Setup Statemachine cannot fail with "CapacityError"/],
        ["Setup Statemachine=States.Nonsense", /cannot fail with "States.Nonsense"/],
        ["Image Model Training=CapacityError*0", /at least once/],
    ];
    for (const [text, message] of refused) {
        it(`${text} is refused with the nearest known`, () => {
            assert.throws(() => parseFault(text, states), message);
        });
    }
});
