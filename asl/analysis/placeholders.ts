/**
 * Values that a template puts in later: `${Name}` of CloudFormation, SAM and Terraform, and what stands for a reference
 * that a template does not know yet. Whatever they will be is not known, so nothing is wrong with them.
 */
const WITHIN = /\$\{[^}]*\}/;

/** Begins every text that `asl-check` puts in for a reference whose value it does not know. */
export const PLACEHOLDER = "placeholder-";

/** Does the text hold what will be replaced? */
export const isReplaced = (value: unknown): boolean =>
    typeof value === "string" && (WITHIN.test(value) || value.includes(PLACEHOLDER));
