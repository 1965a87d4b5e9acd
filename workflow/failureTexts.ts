/**
 * What AWS's services say, and which class that is: the one table that every consumer of a failure goes by. Which class
 * is tried again, how often and when, is in errorClasses.ts: by the step's loop for a Batch job, by the ladder and its
 * waits for a training. Batch's own retries are off, so that nothing is tried again by two.
 *
 * Texts of services only, never of user code: what a job or a script says itself has a prefix (failures.ts).
 */
import type { ErrorClass } from "./contract";

interface FailureText {
    readonly class: ErrorClass;
    /** Any of these; without regard to case. */
    readonly patterns: readonly string[];
}

/** The first row that matches decides. */
const FAILURE_TEXTS: readonly FailureText[] = [
    {
        class: "Capacity",
        patterns: [
            "CapacityError",
            "InsufficientInstanceCapacity",
            "InsufficientCapacity",
            "Unable to provision requested .*capacity",
            // Fargate, and Batch of a job that it cancels in RUNNABLE.
            "Capacity is unavailable",
            "CAPACITY:INSUFFICIENT",
        ],
    },
    {
        class: "Quota",
        patterns: [
            "ResourceLimitExceeded",
            "account-level service limit",
            "LimitExceededException",
            "ServiceQuotaExceeded",
            "VcpuLimitExceeded",
            "reached the limit on",
        ],
    },
    {
        class: "Throttling",
        patterns: ["throttl", "rate exceeded", "too ?many ?requests", "slow ?down", "RequestLimitExceeded"],
    },
    {
        class: "SpotInterrupted",
        patterns: [
            "spot (task|instance|capacity).*(interrupt|reclaim|terminat)",
            "Host EC2 .*terminated",
            "MaxWaitTimeExceeded",
        ],
    },
    {
        class: "Permission",
        patterns: [
            "AccessDenied",
            "access denied",
            "not authorized",
            "UnauthorizedOperation",
            "cannot assume",
            "could not assume",
            "unable to assume",
            "ExpiredToken",
            "token .*expired",
            "InvalidClientTokenId",
            "UnrecognizedClient",
            "status code:? 403",
            "KMSAccess",
        ],
    },
    // Before the time limit, which its text speaks of too.
    { class: "ServiceFault", patterns: ["DockerTimeout", "network interface provisioning"] },
    {
        class: "TimeLimit",
        patterns: ["MaxRuntimeExceeded", "duration exceeded timeout", "timed? ?out after", "Task timed out"],
    },
    {
        class: "Data",
        patterns: [
            "No S3 objects found",
            "NoSuchKey",
            "NoSuchBucket",
            "does not exist.*s3:",
            "S3 .*does not exist",
            "KeyTooLong",
            "key is too long",
        ],
    },
    {
        class: "UserBug",
        patterns: [
            "OutOfMemory",
            "MISCONFIGURATION",
            "manifest unknown",
            "image.* not found",
            "no such image",
            "not found in registry",
            // containerd's words for an image or a tag that is not there, and for one of another architecture
            "failed to resolve ref.*: not found",
            "descriptor matching platform",
            "no match for platform",
            "repository.* does not exist",
        ],
    },
    {
        class: "ServiceFault",
        patterns: [
            "InternalServer",
            "InternalFailure",
            "internal error",
            "ServiceUnavailable",
            "service (is )?(currently )?unavailable",
            "status code:? 5\\d\\d",
            "ResourceInitializationError",
            "CannotPullContainer",
            "CannotCreateContainer",
            "CannotStartContainer",
            "CannotInspectContainer",
            "connection (reset|refused|timed out)",
            "ECONNRE",
        ],
    },
    { class: "ServiceFault", patterns: ["a training job with this name already exists", "ResourceInUse"] },
    {
        class: "UserBug",
        patterns: [
            "Validation ?(Error|Exception)",
            "invalid",
            "SCHEMA_VALIDATION",
            "Could not find model data",
            "not supported",
        ],
    },
];

const compiled = FAILURE_TEXTS.map(({ class: name, patterns }) => [new RegExp(patterns.join("|"), "i"), name] as const);

/** The class of what a service says; undefined where no row knows it. */
export function classOfText(said: string): ErrorClass | undefined {
    return compiled.find(([pattern]) => pattern.test(said))?.[1];
}
