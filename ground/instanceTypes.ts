/**
 * The instance types that SageMaker trains on, by family: its API's enum TrainingInstanceType as of 2026-11, held by a
 * test against the service model.
 */

/** Sizes by family. */
const SIZES: Readonly<Record<string, string>> = {
    "m4": "xlarge 2xlarge 4xlarge 10xlarge 16xlarge",
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "m5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "c4": "xlarge 2xlarge 4xlarge 8xlarge",
    "p2": "xlarge 8xlarge 16xlarge",
    "p3": "2xlarge 8xlarge 16xlarge",
    "p3dn": "24xlarge",
    "p4d": "24xlarge",
    "p4de": "24xlarge",
    "p5": "48xlarge 4xlarge",
    "p5e": "48xlarge",
    "p5en": "48xlarge",
    "c5": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c5n": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "g5": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 12xlarge 24xlarge 48xlarge",
    "g6": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 12xlarge 24xlarge 48xlarge",
    "g6e": "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 12xlarge 24xlarge 48xlarge",
    "trn1": "2xlarge 32xlarge",
    "trn1n": "32xlarge",
    "trn2": "48xlarge",
    "m6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "c6i": "xlarge 2xlarge 8xlarge 4xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "r5d": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
    "t3": "medium large xlarge 2xlarge",
    "r5": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
    "p6-b200": "48xlarge",
    "m7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "c7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "r7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "p6e-gb200": "36xlarge",
    "p6-b300": "48xlarge",
    "g7e": "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge",
    "g7": "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge",
    "r6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "m8i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
    "c8i": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
    "r8i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge 96xlarge",
    "m7i-flex": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "c7i-flex": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "m8i-flex": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "c8i-flex": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "r8i-flex": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
};

/** Families that the API still names and that no container of today runs on, with what to take instead. */
const RETIRED: Readonly<Record<string, string>> = {
    p2: "ml.g4dn, ml.g5 or ml.g6",
};

/** Families with a graphics card. Those of trn have an accelerator of AWS's own, which only Neuron's containers use. */
const GRAPHICS = /^(p\d|g\d)/;

/** Whether a training on this type can use a graphics card. */
export function hasGraphicsCard(instanceType: string): boolean {
    return GRAPHICS.test(instanceType.split(".")[1] ?? "");
}

/** What is expected in the place of a type that no training runs on; undefined: one does. */
export function instanceTypeProblem(instanceType: string): string | undefined {
    const [service, family = "", size = ""] = instanceType.split(".");
    const sizes = Object.hasOwn(SIZES, family) ? SIZES[family].split(" ") : undefined;
    if (service !== "ml" || sizes === undefined) {
        return "a SageMaker training instance type, for example ml.g6.xlarge";
    }
    if (!sizes.includes(size)) {
        return `one of ${sizes.map((known) => `ml.${family}.${known}`).join(", ")}`;
    }
    if (family in RETIRED) {
        return `${RETIRED[family]}: ml.${family} is retired`;
    }
    return undefined;
}

/** All types, for tests. */
export function trainingInstanceTypes(): string[] {
    return Object.entries(SIZES).flatMap(([family, sizes]) => sizes.split(" ").map((size) => `ml.${family}.${size}`));
}
