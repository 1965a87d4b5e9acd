/** Times for people. One spelling everywhere: the two largest units that say something. */

const UNITS = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
] as const;

/**
 * `3.2 s`, `49 s`, `1 min 30 s`, `1 h 2 min`, `2 d 3 h`.
 *
 * It is rounded to the smaller of the two units first, so that 59.96 s is `1 min` and never `60 s`.
 * @param seconds zero or more; below zero counts as zero, what is no number is `unknown`.
 */
export function formatDuration(seconds: number): string {
    if (!Number.isFinite(seconds)) {
        return "unknown";
    }
    const whole = Math.max(0, seconds);
    const tenths = Math.round(whole * 10) / 10;
    if (tenths < 10 && !Number.isInteger(tenths)) {
        return `${tenths.toFixed(1)} s`;
    }
    return twoUnits(Math.round(whole));
}

function twoUnits(whole: number): string {
    const largest = UNITS.findIndex(([size]) => whole >= size);
    if (largest < 0) {
        return "0 s";
    }
    const [finest] = UNITS[Math.min(largest + 1, UNITS.length - 1)] ?? UNITS[0];
    const rounded = Math.round(whole / finest) * finest;
    const parts: string[] = [];
    let rest = rounded;
    for (const [size, unit] of UNITS) {
        const count = Math.floor(rest / size);
        rest -= count * size;
        if (count > 0 && parts.length < 2) {
            parts.push(`${count} ${unit}`);
        }
    }
    return parts.join(" ");
}
