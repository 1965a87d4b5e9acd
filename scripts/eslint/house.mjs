/** ESLint rules of this project's own: what its style asks for and no published rule checks. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** `...(x !== undefined && { x })`: an object's shape that can be read only by playing the conditions through. */
const noConditionalSpread = {
    meta: {
        type: "suggestion",
        schema: [],
        messages: {
            conditional: "Spread of a condition: name the value in a statement, or build the object in steps.",
        },
    },
    create(context) {
        return {
            SpreadElement({ argument, loc }) {
                // `...(x ?? [])` is a default, no condition
                const isLogical = argument.type === "LogicalExpression" && argument.operator !== "??";
                if (isLogical || argument.type === "ConditionalExpression") {
                    context.report({ loc, messageId: "conditional" });
                }
            },
        };
    },
};

/** A class that does not fit into the head; what it consists of can be tested alone. */
const maxClassLines = {
    meta: {
        type: "suggestion",
        schema: [{ type: "integer", minimum: 1 }],
        messages: { long: "This class has {{lines}} lines; at most {{most}} are allowed. Cut it into parts." },
    },
    create(context) {
        const most = context.options[0] ?? 300;
        return {
            ":matches(ClassDeclaration, ClassExpression)"(node) {
                const lines = node.loc.end.line - node.loc.start.line + 1;
                if (lines > most) {
                    context.report({ node, messageId: "long", data: { lines, most } });
                }
            },
        };
    },
};

const isFixed = (node) => {
    switch (node?.type) {
        case "Literal":
            return node.regex === undefined;
        case "UnaryExpression":
            return isFixed(node.argument);
        case "BinaryExpression":
            return isFixed(node.left) && isFixed(node.right);
        default:
            return false;
    }
};

/** A number or text that is fixed at the top of a file is a constant and is written as one. */
const constantCase = {
    meta: {
        type: "suggestion",
        schema: [],
        messages: { name: "`{{name}}` is a fixed value: constants are written in UPPER_CASE." },
    },
    create(context) {
        return {
            "Program > :matches(VariableDeclaration, ExportNamedDeclaration > VariableDeclaration)[kind='const']"(
                node,
            ) {
                for (const { id, init } of node.declarations) {
                    if (id.type === "Identifier" && isFixed(init) && !/^[A-Z][A-Z0-9_]*$/.test(id.name)) {
                        context.report({ node: id, messageId: "name", data: { name: id.name } });
                    }
                }
            },
        };
    },
};

/** camelCase.ts, and what stands behind a dot (`spec`, `config`, `d`) in lower case. */
const fileName = {
    meta: {
        type: "suggestion",
        schema: [],
        messages: { name: "Files are named in camelCase: `{{name}}` is not." },
    },
    create(context) {
        return {
            Program(node) {
                const name = path.basename(context.filename);
                if (!/^\.?[a-z][A-Za-z0-9]*(?:\.[a-z]+)+$/.test(name)) {
                    context.report({ node, loc: { line: 1, column: 0 }, messageId: "name", data: { name } });
                }
            },
        };
    },
};

/** A rule that changed judges anew: ESLint's cache goes by the plug-in's version. */
const version = createHash("sha256")
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .digest("hex");

export default {
    meta: { name: "house", version },
    rules: {
        "no-conditional-spread": noConditionalSpread,
        "max-class-lines": maxClassLines,
        "constant-case": constantCase,
        "file-name": fileName,
    },
};
