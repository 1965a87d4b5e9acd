import assert from "node:assert/strict";
import { S3Client } from "@aws-sdk/client-s3";
import type { Statement } from "../../components/iam";
import { defined } from "../../ground/fields";
import { joinS3 } from "../../ground/s3Address";
import { type EvaluatedStage, evaluateStage } from "../../project/evaluate";
import type { Run, StageSettings } from "../../workflow/contract";
import { Storage } from "../../workloads/common/storage";
import { errorCause } from "../../workloads/functions/error-cause/index";
import { register } from "../../workloads/functions/register/index";
import { setup } from "../../workloads/functions/setup/index";
import type { Page } from "../../workloads/documents/pages";
import { parseLabels } from "../../workloads/jobs/labels";
import { run as runJob } from "../../workloads/jobs/run";
import {
    executionInput,
    imageLines,
    jsonLines,
    putArchives,
    putData,
    sampleLabels,
    textLines,
} from "../support/ensemble";
import { isAllowed, rolePolicies } from "../support/policies";
import { type LocalS3, startS3 } from "../support/s3";

const SOURCE = "s3://source-documents/in";
const ACCOUNT = "123456789012";

/** A call of moto's IAM before it enforces anything: the signature is not looked at, only which service is meant. */
async function iam(endpoint: string, action: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const response = await fetch(endpoint, {
        method: "POST",
        headers: {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization":
                "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0",
        },
        body: new URLSearchParams({ Action: action, Version: "2010-05-08", ...parameters }).toString(),
    });
    const text = await response.text();
    assert.ok(response.ok, `${action}: ${text}`);
    return text;
}

/** Makes a user with a policy; returns storage that acts as this user. */
async function principal(endpoint: string, name: string, statements: readonly Statement[]): Promise<Storage> {
    await iam(endpoint, "CreateUser", { UserName: name });
    if (statements.length > 0) {
        await iam(endpoint, "PutUserPolicy", {
            UserName: name,
            PolicyName: "role",
            PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
        });
    }
    const keys = await iam(endpoint, "CreateAccessKey", { UserName: name });
    const field = (tag: string) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(keys)?.[1] as string;
    return new Storage(
        new S3Client({
            endpoint,
            forcePathStyle: true,
            region: "eu-central-1",
            maxAttempts: 1,
            credentials: { accessKeyId: field("AccessKeyId"), secretAccessKey: field("SecretAccessKey") },
            requestChecksumCalculation: "WHEN_REQUIRED",
            responseChecksumValidation: "WHEN_REQUIRED",
        }),
    );
}

/** A permission: one action of one statement. */
interface Part {
    readonly role: string;
    readonly statement: string;
    readonly action: string;
}

const label = ({ role, statement, action }: Part) => `${role} ${statement} ${action}`;

/** The statements without one action of one of them. */
function without(statements: readonly Statement[], part: Part): Statement[] {
    return statements.flatMap((statement) => {
        const actions = [statement.Action]
            .flat()
            .filter((action) => statement.Sid !== part.statement || action !== part.action);
        return actions.length === 0 ? [] : [{ ...statement, Action: actions }];
    });
}

/** Why moto cannot show that a permission is needed; a permission that is neither needed nor listed fails the suite. */
const NOT_SHOWN: readonly [pattern: RegExp, reason: string][] = [
    [/ StageKey /, "moto does not ask KMS when it encrypts or decrypts an object"],
    [/ StageKeyGrants /, "grants are given by SageMaker for the volumes of a training"],
    [/ (WriteLog|Log) /, "the platform writes the log, not the code"],
    [/ Trace /, "the platform sends the traces"],
    [/ Lifetimes /, "without this permission Setup goes on and notes that it could not tell what expires"],
    [/ Quotas /, "moto knows no quotas of SageMaker; without this permission Setup goes on and notes it"],
    [/ (RegistryLogin|PullImage) /, "the platform pulls the image"],
    [/ Metrics /, "SageMaker writes the metrics of a training"],
    [/ s3:AbortMultipartUpload$/, "only an upload that is given up asks for it"],
    [/ s3:(Get|Put)ObjectTagging$/, "moto copies tags without asking"],
    [
        /^(function-error-cause|function-register|job-split|job-merge|job-publish) \w*List\w* s3:ListBucket$/,
        "moto says 404 of a missing object to everybody; S3 says 403 to who may not list",
    ],
];

