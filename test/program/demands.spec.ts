import assert from "node:assert/strict";
import type { Simulation } from "@cloud-copilot/iam-simulate";
import { StageNames } from "../../components/names";
import { decodeConfig, loadStageConfig, type StageConfig } from "../../stacks/config";
import { type Demand, DEMANDS, STAGE_KEY } from "../../stacks/demands";
import { type EvaluatedStage, evaluateStage, projectName, readStackConfig } from "../../project/evaluate";
import { STAGES } from "../provider/stages";
import { isAllowed, rolePolicies } from "../support/policies";

/** The resources whose own policies let services in. */
const OWN_POLICY = {
    key: "aws:kms/key:Key",
    topics: "aws:sns/topicPolicy:TopicPolicy",
    queue: "aws:sqs/queuePolicy:QueuePolicy",
} as const;

/** The simulator knows no key of an encryption context whose name has colons: both sides get one that it knows. */
function withKnownKeys<Value extends object>(value: Value): Value {
    return JSON.parse(JSON.stringify(value).replaceAll("kms:EncryptionContext:aws:logs:arn", "aws:SourceArn")) as Value;
}

/** A stage, and what its demands are computed from. */
class Judged {
    readonly names: StageNames;
    private readonly roles: ReturnType<typeof rolePolicies>;

    constructor(
        private readonly stage: EvaluatedStage,
        readonly config: StageConfig,
    ) {
        this.names = new StageNames(stage.identity, config);
        this.roles = rolePolicies(stage);
    }

    /** The demand's requests that would be refused. */
    async refused(demand: Demand): Promise<string[]> {
        const refused = [];
        for (const on of demand.on(this.names, this.config)) {
            const resource = on === STAGE_KEY ? String(this.stage.outputs.keyArn) : on;
            for (const action of demand.actions) {
                if (!(await this.allows(demand, action, resource))) {
                    refused.push(`${demand.who}: ${action} on ${resource} (${demand.source})`);
                }
            }
        }
        return refused;
    }

    private async allows(demand: Demand, action: string, resource: string): Promise<boolean> {
        const { account, partition } = this.names.identity;
        const statements = demand.policyOf === undefined ? this.roles.get(demand.who) : [];
        assert.ok(statements !== undefined, `there is no role ${demand.who}: ${[...this.roles.keys()].join(", ")}`);
        const simulation: Simulation = {
            request: {
                principal:
                    demand.policyOf === undefined
                        ? `arn:${partition}:iam::${account}:role/${this.names.role(demand.who)}`
                        : servicePrincipal(demand.who, this.names),
                action,
                resource: { resource, accountId: account },
                contextVariables: demand.context?.(this.names) ?? {},
            },
            identityPolicies: [{ name: "role", policy: { Version: "2012-10-17", Statement: statements } }],
            serviceControlPolicies: [],
            resourceControlPolicies: [],
            resourcePolicy: this.ownPolicy(demand, resource),
        };
        return isAllowed(withKnownKeys(simulation));
    }

    private ownPolicy({ policyOf }: Demand, resource: string): unknown {
        const kind = policyOf ?? (resource.includes(":kms:") ? "key" : undefined);
        if (kind === undefined) {
            return undefined;
        }
        const policies = this.stage.resources
            .filter(({ type }) => type === OWN_POLICY[kind])
            .map(({ inputs }) => String(inputs.policy));
        const own = policies.find((policy) => kind !== "topics" || policy.includes(`"${resource}"`));
        // Somebody else's key leaves the decision to the account, or the preview refuses it.
        return own === undefined ? accountDecides(this.names) : JSON.parse(own);
    }
}

function servicePrincipal(service: string, { identity, domain }: StageNames): string {
    return service === "logs" ? `logs.${identity.region}.${domain}` : `${service}.amazonaws.com`;
}

function accountDecides({ identity: { partition, account } }: StageNames): object {
    const Principal = { AWS: `arn:${partition}:iam::${account}:root` };
    return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action: "kms:*", Resource: "*" }] };
}

describe("the permissions that AWS's documentation demands", function () {
    this.timeout(120_000);

    it("each have a reason and a page of AWS's that says so", () => {
        const bare = DEMANDS.filter(
            ({ why, source }) => why === "" || !source.startsWith("https://docs.aws.amazon.com"),
        );
        assert.deepEqual(bare, []);
    });

    const met = new Set<Demand>();
    for (const { name, base, overrides } of STAGES) {
        it(`are all given by the rendered policies of ${name}`, async () => {
            const config = loadStageConfig(base, decodeConfig(readStackConfig(base, overrides), projectName()));
            const judged = new Judged(await evaluateStage(base, { overrides }), config);
            const demands = DEMANDS.filter(({ when }) => when?.(config) ?? true);
            const refused = [];
            for (const demand of demands) {
                met.add(demand);
                refused.push(...(await judged.refused(demand)));
            }
            assert.deepEqual(refused, []);
        });
    }

    it("are each demanded of one of these stages", () => {
        assert.deepEqual(
            DEMANDS.filter((demand) => !met.has(demand)),
            [],
        );
    });
});
