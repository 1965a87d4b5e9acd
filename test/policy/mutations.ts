import type { SampleResource } from "./sampleStage";
import { ACCOUNT, ref, REGION, sampleDefinition } from "./sampleStage";

type Stage = readonly SampleResource[];
type Mutation = (stage: Stage) => Stage;

function change(name: string, edit: (resource: SampleResource) => SampleResource): Mutation {
    return (stage) => {
        if (!stage.some((resource) => resource.name === name)) {
            throw new Error(`The sample has no resource ${name}.`);
        }
        return stage.map((resource) => (resource.name === name ? edit(structuredClone(resource)) : resource));
    };
}

/** Sets a property by a dotted path; `undefined` removes it. */
export function set(name: string, path: string, value: unknown): Mutation {
    return change(name, (resource) => {
        assign(resource.props, path.split("."), value);
        return resource;
    });
}

function assign(holder: Record<string, unknown>, [key, ...rest]: string[], value: unknown): void {
    if (rest.length > 0) {
        holder[key] ??= {};
        assign(holder[key] as Record<string, unknown>, rest, value);
    } else if (value === undefined) {
        delete holder[key];
    } else {
        holder[key] = value;
    }
}

/** Edits a property that holds JSON text. */
function json(name: string, property: string, edit: (value: Record<string, never>) => void): Mutation {
    return change(name, (resource) => {
        const value = JSON.parse(resource.props[property] as string) as Record<string, never>;
        edit(value);
        resource.props[property] = JSON.stringify(value);
        return resource;
    });
}

function drop(name: string): Mutation {
    return (stage) => stage.filter((resource) => resource.name !== name);
}

function statement(name: string, added: object): Mutation {
    return json(name, "policy", (policy) => (policy.Statement as object[]).push(added));
}

function definition(edit: (states: Record<string, Record<string, unknown>>) => void): Mutation {
    return json("training", "definition", (value) => edit(value.States));
}

/** Changes what the sample's only member may cost. */
function member(changed: object): Mutation {
    return inSettings((settings) => settings.members.text, changed);
}

/** Changes what the sample's stage is configured with. */
export function stageSetting(changed: object): Mutation {
    return inSettings((settings) => settings, changed);
}

function inSettings(part: (settings: { members: { text: object } }) => object, changed: object): Mutation {
    return definition((states) => {
        const { settings } = (states.Prepare.Arguments as { Payload: unknown }).Payload as {
            settings: { members: { text: object } };
        };
        Object.assign(part(settings), changed);
    });
}

const everybody = { Sid: "Open", Effect: "Allow", Principal: "*", Action: "*", Resource: "*" };
/**
 * For every rule of the pack a change of the sample that this rule, and no other, must refuse.
 * `suppressions-needed` is broken by configuration: see {@link STALE_SUPPRESSION}.
 */
