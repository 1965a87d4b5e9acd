/**
 * Whether the account may run what an execution trains. What cannot be found out is said in the plan, and blocks
 * nothing.
 */
import type { ModelSettings } from "../../../workflow/contract";
import type { CompletedModel } from "../../../workflow/input";
import { messageOf } from "../../common/errors";
import type { Bench, Decision } from "./decisions";
import { describeRungs, shortages, type QuotaDemand, type QuotaLookup } from "./quotas";

const ASK =
    "ask for a higher quota in Service Quotas (Amazon SageMaker), or add another instance type to the capacity ladder";

/**
 * What the account may run at once, of the members that train and the combiner; what is reused or given needs no
 * instance.
 */
export async function checkQuotas(
    bench: Bench,
    members: Readonly<Record<string, Decision>>,
    quotas: QuotaLookup | undefined,
    notes: string[],
): Promise<void> {
    if (quotas === undefined) {
        notes.push("instance quotas were not checked: S3 is a local endpoint");
        return;
    }
    let demands: { readonly members: readonly QuotaDemand[]; readonly combiner: QuotaDemand };
    try {
        demands = await demandsOf(bench, members, quotas);
    } catch (error) {
        notes.push(`instance quotas were not checked: ${messageOf(error)}`);
        return;
    }
    const all = [...demands.members, demands.combiner];
    const alone = all.filter(isTooMuchAlone);
    alone.forEach((demand) => refuseAlone(bench, demand));
    noteRungs(all, alone, notes);
    // The members train side by side, the combiner when they have ended.
    refuseTogether(
        bench,
        demands.members.filter((member) => !alone.includes(member)),
    );
    noteUnknown(all, notes);
}

async function demandsOf({ settings, input }: Bench, members: Readonly<Record<string, Decision>>, quotas: QuotaLookup) {
    const demand = async (name: string, model: ModelSettings, wanted: CompletedModel): Promise<QuotaDemand> => ({
        model: name,
        instances: model.instanceCount,
        rungs: await Promise.all(
            wanted.capacity.map(async (rung) => ({ ...rung, quota: await quotas(rung.instanceType, rung.spot) })),
        ),
    });
    const found: QuotaDemand[] = [];
    for (const [name, model] of Object.entries(settings.members)) {
        const wanted = input.members[name];
        if (wanted !== undefined && members[name]?.action === "train") {
            found.push(await demand(name, model, wanted));
        }
    }
    return { members: found, combiner: await demand(settings.combiner.name, settings.combiner, input.combiner) };
}

function isTooMuchAlone({ instances, rungs }: QuotaDemand): boolean {
    return rungs.length > 0 && rungs.every(({ quota }) => quota !== undefined && quota < instances);
}

function refuseAlone({ problems }: Bench, { model, instances, rungs }: QuotaDemand): void {
    const plural = instances === 1 ? "" : "s";
    problems.add(
        `${model}_model.instance_type`,
        rungs.map(({ instanceType }) => instanceType).join(", "),
        `a rung whose quota allows ${instances} instance${plural} (quotas: ${describeRungs(rungs)})`,
        ASK,
    );
}

function noteRungs(all: readonly QuotaDemand[], alone: readonly QuotaDemand[], notes: string[]): void {
    for (const demand of all.filter((one) => !alone.includes(one))) {
        const { model, instances, rungs } = demand;
        if (rungs.some(({ quota }) => quota !== undefined && quota < instances)) {
            notes.push(`${model}: the quota of a rung is below ${instances} (${describeRungs(rungs)})`);
        }
    }
}

function refuseTogether({ problems }: Bench, members: readonly QuotaDemand[]): void {
    for (const { models, instances, quotas, described } of shortages(members)) {
        problems.found.push({
            path: models.map((model) => `initialization.${model}_model.instance_type`).join(", "),
            got: `${instances} instances at the same time`,
            expected: `at most ${quotas}, what the quotas of their rungs allow together (${described})`,
            advice: `${models.join(" and ")} train side by side: ${ASK} of one of them`,
        });
    }
}

function noteUnknown(all: readonly QuotaDemand[], notes: string[]): void {
    const unknown = all
        .flatMap(({ rungs }) => rungs)
        .filter(({ quota }) => quota === undefined)
        .map(({ instanceType }) => instanceType);
    if (unknown.length > 0) {
        notes.push(`no training quota is known for ${[...new Set(unknown)].join(", ")}`);
    }
}
