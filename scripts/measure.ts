/**
 * `npm run measure [-- --write]`: how dense the code is, room by room, read from the syntax trees of the sources.
 * Tests, examples and generated files are left out. With --write the table goes into docs/measures.md.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import ts from "typescript";

const ROOT = path.join(__dirname, "..");
const DOCUMENT = "docs/measures.md";
const SOURCE = /\.(?:ts|mjs|cjs|cts)$/;
const LEFT_OUT = /^(?:test|examples|bench|policy\/bin)\/|\.d\.c?ts$/;
/** A class above it is counted as long. */
const CLASS_LINES = 300;
/** A function above it is counted as complex. */
const COMPLEX = 15;

/** What is counted of one file or of many; figures of the table are ratios of these. */
export interface Counts {
    lines: number;
    codeLines: number;
    commentLines: number;
    above100: number;
    above120: number;
    tokens: number;
    ternaries: number;
    nestedTernaries: number;
    conditionalSpreads: number;
    exported: number;
    documented: number;
    longClasses: number;
    /** Lines of each function that has a block of statements. */
    functionLines: number[];
    /** Cyclomatic complexity of each function. */
    complexities: number[];
}

function nothing(): Counts {
    return {
        lines: 0,
        codeLines: 0,
        commentLines: 0,
        above100: 0,
        above120: 0,
        tokens: 0,
        ternaries: 0,
        nestedTernaries: 0,
        conditionalSpreads: 0,
        exported: 0,
        documented: 0,
        longClasses: 0,
        functionLines: [],
        complexities: [],
    };
}

function sum(all: readonly Counts[]): Counts {
    const total = nothing();
    for (const counts of all) {
        for (const [name, value] of Object.entries(counts)) {
            const key = name as keyof Counts;
            if (Array.isArray(value)) {
                (total[key] as number[]).push(...(value as number[]));
            } else {
                (total[key] as number) += value as number;
            }
        }
    }
    return total;
}

/** Lines on which a token stands, and lines on which only a comment does. */
function countLines(file: ts.SourceFile, counts: Counts): void {
    const code = new Set<number>();
    const scanned = (node: ts.Node): void => {
        const children = node.getChildren(file);
        if (children.length > 0 && !ts.isJSDoc(node)) {
            children.filter((child) => !ts.isJSDoc(child)).forEach(scanned);
            return;
        }
        if (node.kind === ts.SyntaxKind.EndOfFileToken || node.getWidth(file) === 0 || ts.isJSDoc(node)) {
            return;
        }
        counts.tokens += 1;
        const { line: first } = file.getLineAndCharacterOfPosition(node.getStart(file));
        const { line: last } = file.getLineAndCharacterOfPosition(node.end);
        for (let line = first; line <= last; line += 1) {
            code.add(line);
        }
    };
    scanned(file);
    const lines = file.text.split("\n");
    counts.lines += lines.length;
    counts.codeLines += code.size;
    counts.commentLines += lines.filter((text, line) => !code.has(line) && text.trim() !== "").length;
    counts.above100 += lines.filter((text) => text.length > 100).length;
    counts.above120 += lines.filter((text) => text.length > 120).length;
}

/** `x && y`, `x || y`, `x ? y : z`; `x ?? y` is a default, no condition. */
function isConditional(node: ts.Expression): boolean {
    const inner = ts.isParenthesizedExpression(node) ? node.expression : node;
    const operator = ts.isBinaryExpression(inner) ? inner.operatorToken.kind : undefined;
    return (
        ts.isConditionalExpression(inner) ||
        operator === ts.SyntaxKind.AmpersandAmpersandToken ||
        operator === ts.SyntaxKind.BarBarToken
    );
}

const LOGICAL = new Set([
    ts.SyntaxKind.AmpersandAmpersandToken,
    ts.SyntaxKind.BarBarToken,
    ts.SyntaxKind.QuestionQuestionToken,
]);

const BRANCHES = new Set([
    ts.SyntaxKind.IfStatement,
    ts.SyntaxKind.ConditionalExpression,
    ts.SyntaxKind.ForStatement,
    ts.SyntaxKind.ForOfStatement,
    ts.SyntaxKind.ForInStatement,
    ts.SyntaxKind.WhileStatement,
    ts.SyntaxKind.DoStatement,
    ts.SyntaxKind.CaseClause,
    ts.SyntaxKind.CatchClause,
]);

function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
    return ts.isFunctionLike(node) && (node as ts.FunctionLikeDeclaration).body !== undefined;
}

/** Cyclomatic: one more than its branches; those of functions inside are their own. */
function complexityOf(declaration: ts.FunctionLikeDeclaration): number {
    let complexity = 1;
    const visit = (node: ts.Node): void => {
        if (isFunction(node)) {
            return;
        }
        const isLogical = ts.isBinaryExpression(node) && LOGICAL.has(node.operatorToken.kind);
        if (isLogical || BRANCHES.has(node.kind)) {
            complexity += 1;
        }
        ts.forEachChild(node, visit);
    };
    ts.forEachChild(declaration, visit);
    return complexity;
}

function linesOf(file: ts.SourceFile, node: ts.Node): number {
    const { line: first } = file.getLineAndCharacterOfPosition(node.getStart(file));
    return file.getLineAndCharacterOfPosition(node.end).line - first + 1;
}

