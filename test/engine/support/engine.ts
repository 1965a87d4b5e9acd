/**
 * Drives the real engine: the Pulumi CLI on PATH, a backend of files in a folder of its own, an inline program, and the
 * test provider in place of AWS's and docker-build's. No network, no account, no credentials.
 */
import { automation } from "@pulumi/pulumi";
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse, stringify } from "yaml";
import { defined } from "../../../ground/fields";
import { ACCOUNT, REGION } from "../../policy/sampleStage";
import { AWS_FUNCTIONS, AWS_TYPES, DOCKER_BUILD_TYPES } from "./cloud";
import type { Served } from "./provider";
import { serveProvider, TestCloud } from "./provider";

export const root = path.resolve(__dirname, "../../..");
const pack = path.join(root, "policy");

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
    /**
     * What the engine did, or in a preview would do, sorted: `update aws:s3/bucket:Bucket::artifacts`. What stays as it
     * is, and what is only read, is left out.
     */
    readonly changes: readonly string[];
    /** How many resources stay as they are. */
    readonly same: number;
    readonly violations: readonly PolicyViolation[];
    /** Everything that the engine said, for a failure's message. */
    readonly log: string;
}

export interface RunOptions {
    /** The pack, as a path (relative to the project), and its configuration. Without it, no policies run. */
    readonly policies?: { readonly pack?: string; readonly config?: string };
}

const UNTOLD_TYPES = /^pulumi:(?:pulumi:Stack(?:Reference)?$|providers:)/;
const UNTOLD_STEPS: ReadonlySet<string> = new Set(["same", "read", "refresh", "discard"]);

/** How a line of the shell ended, and all that it printed. */
export interface Printed {
    readonly code: number | null;
    readonly printed: string;
}

/** Runs a line of the shell. Not synchronously: the provider that the CLI asks is this process. */
export async function shell(line: string, folder: string, environment: NodeJS.ProcessEnv): Promise<Printed> {
    // A file, and no pipe: a host that the CLI leaves behind would keep a pipe open.
    const file = path.join(mkdtempSync(path.join(tmpdir(), "engine-suite-shell-")), "printed");
    const output = openSync(file, "w");
    const child = spawn("bash", ["-c", line], {
        cwd: folder,
        env: { ...process.env, NO_COLOR: "1", ...environment },
        stdio: ["ignore", output, output],
    });
    closeSync(output);
    const code = await new Promise<number | null>((resolve, reject) =>
        child.once("error", reject).once("exit", resolve),
    );
    const printed = readFileSync(file, "utf8");
    rmSync(path.dirname(file), { recursive: true });
    return { code, printed };
}

/** An account, the providers that work on it, and what leads the CLI to them. */
export interface ServedCloud {
    readonly cloud: TestCloud;
    readonly providers: readonly Served[];
    readonly environment: Readonly<Record<string, string>>;
}

