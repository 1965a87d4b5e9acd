import assert from "node:assert/strict";
import type {
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
} from "@pulumi/policy";
import { defined } from "../../ground/fields";
import { SuppressionLedger, toPolicy } from "../../policy/lib/adapter";
import type { ResourceRule, Rule } from "../../policy/lib/rule";
import { compliant, property, violation } from "../../policy/lib/rule";
import { rules } from "./packRules";
import { suppressionsNeeded } from "../../policy/rules/suppressionsNeeded";

const rule: ResourceRule = {
    kind: "resource",
    name: "thing-is-on",
    description: "A thing is on.",
    why: "It has to be.",
    remediation: "Switch it on.",
    severity: "low",
    level: "mandatory",
    types: ["test:index:Thing"],
    references: {},
    parameters: { expected: { type: "boolean", default: true, description: "What a thing has to be." } },
    check: (resource, parameters) =>
        property(resource.props, "on", (value) => value === parameters.expected, String(parameters.expected)),
};

/** What the SDK does when a rule says that it does not apply. */
class NotApplicable extends Error {}

/** As the SDK's own, which it does not export. */
class UnknownValueError extends Error {}

interface Run {
    readonly violations: string[];
    readonly notApplicable: boolean;
    readonly thrown?: unknown;
}

function run(policy: unknown, props: object, config: object = {}, type = "test:index:Thing", name = "thing"): Run {
    const violations: string[] = [];
    const args = {
        type,
        name,
        urn: `urn:pulumi:dev::test::${type}::${name}`,
        props,
        opts: { protect: false },
        getConfig: () => config,
        notApplicable: (reason?: string) => {
            throw new NotApplicable(reason);
        },
    } as unknown as ResourceValidationArgs;
    try {
        const { validateResource } = policy as ResourceValidationPolicy;
        assert.ok(typeof validateResource === "function");
        void validateResource(args, (message) => violations.push(message));
        return { violations, notApplicable: false };
    } catch (error) {
        return defined({
            violations,
            notApplicable: error instanceof NotApplicable,
            thrown: error instanceof NotApplicable ? undefined : error,
        });
    }
}

function runStack(policy: unknown, config: object = {}): string[] {
    const violations: string[] = [];
    const args = {
        resources: [],
        getConfig: () => config,
        notApplicable: () => {
            throw new NotApplicable();
        },
    } as unknown as StackValidationArgs;
    try {
        void (policy as StackValidationPolicy).validateStack(args, (message) => violations.push(message));
    } catch (error) {
        assert.ok(error instanceof NotApplicable);
    }
    return violations;
}

const suppress = (reason: string, resource = "test:index:Thing::thing"): object => ({
    suppressions: [{ resource, reason }],
});

