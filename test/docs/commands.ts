/** Finds every command that the documents and the workflows of the CI tell their reader to run. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { lexer, walkTokens, type Token, type Tokens } from "marked";
import { parse as words } from "shell-quote";
import { parse as yaml } from "yaml";

export const root = path.resolve(__dirname, "../..");

export interface DocumentedCommand {
    /** As {@link canonical} writes it; one of an example with the example's folder in brackets before it. */
    readonly text: string;
    /** Where it stands, for messages. */
    readonly file: string;
}

/** What an inline piece of code must begin with to be a command. */
const PROGRAMS =
    /^(?:npm|npx|node|ensemble|asl-check|pulumi|bash|aws|docker|git|gh|mocha|python3?|\.venv\/bin\/\w+|pip|apt-get|curl|go) \S/;
/** Assignments before a command: `UPDATE_GOLDEN=1 npx mocha`. */
const ASSIGNMENTS = /^(?:[A-Z_][A-Z0-9_]*=(?:"[^"]*"|\S*) )+/;
const SKIPPED = new Set(["node_modules", "dist", "bin", "coverage"]);

/** Every document of the project, as paths from its root. */
export function documents(folder = ""): string[] {
    return readdirSync(path.join(root, folder), { withFileTypes: true })
        .flatMap((entry) => {
            const file = path.posix.join(folder, entry.name);
            if (entry.isDirectory()) {
                return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : documents(file);
            }
            return entry.name.endsWith(".md") ? [file] : [];
        })
        .sort();
}

/** Fenced blocks without a language: nobody can tell a command from its output there. */
export function unlabelled(file: string): string[] {
    return blocks(read(file))
        .filter(({ lang }) => lang === undefined || lang === "")
        .map(({ text }) => text.split("\n")[0]);
}

/** The commands of a document: lines of its shell blocks, prompts and examples of its console blocks, inline code. */
export function commandsOf(file: string): DocumentedCommand[] {
    const text = read(file);
    const found = [
        ...blocks(text).flatMap(({ lang, text: body }) =>
            lang === "sh" || lang === "bash" ? script(body) : lang === "console" ? session(body) : [],
        ),
        ...indented(text)
            .flatMap(script)
            .filter((line) => PROGRAMS.test(line.replace(ASSIGNMENTS, ""))),
        ...spans(text).filter((span) => PROGRAMS.test(span.replace(ASSIGNMENTS, ""))),
    ];
    // an example is a project of its own
    const own = file.startsWith("examples/") ? `(${path.posix.dirname(file)}) ` : "";
    return found.map((command) => ({ text: `${own}${canonical(command)}`, file }));
}

interface WorkflowJob {
    readonly steps?: readonly { readonly run?: string }[];
    readonly strategy?: { readonly matrix?: { readonly include?: readonly { readonly run?: string }[] } };
}

/** What a job's steps run; where a matrix says it, for each of its entries. */
function runsOf({ steps = [], strategy }: WorkflowJob): string[] {
    const entries = (strategy?.matrix?.include ?? []).map(({ run = "" }) => run);
    return steps.flatMap(({ run }) => {
        if (run === undefined) {
            return [];
        }
        return run === "${{ matrix.run }}" ? entries : [run];
    });
}

/** The lines of every `run:` step of the CI's workflows, dev in place of the stage. */
export function workflowCommands(): DocumentedCommand[] {
    const folder = ".github/workflows";
    return readdirSync(path.join(root, folder))
        .map((name) => `${folder}/${name}`)
        .flatMap((file) => {
            const { jobs } = yaml(read(file)) as { readonly jobs: Readonly<Record<string, WorkflowJob>> };
            return Object.values(jobs)
                .flatMap(runsOf)
                .flatMap(script)
                .map((text) => ({
                    text: canonical(text.replace(/\$\{\{ (?:matrix|inputs)\.stage \}\}/g, "dev")),
                    file,
                }));
        });
}

/**
 * One way to write a command that has several: `ensemble X` for npx, for the npm script and for `npm start`; no
 * comment.
 */
function canonical(command: string): string {
    return command
        .replace(/\s+#\s.*$/, "")
        .trim()
        .replace(/^npm run (?:--silent )?ensemble --(?= )|^npx ensemble(?= )/, "ensemble")
        .replace(/^npm start --(?= )/, "ensemble local")
        .replace(/^npm run (?:--silent|-s) /, "npm run ")
        .replace(/^npx asl-check(?= )|^npm run asl-check --(?= )/, "asl-check");
}

/** The words of a command as a shell would hand them over, `<placeholders>` as VALUE; operators and comments end it. */
export function argumentsOf(command: string): string[] {
    const parts = words(command.replace(/<[^<>]+>/g, "VALUE"), (name) => `$${name}`);
    const end = parts.findIndex((part) => typeof part === "object" && !("pattern" in part));
    return parts
        .slice(0, end < 0 ? undefined : end)
        .map((part) => (typeof part === "string" ? part : "pattern" in part ? part.pattern : ""));
}

function read(file: string): string {
    return readFileSync(path.join(root, file), "utf8");
}

function tokens(text: string): Token[] {
    const found: Token[] = [];
    walkTokens(lexer(text), (token) => void found.push(token));
    return found;
}

function blocks(text: string): Tokens.Code[] {
    return tokens(text).filter(
        (token): token is Tokens.Code => token.type === "code" && token.codeBlockStyle !== "indented",
    );
}

function indented(text: string): string[] {
    return tokens(text)
        .filter((token): token is Tokens.Code => token.type === "code" && token.codeBlockStyle === "indented")
        .map(({ text: body }) => body);
}

function spans(text: string): string[] {
    return tokens(text)
        .filter((token) => token.type === "codespan")
        .map((token) => (token as Tokens.Codespan).text.replaceAll("\\|", "|"));
}

function script(body: string): string[] {
    return body
        .replace(/\\\n\s*/g, "")
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"));
}

function session(body: string): string[] {
    return body.split("\n").flatMap((line) => {
        const command =
            /^\$ (.+)$/.exec(line)?.[1] ?? /^ {2}((?:npm|npx|aws|pulumi|ensemble|source|alias) .+)$/.exec(line)?.[1];
        return command === undefined ? [] : [command];
    });
}
