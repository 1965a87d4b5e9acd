/** What the program declares for a stage, as resources of Terraform's. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { hashParts } from "../../../components/contentHash";
import {
    type Cloud,
    currentProject,
    evaluateStage,
    inventedCloud,
    LOCAL_IDENTITY,
    readStackConfig,
} from "../../../project/evaluate";
import { convertBlock, pulumiName, type Schemas, terraformType } from "./conversion";
import { mark, marked, referring } from "./references";

const root = path.resolve(__dirname, "../../..");
const python = path.join(root, ".venv/bin/python");

type Json = Record<string, unknown>;

/** A stage that the suite declares. */
export interface Stage {
    /** Its stack's name, and so a part of every name in AWS: many stages share one account. */
    readonly name: string;
    /** The stage in the checkout whose configuration it begins with. */
    readonly base: "dev" | "prod";
    /** Keys of the configuration that are its own. */
    readonly overrides: Readonly<Record<string, unknown>>;
}

/** A stage's resources and questions, as Terraform's JSON has them. */
export interface Declared {
    /** By type and name. */
    readonly resources: Readonly<Record<string, Readonly<Record<string, Json>>>>;
    /** What is asked of the account, by type and name. */
    readonly questions: Readonly<Record<string, Readonly<Record<string, Json>>>>;
    /** Addresses of what stays when the stage goes: `retainOnDelete`. */
    readonly kept: readonly string[];
    /** Types that are no resources of AWS's provider. */
    readonly foreign: readonly string[];
}

/** What the options of a resource say; mocks are told of none of them. */
interface Options {
    readonly type: string;
    readonly name: string;
    readonly options: pulumi.ResourceOptions;
}

/** The options of every resource that a program declares, by the resource. */
class OptionRecorder {
    readonly all = new Map<pulumi.Resource, Options>();

    /** To be called inside a running program, before it declares anything. */
    listen(): void {
        pulumi.runtime.registerStackTransformation(({ resource, type, name, opts }) => {
            this.all.set(resource, { type, name, options: opts });
            return undefined;
        });
    }

    find(type: string, name: string): pulumi.Resource {
        const found = [...this.all].find(([, recorded]) => recorded.type === type && recorded.name === name);
        if (found === undefined) {
            throw new Error(`${type} ${name} was declared without that anybody saw its options.`);
        }
        return found[0];
    }

    /** The resource's components, from the innermost. */
    private ancestors(resource: pulumi.Resource): pulumi.Resource[] {
        const parent = this.all.get(resource)?.options.parent;
        return parent === undefined ? [] : [parent, ...this.ancestors(parent)];
    }

    /** What must be there before it: what it and its components wait for; of a component, all that is in it. */
    async before(resource: pulumi.Resource): Promise<Options[]> {
        const waiting = [resource, ...this.ancestors(resource)].map(
            (each) => this.all.get(each)?.options.dependsOn ?? [],
        );
        const named = await Promise.all(waiting.map((each) => settled(each)));
        const awaited = named.flat();
        return [...this.all]
            .filter(([each]) => awaited.some((one) => one === each || this.ancestors(each).includes(one)))
            .map(([, recorded]) => recorded);
    }
}

/** The resources of a `dependsOn`, whatever promises they are wrapped in. */
async function settled(dependsOn: NonNullable<pulumi.ResourceOptions["dependsOn"]>): Promise<pulumi.Resource[]> {
    const value = (await dependsOn) as pulumi.Resource | pulumi.Input<pulumi.Resource>[];
    return Array.isArray(value) ? ((await Promise.all(value)) as pulumi.Resource[]) : [value];
}

/** What waits for what, without what follows from the rest: Terraform takes minutes over all of it. */
class Order {
    private readonly referred = new Map<string, readonly string[]>();
    private readonly awaited = new Map<string, readonly string[]>();
    private readonly known = new Map<string, ReadonlySet<string>>();

    /**
     * @param referred addresses that stand in the resource's properties
     * @param awaited addresses that it is to wait for besides
     */
    add(address: string, referred: readonly string[], awaited: readonly string[]): void {
        this.referred.set(address, referred);
        this.awaited.set(address, awaited);
    }

    /** What must be said of the resource besides its references. */
    waiting(address: string): string[] {
        const { referred, awaited } = this.next(address);
        const all = [...new Set([...referred, ...awaited])];
        const implied = new Set([...referred, ...all.flatMap((each) => [...this.behind(each)])]);
        return [...new Set(awaited)].filter((each) => !implied.has(each)).sort();
    }

    private next(address: string): { readonly referred: readonly string[]; readonly awaited: readonly string[] } {
        return { referred: this.referred.get(address) ?? [], awaited: this.awaited.get(address) ?? [] };
    }

    /** All that is made before the resource. */
    private behind(address: string): ReadonlySet<string> {
        const known = this.known.get(address);
        if (known !== undefined) {
            return known;
        }
        const { referred, awaited } = this.next(address);
        const next = [...referred, ...awaited];
        const all = new Set([...next, ...next.flatMap((each) => [...this.behind(each)])]);
        this.known.set(address, all);
        return all;
    }
}

