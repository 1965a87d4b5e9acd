import type { Fact, ResourceFacts } from "./facts";
import { get, isUnknown, parseJson } from "./facts";
import type { Verdict } from "./rule";
import { notApplicable, undecided, violation } from "./rule";

export const JOB_DEFINITION = "aws:batch/jobDefinition:JobDefinition";

/** Judges a job definition's container, which AWS takes as JSON text. */
export function container(resource: ResourceFacts, judge: (properties: Fact) => Verdict): Verdict {
    const text = get(resource.props, "containerProperties");
    if (isUnknown(text)) {
        return undecided(text);
    }
    if (text === undefined) {
        return notApplicable("the job definition has no containerProperties");
    }
    const parsed = parseJson(text);
    return "problem" in parsed ? violation(`containerProperties ${parsed.problem}.`) : judge(parsed.value);
}
