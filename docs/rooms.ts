/** The rooms of the project and who imports whom, read from the import statements themselves. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { preProcessFile } from "typescript";

const root = path.join(__dirname, "..");

/**
 * The rooms from top to bottom with what each may import; the rule of the architecture. Tests, benchmarks and this folder may import
 * everything and are nobody's dependency.
 */
export const ROOMS: Readonly<Record<string, { readonly holds: string; readonly mayImport: readonly string[] }>> = {
    "index.ts": { holds: "the Pulumi program: configuration in, one stage, outputs out", mayImport: ["stacks"] },
    cli: {
        holds: "the `ensemble` tool, one command a file",
        mayImport: ["asl", "local", "pricing", "report", "stacks", "workflow", "workloads"],
    },
    report: { holds: "the report of a run, one HTML file", mayImport: ["asl", "local", "pricing", "stacks", "workflow"] },
    local: { holds: "the run on this machine", mayImport: ["asl", "stacks", "workflow", "workloads"] },
    stacks: { holds: "the stack configuration, what a stage consists of", mayImport: ["components", "workflow", "asl"] },
    components: { holds: "one ComponentResource a file", mayImport: ["workflow", "asl"] },
    policy: { holds: "the CrossGuard pack, one rule a file", mayImport: ["asl", "pricing"] },
    workloads: { holds: "the code that runs in AWS: functions, jobs, trainings", mayImport: ["workflow"] },
    pricing: { holds: "dated prices, the worst-case bill of a definition", mayImport: ["asl", "workflow"] },
    workflow: { holds: "the workflow: typed states, the ensemble, names, error classes; no Pulumi, no AWS SDK", mayImport: ["asl"] },
    asl: { holds: "Amazon States Language as a library: types, prover, interpreter, pictures, differences", mayImport: [] },
};

/** An import of one room by another. */
export interface Crossing {
    readonly from: string;
    readonly to: string;
    /** The importing file, from the project's root. */
    readonly file: string;
}

function sources(folder: string): string[] {
    return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const file = path.posix.join(folder, entry.name);
        return entry.isDirectory() ? ["node_modules", "bin"].includes(entry.name) ? [] : sources(file) : /\.m?ts$/.test(entry.name) ? [file] : [];
    });
}

/** Every import that leaves its room, also those of types only. */
export function crossings(): Crossing[] {
    const files = Object.keys(ROOMS).flatMap((room) => room.endsWith(".ts") ? [room] : sources(room));
    return files.flatMap((file) => {
        const from = file.split("/")[0];
        return preProcessFile(readFileSync(path.join(root, file), "utf8"), true, true).importedFiles.map(({ fileName }) => fileName)
            .filter((name) => name.startsWith("."))
            .map((name) => path.posix.normalize(path.posix.join(path.posix.dirname(file), name)).split("/")[0])
            .filter((to) => to !== from).map((to) => ({ from, to, file }));
    });
}
