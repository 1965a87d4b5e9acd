import assert from "node:assert/strict";
import fc from "fast-check";
import { readdirSync } from "node:fs";
import path from "node:path";
import type { Facts, ResourceFacts } from "../../policy/lib/facts";
import { snapshotObject, Unknown } from "../../policy/lib/facts";
import { rules } from "./packRules";
import { mutations, notificationMutations, set } from "./mutations";
import type { Answer } from "./sampleFacts";
import { answer, factsOf, judge, sampleParameters, urnOf } from "./sampleFacts";
import { sampleStage } from "./sampleStage";

/** `c`ompliant, `v`iolation, `n`ot applicable, `u`ndecided: the update will tell. */
const ANSWERS: Readonly<Record<string, Answer>> = {
    c: "compliant",
    v: "violation",
    n: "notApplicable",
    u: "undecided",
};

/** What a property can be that a rule did not expect, in the order of the letters below. */
const ODDITIES: readonly (readonly [string, unknown])[] = [
    ["missing", undefined],
    ["null", null],
    ["a number", 42],
    ["a list", ["unexpected"]],
    ["an object", { unexpected: true }],
    ["not known yet", new Unknown("here")],
];

/**
 * By rule: the property that it rests on (`resource:path` of the sample; what is behind a `|` lies in JSON text), and
 * its answers.
 */