/** Serves a new account. */
export async function serveCloud(): Promise<ServedCloud> {
    const cloud = new TestCloud({ account: ACCOUNT, region: REGION });
    const providers = [
        await serveProvider(AWS_TYPES, AWS_FUNCTIONS, cloud),
        await serveProvider(DOCKER_BUILD_TYPES, {}, cloud),
    ];
    const environment = {
        PULUMI_CONFIG_PASSPHRASE: "engine-suite",
        PULUMI_DEBUG_PROVIDERS: `aws:${providers[0].port},docker-build:${providers[1].port}`,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    };
    return { cloud, providers, environment };
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
     * A new stack.
     *
     * @param stack its name
     * @param program the Pulumi program
     * @param source the folder whose Pulumi.yaml and Pulumi.<stack>.yaml are used; without it, a project with nothing
     * but a region
     */
    static async create(stack: string, program: automation.PulumiFn, source?: string): Promise<TestStack> {
        const folder = mkdtempSync(path.join(tmpdir(), "engine-suite-"));
        // The scripts' flags name the pack relative to the project.
        symlinkSync(pack, path.join(folder, "policy"));
        const project: automation.ProjectSettings =
            source === undefined
                ? { name: "engine-suite", runtime: "nodejs" }
                : (parse(readFileSync(path.join(source, "Pulumi.yaml"), "utf8")) as automation.ProjectSettings);
        const settings =
            source === undefined
                ? { config: { "aws:region": REGION } }
                : (parse(readFileSync(path.join(source, stackFile(stack)), "utf8")) as object);
        const { cloud, providers, environment } = await serveCloud();
        writeFileSync(path.join(folder, stackFile(stack)), stringify(settings));
        const created = await automation.LocalWorkspace.createStack(
            { stackName: stack, projectName: project.name, program },
            {
                workDir: folder,
                pulumiHome: path.join(folder, "home"),
                projectSettings: { ...project, main: root, backend: { url: `file://${folder}` } },
                envVars: environment,
            },
        );
        return new TestStack(cloud, created, providers, folder);
    }

    /** Changes the stack's configuration file, as its user would. */
    editConfig(edit: (config: Record<string, never>) => void): void {
        const file = path.join(this.folder, stackFile(this.stack.name));
        const settings = parse(readFileSync(file, "utf8")) as { config: Record<string, never> };
        edit(settings.config);
        writeFileSync(file, stringify(settings));
    }

    /** Changes what the engine remembers of the stack, as text. */
    async rewriteState(rewrite: (state: string) => string): Promise<void> {
        await this.stack.importStack(
            JSON.parse(rewrite(JSON.stringify(await this.stack.exportStack()))) as automation.Deployment,
        );
    }

    preview(options: RunOptions = {}): Promise<Outcome> {
        return this.run((handlers) => this.stack.preview({ ...handlers, ...policyOptions(options) }));
    }

    up(options: RunOptions = {}): Promise<Outcome> {
        return this.run((handlers) => this.stack.up({ ...handlers, ...policyOptions(options) }));
    }

    refresh(): Promise<Outcome> {
        return this.run((handlers) => this.stack.refresh(handlers));
    }

    destroy(): Promise<Outcome> {
        return this.run((handlers) => this.stack.destroy(handlers));
    }

    outputs(): Promise<automation.OutputMap> {
        return this.stack.outputs();
    }

    /** Runs a line of the shell as the stack's user would, in the project's folder and with its backend. */
    shell(line: string): Promise<Printed> {
        const { envVars, pulumiHome = "", workDir } = this.stack.workspace;
        return shell(line, workDir, { ...envVars, PULUMI_HOME: pulumiHome });
    }

    /** Removes what the stack left behind on this machine. */
    dispose(): void {
        this.providers.forEach((provider) => provider.stop());
        rmSync(this.folder, { recursive: true, force: true });
    }

    private async run(
        action: (handlers: {
            onEvent: (event: automation.EngineEvent) => void;
            onOutput: (text: string) => void;
        }) => Promise<unknown>,
    ): Promise<Outcome> {
        const changes = new Set<string>();
        const violations: PolicyViolation[] = [];
        let [same, log, succeeded] = [0, "", true];
        try {
            await action({
                onOutput: (text) => {
                    log += text;
                },
                onEvent: (event) => {
                    // A refresh says only afterwards whether it found something changed.
                    const metadata = (event.resourcePreEvent ?? event.resOutputsEvent)?.metadata;
                    if (metadata !== undefined && !UNTOLD_TYPES.test(metadata.type) && !UNTOLD_STEPS.has(metadata.op)) {
                        changes.add(`${metadata.op} ${metadata.type}::${metadata.urn.split("::").at(-1)}`);
                    }
                    same = event.summaryEvent?.resourceChanges.same ?? same;
                    if (event.policyEvent !== undefined) {
                        const {
                            policyName: policy,
                            enforcementLevel: level,
                            resourceUrn: urn = "",
                            message,
                        } = event.policyEvent;
                        violations.push({ policy, level, urn, message });
                    }
                },
            });
        } catch (error) {
            succeeded = false;
            log += String(error);
        }
        return { succeeded, changes: [...changes].sort(), same, violations, log };
    }
}

function policyOptions({ policies }: RunOptions): { policyPacks?: string[]; policyPackConfigs?: string[] } {
    return policies === undefined
        ? {}
        : defined({
              policyPacks: [policies.pack ?? "policy"],
              policyPackConfigs: policies.config === undefined ? undefined : [policies.config],
          });
}

function stackFile(stack: string): string {
    return `Pulumi.${stack}.yaml`;
}

/** The flags that an npm script of the project carries: `preview:dev` and the like. */
export function scriptFlags(script: string): {
    readonly stack: string;
    readonly policies: { readonly pack: string };
} {
    const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
        scripts: Record<string, string>;
    };
    const { values } = parseArgs({
        args: scripts[script].split(" ").slice(2),
        options: {
            "stack": { type: "string" },
            "policy-pack": { type: "string" },
        },
    });
    const { stack = "", "policy-pack": policyPack = "" } = values;
    return { stack, policies: { pack: policyPack } };
}
