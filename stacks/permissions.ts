/** What each function, job and training of a stage may do: nothing but the objects of its own step. */
import { objectsBelow, readBelow, type Statement } from "../components/iam";
import type { FunctionName, JobName, StageNames } from "../components/names";
import { TRAINING_LOG_GROUP } from "../ground/awsNames";
import { parseS3Address } from "../ground/s3Address";
import type { Folder } from "../workflow/places";

/**
 * Actions on the stage's key that reading and writing objects need; a multipart upload decrypts what it has written so
 * far.
 */
export const READ_KEY = ["kms:Decrypt"] as const;
export const WRITE_KEY = ["kms:Decrypt", "kms:GenerateDataKey"] as const;

/** Where the objects of a stage may lie. */
export interface Places {
    readonly names: StageNames;
    /** s3:// prefixes that executions may read from and write to; the first is the stage's own bucket. */
    readonly locations: readonly string[];
    /** ARNs of the keys, besides the stage's, that objects there are encrypted with. */
    readonly keys: readonly string[];
}

/**
 * ARNs of the objects in a folder. The target of an execution is a location or any prefix below it, and so stands in
 * the folder's way: hence the second pattern. What lies in no such folder, as the source data, can never be
 * overwritten.
 */
export function folderObjects({ names, locations }: Places, folder: Folder): string[] {
    return locations.flatMap((location) => {
        const { bucket, key } = parseS3Address(location);
        const base = `arn:${names.identity.partition}:s3:::${bucket}/${key === "" ? "" : `${key}/`}`;
        return [`${base}${folder}/*`, `${base}*/${folder}/*`];
    });
}

function write(places: Places, folders: readonly Folder[], actions: readonly string[] = ["s3:PutObject"]): Statement {
    return {
        Sid: "Write",
        Effect: "Allow",
        Action: actions,
        Resource: folders.flatMap((folder) => folderObjects(places, folder)),
    };
}

/** Removes the file that says that a folder is complete, before the folder is written again. */
function unmark(places: Places, files: readonly string[], folder: Folder = "runs"): Statement {
    return {
        Sid: "Unmark",
        Effect: "Allow",
        Action: "s3:DeleteObject",
        Resource: folderObjects(places, folder).flatMap((objects) => files.map((file) => `${objects}/${file}`)),
    };
}

/** Setup asks whether what it counts on expires. */
function lifecycleRules({ names, locations }: Places): Statement {
    const buckets = new Set(locations.map((location) => parseS3Address(location).bucket));
    return {
        Sid: "Lifetimes",
        Effect: "Allow",
        Action: "s3:GetLifecycleConfiguration",
        Resource: [...buckets].map((bucket) => `arn:${names.identity.partition}:s3:::${bucket}`),
    };
}

function read(places: Places): Statement[] {
    return readBelow(places.names.identity, "Data", places.locations);
}

/** What the objects that are encrypted with a key of their bucket's demand of who reads or writes them. */
function dataKeys({ keys }: Places, actions: typeof READ_KEY | typeof WRITE_KEY): Statement[] {
    return keys.length === 0 ? [] : [{ Sid: "DataKeys", Effect: "Allow", Action: actions, Resource: keys }];
}

/**
 * Reads only what executions wrote into a folder. Listing comes with it: without it a missing object looks like a
 * forbidden one.
 */
function readFolders(places: Places, folders: readonly Folder[]): Statement[] {
    const [, ...lists] = read(places);
    return [
        {
            Sid: "Read",
            Effect: "Allow",
            Action: "s3:GetObject",
            Resource: folders.flatMap((folder) => folderObjects(places, folder)),
        },
        ...lists.filter((statement) => statement.Action === "s3:ListBucket"),
    ];
}

