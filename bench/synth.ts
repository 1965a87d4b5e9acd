/**
 * The program beside a CDK app that declares the same stage (bench/cdk/app.ts), for 3, 20 and 100 members: evaluating
 * it, and what one sees before a deployment: `pulumi preview` in the real engine, `cdk synth`. Each run is a process of
 * its own, ours and CDK's in turn; TypeScript is read by scripts/typescript.cjs for both. Needs Python 3 for the
 * operating system's own accounts of a finished process.
 *
 *     npm ci --prefix bench && npx ts-node bench/synth.ts [runs, default 5]
 *     PATH="$(bash .ci/engine --cli):$PATH" npx ts-node bench/synth.ts      with the preview
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import Table from "cli-table3";

const root = path.resolve(__dirname, "..");
const runs = Number(process.argv[2] ?? 5);
const reader = ["-r", path.join(root, "scripts/typescript.cjs")];
const accounts = `
import json, os, sys, time
start = time.monotonic()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
print("\\n" + json.dumps({"wall": time.monotonic() - start, "cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss / 1024, "status": status}))
`;

interface Cost {
    /** Seconds. */
    readonly wall: number;
    readonly cpu: number;
    /** MB of the largest process. */
    readonly rss: number;
}

function cost(
    command: readonly string[],
    environment: Readonly<Record<string, string>> = {},
): Cost & { readonly output: string } {
    const output = execFileSync("python3", ["-c", accounts, ...command], {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"],
        maxBuffer: 1 << 26,
    })
        .trim()
        .split("\n");
    const { status, ...used } = JSON.parse(output.pop() ?? "") as Cost & { status: number };
    if (status !== 0) {
        throw new Error(`${command.join(" ")} ended with status ${status}:\n${output.join("\n")}`);
    }
    return { ...used, output: output.join("\n").trim() };
}

const evaluation = (members: number) => cost([process.execPath, ...reader, "bench/synth/evaluate.ts", String(members)]);

/**
 * Wall and processor time of the preview alone; the memory is that of the largest process, the making of the stack
 * included.
 */
function preview(members: number): Cost {
    const { rss, output } = cost([process.execPath, ...reader, "bench/synth/preview.ts", String(members)]);
    return { rss, ...(JSON.parse(output.split("\n").at(-1) ?? "") as Omit<Cost, "rss">) };
}

const median = (values: readonly number[]): number =>
    [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)];

function main(folder: string): void {
    const withEngine = spawnSync("pulumi", ["version"]).status === 0;
    const table = new Table({
        head: ["members", "what", "wall, s", "CPU, s", "memory, MB", "of CDK's wall", "CPU", "memory"],
        style: { head: [], border: [], compact: true },
    });
    for (const members of [3, 20, 100]) {
        const own = path.join(folder, String(members));
        mkdirSync(own);
        const stage = path.join(own, "stage.json");
        cost([process.execPath, ...reader, "bench/synth/evaluate.ts", String(members), stage]);
        const app = [process.execPath, ...reader, path.join(root, "bench/cdk/app.ts")];
        const cli = [
            process.execPath,
            path.join(root, "bench/node_modules/aws-cdk/bin/cdk"),
            "synth",
            "--quiet",
            "--app",
            app.join(" "),
            "--output",
            path.join(own, "synth"),
        ];
        const pairs: [string, () => Cost, string, () => Cost][] = [
            [
                "evaluation of the program",
                () => evaluation(members),
                "CDK app alone",
                () => cost(app, { STAGE: stage, CDK_OUTDIR: path.join(own, "app") }),
            ],
            ...(withEngine
                ? ([["pulumi preview", () => preview(members), "cdk synth", () => cost(cli, { STAGE: stage })]] as [
                      string,
                      () => Cost,
                      string,
                      () => Cost,
                  ][])
                : []),
        ];
        for (const [name, ours, peer, theirs] of pairs) {
            const [mine, other]: [Cost[], Cost[]] = [[], []];
            for (let run = 0; run < runs; run += 1) {
                mine.push(ours());
                other.push(theirs());
            }
            const of = (costs: readonly Cost[], key: keyof Cost) => median(costs.map((each) => each[key]));
            const ratio = (key: keyof Cost) => median(mine.map((each, run) => each[key] / other[run][key])).toFixed(2);
            const cells = (costs: readonly Cost[]) => [
                of(costs, "wall").toFixed(1),
                of(costs, "cpu").toFixed(1),
                of(costs, "rss").toFixed(0),
            ];
            table.push(
                [members, name, ...cells(mine), ratio("wall"), ratio("cpu"), ratio("rss")],
                ["", peer, ...cells(other), "", "", ""],
            );
        }
    }
    console.log(`Medians of ${runs}; ratios pair by pair; Node ${process.version}, ${cpus().length} processors`);
    console.log(table.toString());
}

const folder = mkdtempSync(path.join(tmpdir(), "bench-synth-"));
try {
    main(folder);
} finally {
    rmSync(folder, { recursive: true, force: true });
}
