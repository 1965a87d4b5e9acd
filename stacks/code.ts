/** What the images are built from, and the archives that script mode runs. */
import * as fs from "node:fs";
import * as path from "node:path";
import * as tar from "tar";
import { type BuildContext, type ContextFile, filesBelow, hashParts, readContext } from "../components/contentHash";

const ROOT = path.resolve(__dirname, "..");
/** What trainings have in common: the container contract, labels, predictions, metrics. */
const COMMON = path.join(ROOT, "workloads/training/common");

/** The image of the jobs: their bundle and its Dockerfile. */
export function jobsContext(code: string, nodeBase: string, platform: string): BuildContext {
    return {
        files: {
            "Dockerfile": { content: fs.readFileSync(path.join(ROOT, "workloads/jobs/Dockerfile")), executable: false },
            "jobs.js": { content: code, executable: false },
        },
        dockerfile: "Dockerfile",
        buildArgs: { BASE_IMAGE: nodeBase },
        platform,
        base: nodeBase,
    };
}

/**
 * The image of a model that is no script in a framework's container: its source's folder, beside it what the models
 * have in common.
 */
export function trainingContext(source: string, pythonBase: string, platform: string): BuildContext {
    const folder = path.basename(source);
    const files: Record<string, ContextFile> = {
        ...readContext(COMMON, "common/"),
        ...readContext(source, `${folder}/`),
    };
    return {
        files,
        dockerfile: `${folder}/Dockerfile`,
        buildArgs: { BASE_IMAGE: pythonBase },
        platform,
        base: pythonBase,
    };
}

/** A model's code in script mode. */
export interface SourceArchive {
    /** Hash of the files and of their places: 64 hexadecimal digits. */
    readonly hash: string;
    /** The archive, written below `.build`. */
    readonly file: string;
}

/**
 * Packs a script and what the models have in common: equal files give equal bytes. Relative to the project, as Pulumi's
 * state keeps it.
 */
export function sourceArchive(source: string): SourceArchive {
    const files = [
        ...filesBelow(source).map((file) => ({ from: path.join(source, file), to: file })),
        ...filesBelow(COMMON).map((file) => ({ from: path.join(COMMON, file), to: `common/${file}` })),
    ].sort((left, right) => (left.to < right.to ? -1 : 1));
    const hash = hashParts(files.flatMap(({ from, to }) => [to, fs.readFileSync(from)]));
    const file = `.build/source/${path.basename(source)}-${hash.slice(0, 12)}.tar.gz`;
    if (!fs.existsSync(file)) {
        const staging = `${file}.${process.pid}`;
        for (const { from, to } of files) {
            fs.mkdirSync(path.dirname(path.join(staging, to)), { recursive: true });
            fs.copyFileSync(from, path.join(staging, to));
            fs.chmodSync(path.join(staging, to), 0o644);
        }
        tar.c(
            { file: `${staging}.tar.gz`, cwd: staging, sync: true, gzip: true, portable: true, mtime: new Date(0) },
            files.map(({ to }) => to),
        );
        fs.renameSync(`${staging}.tar.gz`, file);
        fs.rmSync(staging, { recursive: true });
    }
    return { hash, file };
}
