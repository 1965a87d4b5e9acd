import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Supervisor } from "../../local/process/supervisor";
import { startObjectStore, type ObjectStore } from "../../local/storage/objectStore";

const root = path.resolve(__dirname, "../..");
export const python = path.join(root, ".venv", "bin", "python");

export interface Sandbox {
    readonly directory: string;
    readonly supervisor: Supervisor;
    clean(): Promise<void>;
}

export function sandbox(): Sandbox {
    const directory = mkdtempSync(path.join(tmpdir(), "ensemble-"));
    const supervisor = new Supervisor(path.join(directory, "children.json"));
    return {
        directory,
        supervisor,
        clean: async () => {
            await supervisor.stopAll(500);
            rmSync(directory, { recursive: true, force: true });
        },
    };
}

/** A local object store for one suite; the suite is skipped where the Python environment is not installed. */
export async function objectStore(context: Mocha.Context, box: Sandbox): Promise<ObjectStore> {
    if (!existsSync(python)) {
        context.skip();
    }
    context.timeout(60_000);
    return startObjectStore({
        supervisor: box.supervisor,
        python,
        region: "eu-central-1",
        log: path.join(box.directory, "store.log"),
        cwd: box.directory,
    });
}
