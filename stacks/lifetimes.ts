/**
 * What points at objects of a stage, for how long that must stay, and the proof that no rule of the stage deletes it
 * before. The policy pack proves the same of any program that declares its pointers (pointed-objects-kept).
 */
import { lifecycleRules } from "../components/artifactStore";
import { brokenBy, endRules, type Pointer } from "../ground/lifecycle";
import { executionBound, modelBound, type StageSettings } from "../workflow";
import { ConfigError, type StageConfig } from "./config";

const DAY_SECONDS = 86_400;

/**
 * What points at what in a stage, besides job definitions and functions, which no rule deletes: their releases stay by
 * themselves.
 */
export function pointersOf(settings: StageSettings, config: Pick<StageConfig, "modelRegistry">): Pointer[] {
    const execution = days(executionBound(settings, config.modelRegistry ? { modelPackageGroup: "group" } : {}));
    const models = [...Object.values(settings.members), settings.combiner];
    const training = days(Math.max(...models.map(modelBound)));
    const registry: Pointer = {
        name: "a version of the model registry",
        target: "published/",
        days: "forever",
        why: "its files, until the version is deleted",
    };
    const pointers: Pointer[] = [
        {
            name: "published/latest.json",
            target: "published/",
            days: "forever",
            why: "the newest ensemble and its pointer",
        },
        { name: "a marker of a trained model", target: "models/", days: "forever", why: "what is reused" },
        { name: "a content key", target: "trained/", days: "forever", why: "the markers themselves" },
        { name: "a definition", target: "code/", days: "forever", why: "the trainings' source archives" },
        { name: "an execution", target: "runs/", days: execution, why: "its own copy of the data, and its plan" },
        { name: "a training", target: "checkpoints/", days: training, why: "it goes on from there" },
    ];
    if (config.modelRegistry) {
        pointers.push(registry);
    }
    return pointers;
}

function days(seconds: number): number {
    return Math.ceil(seconds / DAY_SECONDS);
}

/** The text of pointers.json. */
export function declaration(pointers: readonly Pointer[]): string {
    return `${JSON.stringify({ format: 1, pointers }, null, 2)}\n`;
}

/**
 * Proves that everything stays that is pointed at.
 * @throws ConfigError with every pointer that a rule of the stage breaks.
 */
export function proveLifetimes(pointers: readonly Pointer[], config: Pick<StageConfig, "retention">): void {
    const rules = endRules(
        lifecycleRules(config.retention).map(({ id, status, filter, expiration }) => ({
            ID: id,
            Status: status,
            Filter: { Prefix: filter.prefix },
            Expiration: { Days: expiration?.days },
        })),
    );
    const problems = pointers.flatMap((pointer) =>
        rules.flatMap((rule) => {
            const broken = brokenBy(pointer, rule);
            return broken === undefined ? [] : [`${keyOf(rule.id)}: got ${rule.days} days; ${broken}`];
        }),
    );
    if (problems.length > 0) {
        throw new ConfigError(problems);
    }
}

/** The key of the configuration that a rule's days come from. */
function keyOf(rule: string): string {
    return rule === "checkpoints" ? "retention.checkpointDays" : "retention.runDays";
}