const CASES: Readonly<Record<string, readonly [property: string, answers: string]>> = {
    "alarm-has-action": ["undelivered-alarm:alarmActions", "vvvcvc"],
    "batch-compute-bounded": ["compute:computeResources.maxVcpus", "vvcvvu"],
    "batch-job-keeps-revisions": ["merge:deregisterOnNewRevision", "vvvvvu"],
    "batch-job-logs": ["merge:containerProperties|logConfiguration", "vvvvvu"],
    "batch-job-no-secrets": ["merge:containerProperties|environment", "cccccu"],
    "batch-job-not-privileged": ["merge:containerProperties|privileged", "ccvvvu"],
    "batch-job-retry": ["merge:retryStrategy.attempts", "vvvvvu"],
    "batch-job-timeout": ["merge:timeout.attemptDurationSeconds", "vvvvvu"],
    "definition-known-at-preview": ["training:definition", "cccccv"],
    "ecr-lifecycle": ["images-lifecycle:repository", "vvvvvu"],
    "ecr-repository-not-public": ["images-policy:policy", "nnvvvu"],
    "ecr-scan-on-push": ["images:imageScanningConfiguration.scanOnPush", "vvvvvu"],
    "ecr-tags-immutable": ["images:imageTagMutability", "vvvvvu"],
    "event-target-dead-letter": ["failed-target:deadLetterConfig.arn", "vvvvvc"],
    "iam-no-admin": ["machine-policy:policy", "cccccu"],
    "iam-no-managed-policies": ["function-attachment:policyArn", "cccccc"],
    "iam-pass-role-conditions": ["machine-policy:policy", "nnnnnu"],
    "iam-trust-source-conditions": ["machine-role:assumeRolePolicy", "vvvvvu"],
    "iam-wildcards": ["machine-policy:policy", "vvvvvu"],
    "images-pinned": ["merge:containerProperties|image", "vvvvvu"],
    "kms-key-not-public": ["key:policy", "nnvvvu"],
    "kms-key-rotation": ["key:enableKeyRotation", "vvvvvu"],
    "lambda-log-group": ["function-logs:name", "vvvvvu"],
    "lambda-no-secrets": ["prepare:environment.variables", "nnnncu"],
    "lambda-permission-source": ["prepare-permission:sourceArn", "vvvvvc"],
    "lambda-runtime-current": ["prepare:runtime", "vvvvvu"],
    "lambda-timeout": ["prepare:timeout", "vvcvvu"],
    "lambda-tracing": ["prepare:tracingConfig.mode", "vvvvvu"],
    "log-group-encrypted": ["machine-logs:kmsKeyId", "vvvvvc"],
    "log-group-retention": ["machine-logs:retentionInDays", "vvvvvu"],
    "pointed-objects-kept": ["artifacts-pointers:content", "vvvvvu"],
    "run-budget-provable": ["training:definition", "nnnnnu"],
    "run-within-budget": ["training:definition", "nnnnnu"],
    "s3-bucket-access-logged": ["artifacts-logging:targetBucket", "vvvvvc"],
    "s3-bucket-acls-disabled": ["artifacts-ownership:rule.objectOwnership", "vvvvvu"],
    "s3-bucket-encrypted": ["artifacts-encryption:rules", "vvvvvu"],
    "s3-bucket-lifecycle": ["artifacts-lifecycle:rules", "vvvvvu"],
    "s3-bucket-not-public": ["artifacts-policy:policy", "nnvvvu"],
    "s3-bucket-public-access-blocked": ["artifacts-block:blockPublicPolicy", "vvvvvu"],
    "s3-bucket-tls-only": ["artifacts-policy:policy", "vvvvvu"],
    "s3-bucket-versioned": ["artifacts-versioning:versioningConfiguration.status", "vvvvvu"],
    "security-group-no-open-ingress": ["batch-group:ingress", "cccccu"],
    "sfn-definition-sound": ["training:definition", "vvvvvu"],
    "sfn-failure-rule": ["failed:eventPattern", "vvvvvu"],
    "sfn-jobs-sound": ["training:definition", "nnnnnu"],
    "sfn-log-group-name": ["training:loggingConfiguration.logDestination", "nnnnnu"],
    "sfn-logging": ["training:loggingConfiguration", "vvvvvu"],
    "sfn-loops-bounded": ["training:definition", "nnnnnu"],
    "sfn-no-secrets": ["training:definition", "cccccu"],
    "sfn-no-silent-failure": ["training:definition", "nnnnnu"],
    "sfn-tracing": ["training:tracingConfiguration.enabled", "vvvvvu"],
    "sfn-variables-assigned": ["training:definition", "nnnnnu"],
    "sfn-warnings": ["training:definition", "nnnnnu"],
    "sns-topic-encrypted": ["alerts:kmsMasterKeyId", "vvvvvc"],
    "sns-topic-not-public": ["alerts-policy:policy", "nnvvvu"],
    "sns-topic-tls-only": ["alerts-policy:policy", "vvvvvu"],
    "sqs-queue-encrypted": ["undelivered:sqsManagedSseEnabled", "vvvvvu"],
    "sqs-queue-not-public": ["undelivered-policy:policy", "nnvvvu"],
    "sqs-queue-tls-only": ["undelivered-policy:policy", "vvvvvu"],
    "tags-required": ["merge:tags", "vvvvvu"],
};

const byName = new Map(rules.map((rule) => [rule.name, rule]));

function withValue(property: string, value: unknown): ResourceFacts[] {
    const [name, where] = property.split(":");
    const [outer, inner] = where.split("|");
    // JSON text is known as a whole or not at all.
    if (inner === undefined || value instanceof Unknown) {
        return factsOf(set(name, outer, value)(sampleStage));
    }
    const text = sampleStage.find((resource) => resource.name === name)?.props[outer] as string;
    const edited = set(
        "text",
        `value.${inner}`,
        value,
    )([{ type: "text", name: "text", props: { value: JSON.parse(text) as unknown } }]);
    return factsOf(set(name, outer, JSON.stringify(edited[0].props.value))(sampleStage));
}

