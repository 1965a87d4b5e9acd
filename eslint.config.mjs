import stylistic from "@stylistic/eslint-plugin";
import sonarjs from "eslint-plugin-sonarjs";
import tseslint from "typescript-eslint";
import house from "./scripts/eslint/house.mjs";

/** A function fits a screen. One that is a list (of resources, rules, cases) says so: eslint-disable with the reason. */
const FUNCTION_LINES = 60;

export default tseslint.config(
    { ignores: ["node_modules/", ".build/", ".local/", ".venv/", "**/dist/", "docs/api/", "policy/bin/", ".cache/"] },
    ...tseslint.configs.recommended,
    {
        linterOptions: { reportUnusedDisableDirectives: "error" },
        plugins: { "@stylistic": stylistic, sonarjs, house },
        rules: {
            "curly": ["error", "all"],
            "eqeqeq": "error",
            "no-var": "error",
            "prefer-const": "error",
            "default-case-last": "error",
            "guard-for-in": "error",
            "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
            // what stands in a line: all of it counts, also texts, templates, regular expressions and comments
            "@stylistic/max-len": ["error", { code: 120, tabWidth: 4 }],
            "no-nested-ternary": "error",
            "no-plusplus": "error",
            "arrow-body-style": ["error", "as-needed"],
            "prefer-arrow-callback": ["error", { allowNamedFunctions: true }],
            "sonarjs/cognitive-complexity": ["error", 15],
            "house/no-conditional-spread": "error",
            "house/max-class-lines": ["error", 300],
            "house/constant-case": "error",
            "house/file-name": "error",
        },
    },
    {
        ignores: ["test/**", "**/*.spec.ts"],
        rules: {
            "max-lines-per-function": ["error", { max: FUNCTION_LINES, skipBlankLines: true, skipComments: true }],
        },
    },
);
