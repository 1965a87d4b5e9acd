/**
 * A provider that answers the real engine in place of AWS's, over gRPC in this process. The SDK's own provider server
 * knows no preview of a creation and no old inputs, which is what these tests are about, so the protocol is served
 * directly.
 */
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { isDeepStrictEqual } from "node:util";
import { present } from "../../../ground/fields";
import type { Account, Props, ResourceType } from "./cloud";
import { UNKNOWN } from "./cloud";

interface Stored {
    readonly type: string;
    readonly inputs: Props;
    readonly outputs: Props;
    readonly revision: number;
}

/** The account that the provider works on: what was created, and what was done to it. */
export class TestCloud {
    readonly resources = new Map<string, Stored>();
    /** Every change, in order: `create aws:s3/bucket:Bucket sample-artifacts`. */
    readonly journal: string[] = [];
    /** Makes the creation of resources of these types fail, with the message. */
    readonly failures = new Map<string, string>();

    constructor(readonly at: Account) {}

    ofType(type: string): Stored[] {
        return [...this.resources.values()].filter((resource) => resource.type === type);
    }
}

type Handler<Request, Response> = (request: Request) => Response;

function unary<Request, Response>(handler: Handler<Request, Response>): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => {
        try {
            callback(null, handler(call.request));
        } catch (error) {
            callback({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
        }
    };
}

function read(struct: Struct | undefined): Props {
    return (struct?.toJavaScript() ?? {}) as Props;
}

function write(props: Props): Struct {
    return Struct.fromJavaScript(JSON.parse(JSON.stringify(props)) as Record<string, JavaScriptValue>);
}

/** A provider's port, and how to stop it. */
export interface Served {
    readonly port: number;
    stop(): void;
}

/**
 * Serves one provider for one account.
 *
 * @param types the resources that it knows; others are refused
 * @param functions the functions that it knows; others are refused
 */
export async function serveProvider(
    types: Readonly<Record<string, ResourceType>>,
    functions: Readonly<Record<string, (args: Props, at: Account) => Props>>,
    cloud: TestCloud,
): Promise<Served> {
    let defaultTags: Props = {};

    const typeOf = (urn: string): [string, ResourceType] => {
        const token = urn.split("::")[2].split("$").at(-1) as string;
        const known = types[token];
        if (known === undefined) {
            throw new Error(`The test provider knows no ${token}: describe it in test/engine/support/cloud.ts.`);
        }
        return [token, known];
    };
    const key = (token: string, id: string): string => `${token} ${id}`;
    const idOf = (type: ResourceType, inputs: Props, revision: number): string =>
        type.id?.(inputs, cloud.at, revision) ?? String(inputs[type.name as string]);
    const outputsOf = (type: ResourceType, inputs: Props, revision: number, id: string): Props => ({
        ...inputs,
        ...tagsAll(inputs),
        ...type.outputs?.(inputs, cloud.at, revision, id),
    });
    const tagsAll = (inputs: Props): Props => (inputs.tags === undefined ? {} : { tagsAll: inputs.tags });

    const check = (request: proto.CheckRequest): proto.CheckResponse => {
        const [token, type] = typeOf(request.getUrn());
        const [olds, inputs] = [read(request.getOlds()), read(request.getNews())];
        if (type.name !== undefined && inputs[type.name] === undefined) {
            inputs[type.name] =
                olds[type.name] ??
                `${request.getUrn().split("::").at(-1)}-${token.length.toString(16).padStart(7, "0")}`;
        }
        // As the real provider does: its default tags are part of the inputs that the policies see.
        if (Object.keys(defaultTags).length > 0 && "tags" in inputs) {
            inputs.tags = { ...defaultTags, ...(inputs.tags as Props) };
        }
        const response = new proto.CheckResponse();
        response.setInputs(write(inputs));
        return response;
    };

    const diff = (request: proto.DiffRequest): proto.DiffResponse => {
        const [, type] = typeOf(request.getUrn());
        const [olds, news] = [read(request.getOldInputs()), read(request.getNews())];
        const ignored = request.getIgnorechangesList();
        const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
            (property) => !ignored.includes(property) && !isDeepStrictEqual(olds[property], news[property]),
        );
        const replacing = present([type.name, ...(type.replaceOn ?? [])]);
        const replaces = changed.filter((property) => replacing.includes(property));
        const response = new proto.DiffResponse();
        response.setChanges(
            changed.length === 0 ? proto.DiffResponse.DiffChanges.DIFF_NONE : proto.DiffResponse.DiffChanges.DIFF_SOME,
        );
        response.setDiffsList(changed);
        response.setReplacesList(replaces);
        // Two things cannot have one name at a time: with the name unchanged, the old one has to go first.
        response.setDeletebeforereplace(
            replaces.length > 0 && type.name !== undefined && !replaces.includes(type.name),
        );
        return response;
    };

    const create = (request: proto.CreateRequest): proto.CreateResponse => {
        const [token, type] = typeOf(request.getUrn());
        const inputs = read(request.getProperties());
        const response = new proto.CreateResponse();
        if (request.getPreview()) {
            const unknowns = Object.fromEntries(
                Object.keys(type.outputs?.(inputs, cloud.at, 1, "id") ?? {}).map((name) => [name, UNKNOWN]),
            );
            response.setProperties(write({ ...inputs, ...tagsAll(inputs), ...unknowns }));
            return response;
        }
        const failure = cloud.failures.get(token);
        if (failure !== undefined) {
            throw new Error(failure);
        }
        const id = idOf(type, inputs, 1);
        if (cloud.resources.has(key(token, id))) {
            throw new Error(`${token} ${id} already exists.`);
        }
        const outputs = outputsOf(type, inputs, 1, id);
        cloud.resources.set(key(token, id), { type: token, inputs, outputs, revision: 1 });
        cloud.journal.push(`create ${token} ${id}`);
        response.setId(id);
        response.setProperties(write(outputs));
        return response;
    };

    const update = (request: proto.UpdateRequest): proto.UpdateResponse => {
        const [token, type] = typeOf(request.getUrn());
        const inputs = read(request.getNews());
        const response = new proto.UpdateResponse();
        if (request.getPreview()) {
            const olds = read(request.getOlds());
            const unknowns = Object.fromEntries((type.changing ?? []).map((name) => [name, UNKNOWN]));
            response.setProperties(write({ ...olds, ...inputs, ...tagsAll(inputs), ...unknowns }));
            return response;
        }
        const stored = cloud.resources.get(key(token, request.getId()));
        if (stored === undefined) {
            throw new Error(`${token} ${request.getId()} does not exist.`);
        }
        const revision = stored.revision + 1;
        const outputs = outputsOf(type, inputs, revision, request.getId());
        cloud.resources.set(key(token, request.getId()), { type: token, inputs, outputs, revision });
        cloud.journal.push(`update ${token} ${request.getId()}`);
        response.setProperties(write(outputs));
        return response;
    };

    const readResource = (request: proto.ReadRequest): proto.ReadResponse => {
        const [token] = typeOf(request.getUrn());
        const stored = cloud.resources.get(key(token, request.getId()));
        const response = new proto.ReadResponse();
        // An empty id tells the engine that the resource is gone.
        response.setId(stored === undefined ? "" : request.getId());
        if (stored !== undefined) {
            response.setProperties(write(stored.outputs));
            response.setInputs(write(stored.inputs));
        }
        return response;
    };

    const remove = (request: proto.DeleteRequest): Empty => {
        const [token, type] = typeOf(request.getUrn());
        const stored = cloud.resources.get(key(token, request.getId()));
        if (stored === undefined) {
            throw new Error(`${token} ${request.getId()} does not exist.`);
        }
        const holder =
            type.heldBy === undefined
                ? undefined
                : cloud.ofType(type.heldBy.type).find((other) => type.heldBy?.holds(stored.outputs, other.outputs));
        if (holder !== undefined) {
            throw new Error(`${token} ${request.getId()} is still used by ${holder.type}.`);
        }
        cloud.resources.delete(key(token, request.getId()));
        cloud.journal.push(`delete ${token} ${request.getId()}`);
        return new Empty();
    };

    const invoke = (request: proto.InvokeRequest): proto.InvokeResponse => {
        const answer = functions[request.getTok()];
        if (answer === undefined) {
            throw new Error(
                `The test provider knows no function ${request.getTok()}: describe it in test/engine/support/cloud.ts.`,
            );
        }
        const response = new proto.InvokeResponse();
        response.setReturn(write(answer(read(request.getArgs()), cloud.at)));
        return response;
    };

    const configure = (request: proto.ConfigureRequest): proto.ConfigureResponse => {
        const tags = request.getVariablesMap().get("aws:config:defaultTags");
        defaultTags = tags === undefined ? {} : ((JSON.parse(tags) as { tags?: Props }).tags ?? {});
        const response = new proto.ConfigureResponse();
        response.setSupportspreview(true);
        response.setAcceptsecrets(false);
        response.setAcceptresources(false);
        return response;
    };

    const server = new grpc.Server({
        "grpc.max_receive_message_length": 1 << 28,
        "grpc.max_send_message_length": 1 << 28,
    });
    server.addService(ResourceProviderService, {
        attach: unary<plugin.PluginAttach, Empty>(() => new Empty()),
        getPluginInfo: unary<Empty, plugin.PluginInfo>(() => {
            const info = new plugin.PluginInfo();
            info.setVersion("7.48.0");
            return info;
        }),
        getSchema: unary<proto.GetSchemaRequest, proto.GetSchemaResponse>(() => {
            const response = new proto.GetSchemaResponse();
            response.setSchema("{}");
            return response;
        }),
        checkConfig: unary<proto.CheckRequest, proto.CheckResponse>((request) => {
            const response = new proto.CheckResponse();
            response.setInputs(request.getNews());
            return response;
        }),
        diffConfig: unary<proto.DiffRequest, proto.DiffResponse>(() => new proto.DiffResponse()),
        configure: unary(configure),
        check: unary(check),
        diff: unary(diff),
        create: unary(create),
        update: unary(update),
        read: unary(readResource),
        delete: unary(remove),
        invoke: unary(invoke),
        cancel: unary<Empty, Empty>(() => new Empty()),
    } as unknown as grpc.UntypedServiceImplementation);
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error === null ? resolve(bound) : reject(error),
        );
    });
    return { port, stop: () => server.forceShutdown() };
}
