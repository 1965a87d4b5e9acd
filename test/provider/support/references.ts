/**
 * References between resources. What AWS makes up (identifiers, ARNs) is given to the program as a mark that names the
 * property; wherever the mark stands in another resource's inputs, also in the middle of a policy's text, it becomes a
 * reference of Terraform's. So the order in which Terraform makes things is the one that Pulumi's engine derives from
 * the same inputs.
 */
const MARK = /@@([\w.]+)@@/g;

/** The mark for a property, for example `aws_kms_key.dev_ensemble.arn`. */
export function mark(property: string): string {
    return `@@${property}@@`;
}

/** Addresses of the resources whose marks stand in a value. */
export function marked(value: unknown): string[] {
    return [...JSON.stringify(value).matchAll(MARK)].map(([, property]) => property.split(".").slice(0, 2).join("."));
}

/** The value as Terraform reads it: marks and the given identifiers are references, and nothing else is. */
export function referring(value: unknown, given: Readonly<Record<string, string>>): unknown {
    if (typeof value === "string") {
        const literal = value.replaceAll("${", "$${").replaceAll("%{", "%%{");
        const known = Object.entries(given).reduce(
            (text, [identifier, property]) => text.replaceAll(identifier, mark(property)),
            literal,
        );
        return known.replace(MARK, "${$1}");
    }
    if (Array.isArray(value)) {
        return value.map((item) => referring(item, given));
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, referring(item, given)]));
    }
    return value;
}
