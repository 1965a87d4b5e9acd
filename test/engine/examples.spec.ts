import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { cleanUp, project } from "../package/installed";
import { EnsembleTraining, surroundings } from "../../stacks";
import { program } from "../../stacks/program";
import { root, TestStack } from "./support/engine";

const MACHINE = "aws:sfn/stateMachine:StateMachine";

/** What a project's index.ts exports, loaded from its own folder with its own node_modules. */
function programOf(folder: string): () => Promise<Record<string, unknown>> {
    return createRequire(path.join(folder, "package.json"))("./index.ts") as () => Promise<Record<string, unknown>>;
}

interface Policy {
    readonly Statement: readonly {
        readonly Action: string | readonly string[];
        readonly Resource: string | readonly string[];
    }[];
}

describe("the examples in the real engine, with the installed package", () => {
    after(cleanUp);

    it(
        "a workflow of one's own is previewed, made, and unchanged afterwards; its role may do " + "what its states do",
        async () => {
            const folder = await project("workflow");
            const stack = await TestStack.create("dev", programOf(folder), folder);
            try {
                const previewed = await stack.preview();
                assert.ok(previewed.succeeded, previewed.log);
                const made = await stack.up();
                assert.ok(made.succeeded, made.log);
                assert.deepEqual((await stack.preview()).changes, []);
                const [machine] = stack.cloud.ofType(MACHINE);
                const states = Object.keys(
                    (JSON.parse(machine.inputs.definition as string) as { States: object }).States,
                );
                assert.deepEqual(states, ["Import Orders", "Tell Us", "Import Failed", "Nobody Told"]);
                const policy = stack.cloud
                    .ofType("aws:iam/rolePolicy:RolePolicy")
                    .find(({ inputs }) => inputs.name === "tasks");
                const { Statement } = JSON.parse(policy?.inputs.policy as string) as Policy;
                assert.deepEqual(
                    // logs and traces know no resource
                    Statement.filter(({ Resource }) => Resource !== "*").flatMap(({ Action }) => Action),
                    ["lambda:InvokeFunction", "sns:Publish"],
                );
                const gone = await stack.destroy();
                assert.ok(gone.succeeded, gone.log);
            } finally {
                stack.dispose();
            }
        },
    );

    it("an ensemble of four models of a table is previewed and made, every rule of the pack kept", async function () {
        this.timeout(600_000);
        const folder = await project("tabular");
        const before = process.cwd();
        process.chdir(folder);
        const stack = await TestStack.create("dev", programOf(folder), folder);
        try {
            const policies = {
                pack: path.join(folder, "node_modules/@ensemble-training/pulumi/dist/policy-pack"),
                config: path.join(folder, "policy.dev.json"),
            };
            const previewed = await stack.preview({ policies });
            assert.ok(previewed.succeeded, previewed.log);
            assert.deepEqual(
                previewed.violations.filter(({ level }) => level === "mandatory"),
                [],
            );
            const made = await stack.up();
            assert.ok(made.succeeded, made.log);
            assert.deepEqual((await stack.preview()).changes, []);
            const [machine] = stack.cloud.ofType(MACHINE);
            const definition = String(machine.inputs.definition);
            for (const title of ["Logistic", "Forest", "Boosting", "Neighbours", "Stacking"]) {
                assert.ok(definition.includes(`"${title} Model Training"`), title);
            }
            const images = stack.cloud
                .ofType("docker-build:index:Image")
                .map(({ inputs }) => (inputs.tags as string[])[0].replace(/^.*\/|:.*$/g, ""));
            assert.deepEqual(images.sort(), ["tabular-dev-jobs", "tabular-dev-tabular"]);
            const outputs = await stack.outputs();
            assert.match(outputs.stateMachineArn.value as string, /:stateMachine:tabular-model-training-dev$/);
        } finally {
            process.chdir(before);
            stack.dispose();
        }
    });
});

describe("a stage that was deployed before there was the component", () => {
    it("keeps every resource: the component is all that is new", async () => {
        const stack = await TestStack.create("dev", program, root);
        try {
            const made = await stack.up();
            assert.ok(made.succeeded, made.log);
            await stack.rewriteState((text) => {
                const state = JSON.parse(text.replaceAll("ensemble:training:EnsembleTraining$", "")) as {
                    deployment: { resources: { urn: string; parent?: string }[] };
                };
                const { resources } = state.deployment;
                const component = resources.find(({ urn }) =>
                    urn.includes("::ensemble:training:EnsembleTraining::"),
                ) as { urn: string };
                const whole = resources.find(({ urn }) => urn.includes("::pulumi:pulumi:Stack::")) as { urn: string };
                state.deployment.resources = resources
                    .filter((resource) => resource !== component)
                    .map((resource) =>
                        resource.parent === component.urn ? { ...resource, parent: whole.urn } : resource,
                    );
                return JSON.stringify(state);
            });
            const previewed = await stack.preview();
            assert.ok(previewed.succeeded, previewed.log);
            assert.deepEqual(previewed.changes, ["create ensemble:training:EnsembleTraining::ensemble"]);
        } finally {
            stack.dispose();
        }
    });
});

describe("models of one's own that cannot be", () => {
    it("fail the program with every problem", async () => {
        const stack = await TestStack.create("dev", async () => {
            const container = { kind: "script", framework: "tensorflowCpu", program: "train.py" } as const;
            new EnsembleTraining("wrong", {
                ...(await surroundings()),
                models: {
                    members: { "Bad Name": { container, source: "relative", channels: [] } },
                    combiner: { name: "combiner", container, source: path.join(root, "docs"), channels: [] },
                },
            });
        });
        try {
            const outcome = await stack.preview();
            assert.equal(outcome.succeeded, false);
            assert.match(outcome.log, /The ensemble's models have 3 problems/);
            assert.match(outcome.log, /Bad Name: got this name of a model, expected/);
            assert.match(outcome.log, /Bad Name\.source: got "relative", expected the absolute path/);
            assert.match(outcome.log, /combiner\.source: train\.py is missing in/);
        } finally {
            stack.dispose();
        }
    });
});
