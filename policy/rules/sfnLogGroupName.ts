import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { compliant, notApplicable, undecided, violation } from "../lib/rule";

export const sfnLogGroupName: ResourceRule = {
    kind: "resource",
    name: "sfn-log-group-name",
    description: "A state machine's log group has a name below /aws/vendedlogs/.",
    why:
        "Every other name takes room in the account's CloudWatch Logs resource policy, which ends at 5,120 " +
        "characters; " +
        "after that no state machine of the account can be made with logging (Step Functions guide, bp-cwl).",
    remediation: "Name the log group /aws/vendedlogs/states/<state machine>.",
    severity: "low",
    level: "mandatory",
    types: ["aws:sfn/stateMachine:StateMachine"],
    references: {},
    check(resource) {
        const destination = get(resource.props, "loggingConfiguration.logDestination");
        if (isUnknown(destination)) {
            return undecided(destination);
        }
        if (typeof destination !== "string") {
            return notApplicable("no log group is set");
        }
        const name = /:log-group:([^:]*)/.exec(destination)?.[1];
        return name?.startsWith("/aws/vendedlogs/") === true
            ? compliant
            : violation(
                  `The log group is ${JSON.stringify(name ?? destination)}; expected a name that begins with ` +
                      `"/aws/vendedlogs/".`,
              );
    },
};
