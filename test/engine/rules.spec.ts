import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { rules } from "../../policy/rules";
import { mutations, SAMPLE_CONFIG, STALE_SUPPRESSION } from "../policy/mutations";
import type { SampleResource } from "../policy/sampleStage";
import { sampleStage } from "../policy/sampleStage";
import type { Outcome } from "./support/engine";
import { TestStack } from "./support/engine";
import { sampleProgram } from "./support/sampleProgram";

const folder = mkdtempSync(path.join(tmpdir(), "engine-suite-config-"));

function configFile(name: string, config: object): string {
    const file = path.join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(config));
    return file;
}

function refusedBy(outcome: Outcome): string[] {
    return [
        ...new Set(
            outcome.violations
                .filter((violation) => violation.level === "mandatory")
                .map((violation) => violation.policy),
        ),
    ];
}

async function preview(resources: readonly SampleResource[], config: string): Promise<Outcome> {
    const stack = await TestStack.create("dev", sampleProgram(resources));
    try {
        return await stack.preview({ policies: { config } });
    } finally {
        stack.dispose();
    }
}

describe("the policy pack in the real engine", () => {
    const config = configFile("sample", SAMPLE_CONFIG);

    after(() => rmSync(folder, { recursive: true, force: true }));

    it("accepts the sample that keeps every rule", async () => {
        const outcome = await preview(sampleStage, config);
        assert.deepEqual(outcome.violations, [], outcome.log);
        assert.ok(outcome.succeeded, outcome.log);
    });

    it("has a mutated program for every rule", () => {
        assert.deepEqual(
            Object.keys(mutations).sort(),
            rules
                .map((rule) => rule.name)
                .filter((name) => name !== "suppressions-needed")
                .sort(),
        );
    });

    for (const rule of Object.keys(mutations)) {
        it(`refuses at preview what breaks ${rule}, by that rule alone`, async () => {
            const outcome = await preview(mutations[rule](sampleStage), config);
            assert.deepEqual(refusedBy(outcome), [rule], outcome.log);
            assert.equal(outcome.succeeded, false);
        });
    }

    it("refuses a suppression that is not needed any more", async () => {
        const outcome = await preview(sampleStage, configFile("stale", { ...SAMPLE_CONFIG, ...STALE_SUPPRESSION }));
        assert.deepEqual(refusedBy(outcome), ["suppressions-needed"], outcome.log);
        assert.match(
            outcome.violations[0].message,
            /kms-key-rotation for aws:kms\/key:Key::key is not needed any more/,
        );
    });

    it("accepts what a suppression with a reason is about", async () => {
        const outcome = await preview(
            mutations["kms-key-rotation"](sampleStage),
            configFile("needed", { ...SAMPLE_CONFIG, ...STALE_SUPPRESSION }),
        );
        assert.deepEqual(outcome.violations, [], outcome.log);
    });

    it("only warns where the configuration says advisory, and says nothing where it says disabled", async () => {
        const broken = mutations["kms-key-rotation"](sampleStage);
        const warned = await preview(
            broken,
            configFile("advisory", { ...SAMPLE_CONFIG, "kms-key-rotation": "advisory" }),
        );
        assert.ok(warned.succeeded, warned.log);
        assert.deepEqual(
            warned.violations.map(({ policy, level }) => ({ policy, level })),
            [{ policy: "kms-key-rotation", level: "advisory" }],
        );
        const silent = await preview(
            broken,
            configFile("disabled", { ...SAMPLE_CONFIG, "kms-key-rotation": "disabled" }),
        );
        assert.deepEqual(silent.violations, [], silent.log);
    });

    it("refuses a configuration of the wrong type, naming the parameter", async () => {
        const outcome = await preview(
            sampleStage,
            configFile("wrong", { ...SAMPLE_CONFIG, "log-group-retention": { minDays: "long" } }),
        );
        assert.equal(outcome.succeeded, false);
        assert.match(outcome.log, /minDays/);
    });

    it("runs at the update too, and stops it at what only then is known", async () => {
        // At preview the topic's key comes from a resource that does not exist, so nothing can be said against it.
        const stack = await TestStack.create(
            "dev",
            sampleProgram(mutations["definition-known-at-preview"](sampleStage)),
        );
        const lenient = configFile("lenient", { ...SAMPLE_CONFIG, "definition-known-at-preview": "advisory" });
        try {
            const previewed = await stack.preview({ policies: { config: lenient } });
            assert.ok(previewed.succeeded, previewed.log);
            assert.ok(
                previewed.violations.some(({ policy }) => policy === "definition-known-at-preview"),
                previewed.log,
            );
            const updated = await stack.up({ policies: { config: lenient } });
            assert.equal(updated.succeeded, false);
            assert.deepEqual(refusedBy(updated), ["sfn-definition-sound"], updated.log);
            assert.deepEqual(stack.cloud.ofType("aws:sfn/stateMachine:StateMachine"), []);
        } finally {
            stack.dispose();
        }
    });
});
