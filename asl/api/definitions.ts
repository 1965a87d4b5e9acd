/** Definitions as the service takes them: what it refuses, and what else the analysis finds. */
import { analyseText, type Finding } from "../analysis";
import { compile, DefinitionError, type CompiledMachine } from "../interpreter";
import type { JsonObject, StateMachineDefinition } from "../types";
import { statesIn } from "../walk";
import { ServiceError } from "./errors";

/** Types of state machines. */
export type MachineType = "STANDARD" | "EXPRESS";

/** One line of ValidateStateMachineDefinition's answer. */
export interface Diagnostic {
    /** `ERROR`: a state machine with this definition is refused. `WARNING`: AWS takes it. */
    readonly severity: "ERROR" | "WARNING";
    readonly code: string;
    readonly message: string;
    /** `/States/<state>/<field>`. */
    readonly location: string;
}

/** Seconds after which an Express execution has timed out. Source: Step Functions Developer Guide, "Quotas". */
const EXPRESS_SECONDS = 300;

/**
 * What is wrong with a definition: errors are what AWS refuses at creation, warnings what the analysis finds besides,
 * under the names of its rules.
 */
export function diagnosticsOf(definition: string, type: MachineType): readonly Diagnostic[] {
    const found = analyseText(definition).map(diagnosticOf);
    const express = type === "EXPRESS" ? expressDiagnostics(definition) : [];
    const all = [...express, ...found];
    const isError = ({ severity }: Diagnostic): boolean => severity === "ERROR";
    return [...all.filter(isError), ...all.filter((diagnostic) => !isError(diagnostic))];
}

function diagnosticOf({ rule, consequence, message, path, counterExampleText }: Finding): Diagnostic {
    const isRefused = consequence === "refused";
    const location = `/${path}`;
    const way = counterExampleText === undefined ? "" : ` Way: ${counterExampleText}`;
    if (!isRefused) {
        return { severity: "WARNING", code: codeOf(rule), message: `${message}${way}`, location };
    }
    return { severity: "ERROR", code: refusalCode(rule), message, location };
}

/** `failure-swallowed` -> `FAILURE_SWALLOWED`. */
function codeOf(rule: string): string {
    return rule.replaceAll("-", "_").toUpperCase();
}

function refusalCode(rule: string): string {
    return rule === "json-syntax" ? "INVALID_JSON_DESCRIPTION" : "SCHEMA_VALIDATION_FAILED";
}

/** What an Express machine must not have. */
function expressDiagnostics(definition: string): Diagnostic[] {
    const found: Diagnostic[] = [];
    for (const { path, resource } of resourcesIn(definition)) {
        const [pattern] = /\.(?:sync(?=$|:)|waitForTaskToken$)/.exec(resource) ?? [];
        const isActivity = /^arn:[^:]*:states:[^:]*:[^:]*:activity:/.test(resource);
        if (pattern !== undefined || isActivity) {
            const what = isActivity ? "Activity ARN" : `'${pattern}' service integration`;
            const message = `Express state machine does not support ${what}`;
            found.push({ severity: "ERROR", code: "SCHEMA_VALIDATION_FAILED", message, location: path });
        }
    }
    return found;
}

function resourcesIn(definition: string): readonly { readonly path: string; readonly resource: string }[] {
    try {
        return statesIn(JSON.parse(definition)).flatMap(({ path, state }) => {
            const { Resource: resource } = (state ?? {}) as { readonly Resource?: unknown };
            return typeof resource === "string" ? [{ path: `/${path}/Resource`, resource }] : [];
        });
    } catch {
        // no JSON, which the analysis has said
        return [];
    }
}

/**
 * A definition that can run.
 * @throws ServiceError InvalidDefinition with everything that AWS would refuse.
 */
export function compiled(definition: string, type: MachineType): CompiledMachine {
    const errors = diagnosticsOf(definition, type).filter(({ severity }) => severity === "ERROR");
    if (errors.length > 0) {
        throw invalidDefinition(errors.map(({ code, message, location }) => `${code}: ${message} at ${location}`));
    }
    try {
        const parsed = JSON.parse(definition) as StateMachineDefinition;
        return compile(type === "EXPRESS" ? withinExpress(parsed) : parsed);
    } catch (error) {
        if (error instanceof DefinitionError || error instanceof SyntaxError) {
            throw invalidDefinition([error.message]);
        }
        throw error;
    }
}

function withinExpress(definition: StateMachineDefinition): StateMachineDefinition {
    return { ...definition, TimeoutSeconds: Math.min(definition.TimeoutSeconds ?? EXPRESS_SECONDS, EXPRESS_SECONDS) };
}

function invalidDefinition(problems: readonly string[]): ServiceError {
    return new ServiceError("InvalidDefinition", `Invalid State Machine Definition: '${problems.join(", ")}'`);
}

/** What a request to ValidateStateMachineDefinition may say. */
export interface ValidateRequest {
    readonly definition: string;
    readonly type?: MachineType;
    /** Least severity that is told. Default: `ERROR`. */
    readonly severity?: "ERROR" | "WARNING";
    /** 0 to 100; 0 is 100. */
    readonly maxResults?: number;
}

/** The answer of ValidateStateMachineDefinition. */
export function validateDefinition(request: ValidateRequest): JsonObject {
    const { definition, type = "STANDARD", severity = "ERROR", maxResults = 0 } = request;
    const all = diagnosticsOf(definition, type);
    const told = severity === "WARNING" ? all : all.filter((diagnostic) => diagnostic.severity === "ERROR");
    const most = maxResults === 0 ? 100 : maxResults;
    return {
        result: all.some((diagnostic) => diagnostic.severity === "ERROR") ? "FAIL" : "OK",
        diagnostics: told.slice(0, most).map((diagnostic) => ({ ...diagnostic })),
        truncated: told.length > most,
    };
}
