/** What the commands share about the terminal that they were typed at. */
import { EXIT } from "../ground/errors";

/** A second Ctrl-C within this time is the echo of the first: the terminal and npm both send it. */
const ECHO_MS = 1000;

/**
 * Calls `first` at the first termination signal, and `again` at one that comes later than the echo of the first.
 * @returns what takes the handlers off again.
 */
export function onInterrupt(
    first: (signal: NodeJS.Signals) => void,
    again: () => void = () => process.exit(EXIT.interrupted),
): () => void {
    let since: number | undefined;
    const handle = (signal: NodeJS.Signals): void => {
        if (since === undefined) {
            since = Date.now();
            first(signal);
        } else if (Date.now() - since > ECHO_MS) {
            again();
        }
    };
    const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
    signals.forEach((signal) => process.on(signal, handle));
    return () => signals.forEach((signal) => process.off(signal, handle));
}

/** How the tool is called in a checkout, for messages and examples. */
export const TOOL = "npm run --silent ensemble --";
