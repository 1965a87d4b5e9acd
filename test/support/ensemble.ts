/** A small stage, its data, and trainings that leave what real ones leave, for tests of functions and jobs. */
import { createHash } from "node:crypto";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PNG } from "pngjs";
import * as tar from "tar";
import { joinS3 } from "../../ground/s3Address";
import type { MemberSettings, ModelSettings, StageSettings } from "../../workflow/contract";
import type { Storage } from "../../workloads/common/storage";
import { parseLabels } from "../../workloads/jobs/labels";
import type { Page } from "../../workloads/documents/pages";

const model: ModelSettings = {
    container: {
        image: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/text:abc",
        encoding: "plain",
        codeHash: "c0de",
    },
    hyperparameters: { c: 1.5, worker: 4 },
    schema: {
        c: {
            type: "number",
            minimum: 0,
            exclusiveMinimum: true,
            maximum: 1000,
            learning: true,
            description: "Inverse of the regularisation.",
        },
        worker: { type: "integer", minimum: 1, maximum: 64, learning: false, description: "Reading threads." },
    },
    capacity: [
        { instanceType: "ml.m5.2xlarge", spot: true },
        { instanceType: "ml.m5.2xlarge", spot: false },
        { instanceType: "ml.m6i.2xlarge", spot: false },
    ],
    instanceCount: 1,
    volumeGb: 10,
    maxRuntimeSeconds: 14_400,
    budgetSeconds: 86_400,
    channels: [
        { name: "labels", from: "raw_data", path: "labels.csv" },
        { name: "text", from: "raw_data", path: "text/" },
    ],
    minimumMetrics: {},
};

const text: MemberSettings = {
    ...model,
    required: true,
    splitSet: false,
    mergeParameter: "INPUT_PATH_SVM",
    publishParameter: "INPUT_PATH_TXT",
};

const image: MemberSettings = {
    ...model,
    container: {
        image: "763104351884.dkr.ecr.eu-central-1.amazonaws.com/tensorflow-training@sha256:1",
        encoding: "json",
        codeHash: "c0de2",
        program: "train_n_folds.py",
        submitDirectory: "s3://bucket/code/image.tar.gz",
    },
    hyperparameters: { max_lr: 0.1, min_lr: 0.0001, batch_size: 128, optimizer: "sgd", worker: 4 },
    schema: {
        max_lr: {
            type: "number",
            minimum: 0,
            exclusiveMinimum: true,
            maximum: 10,
            learning: true,
            description: "Highest learning rate.",
        },
        min_lr: {
            type: "number",
            minimum: 0,
            exclusiveMinimum: true,
            maximum: 10,
            learning: true,
            description: "Lowest learning rate.",
        },
        batch_size: { type: "integer", minimum: 1, maximum: 4096, learning: true, description: "Pages of a batch." },
        optimizer: { type: "string", values: ["sgd", "adam"], learning: true, description: "Optimizer." },
        worker: { type: "integer", minimum: 1, maximum: 64, learning: false, description: "Reading threads." },
    },
    capacity: [
        { instanceType: "ml.g6.xlarge", spot: true },
        { instanceType: "ml.g5.xlarge", spot: false },
    ],
    instanceCount: 4,
    channels: [
        { name: "images", from: "raw_data", path: "images/" },
        { name: "split", from: "split_set", path: "" },
    ],
    required: true,
    splitSet: true,
    mergeParameter: "INPUT_PATH_CNN",
    publishParameter: "INPUT_PATH_IMAGE",
};

/** Settings of a stage whose bucket is given. */
export function stageSettings(bucket: string, changed: Partial<StageSettings> = {}): StageSettings {
    return {
        service: "documents",
        stage: "dev",
        region: "eu-central-1",
        artifactBase: `${bucket}/model_training_data`,
        dataLocations: [bucket],
        folds: 2,
        testShare: 0.25,
        seed: 1,
        quorum: 2,
        members: { text, image },
        combiner: {
            ...model,
            name: "sequence",
            hyperparameters: { epochs: 20, dropout: 0 },
            schema: {
                epochs: { type: "integer", minimum: 1, maximum: 10_000, learning: true, description: "Epochs." },
                dropout: {
                    type: "number",
                    minimum: 0,
                    maximum: 1,
                    exclusiveMaximum: true,
                    learning: true,
                    description: "Dropout.",
                },
            },
            channels: [{ name: "dataframe", from: "dataframe", path: "" }],
        },
        ...changed,
    };
}

