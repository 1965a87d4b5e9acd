/**
 * Drives the real engine: the Pulumi CLI on PATH, a backend of files in a folder of its own, an inline program, and the test
 * provider in place of AWS's and docker-build's. No network, no account, no credentials.
 */
import { automation } from "@pulumi/pulumi";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ACCOUNT, REGION } from "../../policy/sampleStage";
import { AWS_FUNCTIONS, AWS_TYPES, DOCKER_BUILD_TYPES } from "./cloud";
import type { Served } from "./provider";
import { serveProvider, TestCloud } from "./provider";

export const root = path.resolve(__dirname, "../../..");
export const pack = path.join(root, "policy");

/** A policy violation as the engine reports it. */
export interface PolicyViolation {
    readonly policy: string;
    readonly level: string;
    readonly urn: string;
    readonly message: string;
}

/** What one run of the engine did. */
export interface Outcome {
    readonly succeeded: boolean;
    /** By URN: what the engine does, `same` left out. */
    readonly steps: Readonly<Record<string, string>>;
    /** How many resources stay as they are. */
    readonly same: number;
    readonly violations: readonly PolicyViolation[];
    /** Everything that the engine said, for a failure's message. */
    readonly log: string;
}

export interface RunOptions {
    /** The pack's configuration: a stage's file, or none. Without `pack`, no policies run. */
    readonly policies?: { readonly config?: string };
}

/** One stack on one account, from its creation to its end. */
export class TestStack {
    private constructor(
        readonly cloud: TestCloud,
        private readonly stack: automation.Stack,
        private readonly providers: readonly Served[],
        private readonly folder: string,
    ) {}

    /**
     * @param name the stack's name
     * @param program the Pulumi program
     * @param config the stack's configuration, keys with their namespace
     */
    static async create(
        name: string, program: automation.PulumiFn, config: Readonly<Record<string, string>> = {}, project = "engine-suite",
    ): Promise<TestStack> {
        const folder = mkdtempSync(path.join(tmpdir(), "engine-suite-"));
        const cloud = new TestCloud({ account: ACCOUNT, region: REGION });
        const providers = [
            await serveProvider(AWS_TYPES, AWS_FUNCTIONS, cloud),
            await serveProvider(DOCKER_BUILD_TYPES, {}, cloud),
        ];
        const stack = await automation.LocalWorkspace.createStack({ stackName: name, projectName: project, program }, {
            workDir: folder,
            pulumiHome: path.join(folder, "home"),
            projectSettings: { name: project, runtime: "nodejs", main: root, backend: { url: `file://${folder}` } },
            envVars: {
                PULUMI_CONFIG_PASSPHRASE: "engine-suite",
                PULUMI_DEBUG_PROVIDERS: `aws:${providers[0].port},docker-build:${providers[1].port}`,
                PULUMI_SKIP_UPDATE_CHECK: "true",
                PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
                PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
            },
        });
        await stack.setAllConfig(Object.fromEntries(
            Object.entries({ "aws:region": REGION, ...config }).map(([key, value]) => [key, { value }]),
        ));
        return new TestStack(cloud, stack, providers, folder);
    }

    preview(options: RunOptions = {}): Promise<Outcome> {
        return this.run(handlers => this.stack.preview({ ...handlers, ...policyOptions(options) }));
    }

    up(options: RunOptions = {}): Promise<Outcome> {
        return this.run(handlers => this.stack.up({ ...handlers, ...policyOptions(options) }));
    }

    refresh(): Promise<Outcome> {
        return this.run(handlers => this.stack.refresh(handlers));
    }

    destroy(): Promise<Outcome> {
        return this.run(handlers => this.stack.destroy(handlers));
    }

    outputs(): Promise<automation.OutputMap> {
        return this.stack.outputs();
    }

    setConfig(key: string, value: string): Promise<void> {
        return this.stack.setConfig(key, { value });
    }

    /** Removes what the stack left behind on this machine. */
    dispose(): void {
        this.providers.forEach(provider => provider.stop());
        rmSync(this.folder, { recursive: true, force: true });
    }

    private async run(
        action: (handlers: { onEvent: (event: automation.EngineEvent) => void; onOutput: (text: string) => void }) => Promise<unknown>,
    ): Promise<Outcome> {
        const steps: Record<string, string> = {};
        const violations: PolicyViolation[] = [];
        let [same, log, succeeded] = [0, "", true];
        try {
            await action({
                onOutput: text => { log += text; },
                onEvent: event => {
                    const metadata = event.resourcePreEvent?.metadata;
                    if (metadata !== undefined && metadata.type !== "pulumi:pulumi:Stack" && !metadata.type.startsWith("pulumi:providers:")) {
                        if (metadata.op === "same") {
                            same += 1;
                        } else {
                            steps[metadata.urn] = metadata.op;
                        }
                    }
                    if (event.policyEvent !== undefined) {
                        const { policyName: policy, enforcementLevel: level, resourceUrn: urn = "", message } = event.policyEvent;
                        violations.push({ policy, level, urn, message });
                    }
                },
            });
        } catch (error) {
            succeeded = false;
            log += String(error);
        }
        return { succeeded, steps, same, violations, log };
    }
}

function policyOptions(options: RunOptions): { policyPacks?: string[]; policyPackConfigs?: string[] } {
    if (options.policies === undefined) {
        return {};
    }
    return { policyPacks: [pack], ...options.policies.config === undefined ? {} : { policyPackConfigs: [options.policies.config] } };
}
