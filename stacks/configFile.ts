/** A stage's configuration as a file: which names it may hold, and where in it a problem stands. */
import * as fs from "node:fs";
import * as path from "node:path";
import { closest } from "fastest-levenshtein";
import { isCollection, isMap, isPair, isScalar, LineCounter, parseDocument, type Document } from "yaml";
import { ConfigError } from "./config";

/** Whose keys Pulumi itself and the providers of this program read. */
const NAMESPACES = ["aws", "docker", "docker-build", "pulumi"];

/**
 * What is wrong with the names of a stage's keys: `budget`, or `ensemble-trainig:budget`, would be read by nobody.
 *
 * @param keys as they stand in the file, with their namespaces
 * @param project the name in Pulumi.yaml, which is the namespace of the program's own keys
 */
export function namespaceProblems(keys: readonly string[], project: string): string[] {
    const known = [project, ...NAMESPACES];
    return keys.flatMap((key) => {
        const [namespace, ...name] = key.split(":");
        if (name.length === 0) {
            return [`${key}: got no namespace, expected ${project}:${key}`];
        }
        if (known.includes(namespace)) {
            return [];
        }
        const meant = `${closest(namespace, known)}:${name.join(":")}`;
        return [`${key}: unknown namespace, expected one of ${known.join(", ")}; did you mean "${meant}"?`];
    });
}

/**
 * Does something with a stage's configuration; what is wrong with that is told with file and line.
 *
 * @param root the project's folder
 * @param elsewhere keys that did not come from the file, such as those of `--set`
 */
export async function locating<T>(
    root: string,
    stage: string,
    act: () => T | Promise<T>,
    elsewhere: readonly string[] = [],
): Promise<T> {
    try {
        return await act();
    } catch (error) {
        throw error instanceof ConfigError ? located(error, root, stage, elsewhere) : error;
    }
}

function located(error: ConfigError, root: string, stage: string, elsewhere: readonly string[]): ConfigError {
    const name = `Pulumi.${stage}.yaml`;
    const file = path.join(root, name);
    if (!fs.existsSync(file)) {
        return error;
    }
    const counter = new LineCounter();
    const document = parseDocument(fs.readFileSync(file, "utf8"), { lineCounter: counter });
    const problems = error.problems.map((problem) => {
        const where = problem.slice(0, problem.indexOf(": "));
        if (elsewhere.includes(where.split(".")[0])) {
            return problem;
        }
        const offset = offsetOf(document, where.split("."));
        const place = offset === undefined ? name : `${name}:${counter.linePos(offset).line}`;
        return `${place}: ${problem}`;
    });
    return new ConfigError(problems, error.subject);
}

/** Where a key, or the nearest one above it, stands below `config`; a key of the program's has its namespace there. */
function offsetOf(document: Document, keys: readonly string[]): number | undefined {
    let node: unknown = document.get("config", true);
    let found: number | undefined;
    for (const [index, key] of keys.entries()) {
        const next = entryOf(node, (name) => name === key || (index === 0 && name.endsWith(`:${key}`)));
        if (next === undefined) {
            return found;
        }
        found = next.offset;
        node = next.value;
    }
    return found;
}

function entryOf(
    node: unknown,
    fits: (name: string) => boolean,
): { readonly offset: number | undefined; readonly value: unknown } | undefined {
    if (!isCollection(node)) {
        return undefined;
    }
    const at = node.items.findIndex((item, index) =>
        isMap(node) && isPair(item) && isScalar(item.key) ? fits(String(item.key.value)) : fits(String(index)),
    );
    const item: unknown = node.items[at];
    if (isPair(item)) {
        return { offset: isScalar(item.key) ? item.key.range?.[0] : undefined, value: item.value };
    }
    return item === undefined ? undefined : { offset: (item as { range?: number[] }).range?.[0], value: item };
}
