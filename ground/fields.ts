/** Objects and lists of which some parts may not be there, said in one place instead of a condition at each part. */

/**
 * The object without its fields that are undefined: whoever compares, prints or sends it tells "not there" from
 * "undefined".
 */
export function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
    const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** The entries that are there, in their order. */
export function present<T>(entries: readonly (T | undefined)[]): T[] {
    return entries.filter((entry) => entry !== undefined);
}
