/**
 * `npm run faults [-- --executions N] [--seed N]`: the fault sweep over both stages, and its table: which state meets
 * which error, how the execution ends, how many messages people get, after how many attempts and how much (virtual)
 * time.
 */
import { Command } from "commander";
import Table from "cli-table3";
import { deployedSubject } from "../simulation/stages";
import { sweep } from "../simulation/faultSweep";

function count(value: string): number {
    const parsed = Number(value);
    if (!Number.isInteger(parsed) || parsed < 0) {
        throw new Error(`got "${value}", expected a whole number from 0`);
    }
    return parsed;
}

function time(seconds: number): string {
    const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
    return hours > 0
        ? `${hours} h ${String(minutes).padStart(2, "0")} min`
        : minutes > 0
          ? `${minutes} min`
          : `${seconds} s`;
}

async function main(): Promise<void> {
    const options = new Command("faults")
        .description("Runs the rendered workflow of both stages with faults in every step, in virtual time.")
        .option("--executions <n>", "at least so many executions", count, 20_000)
        .option("--seed <n>", "another seed draws other pairs and sequences of faults", count, 20_261_123)
        .parse()
        .opts<{ executions: number; seed: number }>();
    const subjects = [await deployedSubject("dev"), await deployedSubject("prod")];
    const pairs = Math.floor(options.executions / 5);
    const { executions, problems, rows, milliseconds, most } = await sweep(
        subjects,
        options.seed,
        pairs,
        0,
        options.executions,
    );
    for (const { label } of subjects) {
        const table = new Table({
            head: ["state", "error, every time", "ends", "messages", "attempts", "time"],
            style: { head: [], border: [], compact: true },
            colAligns: ["left", "left", "left", "right", "right", "right"],
        });
        for (const row of rows.filter(({ stage }) => stage === label)) {
            table.push([row.state, row.fault, row.end, row.messages, row.attempts, time(row.seconds)]);
        }
        console.log(`\nStage ${label}\n${table.toString()}`);
    }
    console.log(
        `\n${executions} executions in ${(milliseconds / 1000).toFixed(0)} s ` +
            `(${Math.round((executions / milliseconds) * 1000)} a second), seed ${options.seed}. ` +
            `At most ${most.events} events, ${most.payloadBytes} bytes of payload, ${time(Math.round(most.seconds))} ` +
            "of virtual time.",
    );
    if (problems.length > 0) {
        console.error(`${problems.length} executions ended as they must not:\n${problems.slice(0, 20).join("\n")}`);
        process.exitCode = 1;
    } else {
        console.log(
            "Each ended SUCCEEDED with all artefacts, or FAILED with exactly one message, or ABORTED with nothing " +
                "left running.",
        );
    }
}

void main();
