import assert from "node:assert/strict";
import type { Facts } from "../../policy/lib/facts";
import { eventTargetDeadLetter } from "../../policy/rules/eventTargetDeadLetter";
import { answer, urnOf } from "./sampleFacts";

const QUEUE = "arn:aws:sqs:eu-central-1:123456789012:undelivered";

function judged(type: string, props: Facts): string {
    return answer(
        eventTargetDeadLetter.check(
            { type, name: "t", urn: urnOf("t"), protect: false, propertyDependencies: {}, props },
            {},
        ),
    );
}

describe("event-target-dead-letter", () => {
    for (const [what, type, props, expected] of [
        [
            "a rule's target with a queue",
            "aws:cloudwatch/eventTarget:EventTarget",
            { deadLetterConfig: { arn: QUEUE } },
            "compliant",
        ],
        ["a rule's target without", "aws:cloudwatch/eventTarget:EventTarget", {}, "violation"],
        [
            "a schedule with a queue",
            "aws:scheduler/schedule:Schedule",
            { target: { arn: "x", deadLetterConfig: { arn: QUEUE } } },
            "compliant",
        ],
        ["a schedule without", "aws:scheduler/schedule:Schedule", { target: { arn: "x" } }, "violation"],
        [
            "a schedule whose queue stands beside its target",
            "aws:scheduler/schedule:Schedule",
            { target: {}, deadLetterConfig: { arn: QUEUE } },
            "violation",
        ],
    ] as const) {
        it(`answers ${expected} for ${what}`, () => {
            assert.equal(judged(type, props), expected);
        });
    }
});
