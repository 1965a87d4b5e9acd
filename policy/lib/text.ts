import type { Fact } from "./facts";
import { isFacts, isUnknown } from "./facts";

/** A string somewhere below a property, with its path. */
export interface Text {
    readonly path: string;
    readonly text: string;
}

/** Every string below a value, keys not included. JSON inside a string is not taken apart. */
export function texts(value: Fact | undefined, path = ""): Text[] {
    const found: Text[] = [];
    const pending: [Fact | undefined, string][] = [[value, path]];
    while (pending.length > 0) {
        const [item, here] = pending.pop()!;
        if (typeof item === "string") {
            found.push({ path: here, text: item });
        } else if (Array.isArray(item)) {
            (item as readonly Fact[]).forEach((one, index) => pending.push([one, `${here}.${index}`]));
        } else if (isFacts(item) && !isUnknown(item)) {
            for (const key of Object.keys(item)) {
                pending.push([item[key], here === "" ? key : `${here}.${key}`]);
            }
        }
    }
    return found;
}

const SECRETS: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
    { kind: "an AWS access key id", pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
    { kind: "a private key", pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/ },
    { kind: "a GitHub token", pattern: /\bgh[pousr]_[A-Za-z0-9]{36,}\b/ },
    { kind: "a Slack token", pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}\b/ },
    { kind: "a password in a URL", pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"]+:[^\s/@"{}]+@/i },
];

const SECRET_NAME = /(?:secret|passw(?:or)?d|passphrase|api_?key|access_?key|private_?key|auth_?token)/i;
// A reference to where a secret lies is what should be there instead.
const REFERENCE = /^(?:arn:|\{%|\$|Ref::|$)|^(?:true|false|\d+)$/i;

/** What kind of secret a text looks like it holds. */
export function secretIn(text: string): string | undefined {
    return SECRETS.find((secret) => secret.pattern.test(text))?.kind;
}

/** Whether a variable of this name and value looks like a secret in plain text. */
export function isSecretVariable(name: string, value: string): boolean {
    return (
        secretIn(value) !== undefined ||
        (SECRET_NAME.test(name) && !/(?:arn|name|id|path|parameter)$/i.test(name) && !REFERENCE.test(value))
    );
}

const DIGEST = /@sha256:[0-9a-f]{64}$/;
const CONTENT_TAG = /:(?:[A-Za-z0-9_.-]*[-_.])?[0-9a-f]{12,64}$/;

/**
 * Whether an image reference can only ever mean one image: by digest, or by a tag that ends in a content hash (12 to 64
 * hex digits).
 */
export function isPinned(image: string): boolean {
    return DIGEST.test(image) || CONTENT_TAG.test(image);
}
