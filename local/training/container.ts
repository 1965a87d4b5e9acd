import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { cpus } from "node:os";
import path from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import * as tar from "tar";
import { parseS3Address } from "../../ground/s3Address";
import { downloadObject } from "../storage/transfer";
import { decode, pythonArgument } from "./python";

/** Directories of a training container: /opt/ml there, a directory of the run here. */
export function containerLayout(base: string) {
    return {
        base,
        code: path.join(base, "code"),
        config: path.join(base, "input", "config"),
        data: path.join(base, "input", "data"),
        model: path.join(base, "model"),
        output: path.join(base, "output"),
        outputData: path.join(base, "output", "data"),
        failure: path.join(base, "output", "failure"),
        checkpoints: path.join(base, "checkpoints"),
    };
}

export interface HostConfiguration {
    readonly layout: ReturnType<typeof containerLayout>;
    readonly hyperparameters: Readonly<Record<string, string>>;
    readonly channels: readonly string[];
    readonly inputDataConfig: Readonly<Record<string, unknown>>;
    readonly hosts: readonly string[];
    readonly host: string;
    readonly instanceType: string;
    readonly jobName: string;
}

/** A program to start in place of `docker run IMAGE train`. */
export interface Program {
    readonly command: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
}

/** Script mode is asked for by hyperparameters, as SageMaker's training toolkit does it. */
export function isScriptMode(hyperparameters: Readonly<Record<string, string>>): boolean {
    return "sagemaker_program" in hyperparameters;
}

/**
 * What the training toolkit does between `train` and the user's script: unpack the code, decode every hyperparameter,
 * turn them into arguments and SM_ variables.
 * Source: aws/sagemaker-training-toolkit, params.py, environment.py, mapping.py.
 */
export async function scriptMode(host: HostConfiguration, python: string, s3: S3Client): Promise<Program> {
    const { layout } = host;
    const program = String(decode(host.hyperparameters.sagemaker_program));
    await unpackCode(host, s3);
    if (!existsSync(path.join(layout.code, program))) {
        throw new Error(
            `sagemaker_program ${JSON.stringify(program)} is not in sagemaker_submit_directory ` +
                `${host.hyperparameters.sagemaker_submit_directory}; it holds ` +
                `${(await readdir(layout.code)).sort().join(", ") || "nothing"}`,
        );
    }
    const own = Object.entries(host.hyperparameters)
        .filter(([key]) => !key.startsWith("sagemaker_"))
        .sort(([a], [b]) => (a < b ? -1 : 1));
    const args = own.flatMap(([key, value]) => [key.length > 1 ? `--${key}` : `-${key}`, pythonArgument(value)]);
    const decoded = Object.fromEntries(own.map(([key, value]) => [key, decode(value)]));
    const framework = Object.fromEntries(
        Object.entries(host.hyperparameters)
            .filter(([key]) => key.startsWith("sagemaker_"))
            .map(([key, value]) => [key, decode(value)]),
    );
    const resource = resourceConfig(host);
    const module = program.replace(/\.py$/, "");
    const processors = String(cpus().length);
    const environment = {
        additional_framework_parameters: framework,
        channel_input_dirs: Object.fromEntries(host.channels.map((name) => [name, path.join(layout.data, name)])),
        current_host: host.host,
        current_instance_type: host.instanceType,
        hosts: host.hosts,
        hyperparameters: decoded,
        input_config_dir: layout.config,
        input_data_config: host.inputDataConfig,
        input_dir: path.join(layout.base, "input"),
        is_master: host.host === host.hosts[0],
        job_name: host.jobName,
        master_hostname: host.hosts[0],
        model_dir: layout.model,
        module_dir:
            host.hyperparameters.sagemaker_submit_directory && decode(host.hyperparameters.sagemaker_submit_directory),
        module_name: module,
        network_interface_name: resource.network_interface_name,
        num_cpus: cpus().length,
        num_gpus: 0,
        output_data_dir: layout.outputData,
        output_dir: layout.output,
        resource_config: resource,
        user_entry_point: program,
    };
    return {
        command: [python, program, ...args],
        cwd: layout.code,
        env: {
            SM_MODEL_DIR: layout.model,
            SM_OUTPUT_DATA_DIR: layout.outputData,
            SM_OUTPUT_DIR: layout.output,
            SM_INPUT_DIR: path.join(layout.base, "input"),
            SM_INPUT_CONFIG_DIR: layout.config,
            SM_INPUT_DATA_CONFIG: JSON.stringify(host.inputDataConfig),
            SM_CHANNELS: JSON.stringify([...host.channels].sort()),
            ...Object.fromEntries(
                host.channels.map((name) => [`SM_CHANNEL_${name.toUpperCase()}`, path.join(layout.data, name)]),
            ),
            SM_HPS: JSON.stringify(decoded),
            ...Object.fromEntries(own.map(([key, value]) => [`SM_HP_${key.toUpperCase()}`, pythonArgument(value)])),
            SM_USER_ARGS: JSON.stringify(args),
            SM_USER_ENTRY_POINT: program,
            SM_MODULE_NAME: module,
            SM_MODULE_DIR: String(environment.module_dir ?? ""),
            SM_FRAMEWORK_PARAMS: JSON.stringify(framework),
            SM_RESOURCE_CONFIG: JSON.stringify(resource),
            SM_HOSTS: JSON.stringify(host.hosts),
            SM_CURRENT_HOST: host.host,
            SM_CURRENT_INSTANCE_TYPE: host.instanceType,
            SM_NETWORK_INTERFACE_NAME: resource.network_interface_name,
            SM_NUM_CPUS: processors,
            SM_NUM_GPUS: "0",
            SM_LOG_LEVEL: String(framework.sagemaker_container_log_level ?? 20),
            SM_TRAINING_ENV: JSON.stringify(environment),
            PYTHONPATH: layout.code,
        },
    };
}

/** resourceconfig.json of one host. */
export function resourceConfig(host: Pick<HostConfiguration, "host" | "hosts" | "instanceType">) {
    return {
        current_host: host.host,
        current_instance_type: host.instanceType,
        current_group_name: "homogeneousCluster",
        hosts: host.hosts,
        instance_groups: [
            { instance_group_name: "homogeneousCluster", instance_type: host.instanceType, hosts: host.hosts },
        ],
        network_interface_name: "eth0",
    };
}

/** The code comes from S3, a directory or a local archive, and only into an empty code directory. */
async function unpackCode(host: HostConfiguration, s3: S3Client): Promise<void> {
    const { layout } = host;
    await mkdir(layout.code, { recursive: true });
    if ((await readdir(layout.code)).length > 0) {
        return;
    }
    const from = String(decode(host.hyperparameters.sagemaker_submit_directory ?? ""));
    let archive = from;
    if (from.startsWith("s3://")) {
        archive = path.join(layout.base, "sourcedir.tar.gz");
        await downloadObject(s3, parseS3Address(from), archive);
    } else {
        // with network isolation the code is a channel, under its container path
        archive = from.replace(/^\/opt\/ml\//, `${layout.base}/`);
    }
    await tar.x({ file: archive, cwd: layout.code, strict: true });
}
