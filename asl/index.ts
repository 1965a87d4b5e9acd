/**
 * Amazon States Language as a library: types, the analysis that proves that no failure ends in silence, an interpreter, pictures, and
 * the difference between two definitions. It takes any definition, in either query language, and needs neither Pulumi nor an AWS SDK.
 *
 * @packageDocumentation
 */
export * from "./analysis";
export * from "./diff";
export * from "./drawing";
export * from "./history";
export * from "./interpreter";
export * from "./types";
export * from "./walk";