export function executionInput(
    data: string,
    changed: Record<string, unknown> = {},
    steps: Record<string, boolean> = {},
    fetchData = {},
): {
    initialization: Record<string, unknown>;
} {
    return {
        initialization: {
            fetch_data: {
                preprocessed_data_path: data,
                image_model_artifact_path: "",
                text_model_artifact_path: "",
                ...fetchData,
            },
            run_training_steps: {
                image_model: true,
                text_model: true,
                fetch_preprocessing_artifacts: true,
                generate_image_model_split: true,
                ...steps,
            },
            ...changed,
        },
    };
}

export function execution(name: string) {
    return {
        arn: `arn:aws:states:eu-central-1:123456789012:execution:documents-model-training-dev:${name}`,
        name,
        startTime: "2026-11-20T08:00:00.000Z",
        redriveCount: 0,
    };
}

/** Labels of stacks of a letter and a bill, two pages each. */
export function sampleLabels(stacks: number, splitOf: (index: number) => string = () => ""): string {
    const rows = Array.from({ length: stacks }, (_, index) =>
        [1, 2, 3].map((page) =>
            [
                `stack-${String(index).padStart(3, "0")}`,
                page,
                page < 3 ? "letter" : "bill",
                page !== 2,
                splitOf(index),
            ].join(","),
        ),
    );
    return ["stack,page,class,begins_document,split", ...rows.flat()].join("\n") + "\n";
}

/** Uploads labels with a text and an image for each page. */
export async function putData(storage: Storage, prefix: string, labels: string): Promise<readonly Page[]> {
    const pages = parseLabels(labels, "labels.csv");
    await storage.put(joinS3(prefix, "labels.csv"), labels, "text/csv");
    await Promise.all(
        pages.flatMap((page) => {
            const file = `${page.stack}/${String(page.page).padStart(3, "0")}`;
            return [
                storage.put(joinS3(prefix, "text", `${file}.txt`), `text of ${file}`, "text/plain"),
                storage.put(joinS3(prefix, "images", `${file}.png`), imageOf(file), "image/png"),
            ];
        }),
    );
    return pages;
}

/** A small picture of grey dots that no other page has. */
function imageOf(file: string): Buffer {
    const image = new PNG({ width: 8, height: 8 });
    const dots = createHash("sha256").update(file).digest();
    image.data.forEach((_, index) => {
        image.data[index] = index % 4 === 3 ? 255 : (dots[Math.floor(index / 8)] ?? 0);
    });
    return PNG.sync.write(image, { colorType: 0 });
}

export type Line = {
    stack: string;
    page: number;
    fold: number | null;
    split: string | undefined;
    probabilities: Record<string, number>;
};

/** What a training leaves: model and output archives. `files` by path in each archive. */
export async function putArchives(
    storage: Storage,
    prefix: string,
    archives: { readonly model: Record<string, string>; readonly output: Record<string, string> },
): Promise<void> {
    for (const [name, files] of Object.entries(archives)) {
        await storage.put(joinS3(prefix, `${name}.tar.gz`), await archive(files), "application/gzip");
    }
}

export async function archive(files: Record<string, string>): Promise<Buffer> {
    const folder = mkdtempSync(path.join(tmpdir(), "archive-"));
    try {
        for (const [name, content] of Object.entries(files)) {
            mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
            writeFileSync(path.join(folder, name), content);
        }
        const file = `${folder}.tar.gz`;
        await tar.create({ file, cwd: folder, gzip: true, portable: true }, Object.keys(files));
        const bytes = readFileSync(file);
        rmSync(file);
        return bytes;
    } finally {
        rmSync(folder, { recursive: true });
    }
}

export function jsonLines(lines: readonly Line[]): string {
    return lines.map((line) => JSON.stringify(line)).join("\n") + "\n";
}

export function textLines(pages: readonly Page[]): Line[] {
    return pages.map((page) => ({
        stack: page.stack,
        page: page.page,
        fold: page.split === "train" ? stackFold(page.stack) : null,
        split: page.split,
        probabilities: guess(page),
    }));
}

/** Lines of one fold's network: the pages it held out, and every test page. */
export function imageLines(pages: readonly Page[], fold: number, folds: Readonly<Record<string, number>>): Line[] {
    return pages
        .filter((page) => page.split === "test" || folds[page.stack] === fold)
        .map((page) => ({
            stack: page.stack,
            page: page.page,
            fold,
            split: page.split,
            probabilities: fold === 0 ? { letter: 0.25, bill: 0.75 } : { letter: 0.75, bill: 0.25 },
        }));
}

function stackFold(stack: string): number {
    return stack.charCodeAt(stack.length - 1) % 2;
}

function guess(page: Page): Record<string, number> {
    return page.class === "letter" ? { letter: 0.9, bill: 0.1 } : { letter: 0.2, bill: 0.8 };
}
