import assert from "node:assert/strict";
import { imagesPinned } from "../../policy/rules/imagesPinned";
import { answer, urnOf } from "./sampleFacts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const framework = "763104351884.dkr.ecr.eu-central-1.amazonaws.com/tensorflow-training";

function judgeDefinition(definition: unknown, exceptions: unknown[] = []): string {
    return answer(
        imagesPinned.check(
            {
                type: "aws:sfn/stateMachine:StateMachine",
                name: "m",
                urn: urnOf("m"),
                protect: false,
                propertyDependencies: {},
                props: { definition: JSON.stringify(definition) },
            },
            { exceptions: exceptions as never },
        ),
    );
}

describe("images-pinned", () => {
    for (const [image, expected] of [
        [`${framework}@${digest}`, "compliant"],
        [`${framework}:2.21.0@${digest}`, "compliant"],
        [`${framework}:0123456789ab`, "compliant"],
        [`${framework}:text-0123456789abcdef0123456789abcdef`, "compliant"],
        [`${framework}:latest`, "violation"],
        [`${framework}:2.21.0-cpu-py312`, "violation"],
        [framework, "violation"],
        [`${framework}@sha256:0123`, "violation"],
        ["public.ecr.aws/docker/library/python:3.12-slim", "violation"],
    ]) {
        it(`answers ${expected} for ${image}, wherever it stands in a definition`, () => {
            assert.equal(
                judgeDefinition({ States: { Setup: { Arguments: { Payload: { members: [{ image }] } } } } }),
                expected,
            );
        });
    }

    it("leaves an expression alone, and a definition without images", () => {
        assert.equal(judgeDefinition({ States: { Train: { TrainingImage: "{% $run.image %}" } } }), "notApplicable");
        assert.equal(judgeDefinition({ States: {} }), "notApplicable");
    });

    it("takes a training image from anywhere for one", () => {
        assert.equal(judgeDefinition({ States: { Train: { TrainingImage: "example.org/train:1" } } }), "violation");
    });

    it("accepts an exception with a reason, and only that one", () => {
        const definition = { image: `${framework}:2.21.0-cpu-py312` };
        const reason = "AWS publishes no digests in its list of images.";
        assert.equal(
            judgeDefinition(definition, [
                { image: "763104351884.dkr.ecr.*.amazonaws.com/tensorflow-training:*", reason },
            ]),
            "compliant",
        );
        assert.equal(
            judgeDefinition(definition, [
                { image: "763104351884.dkr.ecr.*.amazonaws.com/tensorflow-training:*", reason: "-" },
            ]),
            "violation",
        );
        assert.equal(judgeDefinition(definition, [{ image: "*/pytorch-training:*", reason }]), "violation");
    });
});
