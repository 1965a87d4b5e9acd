import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { all, numberParameter, notApplicable, property, undecided } from "../lib/rule";

const SPOT_BEST_FIT = "anything but BEST_FIT, which is the default: SPOT_PRICE_CAPACITY_OPTIMIZED";

export const batchComputeBounded: ResourceRule = {
    kind: "resource",
    name: "batch-compute-bounded",
    description:
        "A Batch compute environment has a small upper bound of vCPUs, and on Spot instances a strategy that sees " +
        "capacity.",
    why:
        "The bound is what a loop of job submissions can cost. BEST_FIT takes the cheapest pool, which is the next " +
        "to be taken away.",
    remediation:
        "Set computeResources.maxVcpus within the bound, and for SPOT allocationStrategy: " +
        '"SPOT_PRICE_CAPACITY_OPTIMIZED".',
    severity: "medium",
    level: "mandatory",
    types: ["aws:batch/computeEnvironment:ComputeEnvironment"],
    references: {},
    parameters: {
        maxVcpus: {
            type: "number",
            minimum: 1,
            default: 64,
            description: "The most vCPUs that a compute environment may grow to.",
        },
    },
    check(resource, parameters) {
        const resources = get(resource.props, "computeResources");
        if (isUnknown(resources)) {
            return undecided(resources);
        }
        if (resources === undefined) {
            return notApplicable("the compute environment is unmanaged");
        }
        const bound = numberParameter(parameters, "maxVcpus", 64);
        return all([
            property(
                resource.props,
                "computeResources.maxVcpus",
                (value) => typeof value === "number" && value >= 1 && value <= bound,
                `1 to ${bound}`,
            ),
            get(resources, "type") === "SPOT"
                ? property(
                      resource.props,
                      "computeResources.allocationStrategy",
                      (value) => typeof value === "string" && value !== "BEST_FIT",
                      SPOT_BEST_FIT,
                  )
                : notApplicable("no Spot instances"),
        ]);
    },
};
