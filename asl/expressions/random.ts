/**
 * A small seeded generator (mulberry32): equal seeds give equal numbers on every machine. Not for secrets.
 * @returns a function that gives the next number, at least 0 and below 1.
 */
export function seededRandom(seed: number): () => number {
    let state = Math.trunc(seed) >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
}

/** A version 4 UUID made of the given generator's numbers. */
export function uuidFrom(random: () => number): string {
    const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
    hex[12] = "4";
    hex[16] = (8 + Math.floor(random() * 4)).toString(16);
    const text = hex.join("");
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}
