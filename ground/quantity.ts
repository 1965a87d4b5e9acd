/** Amounts for people: money, bytes and shares, each in one spelling everywhere. */

/**
 * `12.34 USD`; below ten cents with two figures that count: `0.0021 USD`.
 * @param dollars US dollars; undefined is `unknown`.
 */
export function formatDollars(dollars: number | undefined): string {
    if (dollars === undefined) {
        return "unknown";
    }
    const isSmall = dollars !== 0 && Math.abs(dollars) < 0.1;
    return `${isSmall ? Number(dollars.toPrecision(2)) : dollars.toFixed(2)} USD`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `512 B`, `4.2 MB`, `1.0 GB`: powers of 1,000, one decimal from kB on. */
export function formatBytes(bytes: number): string {
    let amount = bytes;
    let unit = 0;
    while (Math.round(amount * 10) / 10 >= 1_000 && unit < BYTE_UNITS.length - 1) {
        amount /= 1_000;
        unit += 1;
    }
    return `${unit === 0 ? amount : amount.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `90.4 %`; undefined is `–`. @param share 0 to 1. */
export function formatShare(share: number | undefined): string {
    return share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
}

/** `1 job`, `3 jobs`. @param plural Default: the word with an s. */
export function count(number: number, word: string, plural = `${word}s`): string {
    return `${number.toLocaleString("en")} ${number === 1 ? word : plural}`;
}
