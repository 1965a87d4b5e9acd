/** Runs a command of the documents as its reader would, in a folder that holds the files that the documents talk of. */
import { copyFileSync, cpSync, existsSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { toMermaid } from "../../asl/drawing";
import type { StateMachineDefinition } from "../../asl/types";
import { root } from "./commands";

/** A definition without errors, small. */
const definition: StateMachineDefinition = {
    QueryLanguage: "JSONata",
    StartAt: "Train",
    States: {
        Train: {
            Type: "Task",
            Resource: "arn:aws:states:::lambda:invoke",
            Arguments: { FunctionName: "train", Payload: {} },
            TimeoutSeconds: 60,
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Notify" }],
            Next: "Done",
        },
        Notify: {
            Type: "Task",
            Resource: "arn:aws:states:::sns:publish",
            TimeoutSeconds: 60,
            Arguments: { TopicArn: "arn:aws:sns:eu-central-1:123456789012:alerts", Message: "the training failed" },
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
            Next: "Failed",
        },
        Done: { Type: "Succeed" },
        Failed: { Type: "Fail", Error: "TrainingFailed", Cause: "see the log" },
    },
    TimeoutSeconds: 300,
};

/** Writes the files that the documents name without making them. */
export function fill(folder: string, stage = "dev"): void {
    const write = (file: string, value: unknown): void => writeFileSync(path.join(folder, file), JSON.stringify(value));
    const input = {
        initialization: {
            fetch_data: { preprocessed_data_path: `s3://ensemble-${stage}-123456789012-eu-central-1/data` },
            image_model: { batch_size: "16" },
            run_training_steps: {
                image_model: true,
                text_model: true,
                fetch_preprocessing_artifacts: true,
                generate_image_model_split: true,
            },
        },
    };
    write("input.json", input);
    write("my-machine.asl.json", definition);
    write("old.asl.json", definition);
    write("new.asl.json", { ...definition, TimeoutSeconds: 600 });
    write("results.json", { Train: [{ result: { ok: true } }] });
    write("template.yaml", {
        Resources: { Machine: { Type: "AWS::StepFunctions::StateMachine", Properties: { Definition: definition } } },
    });
    write("plan.json", {
        format_version: "1.2",
        planned_values: {
            root_module: {
                resources: [
                    {
                        address: "aws_sfn_state_machine.train",
                        type: "aws_sfn_state_machine",
                        values: { definition: JSON.stringify(definition) },
                    },
                ],
            },
        },
    });
    writeFileSync(path.join(folder, "workflow.mmd"), toMermaid(definition));
    copyFileSync(path.join(root, "docs/silent-failure.asl.json"), path.join(folder, "silent-failure.asl.json"));
}

/**
 * A copy of this checkout, without git's history, with the same installed packages; the folder above it is to be
 * removed.
 */
export function copyOfCheckout(): string {
    const copy = path.join(mkdtempSync(path.join(tmpdir(), "documents-")), "checkout");
    const skipped = new Set(["node_modules", ".venv", ".local", ".git", ".build", ".cache", "dist"]);
    cpSync(root, copy, { recursive: true, filter: (source) => !skipped.has(path.relative(root, source)) });
    for (const name of ["node_modules", ".venv", "../shared"].filter((link) => existsSync(path.join(root, link)))) {
        symlinkSync(path.resolve(root, name), path.join(copy, name));
    }
    return copy;
}

/** The shell line for a command of the documents, to be run in another folder than the checkout. */
export function shellOf(text: string, extra: readonly string[] = []): string {
    const quoted = (file: string): string => `"${path.join(root, file)}"`;
    const [command, redirection] =
        / >{1,2} \S+$/.exec(text) === null ? [text, ""] : [text.replace(/ >{1,2} \S+$/, ""), " | cat"];
    const more = extra.map((word) => ` '${word}'`).join("");
    return `${command
        .replace(/^ensemble |(?<=<\()ensemble /, `node ${quoted("scripts/ensemble.mjs")} `)
        .replace(/^asl-check /, `node ${quoted("asl/check/asl-check.mjs")} `)
        .replace("docs/silent-failure.asl.json", "silent-failure.asl.json")
        .replace(/\bRULE$/, "failure-swallowed")}${more}${redirection}`;
}
