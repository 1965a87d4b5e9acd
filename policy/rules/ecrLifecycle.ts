import { get } from "../lib/facts";
import { adrift, beside } from "../lib/relations";
import type { StackRule } from "../lib/rule";
import { all, at, compliant, notApplicable, undecided, violation } from "../lib/rule";

const REPOSITORY = "aws:ecr/repository:Repository";
const POLICY_OF = {
    type: "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    property: "repository",
    identifiers: ["name", "id"],
};

export const ecrLifecycle: StackRule = {
    kind: "stack",
    name: "ecr-lifecycle",
    description: "Every ECR repository has a lifecycle policy.",
    why: "Every change of a training script pushes an image; nobody deletes the old ones by hand.",
    remediation: "Add a LifecyclePolicy for the repository.",
    severity: "low",
    level: "mandatory",
    types: [REPOSITORY],
    references: { securityHub: ["ECR.3"] },
    check(resources) {
        const repositories = resources.filter((resource) => resource.type === REPOSITORY);
        return repositories.length === 0
            ? notApplicable("the stack has no repository")
            : all(
                  repositories.map((repository) => {
                      const policies = beside(repository, resources, POLICY_OF);
                      if (policies.some((policy) => get(policy.props, "policy") !== undefined)) {
                          return compliant;
                      }
                      const unknown = adrift(resources, POLICY_OF);
                      return at(
                          repository,
                          unknown === undefined
                              ? violation("The repository has no LifecyclePolicy.")
                              : undecided(unknown),
                      );
                  }),
              );
    },
};
