/**
 * The Terraform command with the AWS provider, which Pulumi's own provider is made of: where both are on this machine,
 * the suite runs them; elsewhere it is skipped.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Schemas } from "./conversion";

const root = path.resolve(__dirname, "../../..");
const { terraform: locked } = JSON.parse(readFileSync(path.join(root, ".ci/terraform/main.tf.json"), "utf8")) as {
    readonly terraform: { readonly required_providers: { readonly aws: { readonly version: string } } };
};
/** The version that the conversion was written for: a later one renames properties. */
export const PROVIDER_VERSION = locked.required_providers.aws.version;
/** Most of the time of an apply is waiting. */
const PARALLEL = 40;
/** A provider that is attached to otherwise tells of every request, a hundred megabytes in all. */
const QUIET = {
    TF_LOG_PROVIDER: "ERROR",
    TF_LOG_SDK: "ERROR",
    TF_LOG_SDK_FRAMEWORK: "ERROR",
    TF_LOG_SDK_PROTO: "ERROR",
};
const SOURCE = "registry.terraform.io/hashicorp/aws";

/**
 * Where plug-ins lie: `TF_PLUGIN_DIR`, what .ci/provider fetched, Terraform's own places, and folders of /opt.
 */
function pluginFolders(): string[] {
    const { TF_PLUGIN_DIR, TF_PLUGIN_CACHE_DIR, XDG_CACHE_HOME = path.join(homedir(), ".cache") } = process.env;
    const optional = existsSync("/opt") ? readdirSync("/opt").map((name) => path.join("/opt", name)) : [];
    return [
        TF_PLUGIN_DIR,
        path.join(XDG_CACHE_HOME, "ensemble-training/terraform"),
        TF_PLUGIN_CACHE_DIR,
        path.join(homedir(), ".terraform.d/plugins"),
        path.join(homedir(), ".local/share/terraform/plugins"),
        "/usr/local/share/terraform/plugins",
        "/usr/share/terraform/plugins",
        ...optional,
    ].filter((folder) => folder !== undefined);
}

/** The provider's executable below a folder of plug-ins. */
function providerIn(plugins: string): string | undefined {
    const version = path.join(plugins, SOURCE, PROVIDER_VERSION);
    if (!existsSync(version)) {
        return undefined;
    }
    const [platform] = readdirSync(version);
    const binary = readdirSync(path.join(version, platform)).find((name) => name.startsWith("terraform-provider-aws"));
    return binary === undefined ? undefined : path.join(version, platform, binary);
}

/** What of Terraform this machine has. */
export interface Installation {
    /** Folder of plug-ins. */
    readonly plugins: string;
    /** The provider's executable. */
    readonly provider: string;
}

/** Terraform and its AWS provider on this machine, or what is missing and how to get it. */
export function findTerraform(): Installation | string {
    try {
        execFileSync("terraform", ["version"], { stdio: "ignore" });
    } catch {
        return "terraform is not on the path";
    }
    for (const plugins of pluginFolders()) {
        const provider = providerIn(plugins);
        if (provider !== undefined) {
            return { plugins, provider };
        }
    }
    return (
        `the AWS provider ${PROVIDER_VERSION} is in no folder of plug-ins: ` +
        "`bash .ci/provider` fetches it, or TF_PLUGIN_DIR names a folder that has it"
    );
}

/** What Terraform would do, or did, with one resource. */
export interface Change {
    readonly address: string;
    /** `create`, `update`, `replace`, `delete`. */
    readonly action: string;
}

/** How a command of Terraform ended. */
export interface Outcome {
    readonly changes: readonly Change[];
    /** What was wrong, each with the resource that it is about. */
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
}

interface Message {
    readonly "type"?: string;
    readonly "@message": string;
    readonly "change"?: { readonly resource: { readonly addr: string }; readonly action: string };
    readonly "hook"?: { readonly resource: { readonly addr: string }; readonly action: string };
    readonly "diagnostic"?: Diagnostic;
}

interface Diagnostic {
    readonly severity: "error" | "warning";
    readonly summary: string;
    readonly detail?: string;
    readonly address?: string;
    readonly snippet?: { readonly context?: string; readonly code: string };
}

function describe(diagnostic: Diagnostic): string {
    const where = diagnostic.address ?? diagnostic.snippet?.context ?? diagnostic.snippet?.code ?? "configuration";
    return [`${where}: ${diagnostic.summary}`, diagnostic.detail].filter((part) => part).join("\n");
}

/** A configuration with its state. One provider process serves all of them: its start takes longer than most runs. */
export class Terraform {
    private provider: ChildProcess | undefined;

    /** @param folder where the configuration, the state and the logs lie. */
    constructor(
        private readonly installation: Installation,
        readonly folder: string,
        private environment: NodeJS.ProcessEnv = ownEnvironment(),
    ) {
        mkdirSync(folder, { recursive: true });
    }

    /** Another configuration in the same account, by the same provider. */
    beside(folder: string): Terraform {
        return new Terraform(this.installation, folder, this.environment);
    }

