import type { Fact, ResourceFacts } from "../lib/facts";
import { get, isUnknown, list } from "../lib/facts";
import type { ResourceRule, Verdict } from "../lib/rule";
import { all, compliant, notApplicable, undecided, violation } from "../lib/rule";

const EVERYWHERE = ["0.0.0.0/0", "::/0"];

export const securityGroupNoOpenIngress: ResourceRule = {
    kind: "resource",
    name: "security-group-no-open-ingress",
    description: "No security group lets the whole internet in.",
    why: "Batch jobs and trainings call; nobody calls them.",
    remediation: "Remove the rule, or name the addresses or the security group that has to come in.",
    severity: "high",
    level: "mandatory",
    types: [
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    ],
    references: {
        cdkNag: ["AwsSolutions-EC23"],
        checkov: ["CKV_AWS_24", "CKV_AWS_25", "CKV_AWS_260"],
        securityHub: ["EC2.18", "EC2.19"],
    },
    check(resource) {
        if (resource.type.endsWith(":SecurityGroup")) {
            const ingress = get(resource.props, "ingress");
            return isUnknown(ingress)
                ? undecided(ingress)
                : all([compliant, ...list(ingress).map((rule) => closed(rule))]);
        }
        if (resource.type.endsWith(":SecurityGroupRule") && get(resource.props, "type") !== "ingress") {
            return notApplicable("the rule is about what goes out");
        }
        return closed(resource.props);
    },
};

function closed(rule: Fact | ResourceFacts["props"]): Verdict {
    const sources = ["cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"].map((path) => get(rule, path));
    const open = sources.flatMap(list).find((source) => typeof source === "string" && EVERYWHERE.includes(source));
    if (open !== undefined) {
        return violation(`Traffic from ${String(open)} is let in.`);
    }
    const unknown = sources.flatMap(list).find(isUnknown);
    return unknown === undefined ? compliant : undecided(unknown);
}
