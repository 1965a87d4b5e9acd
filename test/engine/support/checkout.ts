/** A user's checkout: the project's files in a folder of its own, where commands may write what they write. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse, stringify } from "yaml";
import { type Printed, root, type ServedCloud, serveCloud, shell } from "./engine";

/** What a checkout has not, or what is installed and not written. */
const LEFT_OUT = [".git", ".venv", ".local", ".build", ".cache", "bench", "dist", "examples", "node_modules", "test"];

/** A checkout whose Pulumi commands work on an account of the suite's. */
export class Checkout {
    private constructor(
        readonly folder: string,
        readonly served: ServedCloud,
    ) {}

    static async create(): Promise<Checkout> {
        const folder = mkdtempSync(path.join(tmpdir(), "engine-suite-checkout-"));
        const left = LEFT_OUT.map((name) => path.join(root, name));
        cpSync(root, folder, { recursive: true, filter: (source) => !left.includes(source) });
        symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
        return new Checkout(folder, await serveCloud());
    }

    /** Runs a line of the documents in the checkout. */
    run(line: string): Promise<Printed> {
        return shell(line, this.folder, {
            ...this.served.environment,
            PULUMI_HOME: path.join(this.folder, ".pulumi"),
            PULUMI_BACKEND_URL: `file://${this.folder}`,
        });
    }

    /** Changes a stack's configuration file, as its user would; gives the way back. */
    editConfig(stack: string, changes: Readonly<Record<string, unknown>>): () => void {
        const file = path.join(this.folder, `Pulumi.${stack}.yaml`);
        const before = readFileSync(file, "utf8");
        const settings = parse(before) as { config: Record<string, unknown> };
        Object.assign(settings.config, changes);
        writeFileSync(file, stringify(settings));
        return () => writeFileSync(file, before);
    }

    dispose(): void {
        this.served.providers.forEach((provider) => provider.stop());
        rmSync(this.folder, { recursive: true, force: true });
    }
}