function isExported(node: ts.Node): boolean {
    return (
        ts.canHaveModifiers(node) &&
        (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    );
}

function isNested(node: ts.ConditionalExpression): boolean {
    const parent = ts.isParenthesizedExpression(node.parent) ? node.parent.parent : node.parent;
    return ts.isConditionalExpression(parent);
}

function countNode(file: ts.SourceFile, node: ts.Node, counts: Counts): void {
    if (ts.isConditionalExpression(node)) {
        counts.ternaries += 1;
        counts.nestedTernaries += isNested(node) ? 1 : 0;
    }
    if (ts.isSpreadAssignment(node) || ts.isSpreadElement(node)) {
        counts.conditionalSpreads += isConditional(node.expression) ? 1 : 0;
    }
    if (ts.isClassLike(node)) {
        counts.longClasses += linesOf(file, node) > CLASS_LINES ? 1 : 0;
    }
    // an arrow with an expression is a value more than a function
    if (isFunction(node) && node.body !== undefined && ts.isBlock(node.body)) {
        counts.functionLines.push(linesOf(file, node));
        counts.complexities.push(complexityOf(node));
    }
}

/** What a file offers, and how much of it says what it is. */
function countExports(file: ts.SourceFile, counts: Counts): void {
    const exported = file.statements.filter(isExported);
    counts.exported += exported.length;
    counts.documented += exported.filter((node) => ts.getJSDocCommentsAndTags(node).length > 0).length;
}

/** Counts of one source text. */
export function measure(name: string, text: string): Counts {
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    const counts = nothing();
    countLines(file, counts);
    countExports(file, counts);
    const visit = (node: ts.Node): void => {
        countNode(file, node, counts);
        ts.forEachChild(node, visit);
    };
    ts.forEachChild(file, visit);
    return counts;
}

function quantile(values: readonly number[], share: number): number {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const COLUMNS: readonly (readonly [title: string, figure: (counts: Counts) => string])[] = [
    ["lines", ({ lines }) => lines.toLocaleString("en")],
    ["tokens a code line", ({ tokens, codeLines }) => (tokens / codeLines).toFixed(1)],
    ["> 100", ({ above100, lines }) => percent(above100, lines)],
    ["> 120", ({ above120, lines }) => percent(above120, lines)],
    ["comment lines", ({ commentLines, lines }) => percent(commentLines, lines)],
    ["ternaries", ({ ternaries, codeLines }) => thousandth(ternaries, codeLines)],
    ["nested", ({ nestedTernaries, codeLines }) => thousandth(nestedTernaries, codeLines)],
    ["cond. spreads", ({ conditionalSpreads, codeLines }) => thousandth(conditionalSpreads, codeLines)],
    [
        "function median / p95 / longest",
        ({ functionLines }) => [0.5, 0.95, 1].map((share) => quantile(functionLines, share)).join(" / "),
    ],
    ["complexity mean", ({ complexities }) => (total(complexities) / Math.max(1, complexities.length)).toFixed(1)],
    [
        `functions above ${COMPLEX}`,
        ({ complexities }) => thousandth(complexities.filter((one) => one > COMPLEX).length, complexities.length),
    ],
    ["exports documented", ({ documented, exported }) => percent(documented, exported)],
    [`classes > ${CLASS_LINES} lines`, ({ longClasses }) => String(longClasses)],
];

function total(values: readonly number[]): number {
    return values.reduce((all, value) => all + value, 0);
}

function percent(part: number, whole: number): string {
    return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}

function thousandth(part: number, whole: number): string {
    return ((1000 * part) / Math.max(1, whole)).toFixed(1);
}

/** Folders that hold nobody's sources: installed, built, or of one machine. */
const NO_SOURCES = /^(?:\..*|node_modules|dist|__pycache__)$/;

/** Source files below a folder, in a checkout and in an unpacked archive alike. */
function* sourcesBelow(folder: string): Generator<string> {
    for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
        const name = path.posix.join(folder, entry.name);
        if (entry.isDirectory() && !NO_SOURCES.test(entry.name)) {
            yield* sourcesBelow(name);
        }
        if (entry.isFile() && SOURCE.test(name)) {
            yield name;
        }
    }
}

/** The sources that are counted, by room. */
export function sourcesByRoom(): Map<string, string[]> {
    const rooms = new Map<string, string[]>();
    for (const file of [...sourcesBelow("")].filter((name) => !LEFT_OUT.test(name)).sort()) {
        const [room = file] = file.split("/");
        rooms.set(room, [...(rooms.get(room) ?? []), file]);
    }
    return rooms;
}

/** The table as Markdown: the whole, then each room. */
export function measureTable(): string {
    const rooms = [...sourcesByRoom()].map(([room, files]) => {
        const counts = files.map((file) => measure(file, readFileSync(path.join(ROOT, file), "utf8")));
        return { room, counts: sum(counts) };
    });
    const rows = [
        { room: "**all**", counts: sum(rooms.map(({ counts }) => counts)) },
        ...rooms.filter(({ counts }) => counts.lines >= 100).sort((a, b) => b.counts.lines - a.counts.lines),
    ];
    return [
        `| room | ${COLUMNS.map(([title]) => title).join(" | ")} |`,
        `|---|${COLUMNS.map(() => "---|").join("")}`,
        ...rows.map(({ room, counts }) => `| ${room} | ${COLUMNS.map(([, figure]) => figure(counts)).join(" | ")} |`),
    ].join("\n");
}

function main(args: readonly string[]): void {
    const table = measureTable();
    if (!args.includes("--write")) {
        process.stdout.write(`${table}\n`);
        return;
    }
    const file = path.join(ROOT, DOCUMENT);
    const written = readFileSync(file, "utf8").replace(
        /(<!-- generated: measures -->\n)[\s\S]*?(<!-- \/generated -->)/,
        (_all, begin: string, end: string) => `${begin}${table}\n${end}`,
    );
    writeFileSync(file, written);
    process.stdout.write(`${DOCUMENT} is written\n`);
}

if (require.main === module) {
    main(process.argv.slice(2));
}