describe("the adapter of the policy pack", () => {
    it("reports what a rule finds, and nothing where it finds nothing", () => {
        const policy = toPolicy(rule, new SuppressionLedger());
        assert.deepEqual(run(policy, { on: false }).violations, ["on is false; expected true."]);
        assert.deepEqual(run(policy, { on: true }), { violations: [], notApplicable: false });
    });

    it("takes parameters from the configuration, and their defaults when the engine sends none", () => {
        const policy = toPolicy(rule, new SuppressionLedger());
        assert.deepEqual(run(policy, { on: false }, { expected: false }).violations, []);
        assert.equal(run(policy, { on: false }, {}).violations.length, 1);
    });

    it("says that a rule is about other types", () => {
        assert.ok(run(toPolicy(rule, new SuppressionLedger()), { on: false }, {}, "test:index:Other").notApplicable);
    });

    it("takes what the configuration says of the stack, and of all stacks of its project", () => {
        const policy = toPolicy(rule, new SuppressionLedger());
        const violations = (stacks: object) => run(policy, { on: false }, { expected: true, stacks }).violations.length;
        assert.equal(violations({ "test/dev": { expected: false } }), 0);
        assert.equal(violations({ "test/*": { expected: false } }), 0);
        assert.equal(violations({ "test/*": { expected: false }, "test/dev": { expected: true } }), 1);
        assert.equal(violations({ "test/prod": { expected: false }, "other/dev": { expected: false } }), 1);
    });

    it("says nothing of a value that is not known yet, after what could be judged", () => {
        const unknown = new UnknownValueError("string value at .on can't be known during preview");
        const props = Object.defineProperty({}, "on", {
            enumerable: true,
            get: () => {
                throw unknown;
            },
        });
        const half: ResourceRule = {
            ...rule,
            check: (resource, parameters) => ({
                ...rule.check(resource, parameters),
                violations: [{ message: "Something else." }],
            }),
        };
        assert.deepEqual(run(toPolicy(half, new SuppressionLedger()), props), {
            violations: ["Something else."],
            notApplicable: true,
        });
    });

    it("makes a violation of a rule that throws", () => {
        const broken: ResourceRule = {
            ...rule,
            check: () => {
                throw new Error("a bug");
            },
        };
        assert.deepEqual(run(toPolicy(broken, new SuppressionLedger()), {}).violations, [
            "The rule thing-is-on itself failed, so nothing is proved: a bug",
        ]);
    });

    for (const [what, config, violations, stale] of [
        [
            "suppresses what a suppression with a reason names",
            suppress("A thing of another time, see the guide."),
            0,
            0,
        ],
        [
            "takes a star for any run of characters",
            suppress("A thing of another time, see the guide.", "test:index:Thing::th*g"),
            0,
            0,
        ],
        ["suppresses nothing without a reason", suppress("because"), 1, 1],
        [
            "suppresses nothing of another resource",
            suppress("A thing of another time, see the guide.", "test:index:Thing::other"),
            1,
            1,
        ],
        [
            "takes no other type for the same name",
            suppress("A thing of another time, see the guide.", "test:index:Other::thing"),
            1,
            1,
        ],
        ["takes a dot for a dot", suppress("A thing of another time, see the guide.", "test:index:Thing::t.ing"), 1, 1],
        ["bears a suppression that names nothing", { suppressions: [{}] }, 1, 1],
        ["bears suppressions of the wrong type", { suppressions: "all" }, 1, 1],
    ] as const) {
        it(what, () => {
            const ledger = new SuppressionLedger();
            assert.equal(run(toPolicy(rule, ledger), { on: false }, config).violations.length, violations);
            assert.equal(runStack(toPolicy(suppressionsNeeded, ledger)).length, stale);
        });
    }

    it("names rule and resource of a suppression that is not needed any more", () => {
        const ledger = new SuppressionLedger();
        run(toPolicy(rule, ledger), { on: true }, suppress("A thing of another time, see the guide."));
        assert.deepEqual(runStack(toPolicy(suppressionsNeeded, ledger)), [
            "The suppression of thing-is-on for test:index:Thing::thing is not needed any more: nothing was " +
                "suppressed by it.",
        ]);
    });

    it("suppresses a stack rule's violation by the resource that it names", () => {
        const urn = "urn:pulumi:dev::test::test:index:Thing::thing";
        const stackRule: Rule = {
            ...rule,
            kind: "stack",
            name: "things-are-two",
            check: (resources) =>
                resources.length === 2
                    ? compliant
                    : { ...violation(), violations: [{ message: "There is one.", urn }] },
        };
        const resource = {
            type: "test:index:Thing",
            name: "thing",
            urn,
            props: {},
            opts: { protect: false },
            propertyDependencies: {},
        };
        const report: string[] = [];
        const args = (config: object): StackValidationArgs =>
            ({
                resources: [resource],
                getConfig: () => config,
                notApplicable: () => {
                    throw new NotApplicable();
                },
            }) as unknown as StackValidationArgs;
        const policy = toPolicy(stackRule, new SuppressionLedger()) as StackValidationPolicy;
        void policy.validateStack(args({}), (message, where) => report.push(`${message} ${where}`));
        assert.deepEqual(report, [`There is one. ${urn}`]);
        void policy.validateStack(args(suppress("A thing of another time, see the guide.")), (message) =>
            report.push(message),
        );
        assert.equal(report.length, 1);
    });

    it("describes every rule of the pack to the engine, with a level and a schema of its parameters", () => {
        const policies = rules.map((one) => toPolicy(one, new SuppressionLedger()));
        for (const policy of policies) {
            assert.ok(policy.enforcementLevel === "mandatory" || policy.enforcementLevel === "advisory");
            assert.ok(policy.configSchema?.properties.suppressions !== undefined);
        }
        assert.equal(new Set(policies.map((policy) => policy.name)).size, rules.length);
        assert.equal(policies.at(-1)?.name, "suppressions-needed");
    });
});