describe("least privilege", function () {
    this.timeout(600_000);
    let stage: EvaluatedStage;
    let policies: Map<string, Statement[]>;
    const statementsOf = (role: string): Statement[] => {
        const statements = policies.get(role);
        assert.ok(statements !== undefined, `no role ${role}; there are ${[...policies.keys()].join(", ")}`);
        return statements;
    };
    before(async () => {
        stage = await evaluateStage("dev", {
            overrides: {
                dataLocations: [SOURCE],
                schedule: { expression: "rate(7 days)", data: joinS3(SOURCE, "2019") },
                trigger: { prefix: SOURCE },
                modelRegistry: true,
            },
        });
        policies = rolePolicies(stage);
    });

    describe("with IAM enforced by moto", () => {
        const ROLES = [
            "function-setup",
            "function-register",
            "function-error-cause",
            "job-fetch",
            "job-split",
            "job-merge",
            "job-publish",
            "training",
        ];
        let server: LocalS3;
        const users = new Map<string, Storage>();
        const as = (name: string) => users.get(name) as Storage;
        const parts: Part[] = [];
        /** Permissions without which a step of some scenario failed. */
        const needed = new Set<string>();
        let run: Run;
        let settings: StageSettings;

        /** Runs a step first with each of its role's permissions taken away, then with all of them. */
        async function step(role: string, act: (storage: Storage, trial: string) => Promise<void>): Promise<void> {
            const failed: Part[] = [];
            for (const [index, part] of parts
                .filter((candidate) => candidate.role === role && !needed.has(label(candidate)))
                .entries()) {
                try {
                    await act(as(label(part)), `trial-${index}`);
                } catch {
                    failed.push(part);
                }
            }
            await act(as(role), "");
            // Only now: a step that fails with every permission says nothing of any of them.
            failed.forEach((part) => needed.add(label(part)));
        }

        async function job(name: "fetch" | "split" | "merge" | "publish"): Promise<void> {
            await step(`job-${name}`, async (storage, trial) => {
                const errors: string[] = [];
                // A job that finds its work done does nothing: each trial has an output of its own.
                const args = Object.entries(run.parameters[name]).flatMap(([key, value]) => [
                    `--${key}`,
                    key === "OUTPUT_PATH" && trial !== ""
                        ? value.replace(/\/(runs|published)\//, `/$1/${trial}/`)
                        : value,
                ]);
                const code = await runJob([name, ...args], {
                    out: () => undefined,
                    error: (line) => errors.push(line),
                    signal: new AbortController().signal,
                    createStorage: () => storage,
                });
                assert.equal(code, 0, errors.join("\n"));
            });
        }

        async function train(name: string, output: Record<string, string>): Promise<void> {
            const model = name === "sequence" ? run.combiner : run.members[name];
            // With the execution in it, as trainings are named: equal models of two executions lie beside each other.
            const jobName = `ensemble-dev-${name}-${run.id}-0-0-0`;
            const inputs = model.input_data_config as { DataSource: { S3DataSource: { S3Uri: string } } }[];
            const work = async (storage: Storage): Promise<void> => {
                for (const {
                    DataSource: {
                        S3DataSource: { S3Uri },
                    },
                } of inputs) {
                    const file = /\.[a-z]+$/.test(S3Uri);
                    let objects = 0;
                    for await (const object of storage.list(file ? S3Uri.replace(/\/[^/]*$/, "") : S3Uri)) {
                        objects++;
                        await storage.text(joinS3(file ? S3Uri.replace(/\/[^/]*$/, "") : S3Uri, object.key));
                        if (objects > 2) {
                            break;
                        }
                    }
                    assert.ok(objects > 0, S3Uri);
                }
                await storage.put(joinS3(model.checkpoint_path, "state.json"), "{}");
                await putArchives(storage, joinS3(model.output_path, jobName, "output"), {
                    model: { "model.json": JSON.stringify({ name }), "weights/a.bin": `weights of ${name}` },
                    output: {
                        "metrics.json": JSON.stringify({ page_accuracy: 0.9, classes: ["bill", "letter"] }),
                        ...output,
                    },
                });
            };
            // One model shows it for all: they share a role.
            await (name === "image" ? step("training", work) : work(as("training")));
            const marks = (storage: Storage) =>
                register(
                    {
                        model: name,
                        key: model.key,
                        outputPath: model.output_path,
                        prefix: run.output_artifact_paths[`${name}_model_prefix`],
                        execution: "run-1",
                        job: {
                            TrainingJobName: jobName,
                            TrainingJobStatus: "Completed",
                            BillableTimeInSeconds: 60,
                            S3ModelArtifacts: joinS3(model.output_path, jobName, "output", "model.tar.gz"),
                        },
                    },
                    storage,
                ).then(() => undefined);
            await (name === "image" ? step("function-register", marks) : marks(as("function-register")));
        }

        before(async function () {
            process.env.INITIAL_NO_AUTH_ACTION_COUNT = "1000000";
            try {
                server = await startS3("moto");
            } catch (error) {
                console.log(`      skipped: moto is not installed in .venv (${(error as Error).message})`);
                this.skip();
            } finally {
                delete process.env.INITIAL_NO_AUTH_ACTION_COUNT;
            }
            users.set(
                "admin",
                await principal(server.endpoint, "admin", [{ Effect: "Allow", Action: "*", Resource: "*" }]),
            );
            let serial = 0;
            for (const role of ROLES) {
                const statements = statementsOf(role);
                users.set(role, await principal(server.endpoint, role, statements));
                for (const { Sid, Action } of statements) {
                    for (const action of [Action].flat()) {
                        const part = { role, statement: String(Sid), action: String(action) };
                        parts.push(part);
                        users.set(
                            label(part),
                            await principal(server.endpoint, `${role}-without-${serial++}`, without(statements, part)),
                        );
                    }
                }
            }
            const { States } = stage.stateMachine.definition;
            settings = (
                States["Setup Statemachine"] as unknown as { Arguments: { Payload: { settings: StageSettings } } }
            ).Arguments.Payload.settings;
            for (const uri of [String(stage.outputs.artifactBase), "s3://source-documents"]) {
                await fetch(`${server.endpoint}/${uri.slice(5)}`, {
                    method: "PUT",
                    body:
                        "<CreateBucketConfiguration " +
                        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>',
                });
            }
            const reset = await fetch(`${server.endpoint}/moto-api/reset-auth`, {
                method: "POST",
                headers: { "Content-Type": "text/plain" },
                body: "0",
            });
            assert.ok(reset.ok);
            await putData(
                as("admin"),
                joinS3(SOURCE, "2019"),
                sampleLabels(24, (index) => (index % 4 === 3 ? "test" : "train")),
            );
        });
        after(async () => {
            await server?.kill();
        });

        async function setUp(
            name: string,
            data: string,
            steps: Record<string, boolean> = {},
            fetchData: Record<string, string> = {},
        ): Promise<void> {
            await step("function-setup", async (storage) => {
                run = await setup(
                    {
                        settings,
                        input: executionInput(
                            data,
                            { force: ["image", "text"].filter((member) => steps[`${member}_model`] !== false) },
                            steps,
                            fetchData,
                        ),
                        execution: {
                            arn: `${stage.stateMachine.arn.replace("stateMachine", "execution")}:${name}`,
                            name,
                            startTime: "2026-11-23T20:00:00.000Z",
                            redriveCount: 0,
                        },
                    },
                    { storage, print: () => undefined },
                );
            });
        }

        /** Everything from the folds to what is published. */
        async function trainAll(pages: readonly Page[]): Promise<void> {
            await job("split");
            const { folds } = (await as("admin").json(
                joinS3(run.output_artifact_paths.image_model_training_split_set, "folds.json"),
            )) as {
                folds: Record<string, number>;
            };
            await train(
                "image",
                Object.fromEntries(
                    [0, 1, 2, 3].map((fold) => [
                        `fold-${fold}/predictions.jsonl`,
                        jsonLines(imageLines(pages, fold, folds)),
                    ]),
                ),
            );
            await train("text", { "predictions.jsonl": jsonLines(textLines(pages)) });
            await job("merge");
            await train("sequence", { "predictions.jsonl": "" });
            await job("publish");
        }

        const readPages = async (folder: string) =>
            parseLabels((await as("admin").text(joinS3(folder, "labels.csv"))) ?? "", "labels.csv");

        it("lets an execution do its work under exactly the rendered policies", async () => {
            await setUp("run-1", joinS3(SOURCE, "2019"));
            await job("fetch");
            await trainAll(await readPages(run.output_artifact_paths.raw_data));
        });

        it("lets an execution do its work on data that is not copied", async () => {
            const raw = run.output_artifact_paths.raw_data;
            for await (const { key } of as("admin").list(raw)) {
                await as("admin").put(joinS3(SOURCE, "ready", key), (await as("admin").text(joinS3(raw, key))) ?? "");
            }
            await setUp("run-2", joinS3(SOURCE, "ready"), { fetch_preprocessing_artifacts: false });
            assert.equal(run.fetch, false);
            await trainAll(await readPages(joinS3(SOURCE, "ready")));
        });

        it("lets an execution bring in a model of an earlier one", async () => {
            const text = run.output_artifact_paths.text_model_prefix.replace("run-2", "run-1");
            await setUp("run-3", joinS3(SOURCE, "2019"), { text_model: false }, { text_model_artifact_path: text });
            assert.equal(run.members.text.action, "skip");
            await job("fetch");
        });

        it("lets the cause of a failure be read", async () => {
            const output = run.output_artifact_paths.sequence_model_training_dataframe;
            await as("admin").put(joinS3(output, "failure.txt"), "DataError: labels.csv, line 3\n");
            await step("function-error-cause", async (storage) => {
                const { reason } = await errorCause(
                    {
                        step: "Sequence Model Dataframe generation",
                        model: null,
                        error: "States.TaskFailed",
                        attempt: 1,
                        spot: false,
                        outputPath: output,
                        cause: JSON.stringify({
                            Status: "FAILED",
                            StatusReason: "Essential container in task exited",
                            Attempts: [{ Container: { ExitCode: 1 } }],
                        }),
                    },
                    storage,
                );
                assert.match(reason, /labels\.csv, line 3/);
            });
        });

        it("has no permission that nothing needs, but those whose need moto cannot show", () => {
            const others = parts.map(label).filter((part) => !needed.has(part));
            assert.deepEqual(
                others.filter((part) => !NOT_SHOWN.some(([pattern]) => pattern.test(part))),
                [],
                "permissions that nothing needs",
            );
            const stale = NOT_SHOWN.filter(([pattern]) => !others.some((part) => pattern.test(part)));
            assert.deepEqual(
                stale.map(([pattern]) => String(pattern)),
                [],
                "reasons that no permission needs any more",
            );
            console.log(
                `      ${parts.length} permissions of ${ROLES.length} roles: ${needed.size} shown to be needed, ` +
                    `${others.length} listed with a reason`,
            );
        });

        const forbidden: readonly [who: string, what: string, act: (storage: Storage) => Promise<unknown>][] = [
            [
                "job-fetch",
                "write into the source data",
                (storage) => storage.put(joinS3(SOURCE, "2019/labels.csv"), "x"),
            ],
            [
                "job-fetch",
                "publish",
                (storage) => storage.put(joinS3(String(stage.outputs.artifactBase), "published/latest.json"), "{}"),
            ],
            [
                "job-split",
                "mark a model as trained",
                (storage) => storage.put(joinS3(String(stage.outputs.artifactBase), "trained/x.json"), "{}"),
            ],
            [
                "job-publish",
                "read outside of runs and what is published",
                (storage) => storage.text(joinS3(SOURCE, "2019/labels.csv")),
            ],
            [
                "training",
                "mark a model as trained",
                (storage) => storage.put(joinS3(String(stage.outputs.artifactBase), "trained/x.json"), "{}"),
            ],
            [
                "training",
                "replace code",
                (storage) => storage.put(joinS3(String(stage.outputs.artifactBase), "code/x"), "{}"),
            ],
            [
                "function-error-cause",
                "write anything",
                (storage) => storage.put(joinS3(String(stage.outputs.artifactBase), "runs/x"), "{}"),
            ],
            [
                "job-merge",
                "remove data",
                (storage) => storage.remove(joinS3(run.output_artifact_paths.raw_data, "labels.csv")),
            ],
        ];
        for (const [who, what, act] of forbidden) {
            it(`does not let ${who} ${what}`, async () => {
                await assert.rejects(act(as(who)), { name: "PermissionError" });
            });
        }
    });

    describe("the conditions, in a policy simulator", () => {
        async function allows(
            role: string,
            action: string,
            resource: string,
            context: Record<string, string> = {},
        ): Promise<boolean> {
            return isAllowed(
                defined({
                    request: {
                        principal: `arn:aws:iam::${ACCOUNT}:role/ensemble-dev-${role}`,
                        action,
                        resource: { resource, accountId: ACCOUNT },
                        contextVariables: context,
                    },
                    identityPolicies: [
                        { name: "role", policy: { Version: "2012-10-17", Statement: statementsOf(role) } },
                    ],
                    serviceControlPolicies: [],
                    resourceControlPolicies: [],
                    // A key is used only where its own policy leaves the decision to the account.
                    resourcePolicy: action.startsWith("kms:") ? keyPolicy() : undefined,
                }),
            );
        }

        const trainingRole = `arn:aws:iam::${ACCOUNT}:role/ensemble-dev-training`;
        const key = () => String(stage.outputs.keyArn);
        const keyPolicy = () =>
            JSON.parse(
                String(stage.resources.find(({ type }) => type === "aws:kms/key:Key")?.inputs.policy),
            ) as unknown;

        it("pass the training role to SageMaker and to nobody else, and no other role", async () => {
            const pass = (resource: string, service: string) =>
                allows("state-machine", "iam:PassRole", resource, { "iam:PassedToService": service });
            assert.equal(await pass(trainingRole, "sagemaker.amazonaws.com"), true);
            assert.equal(await pass(trainingRole, "lambda.amazonaws.com"), false);
            assert.equal(await pass(`arn:aws:iam::${ACCOUNT}:role/admin`, "sagemaker.amazonaws.com"), false);
        });

        it("let the state machine start, look at and stop trainings of its own stage only", async () => {
            const job = (name: string) => `arn:aws:sagemaker:eu-central-1:${ACCOUNT}:training-job/${name}`;
            for (const action of [
                "sagemaker:CreateTrainingJob",
                "sagemaker:DescribeTrainingJob",
                "sagemaker:StopTrainingJob",
                "sagemaker:AddTags",
            ]) {
                assert.equal(
                    await allows("state-machine", action, job("ensemble-dev-image-1a2b3c4d-0-0-0")),
                    true,
                    action,
                );
                assert.equal(
                    await allows("state-machine", action, job("ensemble-prod-image-1a2b3c4d-0-0-0")),
                    false,
                    action,
                );
            }
        });

        it(
            "let the schedule and the rule on new data start this state machine, keep what they cannot, and do " +
                "nothing else",
            async () => {
                const machine = stage.stateMachine.arn;
                const queue = `arn:aws:sqs:eu-central-1:${ACCOUNT}:ensemble-dev-training-failed-undelivered`;
                const needs: Readonly<
                    Record<string, readonly (readonly [action: string, resource: string, other: string])[]>
                > = {
                    "schedule": [
                        ["states:StartExecution", machine, machine.replace("-dev", "-prod")],
                        ["sqs:SendMessage", queue, queue.replace("-dev", "-prod")],
                    ],
                    // The rule sends by the queue's policy.
                    "new-data-rule": [["states:StartExecution", machine, machine.replace("-dev", "-prod")]],
                };
                for (const [role, acts] of Object.entries(needs)) {
                    for (const [action, resource, other] of acts) {
                        assert.equal(await allows(role, action, resource), true, `${role}: ${action}`);
                        assert.equal(await allows(role, action, other), false, `${role}: ${action} on ${other}`);
                    }
                    const granted = statementsOf(role)
                        .flatMap(({ Action }) => [Action].flat())
                        .sort();
                    assert.deepEqual(
                        granted,
                        acts.map(([action]) => action).sort(),
                        `${role} may do what nothing needs`,
                    );
                }
            },
        );

        it("let only the two rules of this stage put what they could not deliver into the queue", async () => {
            const found = stage.resources.find(({ type }) => type === "aws:sqs/queuePolicy:QueuePolicy");
            const arn = `arn:aws:sqs:eu-central-1:${ACCOUNT}:ensemble-dev-training-failed-undelivered`;
            const send = (rule: string) =>
                isAllowed({
                    request: {
                        principal: "events.amazonaws.com",
                        action: "sqs:SendMessage",
                        resource: { resource: arn, accountId: ACCOUNT },
                        contextVariables: {
                            "aws:SourceArn": `arn:aws:events:eu-central-1:${ACCOUNT}:rule/${rule}`,
                            "aws:SecureTransport": "true",
                        },
                    },
                    identityPolicies: [],
                    serviceControlPolicies: [],
                    resourceControlPolicies: [],
                    resourcePolicy: JSON.parse(String(found?.inputs.policy)),
                });
            assert.equal(await send("ensemble-dev-training-failed"), true);
            assert.equal(await send("ensemble-dev-new-data"), true);
            assert.equal(await send("ensemble-prod-new-data"), false);
        });

        it("let the state machine list and make versions of its own stage's model package group only", async () => {
            const version = (group: string) => `arn:aws:sagemaker:eu-central-1:${ACCOUNT}:model-package/${group}/1`;
            for (const action of ["sagemaker:CreateModelPackage", "sagemaker:ListModelPackages"]) {
                assert.equal(await allows("state-machine", action, version("ensemble-dev")), true, action);
                assert.equal(await allows("state-machine", action, version("ensemble-prod")), false, action);
            }
            for (const action of ["sagemaker:UpdateModelPackage", "sagemaker:DeleteModelPackage"]) {
                assert.equal(await allows("state-machine", action, version("ensemble-dev")), false, action);
            }
        });

        it("give grants of the key to AWS's services only", async () => {
            for (const role of ["state-machine", "training"]) {
                assert.equal(
                    await allows(role, "kms:CreateGrant", key(), { "kms:GrantIsForAWSResource": "true" }),
                    true,
                    role,
                );
                assert.equal(
                    await allows(role, "kms:CreateGrant", key(), { "kms:GrantIsForAWSResource": "false" }),
                    false,
                    role,
                );
            }
        });

        it("write metrics into SageMaker's namespace only", async () => {
            const put = (namespace: string) =>
                allows("training", "cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": namespace });
            assert.equal(await put("/aws/sagemaker/TrainingJobs"), true);
            assert.equal(await put("AWS/States"), false);
        });

        it("list a data location below its prefix only, and tell a missing object from a forbidden one", async () => {
            const list = (context: Record<string, string>) =>
                allows("function-setup", "s3:ListBucket", "arn:aws:s3:::source-documents", context);
            assert.equal(await list({ "s3:prefix": "in/2019/" }), true);
            assert.equal(await list({ "s3:prefix": "other/" }), false);
            assert.equal(await list({}), true);
        });

        it("let each role be taken by its own service for its own source only", async () => {
            const takers: readonly [role: string, service: string, source: string | undefined][] = [
                ["state-machine", "states.amazonaws.com", stage.stateMachine.arn],
                ["training", "sagemaker.amazonaws.com", `arn:aws:sagemaker:eu-central-1:${ACCOUNT}:training-job/x`],
                ["job-fetch", "ecs-tasks.amazonaws.com", `arn:aws:ecs:eu-central-1:${ACCOUNT}:task/x`],
                ["function-setup", "lambda.amazonaws.com", undefined],
                [
                    "failure-rule",
                    "events.amazonaws.com",
                    `arn:aws:events:eu-central-1:${ACCOUNT}:rule/ensemble-dev-training-failed`,
                ],
                [
                    "new-data-rule",
                    "events.amazonaws.com",
                    `arn:aws:events:eu-central-1:${ACCOUNT}:rule/ensemble-dev-new-data`,
                ],
                [
                    "schedule",
                    "scheduler.amazonaws.com",
                    `arn:aws:scheduler:eu-central-1:${ACCOUNT}:schedule-group/ensemble-dev`,
                ],
            ];
            for (const [role, service, source] of takers) {
                const found = stage.resources.find(
                    ({ type, inputs }) => type === "aws:iam/role:Role" && inputs.name === `ensemble-dev-${role}`,
                );
                const take = (principalService: string, context: Record<string, string>) =>
                    isAllowed({
                        request: {
                            principal: principalService,
                            action: "sts:AssumeRole",
                            resource: {
                                resource: `arn:aws:iam::${ACCOUNT}:role/ensemble-dev-${role}`,
                                accountId: ACCOUNT,
                            },
                            contextVariables: context,
                        },
                        identityPolicies: [],
                        serviceControlPolicies: [],
                        resourceControlPolicies: [],
                        resourcePolicy: JSON.parse(String(found?.inputs.assumeRolePolicy)),
                    });
                const own: Record<string, string> = { "aws:SourceAccount": ACCOUNT };
                if (source !== undefined) {
                    own["aws:SourceArn"] = source;
                }
                assert.equal(await take(service, own), true, role);
                assert.equal(
                    await take(service, { ...own, "aws:SourceAccount": "999999999999" }),
                    false,
                    `${role}: another account`,
                );
                assert.equal(await take("ec2.amazonaws.com", own), false, `${role}: another service`);
                if (source !== undefined) {
                    assert.equal(
                        await take(service, { ...own, "aws:SourceArn": source.replace(ACCOUNT, "999999999999") }),
                        false,
                        `${role}: another source`,
                    );
                }
            }
        });

        it("let CloudWatch's alarms of this account tell the operations topic, and nobody without TLS", async () => {
            const found = stage.resources.find(
                ({ type, name }) => type === "aws:sns/topicPolicy:TopicPolicy" && name.endsWith("-operations"),
            );
            const arn = `arn:aws:sns:eu-central-1:${ACCOUNT}:ensemble-dev-operations`;
            const publish = (context: Record<string, string>) =>
                isAllowed({
                    request: {
                        principal: "cloudwatch.amazonaws.com",
                        action: "sns:Publish",
                        resource: { resource: arn, accountId: ACCOUNT },
                        contextVariables: context,
                    },
                    identityPolicies: [],
                    serviceControlPolicies: [],
                    resourceControlPolicies: [],
                    resourcePolicy: JSON.parse(String(found?.inputs.policy)),
                });
            const own = {
                "aws:SourceAccount": ACCOUNT,
                "aws:SourceArn": `arn:aws:cloudwatch:eu-central-1:${ACCOUNT}:alarm:ensemble-dev-executions-failed`,
                "aws:SecureTransport": "true",
            };
            assert.equal(await publish(own), true);
            assert.equal(await publish({ ...own, "aws:SecureTransport": "false" }), false);
            assert.equal(await publish({ ...own, "aws:SourceAccount": "999999999999" }), false);
        });
    });
});
