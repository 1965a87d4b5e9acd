/**
 * Where definitions come from: files of their own (JSON or YAML), and CloudFormation, SAM and CDK templates, Terraform plans and Pulumi
 * previews or stack exports that hold them.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Reported } from "../analysis/findings";
import { readJson, type Place } from "../analysis/text";
import { Unreadable, type Parsed } from "./unreadable";
import { readYaml } from "./yaml";

/** Larger files are not read: a definition has at most 1 MB, a template that holds hundreds of them is still smaller. */
export const largestFile = 64 * 1024 * 1024;

export interface Source {
    /** The file's path as it was given, or "-" for standard input. */
    readonly file: string;
    /** What holds the definition inside the file: a resource's name; "" when the file is the definition. */
    readonly holder: string;
    readonly definition: unknown;
    /** Findings of the text itself, such as duplicate keys. */
    readonly problems: readonly (Reported & Place)[];
    readonly position: (path: string) => Place;
}

const names = /\.(?:asl(?:\.json|\.ya?ml)?|json|ya?ml|template)$/i;
const skipped = new Set(["node_modules", ".git", ".venv", ".terraform", "cdk.out.lock"]);

/** Files below a directory that may hold definitions, in order; links are not followed. */
export function filesIn(directory: string): string[] {
    const found: string[] = [];
    const work = [directory];
    for (let current = work.pop(); current !== undefined; current = work.pop()) {
        for (const entry of readdirSync(current, { withFileTypes: true })) {
            const path = join(current, entry.name);
            if (entry.isDirectory() && !skipped.has(entry.name)) {
                work.push(path);
            } else if (entry.isFile() && names.test(entry.name)) {
                found.push(path);
            }
        }
    }
    return found.sort();
}

/** The bytes as text; the place of the first byte that is not UTF-8 otherwise. */
export function decode(file: string, bytes: Buffer): string {
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
        let low = 0;
        let high = bytes.length;
        // The longest prefix that decodes as a stream ends just before the wrong byte.
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            try {
                new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
                low = middle;
            } catch {
                high = middle - 1;
            }
        }
        const before = bytes.subarray(0, low).toString("utf-8");
        const lines = before.split("\n");
        throw new Unreadable(file, `byte ${low + 1} is not UTF-8`, {
            line: lines.length,
            column: lines.at(-1)!.length + 1,
        });
    }
}

/** Why the system does not hand out a file. */
function whyNot(error: unknown): string {
    const { code, message } = error as NodeJS.ErrnoException;
    switch (code) {
        case "ENOENT":
            return "there is no such file";
        case "ELOOP":
            return "its links lead in a circle";
        case "EACCES":
            return "it may not be read: the permission is missing";
        case "EISDIR":
            return "it is a directory";
        default:
            return message;
    }
}

/** All definitions of a file. `required`: a file without one is an error. */
export function readFile(file: string, required: boolean): Source[] {
    let size: number;
    try {
        const found = statSync(resolve(file));
        if (found.isCharacterDevice() || found.isBlockDevice()) {
            throw new Unreadable(file, "this is a device: expected a file, or - for standard input");
        }
        ({ size } = found);
    } catch (error) {
        if (error instanceof Unreadable) {
            throw error;
        }
        throw new Unreadable(file, whyNot(error));
    }
    if (size > largestFile) {
        throw new Unreadable(
            file,
            `the file has ${size.toLocaleString("en")} bytes; at most ${largestFile.toLocaleString("en")} are read`,
        );
    }
    let bytes: Buffer;
    try {
        bytes = readFileSync(file);
    } catch (error) {
        throw new Unreadable(file, whyNot(error));
    }
    return readText(file, decode(file, bytes), required);
}

