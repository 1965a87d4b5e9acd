/**
 * Values of hyperparameters as SageMaker's training toolkit shows them to a script: Python's `str` of what `json.loads`
 * made of them. Numbers keep their JSON text, so that 1.0 stays a float and a long integer stays whole.
 */

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What the toolkit's `json.loads`, or the raw string where that fails, prints as a command-line argument. */
export function pythonArgument(text: string): string {
    const trimmed = text.trim();
    if (NUMBER.test(trimmed)) {
        return pythonNumber(trimmed);
    }
    const value = decode(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        return Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => `${key}=${pythonText(item)}`)
            .join(",");
    }
    return pythonText(value);
}

/** `json.loads`, or the raw string where that fails. */
export function decode(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}

function pythonText(value: unknown): string {
    return typeof value === "string" ? value : pythonRepresentation(value);
}

function pythonRepresentation(value: unknown): string {
    if (value === null) {
        return "None";
    }
    if (typeof value === "boolean") {
        return value ? "True" : "False";
    }
    if (typeof value === "number") {
        return pythonNumber(String(value));
    }
    if (typeof value === "string") {
        const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
        return quote + value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll(quote, `\\${quote}`) + quote;
    }
    if (Array.isArray(value)) {
        return `[${value.map(pythonRepresentation).join(", ")}]`;
    }
    const fields = Object.entries(value as object).map(
        ([key, item]) => `${pythonRepresentation(key)}: ${pythonRepresentation(item)}`,
    );
    return `{${fields.join(", ")}}`;
}

function pythonNumber(text: string): string {
    if (/^-?\d+$/.test(text)) {
        return text === "-0" ? "0" : text;
    }
    const value = Number(text);
    const magnitude = Math.abs(value);
    if (value !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
        const [mantissa, exponent] = value.toExponential().split("e");
        const digits = exponent.slice(1).padStart(2, "0");
        return `${mantissa}e${exponent[0]}${digits}`;
    }
    const shortest = String(value);
    return shortest.includes(".") ? shortest : `${shortest}.0`;
}
