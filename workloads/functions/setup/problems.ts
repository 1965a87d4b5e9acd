/** What is wrong with an execution's input, collected so that all of it is told at once. */
import { describeProblem, showValue, type Problem } from "../../../workflow/input";
import { InputError, messageOf, PermissionError, StorageError } from "../../common/errors";

/** A message with more problems than this says how many more there are. */
const MAXIMUM_PROBLEMS = 100;

/** Collects what is wrong. */
export class Problems {
    readonly found: Problem[] = [];

    /** @param path below `initialization`. */
    add(path: string, value: unknown, expected: string, advice: string): void {
        this.found.push({ path: `initialization.${path}`, got: showValue(value), expected, advice });
    }

    /**
     * Reads something that the input names. A storage problem of it is a problem of the input; a fault of the storage
     * itself is not.
     * @returns undefined where a problem was noted.
     */
    async reading<T>(path: string, uri: string, read: () => Promise<T>): Promise<T | undefined> {
        try {
            return await read();
        } catch (error) {
            if (error instanceof StorageError) {
                throw error;
            }
            const isDenied = error instanceof PermissionError;
            const expected = isDenied ? "a place that the stage's roles may read" : "a readable place in S3";
            this.add(path, uri, expected, messageOf(error));
            return undefined;
        }
    }

    /** @throws InputError with all that was found, where anything was. */
    refuse(): void {
        if (this.found.length > 0) {
            throw refusal(this.found);
        }
    }
}

/** All problems in one error, one a line. */
export function refusal(problems: readonly Problem[]): InputError {
    const shown = problems.slice(0, MAXIMUM_PROBLEMS).map(describeProblem);
    const more = problems.length - shown.length;
    const lines = [
        `${problems.length} problem${problems.length === 1 ? "" : "s"} in the execution's input, nothing was started:`,
        // numbered, since a reason is told in one line
        ...shown.map((problem, index) => `(${index + 1}) ${problem}`),
    ];
    if (more > 0) {
        lines.push(`and ${more} more`);
    }
    return new InputError(lines.join("\n"));
}
