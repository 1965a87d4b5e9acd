/**
 * The commands that people type, as they type them: through the CLI, its host of the runtime nodejs and npm. The other
 * specs of this suite hand the program to the engine themselves; here Pulumi.yaml's options, types and defaults count.
 */
import assert from "node:assert/strict";
import { Checkout } from "./support/checkout";

/** How many resources the CLI's summary says are to be made, or stay as they are. */
function counted(printed: string, what: "to create" | "created" | "unchanged"): number {
    const found = new RegExp(`^ +(?:\\+ )?(\\d+) ${what}$`, "m").exec(printed);
    assert.ok(found !== null, `no "${what}" in:\n${printed}`);
    return Number(found[1]);
}

/** What the CLI shows for people to act on: problems of a policy and of the program. */
function complaints(printed: string): string[] {
    const lines = printed.split("\n").map((line) => line.trim());
    // A host on the path is this suite's own doing.
    return lines.filter((line) => /^(error|warning):|^- \[/.test(line) && !line.includes("from $PATH"));
}

for (const stage of ["dev", "prod"]) {
    describe(`the commands of a deployment of ${stage}`, () => {
        let checkout: Checkout;
        let planned: number;

        before(async () => {
            checkout = await Checkout.create();
        });
        after(() => checkout.dispose());

        async function works(line: string): Promise<string> {
            const { code, printed } = await checkout.run(line);
            assert.equal(code, 0, `${line}\n${printed}`);
            return printed;
        }

        it(`pulumi stack init ${stage}`, () => works(`pulumi stack init ${stage}`));

        it(`npm run preview:${stage} shows what will be made, judged, and nothing to complain of`, async () => {
            const printed = await works(`export BUILDX_NO_DEFAULT_ATTESTATIONS=1; npm run preview:${stage}`);
            assert.match(printed, /✅ ensemble-training@v/);
            assert.deepEqual(complaints(printed), []);
            planned = counted(printed, "to create");
            assert.deepEqual(checkout.served.cloud.journal, [], "a preview makes nothing");
        });

        if (stage === "prod") {
            return;
        }

        it("pulumi preview --policy-pack policy says the same", async () => {
            const printed = await works("pulumi preview --policy-pack policy");
            assert.match(printed, /✅ ensemble-training@v/);
            assert.equal(counted(printed, "to create"), planned);
        });

        it(`npm run up:${stage} makes it`, async () => {
            const printed = await works(`npm run up:${stage} -- --yes --non-interactive`);
            assert.equal(counted(printed, "created"), planned);
            assert.equal(checkout.served.cloud.ofType("aws:sfn/stateMachine:StateMachine").length, 1);
        });

        it("the next preview changes nothing", async () => {
            const printed = await works(`npm run preview:${stage} -- --expect-no-changes`);
            assert.equal(counted(printed, "unchanged"), planned);
        });

        it("a value of the wrong type is refused by Pulumi.yaml's own declaration of the key", async () => {
            const restore = checkout.editConfig(stage, { "ensemble-training:folds": "many" });
            const { code, printed } = await checkout.run(`npm run preview:${stage}`);
            restore();
            assert.notEqual(code, 0);
            assert.match(printed, /ensemble-training:folds' must be of type 'integer'/);
        });

        it("every other mistake is told by the program: all of them, and no stack trace", async () => {
            const restore = checkout.editConfig(stage, { "ensemble-training:folds": 1, "ensemble-training:sead": 2 });
            const { code, printed } = await checkout.run(`npm run preview:${stage}`);
            restore();
            assert.notEqual(code, 0);
            assert.match(printed, /folds: got 1, expected at least 2/);
            assert.match(printed, /sead: unknown key; did you mean "seed"\?/);
            assert.doesNotMatch(printed, /^\s+at .*\.[jt]s:\d+/m);
        });

        it("pulumi destroy takes it away again", async () => {
            await works(`pulumi destroy --stack ${stage} --yes`);
            assert.deepEqual(checkout.served.cloud.ofType("aws:sfn/stateMachine:StateMachine"), []);
        });
    });
}