/** Makes the archive of a function's code; equal content is one file. */
async function archive(code: pulumi.asset.AssetArchive, folder: string): Promise<string> {
    const files = Object.entries(await code.assets);
    const contents = await Promise.all(
        files.map(async ([name, asset]): Promise<[string, string]> => [
            name,
            await (asset as pulumi.asset.StringAsset).text,
        ]),
    );
    const file = path.join(folder, `${hashParts(contents.flat()).slice(0, 16)}.zip`);
    if (!existsSync(file)) {
        const sources = mkdtempSync(path.join(tmpdir(), "code-"));
        contents.forEach(([name, text]) => writeFileSync(path.join(sources, name), text));
        execFileSync(python, ["-m", "zipfile", "-c", file, ...contents.map(([name]) => name)], { cwd: sources });
        rmSync(sources, { recursive: true });
    }
    return file;
}

/** Files in place of Pulumi's assets. */
async function withFiles(inputs: Readonly<Json>, folder: string): Promise<Json> {
    const entries = Object.entries(inputs).map(async ([key, value]): Promise<[string, unknown]> => {
        if (value instanceof pulumi.asset.AssetArchive) {
            return [key, await archive(value, folder)];
        }
        return [key, value instanceof pulumi.asset.FileAsset ? path.resolve(root, await value.path) : value];
    });
    return Object.fromEntries(await Promise.all(entries));
}

function localName(stage: Stage, name: string): string {
    return `${stage.name}_${name}`.replace(/\W/g, "_");
}

/** What the program is told: marks in place of what only AWS knows. */
function markingCloud(stage: Stage, schemas: Schemas, questions: Record<string, Record<string, Json>>): Cloud {
    const invented = inventedCloud(LOCAL_IDENTITY);
    const ask = (type: string, args: Json): string => {
        const name = localName(stage, hashParts([JSON.stringify(args)]).slice(0, 8));
        const { filters, ...others } = args;
        questions[type] = {
            ...questions[type],
            [name]: filters === undefined ? others : { ...others, filter: filters },
        };
        return `data.${type}.${name}`;
    };
    return {
        made(args) {
            if (!args.type.startsWith("aws:")) {
                return invented.made(args);
            }
            const type = terraformType(args.type, schemas);
            const address = `${type}.${localName(stage, args.name)}`;
            const texts = Object.entries(schemas[type].block.attributes ?? {}).filter(
                ([, attribute]) => attribute.type === "string",
            );
            const properties = texts.map(([name]) => [pulumiName(type, name), mark(`${address}.${name}`)]);
            return {
                id: mark(`${address}.id`),
                state: { ...args.inputs, ...(Object.fromEntries(properties) as Json) },
            };
        },
        answer(args) {
            if (args.token === "aws:ec2/getVpc:getVpc") {
                return { id: mark(`${ask("aws_vpc", args.inputs)}.id`) };
            }
            if (args.token === "aws:ec2/getSubnets:getSubnets") {
                return { ids: mark(`${ask("aws_subnets", args.inputs)}.ids`) };
            }
            return invented.answer(args);
        },
    };
}

/** A project with the checkout's program, whose only stack is the given stage's. */
function projectOf(stage: Stage, folder: string, listen: () => void): Parameters<typeof evaluateStage>[1] {
    const { program, root: checkout } = currentProject();
    const project = { root: folder, configured: true };
    const name = "ensemble-training";
    writeFileSync(path.join(folder, "Pulumi.yaml"), stringify({ name, runtime: "nodejs" }));
    const config = readStackConfig(stage.base, stage.overrides, { root: checkout, program });
    writeFileSync(path.join(folder, `Pulumi.${stage.name}.yaml`), stringify({ config }));
    const observed = () => {
        listen();
        return program();
    };
    return { project: { ...project, program: observed } };
}

/**
 * Runs the program for a stage and converts what it declares.
 *
 * @param folder for files that resources are made of
 * @param given identifiers in the configuration, by the property of Terraform's that they stand for
 */
export async function declare(
    stage: Stage,
    schemas: Schemas,
    folder: string,
    given: Readonly<Record<string, string>>,
): Promise<Declared> {
    mkdirSync(folder, { recursive: true });
    const recorder = new OptionRecorder();
    const questions: Record<string, Record<string, Json>> = {};
    const cloud = markingCloud(stage, schemas, questions);
    const options = projectOf(stage, folder, () => recorder.listen());
    const { resources } = await evaluateStage(stage.name, { ...options, cloud });
    const converted: Record<string, Record<string, Json>> = {};
    const order = new Order();
    const kept: string[] = [];
    for (const { type: token, name, inputs } of resources.filter(({ type }) => type.startsWith("aws:"))) {
        const type = terraformType(token, schemas);
        const local = localName(stage, name);
        const resource = recorder.find(token, name);
        const block = convertBlock(type, await withFiles(inputs, folder), schemas[type].block);
        const before = (await recorder.before(resource))
            .filter((each) => each.type.startsWith("aws:"))
            .map((each) => `${terraformType(each.type, schemas)}.${localName(stage, each.name)}`);
        order.add(`${type}.${local}`, marked(block), before);
        converted[type] = { ...converted[type], [local]: referring(block, given) as Json };
        if (recorder.all.get(resource)?.options.retainOnDelete === true) {
            kept.push(`${type}.${local}`);
        }
    }
    for (const [type, named] of Object.entries(converted)) {
        for (const [local, block] of Object.entries(named)) {
            block.depends_on = order.waiting(`${type}.${local}`);
        }
    }
    const foreign = resources.filter(({ type, custom }) => custom && !type.startsWith("aws:")).map(({ type }) => type);
    return {
        resources: converted,
        questions: referring(questions, given) as Declared["questions"],
        kept: kept.sort(),
        foreign: [...new Set(foreign)].sort(),
    };
}