export function readText(file: string, text: string, required: boolean): Source[] {
    const yaml = /\.ya?ml$/i.test(file) || (!/\.json$/i.test(file) && !/^\s*[[{]/.test(text.replace(/^\uFEFF/, "")));
    let parsed: Parsed[];
    try {
        parsed = yaml ? readYaml(file, text) : [readJson(text)];
    } catch (error) {
        if (error instanceof Unreadable) {
            throw error;
        }
        // A parser that recurses runs out of stack on hostile nesting.
        throw new Unreadable(
            file,
            error instanceof RangeError ? "the text is nested too deep" : (error as Error).message.split("\n")[0],
        );
    }
    const found = parsed.flatMap((document) => definitionsIn(file, document));
    const [broken] = parsed.filter((document) => document.value === undefined).flatMap((document) => document.problems);
    if (broken !== undefined && found.length === 0) {
        if (!required && !/"States"|^States:/m.test(text)) {
            return [];
        }
        throw new Unreadable(file, broken.message, { line: broken.line, column: broken.column });
    }
    if (found.length === 0 && required) {
        throw new Unreadable(
            file,
            "no state machine was found: expected a definition (StartAt, States), a CloudFormation or SAM template, " +
                "a Terraform plan (terraform show -json), pulumi preview --json or pulumi stack export",
        );
    }
    return found;
}

type Fields = { readonly [key: string]: unknown };
const isFields = (value: unknown): value is Fields =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** Stands for what a template or a plan does not know yet; a definition with it stays a definition. */
const placeholder = (name: string): string => `placeholder-${name.replace(/[^A-Za-z0-9-]/g, "-").slice(0, 40)}`;
const pseudo: { readonly [name: string]: string } = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
};

function definitionsIn(file: string, document: Parsed): Source[] {
    const { value } = document;
    if (!isFields(value)) {
        return [];
    }
    const inner =
        (path: string): ((sub: string) => Place) =>
        (sub) =>
            document.position(sub === "" ? path : `${path}/${sub}`);
    if (value.States !== undefined || (value.StartAt !== undefined && value.Resources === undefined)) {
        return [{ file, holder: "", definition: value, problems: document.problems, position: document.position }];
    }
    const found: Source[] = [];
    const add = (holder: string, path: string, given: unknown): void => {
        if (typeof given !== "string") {
            found.push({ file, holder, definition: given, problems: [], position: inner(path) });
            return;
        }
        const text = readJson(given);
        const at = document.position(path);
        // A definition inside a text has positions of its own; what counts is where the text stands.
        found.push({
            file,
            holder,
            definition: text.value,
            position: () => at,
            problems: text.problems.map((problem) => ({
                ...problem,
                ...at,
                message: `${problem.message} (line ${problem.line}, column ${problem.column} of the definition's text)`,
            })),
        });
    };
    if (isFields(value.Resources)) {
        for (const [name, resource] of Object.entries(value.Resources)) {
            if (
                isFields(resource) &&
                (resource.Type === "AWS::StepFunctions::StateMachine" ||
                    resource.Type === "AWS::Serverless::StateMachine")
            ) {
                template(file, name, resource, add);
            }
        }
        return found;
    }
    for (const { name, path, definition } of deployed(value)) {
        if (
            definition === undefined ||
            (typeof definition === "string" && definition.includes("04da6b54-80e4-46f7-96ec-b56ff0331ba9"))
        ) {
            throw new Unreadable(
                file,
                `${name}: the definition is not known in this ${value.planned_values === undefined ? "preview" : "plan"}, so nothing can be said of it`,
                document.position(path),
            );
        }
        add(name, path, definition);
    }
    return found;
}

function template(
    file: string,
    name: string,
    resource: Fields,
    add: (holder: string, path: string, given: unknown) => void,
): void {
    const properties = isFields(resource.Properties) ? resource.Properties : {};
    const substitutions = isFields(properties.DefinitionSubstitutions) ? properties.DefinitionSubstitutions : {};
    const substitute = (text: string): string =>
        text.replace(/\$\{([^}!]+)\}/g, (_, key: string) =>
            Object.hasOwn(substitutions, key)
                ? String(resolved(substitutions[key], 0))
                : (pseudo[key] ?? placeholder(key)),
        );
    const path = `Resources/${name}/Properties`;
    if (properties.Definition !== undefined) {
        add(name, `${path}/Definition`, resolved(properties.Definition, 0, substitute));
    } else if (properties.DefinitionString !== undefined) {
        const text = resolved(properties.DefinitionString, 0, substitute);
        add(name, `${path}/DefinitionString`, text);
    } else if (typeof properties.DefinitionUri === "string") {
        const local = join(dirname(file), properties.DefinitionUri);
        if (file !== "-" && existsSync(local)) {
            for (const source of readFile(local, true)) {
                const value = JSON.parse(substitute(JSON.stringify(source.definition))) as unknown;
                add(name, `${path}/DefinitionUri`, value);
            }
        } else {
            throw new Unreadable(file, `${name}: its definition ${properties.DefinitionUri} is not there`);
        }
    } else if (properties.DefinitionUri !== undefined || properties.DefinitionS3Location !== undefined) {
        throw new Unreadable(file, `${name}: its definition lies in S3 and is not read`);
    }
}

