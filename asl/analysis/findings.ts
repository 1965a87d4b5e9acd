/**
 * What the analysis reports, and how a rule describes itself.
 */

/** "info" never fails a check: it states something that was declared on purpose, such as a tolerated failure. */
export type Severity = "error" | "warning" | "info";

/** What a rule is about. */
export type RuleGroup = "structure" | "failure" | "variables" | "loops" | "jobs";

/**
 * What AWS does about it. "refused": CreateStateMachine refuses the definition. "fails": AWS takes the definition, and an execution
 * that gets there fails. "advice": AWS runs it as it is written, which is hardly what was meant.
 */
export type Consequence = "refused" | "fails" | "advice";

/** One state on the way of a counter-example, and how it is left. */
export interface Step {
    /** The state's name. "..." stands for states that were left out of a very long way. */
    readonly state: string;
    /** The state's path, as in Finding.path. */
    readonly path: string;
    /** How the execution leaves this state. "enter" goes into a branch or iteration, "exit" ends one and continues behind it. */
    readonly leaves: "next" | "choice" | "default" | "error" | "enter" | "exit" | "end" | "fail" | "elided";
    /** For "error": the error's name; none for a failure without a name. For "fail": none. */
    readonly error?: string;
    /** For "choice": the index of the rule that is taken. For "enter": the index of the branch. */
    readonly index?: number;
}

/** Something that is wrong with a definition. */
export interface Finding {
    /** Name of the rule; see `rules`. */
    readonly rule: string;
    readonly severity: Severity;
    readonly consequence: Consequence;
    /** Where, like a JSON pointer without its first slash: `States/Base Model Training/Branches/0/States/Train`. "" is the top. */
    readonly path: string;
    /** Name of the state that the path lies in. */
    readonly state?: string;
    /** What is wrong, what was expected, and what to do. */
    readonly message: string;
    /** The shortest way on which it happens. */
    readonly counterExample?: readonly Step[];
    /** The same for people: `Setup -> Train -(States.TaskFailed)-> Done: the execution SUCCEEDS`. */
    readonly counterExampleText?: string;
    /** 1-based position, when a text was analysed. */
    readonly line?: number;
    readonly column?: number;
}

/** What is known of a rule without running it. */
export interface RuleMetadata {
    readonly name: string;
    readonly group: RuleGroup;
    /** Severity of a finding unless the rule says otherwise for a case. */
    readonly severity: Severity;
    /** What AWS does, unless the rule says otherwise for a case. */
    readonly consequence: Consequence;
    /** One line: what the rule demands. */
    readonly summary: string;
    /** Why: what happens on AWS otherwise. */
    readonly rationale: string;
    /** A fragment that the rule reports. */
    readonly bad: string;
    /** The fragment put right. */
    readonly good: string;
    readonly links: readonly string[];
}

/** A finding as a rule reports it: what is left out is the rule's own. */
export type Reported = Omit<Finding, "severity" | "consequence"> & Partial<Pick<Finding, "severity" | "consequence">>;

/** Collects findings; a disabled rule costs nothing and says nothing. */
export class Reporter {
    readonly findings: Finding[] = [];
    private readonly disabled: ReadonlySet<string>;
    private readonly rules: ReadonlyMap<string, RuleMetadata>;
    private readonly seen = new Set<string>();

    constructor(disabled: readonly string[], rules: readonly RuleMetadata[]) {
        this.disabled = new Set(disabled);
        this.rules = new Map(rules.map((rule) => [rule.name, rule]));
    }

    enabled(rule: string): boolean {
        return !this.disabled.has(rule);
    }

    add(finding: Reported): void {
        const rule = this.rules.get(finding.rule);
        if (rule === undefined) {
            throw new Error(`The rule ${finding.rule} has no metadata in asl/analysis/rules.ts.`);
        }
        if (this.disabled.has(finding.rule)) {
            return;
        }
        const key = `${finding.rule}\0${finding.path}\0${finding.message}`;
        if (this.seen.has(key)) {
            return;
        }
        this.seen.add(key);
        const { severity = rule.severity, consequence = rule.consequence } = finding;
        this.findings.push({ ...finding, severity, consequence });
    }
}

/** Who fails a task by its token may give the failure no name. */
const NAMELESS = "a failure without a name";

const leaving = (step: Step): string => {
    switch (step.leaves) {
        case "error":
            return ` -(${step.error ?? NAMELESS})-> `;
        case "choice":
            return step.index === undefined ? " -> " : ` -[rule ${step.index + 1}]-> `;
        case "default":
            return " -[Default]-> ";
        default:
            return " -> ";
    }
};

/** A counter-example as one line, with what it ends in. */
export function describeSteps(steps: readonly Step[], outcome: string): string {
    let text = "";
    steps.forEach((step, index) => {
        text += step.state;
        if (index < steps.length - 1) {
            text += leaving(step);
        } else if (step.leaves === "error") {
            text += ` -(${step.error ?? NAMELESS})`;
        }
    });
    return text === "" ? outcome : `${text}: ${outcome}`;
}
