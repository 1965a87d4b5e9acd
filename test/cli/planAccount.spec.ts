import assert from "node:assert/strict";
import { settingsOf } from "../../cli/aws/executions";
import { accountOf } from "../../cli/commands/plan";
import { completed } from "../../cli/plan/plan";
import { evaluated } from "../../cli/support";

describe("the account of a plan", function () {
    this.timeout(120_000);

    it("is the one whose bucket of the stage the input names, so that no account's own bucket is refused", async () => {
        const settings = async (account?: string) => {
            const { stateMachine } = await evaluated("dev", account);
            return settingsOf(stateMachine.definition, stateMachine.name);
        };
        const [here, there] = [await settings(), await settings("210987654321")];
        assert.notEqual(here.artifactBase, there.artifactBase);
        const input = {
            initialization: {
                fetch_data: { preprocessed_data_path: `${there.artifactBase}/data/documents` },
                run_training_steps: { fetch_preprocessing_artifacts: true, generate_image_model_split: true },
            },
        };
        const refused = (own: typeof here) =>
            completed(input, own)
                .problems.map(({ path }) => path)
                .join();
        assert.match(refused(here), /preprocessed_data_path/);
        const account = accountOf(input, here.artifactBase, "123456789012");
        assert.equal(account, "210987654321");
        assert.doesNotMatch(refused(there), /preprocessed_data_path/);
    });

    it("is the made-up one where the input names it, another bucket, or none", () => {
        const base = "s3://ensemble-dev-123456789012-eu-central-1";
        const named = (address: string) => accountOf({ data: address }, base, "123456789012");
        assert.equal(named(`${base}/data`), undefined);
        assert.equal(named("s3://somebody-else/data"), undefined);
        assert.equal(named("s3://ensemble-dev-999999999999-eu-central-1-more/data"), undefined);
        assert.equal(named("s3://ensemble-dev-999999999999-eu-central-1"), "999999999999");
        assert.equal(accountOf(undefined, base, "123456789012"), undefined);
    });
});