/** The statements of each function, without its log and its traces. */
export function functionStatements(places: Places): Readonly<Record<FunctionName, readonly Statement[]>> {
    const [readKeys, writeKeys] = [dataKeys(places, READ_KEY), dataKeys(places, WRITE_KEY)];
    return {
        "setup": [
            ...read(places),
            ...writeKeys,
            lifecycleRules(places),
            write(places, ["runs", "checksums"]),
            // Quotas know no resource in this call.
            { Sid: "Quotas", Effect: "Allow", Action: "servicequotas:ListServiceQuotas", Resource: "*" },
        ],
        "error-cause": [...readFolders(places, ["runs", "published"]), ...readKeys],
        "register": [...readFolders(places, ["runs", "models"]), write(places, ["runs", "trained"]), ...writeKeys],
        "describe-failure": [],
    };
}

/** The statements of each job's code. A multipart upload that is given up is taken back. */
export function jobStatements(places: Places): Readonly<Record<JobName, readonly Statement[]>> {
    const upload = ["s3:AbortMultipartUpload", "s3:PutObject"];
    const keys = dataKeys(places, WRITE_KEY);
    return {
        fetch: [
            ...read(places),
            ...keys,
            write(places, ["runs"], [...upload, "s3:PutObjectTagging"]),
            // A copy takes the tags of its source along, and fails where it may not.
            {
                Sid: "Tags",
                Effect: "Allow",
                Action: "s3:GetObjectTagging",
                Resource: places.locations.map((location) => objectsBelow(places.names.identity, location)),
            },
            unmark(places, ["failure.txt", "manifest.json"]),
        ],
        split: [...read(places), ...keys, write(places, ["runs"]), unmark(places, ["failure.txt"])],
        merge: [
            ...read(places),
            ...keys,
            write(places, ["runs"]),
            unmark(places, ["failure.txt", "manifest.json", "mismatches.json"]),
        ],
        publish: [
            ...readFolders(places, ["runs", "models", "published"]),
            ...keys,
            write(places, ["published"], upload),
            unmark(places, ["failure.txt", "manifest.json"], "published"),
        ],
    };
}

/** The statements of the role that trainings run under. */
export function trainingStatements(places: Places, repositories: readonly string[], vpc: boolean): Statement[] {
    const { names } = places;
    return [
        ...read(places),
        ...dataKeys(places, WRITE_KEY),
        {
            Sid: "Write",
            Effect: "Allow",
            Action: ["s3:AbortMultipartUpload", "s3:PutObject"],
            Resource: [
                ...folderObjects(places, "models"),
                ...folderObjects(places, "checkpoints"),
                // The copy of metrics and history for the log bucket.
                `${names.bucketArn}/logs/*`,
            ],
        },
        // GetAuthorizationToken knows no resource.
        { Sid: "RegistryLogin", Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
        {
            Sid: "PullImage",
            Effect: "Allow",
            Action: ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            Resource: repositories,
        },
        {
            Sid: "Log",
            Effect: "Allow",
            Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            // Every training job of a region logs into the same groups.
            Resource: names.trainingLogGroupArn,
        },
        {
            Sid: "Metrics",
            Effect: "Allow",
            Action: "cloudwatch:PutMetricData",
            // Metrics know no resource; the condition keeps them in SageMaker's namespace.
            Resource: "*",
            Condition: { StringEquals: { "cloudwatch:namespace": TRAINING_LOG_GROUP } },
        },
        ...(!vpc
            ? []
            : [
                  {
                      Sid: "Interfaces",
                      Effect: "Allow" as const,
                      Action: [
                          "ec2:CreateNetworkInterface",
                          "ec2:DeleteNetworkInterface",
                          "ec2:CreateNetworkInterfacePermission",
                          "ec2:DeleteNetworkInterfacePermission",
                      ],
                      // SageMaker makes the interfaces, and names them only then.
                      Resource: ["network-interface", "subnet", "security-group"].map((kind) =>
                          names.arn("ec2", `${kind}/*`),
                      ),
                  },
                  {
                      Sid: "Networks",
                      Effect: "Allow" as const,
                      Action: [
                          "ec2:DescribeNetworkInterfaces",
                          "ec2:DescribeVpcs",
                          "ec2:DescribeDhcpOptions",
                          "ec2:DescribeSubnets",
                          "ec2:DescribeSecurityGroups",
                      ],
                      // Describe calls know no resource.
                      Resource: "*",
                  },
              ]),
    ];
}
