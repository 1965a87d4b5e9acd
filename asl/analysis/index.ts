/**
 * Analysis of state machines written in Amazon States Language: structure, and the proof that no failure ends in
 * silence. It takes any definition, never throws, and needs neither AWS nor the network. See RULES.md for the rules.
 */
import { MAXIMUM_DEFINITION_BYTES } from "../../ground/awsLimits";
import type { Context } from "./context";
import { checkData } from "./data";
import { checkFailureFlow } from "./failure";
import { defaultNotification } from "./notification";
import { Reporter, type Finding } from "./findings";
import { isFields, type Fields } from "./definition";
import { buildGraph } from "./graph";
import { checkJobs } from "./jobs";
import { Expressions } from "./jsonata";
import { checkLoops } from "./loops";
import { checkMessages } from "./messages";
import { rules } from "./rules";
import { checkStructure, show } from "./structure";
import { deepest, readJson } from "./text";
import { checkTiming } from "./timing";
import { checkTotality } from "./totality";
import { assignedNames } from "./assignments";
import { checkVariables } from "./variableRules";
import { Variables } from "./variables";
import { Ways } from "./ways";

export { describeSteps } from "./findings";
export type { Consequence, Finding, RuleGroup, RuleMetadata, Severity, Step } from "./findings";
export { defaultNotification } from "./notification";
export { rules } from "./rules";
export { readJson } from "./text";

/** What the analysis accepts and leaves out. */
export interface AnalysisOptions {
    /**
     * What the state machine is created as; default STANDARD. EXPRESS supports no waiting for jobs, tokens and
     * activities.
     */
    readonly type?: "STANDARD" | "EXPRESS";
    /**
     * "declared" (default): a failure may be recorded for a join by a Pass whose Comment begins
     * `records-failure-for: <join state>`.
     * "forbidden": every failure ends in a Fail.
     */
    readonly tolerance?: "declared" | "forbidden";
    /** Names of rules that are not checked. */
    readonly disable?: readonly string[];
    /**
     * Integrations that count as telling somebody; default sns:publish, sqs:sendMessage, events:putEvents.
     * "lambda:<function name>" makes a function one.
     */
    readonly notification?: readonly string[];
    /**
     * Where a rule on failed executions leaves out errors that begin so, because they have been told: a Fail's Error
     * begins with it exactly where a notification went out before. Not checked by default.
     */
    readonly notifiedPrefix?: string;
}

/**
 * Analyses a definition.
 *
 * @param definition the definition as a value; anything else is reported, not thrown
 * @returns what was found: in the order of the definition's states, errors before warnings at the same place
 */
export function analyse(definition: unknown, options: AnalysisOptions = {}): Finding[] {
    const report = new Reporter(options.disable ?? [], rules);
    if (!isFields(definition)) {
        report.add({
            rule: "not-a-definition",
            path: "",
            message: `A definition is an object with StartAt and States, got ${show(definition)}.`,
        });
        return report.findings;
    }
    try {
        run(definition, options, report);
    } catch (error) {
        // A definition that breaks a rule's code must not pass as one without findings.
        report.add({
            rule: "not-analysed",
            path: "",
            message: `The analysis stopped: ${error instanceof Error ? error.message : String(error)}.`,
        });
    }
    return report.findings;
}

function run(definition: Fields, options: AnalysisOptions, report: Reporter): void {
    const refused = unfit(definition);
    if (refused !== undefined) {
        report.add({
            rule: "not-a-definition",
            path: "",
            message: `The definition ${refused}: it cannot be deployed, and nothing in it was checked.`,
        });
        return;
    }
    const bytes = Buffer.byteLength(JSON.stringify(definition) ?? "");
    if (bytes > MAXIMUM_DEFINITION_BYTES) {
        report.add({
            rule: "definition-too-large",
            path: "",
            message:
                `The definition has ${bytes.toLocaleString("en")} bytes as compact JSON; ` +
                `AWS takes at most ${MAXIMUM_DEFINITION_BYTES.toLocaleString("en")}.`,
        });
    }
    const graph = buildGraph(definition);
    const context: Context = {
        graph,
        report,
        expressions: new Expressions(),
        assigned: assignedNames(graph),
        settings: {
            type: options.type ?? "STANDARD",
            tolerance: options.tolerance ?? "declared",
            notification: options.notification ?? defaultNotification,
            notifiedPrefix: options.notifiedPrefix,
        },
    };
    const ways = new Ways();
    checkStructure(context);
    const variables = new Variables(graph, context.expressions);
    checkFailureFlow(context, ways, variables);
    checkMessages(context, ways, variables);
    checkVariables(context, ways, variables);
    checkTotality(context, ways, variables);
    checkData(context, ways);
    checkLoops(context, ways, variables);
    checkJobs(context, ways, variables);
    checkTiming(context, variables);
}

/**
 * Analyses the text of a definition (JSON). Findings carry line and column; a text that is no JSON yields one finding.
 */
export function analyseText(text: string, options: AnalysisOptions = {}): Finding[] {
    const document = readJson(text);
    const report = new Reporter(options.disable ?? [], rules);
    document.problems.forEach((problem) => report.add(problem));
    if (document.value === undefined) {
        return report.findings;
    }
    const found = analyse(document.value, options).map((finding) => ({
        ...finding,
        ...document.position(finding.path),
    }));
    return [...report.findings, ...found];
}

/** More values than this are not looked at; a definition of AWS's greatest size has fewer. */
const mostValues = 2_000_000;

/** Why a value cannot be a definition: nested too deep (also when it contains itself), or too large by far. */
function unfit(definition: Fields): string | undefined {
    const work: { value: object; depth: number }[] = [{ value: definition, depth: 0 }];
    let count = 0;
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
        if (item.depth > deepest) {
            return `is nested more than ${deepest} deep, or contains itself`;
        }
        const children: readonly unknown[] = Object.values(item.value);
        count += children.length;
        if (count > mostValues) {
            return `holds more than ${mostValues.toLocaleString("en")} values`;
        }
        for (const child of children) {
            if (typeof child === "object" && child !== null) {
                work.push({ value: child, depth: item.depth + 1 });
            }
        }
    }
    return undefined;
}
