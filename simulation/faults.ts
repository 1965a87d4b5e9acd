/** Faults on order: what each simulated service can do to a Task. */

/** The faults that a Task can meet, by what they look like, not by the class that they should get. */
export const FAULTS = {
    sagemaker: [
        "capacity",
        "quota",
        "throttled",
        "internal",
        "spotNeverStarted",
        "spotNeverStartedAsFailure",
        "stopped",
        "maxRuntime",
        "hangs",
        "algorithm",
        "client",
        "accessDenied",
        "noData",
        "cutCause",
        "noCause",
        "textCause",
        "longCause",
        "nameTaken",
    ],
    batch: [
        "throttled",
        "hostLost",
        "spotReclaimed",
        "noFargate",
        "queueFull",
        "neverPlaced",
        "dockerTimeout",
        "imageMissing",
        "exit1",
        "data",
        "storage",
        "accessDenied",
        "hangs",
        "noCause",
        "cutCause",
        "longCause",
        "qualityGate",
    ],
    lambda: [
        "lambdaService",
        "lambdaThrottled",
        "thrown",
        "accessDenied",
        "hangs",
        "emptyAnswer",
        "wrongAnswer",
        "nullAnswer",
    ],
    sns: ["throttled", "accessDenied", "hangs", "noCause"],
    registry: ["throttled", "accessDenied", "conflict", "hangs", "noCause", "emptyAnswer"],
} as const;

export type Kind = keyof typeof FAULTS;
export type FaultName = (typeof FAULTS)[Kind][number];

/** A fault on order: the state's entry number `from` (1 is the first) and the `count - 1` behind it meet it. */
export interface Fault {
    readonly state: string;
    readonly fault: FaultName;
    readonly from?: number;
    readonly count?: number;
}

/** The services by what a Task's resource names; whatever is none of them is a function. */
const SERVICES: readonly (readonly [part: string, kind: Kind])[] = [
    ["createTrainingJob", "sagemaker"],
    ["ModelPackage", "registry"],
    ["submitJob", "batch"],
    ["sns", "sns"],
];

/** The service that a Task calls. */
export function kindOf(resource: string): Kind {
    return SERVICES.find(([part]) => resource.includes(part))?.[1] ?? "lambda";
}

/** The fault that an entry of a state meets, if one is on order. @param entry 1 is the first. */
export function faultAt(faults: readonly Fault[], entered: string, entry: number): FaultName | undefined {
    const met = faults.find(
        ({ state, from = 1, count = 1 }) => state === entered && entry >= from && entry < from + count,
    );
    return met?.fault;
}
