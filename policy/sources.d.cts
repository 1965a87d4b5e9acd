/** The build of the pack. */
export const BUILD: string;
/** What the build was made from. */
export const STAMP: string;
/** SHA-256 by file; "missing" for a file that is not there. */
export function hashSources(files: readonly string[]): Record<string, string>;
/** The sources that are not what they were when the build was made; none where no sources are shipped beside it. */
export function changedSources(stamp: Readonly<Record<string, string>>): string[];
