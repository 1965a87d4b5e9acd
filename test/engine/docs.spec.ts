import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { program } from "../../stacks/program";
import { root, TestStack } from "./support/engine";

/** What a documented command needs to be asked nothing. */
const UNASKED: Readonly<Record<string, string>> = {
    "pulumi destroy": " --yes",
    "pulumi destroy --stack dev": " --yes",
    "pulumi state unprotect --all": " --yes",
};

describe("the Pulumi commands of the documents", () => {
    let stack: TestStack;
    before(async () => {
        stack = await TestStack.create("prod", program, root);
        const made = await stack.up();
        assert.ok(made.succeeded, made.log);
    });
    after(() => stack.dispose());

    async function works(line: string): Promise<string> {
        const { code, printed } = await stack.shell(`${line}${UNASKED[line] ?? ""}`);
        assert.equal(code, 0, printed);
        return printed;
    }

    it("`pulumi stack output artifactBucket` and its like name what the documents say", async () => {
        assert.match(await works("pulumi stack output artifactBucket"), /^ensemble-prod-/);
        for (const topic of ["alertsTopicArn", "operationsTopicArn"]) {
            assert.match(await works(`pulumi stack output ${topic}`), /^arn:aws:sns:/);
        }
    });

    it(
        "`pulumi destroy` is refused in a protected stage until `pulumi state unprotect --all`; the data then " +
            "outlives it",
        async () => {
            const refused = await stack.shell("pulumi destroy --yes");
            assert.notEqual(refused.code, 0);
            assert.match(refused.printed, /protect/);
            await works("pulumi state unprotect --all");
            await works("pulumi destroy");
            for (const type of ["bucket:Bucket", "bucketPublicAccessBlock:BucketPublicAccessBlock"]) {
                assert.ok(stack.cloud.ofType(`aws:s3/${type}`).length > 0, `${type} stays: data does not lie open`);
            }
        },
    );

    it(
        "`pulumi login file://...`, `pulumi stack init dev` and `pulumi destroy --stack dev` work in a project of " +
            "one's own",
        async () => {
            const home = mkdtempSync(path.join(tmpdir(), "documents-"));
            try {
                for (const file of ["Pulumi.yaml", "Pulumi.dev.yaml", "index.ts"]) {
                    cpSync(path.join(root, file), path.join(home, file));
                }
                const there = `cd ${home} && export HOME=${home} PULUMI_HOME=${home}/.pulumi &&`;
                await works(`${there} pulumi login file://${home}`);
                await works(`${there} pulumi stack init dev`);
                await works(`${there} pulumi destroy --stack dev --yes`);
            } finally {
                rmSync(home, { recursive: true, force: true });
            }
        },
    );
});
