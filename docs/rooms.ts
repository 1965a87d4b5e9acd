/** The rooms of the project and who imports whom, read from the import statements themselves. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { preProcessFile } from "typescript";

const root = path.join(__dirname, "..");

/**
 * The rooms from top to bottom with what each may import; the rule of the architecture. Tests, benchmarks and this
 * folder may import everything and are nobody's dependency.
 */
export const ROOMS: Readonly<Record<string, { readonly holds: string; readonly mayImport: readonly string[] }>> = {
    "docs": {
        holds: "texts, and what writes their pictures and tables",
        mayImport: ["cli", "simulation", "project", "stacks", "components", "workflow", "workloads", "policy", "asl"],
    },
    "index.ts": { holds: "the Pulumi program: configuration in, one stage, outputs out", mayImport: ["stacks"] },
    "cli": {
        holds: "the `ensemble` tool, one command a file",
        mayImport: ["asl", "local", "pricing", "project", "report", "stacks", "workflow", "workloads"],
    },
    "local": {
        holds: "the run on this machine",
        mayImport: ["asl", "pricing", "project", "report", "stacks", "workflow", "workloads"],
    },
    "report": {
        holds: "the report of an execution, here or on AWS, as one HTML file",
        mayImport: ["asl", "pricing", "workflow", "workloads"],
    },
    "simulation": {
        holds: "a simulated AWS: executions of the workflow in virtual time, with every fault; sample stages",
        mayImport: ["asl", "project", "workflow", "workloads"],
    },
    "project": {
        holds: "a project's program evaluated without an engine: its resources, definition and configuration",
        mayImport: ["asl", "components", "stacks"],
    },
    "stacks": {
        holds:
            "the stack configuration, what a stage consists of, the bundles of its code, the policy pack of this " +
            "project",
        mayImport: ["asl", "components", "policy", "pricing", "workflow", "workloads"],
    },
    "components": { holds: "one ComponentResource a file", mayImport: ["asl", "workflow"] },
    "workloads": { holds: "the code that runs in AWS: functions, jobs, trainings", mayImport: ["workflow"] },
    "pricing": { holds: "dated prices, the worst-case and the expected bill of a definition", mayImport: ["workflow"] },
    "workflow": {
        holds: "the ensemble's workflow: its definition, names, error classes, contract; no Pulumi, no AWS SDK",
        mayImport: ["asl"],
    },
    "policy": { holds: "the CrossGuard rules, one a file: a workspace of its own", mayImport: ["asl"] },
    "asl": {
        holds:
            "Amazon States Language as a package of its own: types, typed states, prover, interpreter, pictures, " +
            "differences, the Step Functions API",
        mayImport: [],
    },
    "ground": { holds: "what every room needs once: addresses, times, money, limits, errors", mayImport: [] },
};

/** Everybody may import these; it is not said, and not drawn, at each room. */
const GROUND = "ground";

/** An import of one room by another. */
export interface Crossing {
    readonly from: string;
    readonly to: string;
    /** The importing file, from the project's root. */
    readonly file: string;
    /**
     * What it imports, within the other room and without ending: `analysis` or `api/stepFunctions`; empty for the room
     * itself.
     */
    readonly inside: string;
}

const SKIPPED = new Set(["api", "bin", "dist", "node_modules"]);

function sources(folder: string): string[] {
    return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
        const file = path.posix.join(folder, entry.name);
        if (entry.isDirectory()) {
            // an interface of asl/ is called api, too; TypeDoc's pages are below docs/
            return SKIPPED.has(entry.name) && file !== "asl/api" ? [] : sources(file);
        }
        return /\.m?ts$/.test(entry.name) ? [file] : [];
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

/** Every import that leaves its room, also those of types only; the ground room is everybody's and is left out. */
export function crossings(): Crossing[] {
    return imports()
        .filter(({ name }) => name.startsWith("."))
        .map(({ room, file, name }) => {
            const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), name));
            const [to, ...inside] = target.split("/");
            return { from: room, file, to: to ?? "", inside: inside.join("/") };
        })
        .filter(({ from, to }) => from !== to && to !== GROUND);
}

/** Every import of a package. */
export function packages(): { readonly room: string; readonly file: string; readonly name: string }[] {
    return imports().filter(({ name }) => !name.startsWith(".") && !name.startsWith("node:"));
}
