import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import pc from "picocolors";
import { formatDuration } from "../../ground/duration";

export interface ProgressStream {
    readonly isTTY?: boolean;
    readonly columns?: number;
    write(text: string): unknown;
}

interface Row {
    readonly label: string;
    readonly log?: string;
    readonly started: number;
    lastPrinted: number;
    lastLine: string;
}

const REPAINT_MS = 200;
/** Without a terminal: how often a state that is at work says how far it is. */
const PLAIN_MS = 10_000;
const TAIL_BYTES = 4096;
/** Lines of TensorFlow's own log ("E0000 00:00:1795468423.929013 ..."), which say nothing about the progress. */
const NOISE = /^[IWEF]\d{4} \d\d:\d\d:/;

/** What runs now, with its time and the last line of its log: repainted on a terminal, plain lines elsewhere. */
export class Progress {
    private readonly rows = new Set<Row>();
    private readonly begun = Date.now();
    private readonly timer: NodeJS.Timeout;
    private painted = 0;

    public constructor(private readonly stream: ProgressStream) {
        this.timer = setInterval(() => this.tick(), stream.isTTY ? REPAINT_MS : 1000);
        this.timer.unref();
    }

    /** A line that stays. */
    public note(text: string): void {
        this.clear();
        this.stream.write(`${text}\n`);
        this.paint();
    }

    public begin(
        label: string,
        log?: string,
    ): {
        /** How far it is, where no log says it. */
        say(text: string): void;
        end(outcome: "done" | "failed" | "stopped" | "skipped", note?: string): void;
    } {
        const row: Row = { label, log, started: Date.now(), lastPrinted: Date.now(), lastLine: "" };
        this.rows.add(row);
        if (!this.stream.isTTY) {
            this.stream.write(`${this.clock()}   begin  ${label}\n`);
        }
        this.paint();
        return {
            say: (text) => {
                row.lastLine = text;
            },
            end: (outcome, note) => {
                if (!this.rows.delete(row)) {
                    return;
                }
                const signs = {
                    done: pc.green("✔"),
                    failed: pc.red("✖"),
                    stopped: pc.yellow("■"),
                    skipped: pc.dim("-"),
                };
                const text = note
                    ? `  ${outcome === "failed" ? pc.red(this.cut(note, 400)) : pc.dim(this.cut(note, 400))}`
                    : "";
                this.note(
                    `${this.clock()} ${signs[outcome]} ${row.label} ` +
                        ` ${pc.dim(formatDuration((Date.now() - row.started) / 1000))}${text}`,
                );
            },
        };
    }

    /** Something that took no time. */
    public passed(label: string, note: string): void {
        this.note(`${this.clock()} ${pc.dim("-")} ${label}  ${pc.dim(note)}`);
    }

    public close(): void {
        clearInterval(this.timer);
        this.clear();
        this.rows.clear();
    }

    private tick(): void {
        for (const row of this.rows) {
            row.lastLine = (row.log === undefined ? undefined : lastLine(row.log)) ?? row.lastLine;
            if (!this.stream.isTTY && Date.now() - row.lastPrinted >= PLAIN_MS) {
                row.lastPrinted = Date.now();
                this.stream.write(
                    `${this.clock()}   ${row.label}  ${formatDuration((Date.now() - row.started) / 1000)} ` +
                        ` ${this.cut(row.lastLine, 160)}\n`,
                );
            }
        }
        this.clear();
        this.paint();
    }

    private paint(): void {
        if (!this.stream.isTTY) {
            return;
        }
        for (const row of this.rows) {
            const head = `${this.clock()} ▸ ${row.label}  ${formatDuration((Date.now() - row.started) / 1000)}  `;
            const width = (this.stream.columns || 100) - 1;
            this.stream.write(
                `${head.slice(0, width)}${pc.dim(this.cut(row.lastLine, Math.max(0, width - head.length)))}\n`,
            );
            this.painted += 1;
        }
    }

    private clear(): void {
        if (this.painted > 0) {
            this.stream.write(`\x1b[${this.painted}A\x1b[0J`);
            this.painted = 0;
        }
    }

    private cut(text: string, length: number): string {
        const clean = stripVTControlCharacters(text).replaceAll(/\s+/g, " ");
        return clean.length > length ? `${clean.slice(0, Math.max(0, length - 1))}…` : clean;
    }

    private clock(): string {
        const total = Math.floor((Date.now() - this.begun) / 1000);
        return pc.dim(`${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`);
    }
}

/** The last line of a growing file, or undefined when there is none yet. */
function lastLine(file: string): string | undefined {
    return tellingLines(tail(file)).at(-1);
}

/** Lines that say something, without those of TensorFlow's own log. */
export function tellingLines(text: string): string[] {
    // a progress bar ends its lines with a carriage return
    return text
        .split(/[\r\n]+/)
        .map((line) => line.trim())
        .filter((line) => line !== "" && !NOISE.test(line));
}

/** The last bytes of a growing file; empty while there is none. */
export function tail(file: string): string {
    let descriptor: number | undefined;
    try {
        descriptor = openSync(file, "r");
        const { size } = fstatSync(descriptor);
        const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
        readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
        return buffer.toString("utf8");
    } catch {
        return "";
    } finally {
        if (descriptor !== undefined) {
            closeSync(descriptor);
        }
    }
}
