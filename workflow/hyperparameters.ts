/**
 * Hyperparameters as a container reads them: SageMaker passes a map of strings, and what a string means is a property of the container.
 */
import type { Container, HyperparameterEncoding, Hyperparameters } from "./contract";

/** SageMaker's bounds of CreateTrainingJob: entries of the map and characters of a value. */
export const MAXIMUM_HYPERPARAMETERS = 100;
export const MAXIMUM_HYPERPARAMETER_LENGTH = 2500;

/** Script mode decodes every value as JSON (so strings are quoted here), other containers take the string as it is. */
export function encodeHyperparameter(value: string | number | boolean, encoding: HyperparameterEncoding): string {
    return encoding === "json" ? JSON.stringify(value) : String(value);
}

/**
 * All hyperparameters of a training but `job_name`, which differs by attempt; sorted by name.
 * In script mode the toolkit's own are added: what it runs, where the code lies, its region and log level.
 * @throws RangeError beyond SageMaker's bounds, with name and length.
 */
export function encodeHyperparameters(values: Hyperparameters, container: Container, region: string): Readonly<Record<string, string>> {
    const toolkit: Hyperparameters = container.program === undefined ? {} : {
        sagemaker_program: container.program,
        ...(container.submitDirectory === undefined ? {} : { sagemaker_submit_directory: container.submitDirectory }),
        sagemaker_region: region,
        sagemaker_container_log_level: 20,
        sagemaker_enable_cloudwatch_metrics: false,
    };
    const encoded = Object.entries({ ...toolkit, ...values })
        .sort(([a], [b]) => a < b ? -1 : 1)
        .map(([name, value]) => [name, encodeHyperparameter(value, container.encoding)] as const);
    // job_name is added to each attempt.
    if (encoded.length + 1 > MAXIMUM_HYPERPARAMETERS) {
        throw new RangeError(`${encoded.length + 1} hyperparameters with job_name; SageMaker takes at most ${MAXIMUM_HYPERPARAMETERS}`);
    }
    for (const [name, value] of encoded) {
        if (value.length > MAXIMUM_HYPERPARAMETER_LENGTH) {
            throw new RangeError(`hyperparameter ${name} has ${value.length} characters; SageMaker takes at most ${MAXIMUM_HYPERPARAMETER_LENGTH}`);
        }
    }
    return Object.fromEntries(encoded);
}
