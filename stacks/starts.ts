/**
 * The inputs of executions that nobody starts by hand: by a schedule, or by new data. Pure. They are checked as an
 * execution's Setup would check them, so that a mistake shows at preview and not in a failed execution at night.
 */
import { MARKER_ADDRESS } from "../components/dataTrigger";
import type { StageNames } from "../components/names";
import { defined, present } from "../ground/fields";
import { parseS3Address, type S3Address } from "../ground/s3Address";
import type { StageSettings } from "../workflow";
import { describeProblem, isInside, readInput } from "../workflow/input";
import { PLACES } from "../workflow/places";
import { ConfigError, type StageConfig } from "./config";

export interface Starts {
    readonly schedule?: { readonly expression: string; readonly timezone: string; readonly input: string };
    readonly trigger?: { readonly prefix: S3Address; readonly marker: string; readonly input: string };
}

/** Rules outside the state machine that start executions; undefined where nothing starts one by itself. */
export function startingRules(starts: Starts, names: StageNames): readonly string[] | undefined {
    if (starts.trigger === undefined && starts.schedule === undefined) {
        return undefined;
    }
    return starts.trigger === undefined ? [] : [names.newDataRuleArn];
}

/** What an execution writes below its target; a trigger on any of it would start executions for ever. */
const WRITTEN = [...Object.keys(PLACES), "logs"];
/** EventBridge's bound of an input template, in characters. */
const MAXIMUM_TEMPLATE = 8_192;

type Json = Readonly<Record<string, unknown>>;

/**
 * What a stage's configuration starts by itself.
 *
 * @throws ConfigError with all problems: key, value and bound of each.
 */
export function stageStarts(config: StageConfig, names: StageNames, settings: StageSettings): Starts {
    const problems: string[] = [];
    /** An address, or a folder of the stage's own bucket. */
    const address = (value: string) => (value.startsWith("s3://") ? value : `s3://${names.bucket}/${value}`);
    const check = (key: string, input: Json) => {
        problems.push(...readInput(input, settings).problems.map((problem) => `${key}: ${describeProblem(problem)}`));
    };
    const { schedule, trigger } = config;
    let scheduled: Starts["schedule"];
    if (schedule !== undefined) {
        const input = startInput(address(schedule.data), schedule.input);
        check("schedule.input", input);
        scheduled = { expression: schedule.expression, timezone: schedule.timezone, input: JSON.stringify(input) };
    }
    let triggered: Starts["trigger"];
    if (trigger !== undefined) {
        const prefix = address(trigger.prefix);
        const template = JSON.stringify(startInput(MARKER_ADDRESS, trigger.input));
        check("trigger.input", startInput(`${prefix}/new/${trigger.marker}`, trigger.input));
        const written = [settings.artifactBase, ...settings.dataLocations].flatMap((target) =>
            WRITTEN.map((folder) => `${target}/${folder}`),
        );
        const target = initialization(trigger.input).output_artifact_target_base_path;
        const bases = present([
            settings.artifactBase,
            typeof target === "string" && target !== "" ? target.replace(/\/+$/, "") : undefined,
        ]);
        if (isInside(prefix, written) || bases.some((base) => isInside(base, [prefix]))) {
            problems.push(
                `trigger.prefix: got "${trigger.prefix}", expected a folder in which no execution writes ` +
                    `(${WRITTEN.join(", ")} below ${bases.join(", ")}): every execution would start another`,
            );
        }
        if (JSON.stringify(trigger.input).includes("<")) {
            problems.push(
                "trigger.input: got a value with <, expected none: EventBridge takes it for the beginning of a " +
                    "variable",
            );
        }
        if (template.length > MAXIMUM_TEMPLATE) {
            problems.push(
                `trigger.input: got ${template.length} characters with what belongs to it, expected at most ` +
                    `${MAXIMUM_TEMPLATE}`,
            );
        }
        triggered = { prefix: parseS3Address(prefix), marker: trigger.marker, input: template };
    }
    if (problems.length > 0) {
        throw new ConfigError(problems);
    }
    return defined({
        schedule: scheduled,
        trigger: triggered,
    });
}

function initialization(input: Json): Json {
    return Object(input.initialization) as Json;
}

/** An execution's input that copies the data and makes the folds, with whatever the configuration says besides. */
function startInput(data: string, more: Json): Json {
    const given = initialization(more);
    return {
        ...more,
        initialization: {
            ...given,
            fetch_data: { ...(Object(given.fetch_data) as Json), preprocessed_data_path: data },
            run_training_steps: {
                fetch_preprocessing_artifacts: true,
                generate_image_model_split: true,
                ...(Object(given.run_training_steps) as Json),
            },
        },
    };
}