    /** Starts the provider. */
    async start(): Promise<void> {
        const log = path.join(this.folder, "provider.log");
        const output = openSync(log, "w");
        this.provider = spawn(this.installation.provider, ["-debug"], {
            env: { ...this.environment, ...QUIET },
            stdio: ["ignore", output, output],
        });
        closeSync(output);
        const attach = await this.attachment(log);
        this.environment = {
            ...this.environment,
            TF_REATTACH_PROVIDERS: attach,
            TF_IN_AUTOMATION: "1",
            CHECKPOINT_DISABLE: "1",
        };
    }

    /** What the provider prints for commands that are to use it. */
    private async attachment(log: string): Promise<string> {
        for (let tries = 0; tries < 1_200; tries += 1) {
            const found = /TF_REATTACH_PROVIDERS='(\{.*\})'/.exec(readFileSync(log, "utf8"));
            if (found !== null) {
                return found[1];
            }
            if (this.provider?.exitCode !== null) {
                break;
            }
            await sleep(100);
        }
        throw new Error(`The AWS provider does not start: ${readFileSync(log, "utf8").slice(-500)}`);
    }

    stop(): void {
        this.provider?.kill("SIGKILL");
    }

    /** Replaces the configuration. */
    write(configuration: object): void {
        writeFileSync(path.join(this.folder, "main.tf.json"), JSON.stringify(configuration, null, 2));
    }

    /** Prepares the folder for the configuration that was written. */
    async init(): Promise<void> {
        const { code, lines } = await this.run(["init", `-plugin-dir=${this.installation.plugins}`]);
        if (code !== 0) {
            throw new Error(`terraform init failed:\n${lines.join("\n")}`);
        }
    }

    /** The provider's schema of resources, asked once for all suites. */
    async schemas(): Promise<Schemas> {
        const file = path.join(root, `.build/provider/schema-${PROVIDER_VERSION}.json`);
        if (!existsSync(file)) {
            const { lines } = await this.run(["providers", "schema", "-json"]);
            const { provider_schemas: schemas } = JSON.parse(lines.join("\n")) as {
                provider_schemas: Record<string, { resource_schemas: Schemas }>;
            };
            mkdirSync(path.dirname(file), { recursive: true });
            writeFileSync(file, JSON.stringify(schemas[SOURCE].resource_schemas));
        }
        return JSON.parse(readFileSync(file, "utf8")) as Schemas;
    }

    /** What an apply would change. */
    plan(): Promise<Outcome> {
        return this.command(["plan", "-json"], "planned_change");
    }

    /** Makes what the configuration says, and destroys what it no longer says. */
    apply(): Promise<Outcome> {
        return this.command(["apply", "-json", "-auto-approve"], "apply_complete");
    }

    destroy(): Promise<Outcome> {
        return this.command(["destroy", "-json", "-auto-approve"], "apply_complete");
    }

    /** Addresses of what was made and is still there. */
    addresses(): string[] {
        const { resources } = JSON.parse(readFileSync(path.join(this.folder, "terraform.tfstate"), "utf8")) as {
            resources: { readonly mode: string; readonly type: string; readonly name: string }[];
        };
        return resources
            .filter(({ mode }) => mode === "managed")
            .map(({ type, name }) => `${type}.${name}`)
            .sort();
    }

    /** The plan as people read it: for the message of a failed test. */
    async explain(): Promise<string> {
        const { lines } = await this.run(["plan"]);
        return lines
            .slice(lines.findIndex((line) => line.includes("will perform")) + 1)
            .slice(0, 120)
            .join("\n");
    }

    private async command(words: readonly string[], told: string): Promise<Outcome> {
        const { lines } = await this.run([...words, `-parallelism=${PARALLEL}`]);
        const messages = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Message);
        const changes = messages
            .filter(({ type }) => type === told)
            .map(({ change, hook }) => change ?? hook)
            .filter((change) => change !== undefined)
            .map(({ resource, action }) => ({ address: resource.addr, action }));
        return outcome(
            changes,
            messages.map(({ diagnostic }) => diagnostic).filter((diagnostic) => diagnostic !== undefined),
        );
    }

    /** Runs a command and gives its lines; each has a log of its own. */
    private async run(words: readonly string[]): Promise<{ readonly code: number | null; readonly lines: string[] }> {
        const log = path.join(this.folder, `${words[0]}.log`);
        const output = openSync(log, "w");
        const child = spawn("terraform", [...words, ...unasked(words[0])], {
            cwd: this.folder,
            env: this.environment,
            stdio: ["ignore", output, output],
        });
        closeSync(output);
        const code = await new Promise<number | null>((resolve, reject) =>
            child.once("error", reject).once("close", resolve),
        );
        return { code, lines: readFileSync(log, "utf8").split("\n") };
    }
}

/** Without what leads Terraform or the provider to somebody's own settings, credentials or account. */
function ownEnvironment(): NodeJS.ProcessEnv {
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|TF)_/.test(name)));
}

/** Nobody is there to be asked; some commands ask nothing, and do not know the flag. */
function unasked(command: string): string[] {
    return command === "providers" ? [] : ["-no-color", "-input=false"];
}

function outcome(changes: readonly Change[], diagnostics: readonly Diagnostic[]): Outcome {
    const told = (severity: Diagnostic["severity"]) =>
        diagnostics.filter((diagnostic) => diagnostic.severity === severity).map(describe);
    return { changes, errors: told("error"), warnings: told("warning") };
}