/** A template's value with its functions carried out as far as they can be without an account. */
function resolved(value: unknown, depth: number, substitute: (text: string) => string = (text) => text): unknown {
    if (depth > 200) {
        return placeholder("deep");
    }
    const inner = (part: unknown): unknown => resolved(part, depth + 1, substitute);
    if (typeof value === "string") {
        return substitute(value);
    }
    if (Array.isArray(value)) {
        return value.map(inner);
    }
    if (!isFields(value)) {
        return value;
    }
    const keys = Object.keys(value);
    if (keys.length === 1) {
        const given = value[keys[0]];
        switch (keys[0]) {
            case "Ref":
                return pseudo[String(given)] ?? placeholder(String(given));
            case "Fn::GetAtt":
                return placeholder(Array.isArray(given) ? given.join("-") : String(given));
            case "Fn::ImportValue":
            case "Fn::FindInMap":
            case "Fn::Select":
            case "Fn::If":
                return placeholder(keys[0].slice(4));
            case "Fn::Join":
                if (Array.isArray(given) && Array.isArray(given[1])) {
                    return (given[1] as unknown[]).map((part) => String(inner(part))).join(String(given[0]));
                }
                return placeholder("Join");
            case "Fn::Sub": {
                const [text, variables] = Array.isArray(given) ? (given as unknown[]) : [given];
                const known = isFields(variables) ? variables : {};
                return String(text).replace(/\$\{([^}]+)\}/g, (whole, key: string) =>
                    whole.startsWith("${!")
                        ? `\${${key.slice(1)}}`
                        : Object.hasOwn(known, key)
                          ? String(inner(known[key]))
                          : (pseudo[key] ?? placeholder(key)),
                );
            }
            default:
                break;
        }
    }
    return Object.fromEntries(keys.map((key) => [key, inner(value[key])]));
}

interface Deployed {
    readonly name: string;
    readonly path: string;
    readonly definition: unknown;
}

/** State machines of a Terraform plan, of pulumi preview --json and of pulumi stack export. */
function deployed(value: Fields): Deployed[] {
    const found: Deployed[] = [];
    const modules: { module: unknown; path: string }[] = [];
    if (isFields(value.planned_values)) {
        modules.push({ module: value.planned_values.root_module, path: "planned_values/root_module" });
    } else if (isFields(value.values)) {
        modules.push({ module: value.values.root_module, path: "values/root_module" });
    }
    for (let item = modules.pop(); item !== undefined; item = modules.pop()) {
        const { module, path } = item;
        if (!isFields(module)) {
            continue;
        }
        list(module.resources).forEach((resource, index) => {
            if (isFields(resource) && resource.type === "aws_sfn_state_machine" && isFields(resource.values)) {
                found.push({
                    name: String(resource.address),
                    path: `${path}/resources/${index}/values/definition`,
                    definition: resource.values.definition,
                });
            }
        });
        list(module.child_modules).forEach((child, index) =>
            modules.push({ module: child, path: `${path}/child_modules/${index}` }),
        );
    }
    list(value.steps).forEach((step, index) => {
        const state = isFields(step) && isFields(step.newState) ? step.newState : undefined;
        if (state?.type === "aws:sfn/stateMachine:StateMachine" && isFields(state.inputs)) {
            found.push({
                name: String(state.urn).split("::").at(-1)!,
                path: `steps/${index}/newState/inputs/definition`,
                definition: state.inputs.definition,
            });
        }
    });
    const deployment = isFields(value.deployment) ? value.deployment : {};
    list(deployment.resources).forEach((resource, index) => {
        if (isFields(resource) && resource.type === "aws:sfn/stateMachine:StateMachine") {
            const side = isFields(resource.inputs) && resource.inputs.definition !== undefined ? "inputs" : "outputs";
            const properties = resource[side];
            found.push({
                name: String(resource.urn).split("::").at(-1)!,
                path: `deployment/resources/${index}/${side}/definition`,
                definition: isFields(properties) ? properties.definition : undefined,
            });
        }
    });
    return found;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
