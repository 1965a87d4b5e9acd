import type { Fact, ResourceFacts } from "./facts";
import { get } from "./facts";
import type { PolicyDocument } from "./iam";
import { isOpenToEverybody, readDocument, refusesPlainText } from "./iam";
import type { Relation } from "./relations";
import { adrift, beside } from "./relations";
import type { Verdict } from "./rule";
import { all, at, compliant, notApplicable, undecided, violation } from "./rule";

/** A kind of resource that carries a policy of its own, inline or as a resource beside it. */
export interface PolicyHolder {
    readonly type: string;
    /** What it is called in messages. */
    readonly noun: string;
    /** The prefix of its actions. */
    readonly service: string;
    /** Its own property with the policy, where it has one. */
    readonly inline?: string;
    readonly relation: Relation;
}

export const TOPICS: PolicyHolder = {
    type: "aws:sns/topic:Topic",
    noun: "topic",
    service: "sns",
    inline: "policy",
    relation: { type: "aws:sns/topicPolicy:TopicPolicy", property: "arn", identifiers: ["arn", "id"] },
};

export const QUEUES: PolicyHolder = {
    type: "aws:sqs/queue:Queue",
    noun: "queue",
    service: "sqs",
    inline: "policy",
    relation: { type: "aws:sqs/queuePolicy:QueuePolicy", property: "queueUrl", identifiers: ["url", "id"] },
};

export const BUCKETS: PolicyHolder = {
    type: "aws:s3/bucket:Bucket",
    noun: "bucket",
    service: "s3",
    relation: { type: "aws:s3/bucketPolicy:BucketPolicy", property: "bucket", identifiers: ["bucket", "id"] },
};

/** For every resource of a kind: one of its policies refuses what does not come by TLS. */
export function tlsOnly(holder: PolicyHolder, resources: readonly ResourceFacts[]): Verdict {
    const holders = resources.filter((resource) => resource.type === holder.type);
    return holders.length === 0
        ? notApplicable(`the stack has no ${holder.noun}`)
        : all(holders.map((resource) => at(resource, refuses(holder, resource, resources))));
}

function refuses(holder: PolicyHolder, resource: ResourceFacts, resources: readonly ResourceFacts[]): Verdict {
    const sources: (Fact | undefined)[] = beside(resource, resources, holder.relation).map((policy) =>
        get(policy.props, "policy"),
    );
    if (holder.inline !== undefined && get(resource.props, holder.inline) !== undefined) {
        sources.push(get(resource.props, holder.inline));
    }
    const documents = sources.map((source) => readDocument(source, "policy"));
    if (documents.some((document) => refusesPlainText(document, holder.service))) {
        return compliant;
    }
    const unknown =
        documents.find((document) => document.unknown !== undefined)?.unknown ?? adrift(resources, holder.relation);
    return unknown !== undefined
        ? undecided(unknown)
        : violation(`No policy of ${resource.name} denies requests with aws:SecureTransport false.`);
}

/** One policy document beside or inside a resource lets nobody in that it does not name. */
function notOpen(document: PolicyDocument): Verdict {
    if (document.problem !== undefined) {
        return violation(`${document.path} ${document.problem}.`);
    }
    const open = document.statements.filter(isOpenToEverybody);
    if (open.length > 0) {
        return violation(
            ...open.map(
                (statement) =>
                    `${document.path}: ${statement.label} allows everybody ` +
                    `${statement.actions.join(", ") || "actions"}.`,
            ),
        );
    }
    return document.unknown === undefined ? compliant : undecided(document.unknown);
}

/** {@link notOpen} for a property that may be missing. */
export function propertyNotOpen(resource: ResourceFacts, property: string): Verdict {
    const value = get(resource.props, property);
    return value === undefined ? notApplicable(`there is no ${property}`) : notOpen(readDocument(value, property));
}
