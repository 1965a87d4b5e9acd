/** The functions of JSONata 2.2 and those that AWS adds, each with what it takes and what it may give. */
import { COLLECTIONS } from "./collections";
import { NUMBERS } from "./numbers";
import type { BuiltIn } from "./signature";
import { TEXTS } from "./texts";
import { TIMES } from "./times";

export type { BuiltIn } from "./signature";

export const BUILT_INS: ReadonlyMap<string, BuiltIn> = new Map(
    [NUMBERS, TEXTS, COLLECTIONS, TIMES].flatMap((functions) => Object.entries(functions)),
);
