/**
 * The Terraform AWS provider against the API: it makes a state machine, finds it unchanged, changes it, and destroys
 * it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { SFNClient, ListStateMachinesCommand, DescribeStateMachineCommand } from "@aws-sdk/client-sfn";
import type { StepFunctionsApi } from "../../asl/api";
import { findTerraform, Terraform } from "../provider/support/terraform";
import { DEFINITION, ROLE_ARN, serve } from "./support";

describe("the Terraform AWS provider against the Step Functions API", function () {
    this.timeout(600_000);
    let api: StepFunctionsApi;
    let terraform: Terraform;
    let client: SFNClient;
    const folder = mkdtempSync(path.join(tmpdir(), "terraform-sfn-"));

    before(async function () {
        const found = findTerraform();
        if (typeof found === "string") {
            console.log(`      skipped: ${found}`);
            this.skip();
        }
        api = await serve();
        client = new SFNClient({
            endpoint: api.endpoint,
            region: "eu-central-1",
            credentials: { accessKeyId: "x", secretAccessKey: "x" },
        });
        terraform = new Terraform(found, folder);
        await terraform.start();
        terraform.write(configuration("600"));
        await terraform.init();
    });

    after(async () => {
        terraform?.stop();
        client?.destroy();
        await api?.close();
        rmSync(folder, { recursive: true, force: true });
    });

    function configuration(seconds: string): object {
        return {
            terraform: { required_providers: { aws: { source: "hashicorp/aws" } } },
            provider: {
                aws: {
                    region: "eu-central-1",
                    access_key: "local",
                    secret_key: "local",
                    skip_credentials_validation: true,
                    skip_metadata_api_check: "true",
                    skip_requesting_account_id: true,
                    endpoints: [{ sfn: api.endpoint }],
                },
            },
            resource: {
                aws_sfn_state_machine: {
                    orders: {
                        name: "orders",
                        role_arn: ROLE_ARN,
                        definition: DEFINITION.replace("600", seconds),
                        publish: true,
                        logging_configuration: [
                            {
                                level: "ALL",
                                include_execution_data: true,
                                log_destination: "arn:aws:logs:eu-central-1:000000000000:log-group:orders:*",
                            },
                        ],
                        tracing_configuration: [{ enabled: true }],
                        tags: { team: "a" },
                    },
                },
                aws_sfn_alias: {
                    live: {
                        name: "live",
                        routing_configuration: [
                            {
                                state_machine_version_arn: "${aws_sfn_state_machine.orders.state_machine_version_arn}",
                                weight: 100,
                            },
                        ],
                    },
                },
            },
        };
    }

    const names = async () =>
        (await client.send(new ListStateMachinesCommand({}))).stateMachines?.map(({ name }) => name);

    it("makes it, and finds nothing to change in the second plan", async () => {
        const made = await terraform.apply();
        assert.deepEqual(made.errors, []);
        assert.equal(made.changes.length, 2);
        assert.deepEqual(await names(), ["orders"]);
        const again = await terraform.plan();
        assert.deepEqual([again.errors, again.changes], [[], []], await terraform.explain());
    });

    it("changes what has changed in place", async () => {
        terraform.write(configuration("900"));
        const changed = await terraform.apply();
        assert.deepEqual(changed.errors, []);
        assert.deepEqual(
            changed.changes.map(({ address, action }) => `${address} ${action}`),
            ["aws_sfn_state_machine.orders update", "aws_sfn_alias.live update"],
        );
        const stateMachineArn = "arn:aws:states:eu-central-1:000000000000:stateMachine:orders";
        const { definition } = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
        assert.match(definition ?? "", /"TimeoutSeconds":900/);
        assert.deepEqual((await terraform.plan()).changes, [], await terraform.explain());
    });

    it("destroys it", async () => {
        const gone = await terraform.destroy();
        assert.deepEqual(gone.errors, []);
        assert.deepEqual(await names(), []);
    });
});