describe("lambda-runtime-current", () => {
    const judge = (runtime: string): string => {
        const facts = factsOf(set("prepare", "runtime", runtime)(sampleStage));
        const found = rules.find(({ name }) => name === "lambda-runtime-current");
        const resource = facts.find(({ name }) => name === "prepare");
        assert.ok(found?.kind === "resource" && resource !== undefined);
        const runtimes = found.parameters?.runtimes?.default as never;
        return answer(found.check(resource, { runtimes }));
    };

    it("lets what is newer than all that it knows of a language, and nothing that is older or unknown", () => {
        for (const newer of ["nodejs24.x", "nodejs26.x", "python3.15", "python4.0", "java25"]) {
            assert.equal(judge(newer), "compliant", newer);
        }
        for (const older of ["nodejs20.x", "python3.9", "python3.11", "java17", "ruby3.4", "nodejs", "go1.x"]) {
            assert.equal(judge(older), "violation", older);
        }
    });
});

describe("policy rules", () => {
    it("stand one in a file that is named like the rule: noOutputText.ts holds no-output-text", () => {
        const files = readdirSync(path.resolve(__dirname, "../../policy/rules"))
            .filter((file) => file !== "index.ts")
            .map((file) => file.replace(/\.ts$/, ""));
        const named = (file: string): string => file.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
        assert.deepEqual(rules.map((rule) => rule.name).sort(), files.map(named).sort());
    });

    it("have names, descriptions and remedies that people can use", () => {
        for (const rule of rules) {
            assert.match(rule.name, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
            for (const text of [rule.description, rule.why, rule.remediation]) {
                assert.match(text, /^[A-Z`].{20,}[.)]$/s, `${rule.name}: ${text}`);
            }
            for (const [name, schema] of Object.entries(rule.parameters ?? {})) {
                assert.notEqual(schema.default, undefined, `${rule.name}.${name} has no default`);
                assert.notEqual(schema.description, undefined, `${rule.name}.${name} has no description`);
            }
        }
    });

    it("have a case for every rule that rests on a property", () => {
        const others = ["data-protected", "no-output-text", "suppressions-needed"];
        assert.deepEqual(
            Object.keys(CASES).sort(),
            rules
                .map((rule) => rule.name)
                .filter((name) => !others.includes(name))
                .sort(),
        );
    });

    for (const rule of rules.filter((one) => one.name !== "suppressions-needed")) {
        describe(rule.name, () => {
            it("accepts the sample", () => {
                const verdict = judge(rule, factsOf(sampleStage));
                assert.deepEqual(
                    { answer: answer(verdict), violations: verdict.violations },
                    { answer: "compliant", violations: [] },
                );
            });

            it("refuses its mutation, and is the only one that does", () => {
                // Only before anything exists can a definition be unknown.
                const exists = rule.name !== "definition-known-at-preview";
                const broken = factsOf(mutations[rule.name](sampleStage), exists);
                const refusals = rules.flatMap((one) =>
                    judge(one, broken).violations.map(({ message }) => `${one.name}: ${message}`),
                );
                assert.deepEqual(
                    [...new Set(refusals.map((line) => line.split(":")[0]))],
                    [rule.name],
                    refusals.join("\n"),
                );
            });

            it("has nothing to say about a stage without its types", () => {
                if (rule.types !== "any") {
                    const empty = factsOf(sampleStage).filter((resource) => !rule.types.includes(resource.type));
                    assert.notEqual(answer(judge(rule, empty)), "violation");
                }
            });

            const [property, answers] = CASES[rule.name] ?? ["", ""];
            [...answers].forEach((letter, index) => {
                const [oddity, value] = ODDITIES[index];
                it(`answers ${ANSWERS[letter]} where ${property} is ${oddity}`, () => {
                    const verdict = judge(rule, withValue(property, value));
                    assert.equal(answer(verdict), ANSWERS[letter], JSON.stringify(verdict));
                });
            });
        });
    }

    for (const [defect, mutation] of Object.entries(notificationMutations)) {
        it(`sfn-no-silent-failure alone refuses ${defect}`, () => {
            const broken = factsOf(mutation(sampleStage));
            assert.deepEqual(
                rules.filter((one) => judge(one, broken).violations.length > 0).map(({ name }) => name),
                ["sfn-no-silent-failure"],
            );
        });
    }

    it("never throw, whatever the properties and the parameters are", () => {
        const leaf = fc.oneof(
            fc.constant(new Unknown("somewhere")),
            fc.constant(null),
            fc.boolean(),
            fc.integer(),
            fc.string(),
            fc.constantFrom(
                "{",
                "{}",
                "[]",
                "null",
                '"text"',
                "*",
                "arn:aws:s3:::*",
                "Allow",
                "EXIT",
                '{"Statement":[{}]}',
                "{% $x %}",
                '{"StartAt":"A","States":{"A":null}}',
                '{"Statement":{"Effect":"Allow","Action":[1,"*"],"Condition":{"Bool":1}}}',
            ),
        );
        const keys = fc.constantFrom(
            ...new Set([
                "Statement",
                "Effect",
                "Principal",
                "Condition",
                "Action",
                "__proto__",
                "constructor",
                ...sampleStage.flatMap((resource) => Object.keys(resource.props)),
            ]),
        );
        const { value } = fc.letrec<{ value: unknown }>((tie) => ({
            value: fc.oneof(
                { maxDepth: 4 },
                leaf,
                fc.array(tie("value"), { maxLength: 3 }),
                fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
            ),
        }));
        const props = fc.tuple(fc.dictionary(keys, value), fc.nat(sampleStage.length - 1), fc.boolean());
        fc.assert(
            fc.property(
                fc.array(props, { minLength: 1, maxLength: 4 }),
                fc.dictionary(fc.string(), value),
                (changes, parameters) => {
                    const resources = factsOf(sampleStage);
                    for (const [added, index, keep] of changes) {
                        const old = resources[index];
                        resources[index] = { ...old, props: { ...(keep ? old.props : {}), ...snapshotObject(added) } };
                    }
                    for (const rule of rules) {
                        const known = Object.keys(rule.parameters ?? {});
                        const values = Object.values(snapshotObject(parameters));
                        const wild: Facts = Object.fromEntries(known.map((name, index) => [name, values[index]]));
                        judge(rule, resources, { ...sampleParameters(rule), ...wild });
                    }
                },
            ),
            { numRuns: 150, seed: 20261123 },
        );
    });

    it("say nothing about what is not theirs, and find every culprit among several", () => {
        const rule = byName.get("sns-topic-encrypted");
        assert.ok(rule !== undefined && rule.kind === "resource");
        const topics = ["a", "b"].map((name) => ({ type: "aws:sns/topic:Topic", name, props: {} }));
        assert.equal(judge(rule, factsOf([...sampleStage, ...topics])).violations.length, 2);
    });

    for (const name of ["s3-bucket-versioned", "sns-topic-tls-only", "ecr-lifecycle", "sfn-failure-rule"]) {
        it(`${name} names the resource that lacks something`, () => {
            const rule = byName.get(name);
            assert.ok(rule !== undefined);
            const [lacking] = judge(rule, factsOf(mutations[name](sampleStage))).violations;
            assert.match(lacking.urn ?? "", /::(?:artifacts|alerts|images|training)$/);
        });
    }

    it("find what stands beside a resource by the engine's own record, where no value is known yet", () => {
        const rule = byName.get("s3-bucket-versioned");
        assert.ok(rule !== undefined);
        const linked = factsOf(sampleStage).map((resource) =>
            resource.name !== "artifacts-versioning"
                ? resource
                : {
                      ...resource,
                      props: { ...resource.props, bucket: new Unknown("bucket") },
                      propertyDependencies: { bucket: [urnOf("artifacts")] },
                  },
        );
        assert.equal(answer(judge(rule, linked)), "compliant");
        const adrift = linked.map((resource) => ({ ...resource, propertyDependencies: {} }));
        assert.equal(answer(judge(rule, adrift)), "undecided");
    });
});
