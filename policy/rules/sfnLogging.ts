import { get, isUnknown } from "../lib/facts";
import type { ResourceRule } from "../lib/rule";
import { all, isSet, notApplicable, property, undecided, violation } from "../lib/rule";

export const sfnLogging: ResourceRule = {
    kind: "resource",
    name: "sfn-logging",
    description: "A state machine logs every event, execution data included, to a named log group.",
    why: "Without the log nobody can say afterwards why an execution failed; its history is deleted after 90 days.",
    remediation:
        'Set loggingConfiguration: { level: "ALL", includeExecutionData: true, logDestination: `${logGroup.arn}:*` }.',
    severity: "medium",
    level: "mandatory",
    types: ["aws:sfn/stateMachine:StateMachine"],
    references: {
        cdkNag: ["AwsSolutions-SF1"],
        checkov: ["CKV_AWS_285"],
        securityHub: ["StepFunctions.1"],
        prowler: ["stepfunctions_statemachine_logging_enabled"],
    },
    parameters: {
        includeExecutionData: {
            type: "boolean",
            default: true,
            description:
                "Whether the log must hold inputs and outputs of states. Set false where these hold what must not be " +
                "logged.",
        },
    },
    check(resource, parameters) {
        const logging = get(resource.props, "loggingConfiguration");
        if (isUnknown(logging)) {
            return undecided(logging);
        }
        if (logging === undefined) {
            return violation('loggingConfiguration is missing; expected level "ALL" and a log group.');
        }
        return all([
            property(resource.props, "loggingConfiguration.level", (value) => value === "ALL", '"ALL"'),
            isSet(get(resource.props, "loggingConfiguration.logDestination"))
                ? notApplicable("a log group is set")
                : violation(
                      'loggingConfiguration.logDestination is missing; expected the ARN of a log group, with ":*" ' +
                          "behind it.",
                  ),
            parameters.includeExecutionData === false
                ? notApplicable("execution data may be left out")
                : property(
                      resource.props,
                      "loggingConfiguration.includeExecutionData",
                      (value) => value === true,
                      "true",
                  ),
        ]);
    },
};
