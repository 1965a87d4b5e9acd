import { JOB_DEFINITION } from "../lib/batch";
import { get, isUnknown, list, show } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, undecided, violation } from "../lib/rule";

export const batchJobRetry: ResourceRule = {
    kind: "resource",
    name: "batch-job-retry",
    description: "A Batch job says how often it is tried, and with more than one attempt, what is tried again.",
    why:
        "A host that is taken away needs another attempt; a bug in the job fails just as surely a second time, and " +
        "is paid twice.",
    remediation:
        "Set retryStrategy.attempts (1 to 10), and above 1 an evaluateOnExit that retries host errors and exits on " +
        "all else.",
    severity: "medium",
    level: "mandatory",
    types: [JOB_DEFINITION],
    references: {},
    check(resource) {
        const attempts = get(resource.props, "retryStrategy.attempts");
        const exits = get(resource.props, "retryStrategy.evaluateOnExits");
        if (isUnknown(attempts)) {
            return undecided(attempts);
        }
        if (typeof attempts !== "number" || attempts < 1 || attempts > 10) {
            return violation(`retryStrategy.attempts is ${show(attempts)}; expected 1 to 10.`);
        }
        if (attempts === 1) {
            return compliant;
        }
        if (isUnknown(exits)) {
            return undecided(exits);
        }
        return list(exits).some((exit) => String(get(exit, "action")).toUpperCase() === "EXIT")
            ? compliant
            : violation(
                  `retryStrategy has ${attempts} attempts and no evaluateOnExits with action EXIT, so it repeats the ` +
                      "job's own bugs.",
              );
    },
};
