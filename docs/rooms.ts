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
    "package": {
        holds: "the entry points of the npm package",
        mayImport: ["asl", "cli", "components", "local", "policy", "stacks", "workflow"],
    },
    "cli": {
        holds: "the `ensemble` tool, one command a file",
        mayImport: ["asl", "local", "pricing", "report", "stacks", "workflow", "workloads"],
    },
    "local": {
        holds: "the run on this machine",
        mayImport: ["asl", "pricing", "report", "stacks", "workflow", "workloads"],
    },
    "report": {
        holds: "the report of an execution, here or on AWS, as one HTML file",
        mayImport: ["asl", "pricing", "stacks", "workflow", "workloads"],
    },
    "stacks": {
        holds: "the stack configuration, what a stage consists of, the bundles of its code",
        mayImport: ["asl", "components", "pricing", "workflow", "workloads"],
    },
    "components": { holds: "one ComponentResource a file", mayImport: ["asl", "workflow"] },
    "policy": { holds: "the CrossGuard pack, one rule a file", mayImport: ["asl", "pricing", "workflow"] },
    "workloads": { holds: "the code that runs in AWS: functions, jobs, trainings", mayImport: ["workflow"] },
    "pricing": {
        holds: "dated prices, the worst-case and the expected bill of a definition",
        mayImport: ["asl", "workflow"],
    },
    "workflow": {
        holds: "the workflow: typed states, the ensemble, names, error classes; no Pulumi, no AWS SDK",
        mayImport: ["asl"],
    },
    "asl": {
        holds: "Amazon States Language as a library: types, prover, interpreter, pictures, differences",
        mayImport: [],
    },
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
        return entry.isDirectory()
            ? ["node_modules", "bin"].includes(entry.name)
                ? []
                : sources(file)
            : /\.m?ts$/.test(entry.name)
              ? [file]
              : [];
    });
}

function imports(): { readonly room: string; readonly file: string; readonly name: string }[] {
    const files = Object.keys(ROOMS).flatMap((room) => (room.endsWith(".ts") ? [room] : sources(room)));
    return files.flatMap((file) =>
        preProcessFile(readFileSync(path.join(root, file), "utf8"), true, true).importedFiles.map(({ fileName }) => ({
            room: file.split("/")[0],
            file,
            name: fileName,
        })),
    );
}

/** Every import that leaves its room, also those of types only. */
export function crossings(): Crossing[] {
    return imports()
        .filter(({ name }) => name.startsWith("."))
        .map(({ room, file, name }) => ({
            from: room,
            file,
            to: path.posix.normalize(path.posix.join(path.posix.dirname(file), name)).split("/")[0],
        }))
        .filter(({ from, to }) => from !== to);
}

/** Every import of a package. */
export function packages(): { readonly room: string; readonly file: string; readonly name: string }[] {
    return imports().filter(({ name }) => !name.startsWith(".") && !name.startsWith("node:"));
}
