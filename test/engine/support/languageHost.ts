/**
 * The host of the runtime `nodejs`, for a CLI that was built without its language plugins. The engine starts it with
 * its own address; it prints its port and starts node as the installed host does: with the runtime's options of
 * Pulumi.yaml or PulumiPolicy.yaml, and the SDK's own entry points for programs and policy packs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { parse } from "shell-quote";
import { version } from "@pulumi/pulumi/package.json";

/** The SDK's exit code of a program that has told everything itself: the host adds nothing. */
const TOLD = 32;
const BYTES = 1 << 28;

const engine = process.argv.at(-1) as string;
const running = new Set<ChildProcess>();

/** The runtime's options, as Pulumi.yaml has them. */
interface RuntimeOptions {
    /** Whether the SDK reads TypeScript by itself; default true. */
    readonly typescript?: boolean;
    /** Flags of node. */
    readonly nodeargs?: string;
}

function optionsOf(info: language.ProgramInfo | undefined): RuntimeOptions {
    return (info?.getOptions()?.toJavaScript() ?? {}) as RuntimeOptions;
}

/** Starts one of the SDK's entry points, from the SDK that the program has installed. */
function start(entry: string, info: language.ProgramInfo | undefined, words: string[], env: NodeJS.ProcessEnv) {
    // the real one: a link to a project finds what that project has installed
    const folder = realpathSync(info?.getProgramDirectory() ?? process.cwd());
    const file = createRequire(path.join(folder, "package.json")).resolve(`@pulumi/pulumi/cmd/${entry}`);
    const flags = parse(optionsOf(info).nodeargs ?? "").map(String);
    const child = spawn(process.execPath, [...flags, file, ...words], {
        cwd: folder,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    return child;
}

/** The flags of `cmd/run`; what is empty is left out. */
function programWords(request: language.RunRequest): string[] {
    const info = request.getInfo();
    const flags: Readonly<Record<string, string>> = {
        "monitor": request.getMonitorAddress(),
        engine,
        "organization": request.getOrganization(),
        "project": request.getProject(),
        "stack": request.getStack(),
        "pwd": info?.getProgramDirectory() ?? "",
        "root-directory": info?.getRootDirectory() ?? "",
        "parallel": String(request.getParallel()),
    };
    const given = Object.entries(flags).filter(([, value]) => value !== "");
    const words = given.flatMap(([name, value]) => [`--${name}`, value]);
    const dryRun = request.getDryrun() ? ["--dry-run"] : [];
    return [...words, ...dryRun, info?.getEntryPoint() || ".", ...request.getArgsList()];
}

const run: grpc.handleUnaryCall<language.RunRequest, language.RunResponse> = (call, callback) => {
    const { request } = call;
    const config = Object.fromEntries(request.getConfigMap().toObject());
    const child = start("run", request.getInfo(), programWords(request), {
        PULUMI_CONFIG: JSON.stringify(config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        PULUMI_NODEJS_TYPESCRIPT: String(optionsOf(request.getInfo()).typescript ?? true),
    });
    // What the program prints, the engine shows.
    child.stdout.pipe(process.stdout, { end: false });
    child.stderr.pipe(process.stderr, { end: false });
    child.once("close", (code, signal) => {
        const response = new language.RunResponse();
        if (code === TOLD) {
            response.setBail(true);
        } else if (code !== 0) {
            response.setError(`Program exited with ${signal === null ? `code ${code}` : `signal ${signal}`}`);
        }
        callback(null, response);
    });
};

/** Runs a policy pack; the engine reads the pack's port from its output. */
const runPlugin: grpc.handleServerStreamingCall<language.RunPluginRequest, language.RunPluginResponse> = (call) => {
    const { request } = call;
    if (request.getKind() !== "analyzer") {
        call.destroy(new Error(`This host runs policy packs; it was asked for a plugin of kind ${request.getKind()}.`));
        return;
    }
    const environment = Object.fromEntries(request.getEnvList().map((line) => line.split(/=(.*)/s).slice(0, 2)));
    const info = request.getInfo();
    const pack = info?.getProgramDirectory() ?? request.getPwd();
    const child = start("run-policy-pack", info, [...request.getArgsList(), pack], environment as NodeJS.ProcessEnv);
    const tell = (change: (response: language.RunPluginResponse) => void): void => {
        const response = new language.RunPluginResponse();
        change(response);
        call.write(response);
    };
    child.stdout.on("data", (bytes: Buffer) => tell((response) => response.setStdout(bytes)));
    child.stderr.on("data", (bytes: Buffer) => tell((response) => response.setStderr(bytes)));
    child.once("close", (code) => {
        tell((response) => response.setExitcode(code ?? 1));
        call.end();
    });
    call.once("cancelled", () => child.kill());
};

function answer<Request, Response>(make: (request: Request) => Response): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => callback(null, make(call.request));
}

const server = new grpc.Server({
    "grpc.max_receive_message_length": BYTES,
    "grpc.max_send_message_length": BYTES,
});
server.addService(LanguageRuntimeService, {
    handshake: answer(() => new language.LanguageHandshakeResponse()),
    getPluginInfo: answer(() => new plugin.PluginInfo().setVersion(version)),
    // The providers are attached by the suite: nothing is to be downloaded.
    getRequiredPlugins: answer(() => new language.GetRequiredPluginsResponse()),
    getRequiredPackages: answer(() => new language.GetRequiredPackagesResponse()),
    about: answer(() => new language.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
    getProgramDependencies: answer(() => new language.GetProgramDependenciesResponse()),
    run,
    runPlugin,
    cancel: answer(() => {
        running.forEach((child) => child.kill("SIGINT"));
        return new Empty();
    }),
} as unknown as grpc.UntypedServiceImplementation);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) {
        throw error;
    }
    process.stdout.write(`${port}\n`);
});