export const mutations: Readonly<Record<string, Mutation>> = {
    "alarm-has-action": set("undelivered-alarm", "alarmActions", []),
    "batch-compute-bounded": set("compute", "computeResources.maxVcpus", 10_000),
    "batch-job-keeps-revisions": set("merge", "deregisterOnNewRevision", undefined),
    "batch-job-logs": json("merge", "containerProperties", (container) => {
        delete container.logConfiguration;
    }),
    "batch-job-no-secrets": json("merge", "containerProperties", (container) => {
        Object.assign(container, { environment: [{ name: "DB_PASSWORD", value: "hunter-2-hunter-2" }] });
    }),
    "batch-job-not-privileged": json("merge", "containerProperties", (container) => {
        Object.assign(container, { privileged: true });
    }),
    "batch-job-retry": set("merge", "retryStrategy.evaluateOnExits", []),
    "batch-job-timeout": set("merge", "timeout", undefined),
    "data-protected": (stage) =>
        stage.map((resource) => ({ ...resource, protect: resource.name !== "artifacts" && resource.protect })),
    "definition-known-at-preview": set("training", "definition", ref("machine-role", "arn")),
    "ecr-lifecycle": drop("images-lifecycle"),
    "ecr-repository-not-public": json("images-policy", "policy", (policy) => {
        Object.assign(policy, { Statement: [everybody] });
    }),
    "ecr-scan-on-push": set("images", "imageScanningConfiguration.scanOnPush", false),
    "ecr-tags-immutable": set("images", "imageTagMutability", "MUTABLE"),
    "event-target-dead-letter": set("failed-target", "deadLetterConfig", undefined),
    "iam-no-admin": set("function-attachment", "policyArn", `arn:aws:iam::${ACCOUNT}:policy/AdministratorAccess`),
    "iam-no-managed-policies": set(
        "function-attachment",
        "policyArn",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    ),
    "iam-pass-role-conditions": json("machine-policy", "policy", (policy) => {
        delete (policy.Statement as { Condition?: object }[])[2].Condition;
    }),
    "iam-trust-source-conditions": json("machine-role", "assumeRolePolicy", (policy) => {
        delete (policy.Statement as { Condition?: object }[])[0].Condition;
    }),
    "iam-wildcards": statement("function-policy", {
        Sid: "Everything",
        Effect: "Allow",
        Action: "s3:Get*",
        Resource: "*",
    }),
    "images-pinned": json("merge", "containerProperties", (container) => {
        Object.assign(container, { image: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/sample-images:latest` });
    }),
    "kms-key-not-public": statement("key", { ...everybody, Action: "kms:Decrypt" }),
    "kms-key-rotation": set("key", "enableKeyRotation", false),
    "lambda-log-group": drop("function-logs"),
    "lambda-no-secrets": set("prepare", "environment.variables", { API_KEY: "0123456789" + "abcdefghij" }),
    "lambda-permission-source": set("prepare-permission", "sourceArn", undefined),
    "lambda-runtime-current": set("prepare", "runtime", "nodejs16.x"),
    "lambda-timeout": set("prepare", "timeout", undefined),
    "lambda-tracing": set("prepare", "tracingConfig.mode", "PassThrough"),
    "log-group-encrypted": set("machine-logs", "kmsKeyId", undefined),
    "log-group-retention": set("machine-logs", "retentionInDays", 0),
    "no-output-text": set(
        "undelivered-alarm",
        "alarmDescription",
        "About Calling [toJSON] on an [Output<T>] is not supported.",
    ),
    "run-budget-provable": member({ capacity: [{ instanceType: "ml.nobody.knows" }] }),
    "run-within-budget": member({ budgetSeconds: 1_000_000 }),
    "s3-bucket-access-logged": drop("artifacts-logging"),
    "s3-bucket-acls-disabled": set("artifacts-ownership", "rule.objectOwnership", "ObjectWriter"),
    "s3-bucket-encrypted": set("artifacts-encryption", "rules", [
        { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
    ]),
    "pointed-objects-kept": set("artifacts-lifecycle", "rules", [
        { id: "uploads", status: "Enabled", abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } },
        { id: "all", status: "Enabled", filter: { prefix: "" }, expiration: { days: 400 } },
    ]),
    "s3-bucket-lifecycle": set("artifacts-lifecycle", "rules", [{ id: "uploads", status: "Disabled" }]),
    "s3-bucket-not-public": statement("artifacts-policy", { ...everybody, Action: "s3:GetObject" }),
    "s3-bucket-public-access-blocked": set("artifacts-block", "restrictPublicBuckets", false),
    "s3-bucket-tls-only": drop("artifacts-policy"),
    "s3-bucket-versioned": set("artifacts-versioning", "versioningConfiguration.status", "Suspended"),
    "security-group-no-open-ingress": set("batch-group", "ingress", [
        { protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks: ["0.0.0.0/0"] },
    ]),
    "sfn-definition-sound": definition((states) => {
        states.Prepare.Next = "Nowhere";
    }),
    "sfn-failure-rule": json("failed", "eventPattern", (pattern) => {
        Object.assign(pattern.detail, { status: ["FAILED", "TIMED_OUT"] });
    }),
    "sfn-jobs-sound": definition((states) => {
        (states["Notify Failure"].Arguments as Record<string, unknown>).Subjekt = "misspelt";
    }),
    "sfn-log-group-name": set(
        "training",
        "loggingConfiguration.logDestination",
        `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/states/sample:*`,
    ),
    "sfn-logging": set("training", "loggingConfiguration.level", "ERROR"),
    "sfn-loops-bounded": definition((states) => {
        states["Wait For Input"] = { Type: "Wait", Seconds: 60, Next: "Is Input There?" };
        states["Is Input There?"] = {
            Type: "Choice",
            Choices: [{ Condition: "{% $prepared = 200 %}", Next: "Done" }],
            Default: "Wait For Input",
        };
        states.Prepare.Next = "Is Input There?";
    }),
    "sfn-no-secrets": definition((states) => {
        (states.Prepare.Arguments as Record<string, unknown>).Payload = { key: `AKIA${"ABCDEFGH12345678"}` };
    }),
    "sfn-no-silent-failure": definition((states) => {
        // Nothing becomes unreachable by it: one more step, which catches nothing.
        states.Store = { ...states.Prepare, Catch: undefined, Next: "Done" };
        states.Prepare.Next = "Store";
    }),
    "sfn-tracing": set("training", "tracingConfiguration", undefined),
    "sfn-variables-assigned": definition((states) => {
        (states["Notify Failure"].Arguments as Record<string, unknown>).Message = "{% $reason %}";
    }),
    "sfn-warnings": definition((states) => {
        states.Prepare.Retry = [{ ErrorEquals: ["States.Runtime"], MaxAttempts: 1 }];
    }),
    "sns-topic-encrypted": set("alerts", "kmsMasterKeyId", undefined),
    "sns-topic-not-public": statement("alerts-policy", { ...everybody, Action: "sns:Publish" }),
    "sns-topic-tls-only": drop("alerts-policy"),
    "sqs-queue-encrypted": set("undelivered", "sqsManagedSseEnabled", undefined),
    "sqs-queue-not-public": statement("undelivered-policy", { ...everybody, Action: "sqs:SendMessage" }),
    "sqs-queue-tls-only": drop("undelivered-policy"),
    "tags-required": set("merge", "tags", { service: "sample", subservice: "training" }),
};

/** Further changes that `sfn-no-silent-failure` must refuse: defects of who is told, and how often. */
export const notificationMutations: Readonly<Record<string, Mutation>> = {
    "a failure that is notified twice": definition((states) => {
        states["Notify Again"] = { ...states["Notify Failure"] };
        states["Notify Failure"].Next = "Notify Again";
    }),
    "a notified failure that the rule on failed executions notifies again": definition((states) => {
        states.Failed.Error = "Failure";
    }),
    "a failure whose notification failed, under a name that the rule on failed executions leaves out": definition(
        (states) => {
            states["Failed Unnotified"].Error = "Notified.Failure";
        },
    ),
};

/** Configuration of a suppression that suppresses nothing. */
export const STALE_SUPPRESSION = {
    "kms-key-rotation": {
        suppressions: [{ resource: "aws:kms/key:Key::key", reason: "The key was rotated by hand until last year." }],
    },
};

/** The pack's configuration under which the sample keeps every rule and each mutation breaks one. */
export const SAMPLE_CONFIG: Readonly<Record<string, unknown>> = {
    "all": "mandatory",
    "data-protected": { required: true },
    "run-budget-provable": { dollars: 100 },
    "run-within-budget": { dollars: 100 },
    "sfn-no-silent-failure": { notifiedPrefix: "Notified." },
    "tags-required": { keys: ["service", "subservice", "stage"] },
};
