/**
 * Setup Statemachine: turns the input of an execution into its `run`. Everything that can be refused is refused here,
 * all problems at once, before anything costs money; what exists already is found here, so that it is not trained
 * again. Running it twice gives the same answer.
 */
import { MAXIMUM_PAYLOAD_BYTES } from "../../../ground/awsLimits";
import { joinS3 } from "../../../ground/s3Address";
import type { Run, StageSettings } from "../../../workflow/contract";
import { readInput } from "../../../workflow/input";
import { InputError, StorageError } from "../../common/errors";
import { Storage, createS3 } from "../../common/storage";
import { Paths, planOf, runOf, type Execution, type Findings } from "./answer";
import { readData, readSplit } from "./data";
import { decideCombiner, decideMembers, type Bench, type Decision } from "./decisions";
import { Lifetimes } from "./lifetimes";
import { Problems, refusal } from "./problems";
import { checkQuotas } from "./quotaCheck";
import { defaultQuotas, type QuotaLookup } from "./quotas";

export interface SetupEvent {
    readonly settings: StageSettings;
    /** ExecutionInput, if it is valid. */
    readonly input: unknown;
    readonly execution: Execution;
}

export interface SetupDependencies {
    readonly storage: Storage;
    /** Undefined: quotas are not checked, and the plan says so. */
    readonly quotas?: QuotaLookup;
    /** The function's log; by default standard output. */
    readonly print?: (line: string) => void;
}

/** How often Setup decides anew where what it wanted to reuse was removed meanwhile. */
const ATTEMPTS = 3;

export const handler = (event: SetupEvent): Promise<Run> =>
    setup(event, { storage: new Storage(createS3()), quotas: defaultQuotas() });

/** @throws InputError with one problem a line. */
export async function setup(event: SetupEvent, dependencies: SetupDependencies): Promise<Run> {
    const { storage, print = console.log } = dependencies;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const findings = await find(event, dependencies);
        const paths = new Paths(event.settings, findings.input, event.execution.name);
        const run = runOf(findings, paths);
        checkSize(run);
        await writeMarkers(storage, findings, paths);
        await storage.putJson(joinS3(paths.base, "plan.json"), planOf(findings, paths));
        if (await markersStand(storage, findings)) {
            tell(run, findings, print);
            return run;
        }
    }
    throw new StorageError(
        `models that this execution was to reuse were removed ${ATTEMPTS} times while it was set up; ` +
            "start it again when nobody prunes",
    );
}

/** Finds out and decides everything; nothing is written but what it remembers of the data's checksums. */
async function find(event: SetupEvent, { storage, quotas }: SetupDependencies): Promise<Findings> {
    const { settings, execution } = event;
    const { input, problems: wrong } = readInput(event.input, settings);
    if (input === undefined) {
        throw refusal(wrong);
    }
    const problems = new Problems();
    const notes = [...input.notes];
    const lifetimes = lifetimesOf(storage, execution, notes);
    const { copiedData: rawData } = new Paths(settings, input, execution.name);
    const question = { storage, settings, input, rawData, lifetimes, problems, notes };
    const bench: Bench = { storage, settings, input, lifetimes, problems };
    const data = await readData(question);
    const split = await readSplit(question);
    await lifetimes.checkTarget(input.target, problems);
    const members = await decideMembers(bench, data, split);
    await checkQuotas(bench, members, quotas, notes);
    problems.refuse();
    const combiner = await decideCombiner(bench, members);
    return { settings, input, execution, data, members, combiner, notes };
}

function lifetimesOf(storage: Storage, { startTime, timeoutSeconds = 0 }: Execution, notes: string[]): Lifetimes {
    const start = new Date(startTime);
    return new Lifetimes(storage, start, new Date(start.getTime() + timeoutSeconds * 1_000), notes);
}

function checkSize(run: Run): void {
    const bytes = Buffer.byteLength(JSON.stringify(run));
    if (bytes > MAXIMUM_PAYLOAD_BYTES) {
        throw new InputError(
            `the run has ${bytes} bytes with ${Object.keys(run.members).length} members, Step Functions holds ` +
                `at most ${MAXIMUM_PAYLOAD_BYTES}: ` +
                "use fewer members, channels, rungs or hyperparameters, or shorter paths",
        );
    }
}

function reusedModels({ settings, members, combiner }: Findings): (readonly [string, Decision])[] {
    const all = [...Object.entries(members), [settings.combiner.name, combiner] as const];
    return all.filter(([, { action, trained }]) => action === "reuse" && trained !== undefined);
}

/** A reused model's marker in the execution's own folder: what prunes, sees by it that the model is in use. */
async function writeMarkers(storage: Storage, findings: Findings, paths: Paths): Promise<void> {
    for (const [name, decision] of reusedModels(findings)) {
        await storage.putJson(joinS3(paths.prefix(name, decision), "trained.json"), decision.trained);
    }
}

/**
 * Whether what is to be reused was still there after its use was written down. `ensemble prune` removes a marker
 * first and then looks for
 * uses, so of the two at least one sees the other.
 */
async function markersStand(storage: Storage, findings: Findings): Promise<boolean> {
    for (const [name, { key }] of reusedModels(findings)) {
        if ((await storage.head(joinS3(findings.input.target, "trained", name, `${key}.json`))) === undefined) {
            return false;
        }
    }
    return true;
}

function tell(run: Run, { settings, notes }: Findings, print: (line: string) => void): void {
    for (const [name, { reason }] of Object.entries(run.members)) {
        print(`${name}: ${reason}`);
    }
    print(`${settings.combiner.name}: ${run.combiner.reason}`);
    notes.forEach((note) => print(`note: ${note}`));
}
