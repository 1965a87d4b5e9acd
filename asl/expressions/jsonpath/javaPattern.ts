/** Java's regular expressions as JavaScript's. */

const FLAGS: Readonly<Record<string, string>> = { i: "i", m: "m", s: "s" };

/**
 * A pattern that must match a whole text. Of Java's own syntax, possessive quantifiers, inline flags, \A, \Z, \Q and
 * POSIX classes are not simulated, nor are the flags d, x and U.
 * @throws Error for these and for what is no pattern.
 */
export function javaPattern(source: string, flags: string): RegExp {
    const strange = [...flags].find((flag) => FLAGS[flag] === undefined && flag !== "u");
    if (strange !== undefined) {
        throw new Error(`the pattern /${source}/${flags} has the flag ${strange}, which is not simulated`);
    }
    if (/[*+?}]\+|\(\?[a-zA-Z]|\\[AZzQEGpPRhHvV]|&&/u.test(source)) {
        throw new Error(`the pattern /${source}/ uses syntax of Java's that is not simulated`);
    }
    const translated = [...new Set([...flags].map((flag) => FLAGS[flag] ?? ""))].join("");
    // Not ^ and $, which the flag m makes the ends of lines.
    return new RegExp(`(?<![^])(?:${source.replace(/\\\//gu, "/")})(?![^])`, translated);
}
