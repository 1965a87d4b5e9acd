import stylistic from "@stylistic/eslint-plugin";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["node_modules/", ".build/", ".local/", ".venv/", "dist/", "docs/api/", "policy/bin/", ".cache/"] },
    ...tseslint.configs.recommended,
    {
        plugins: { "@stylistic": stylistic },
        rules: {
            "@stylistic/quotes": ["error", "double", { avoidEscape: true, allowTemplateLiterals: "always" }],
            "@stylistic/semi": ["error", "always"],
            "@stylistic/indent": ["error", 4, { SwitchCase: 1 }],
            "@stylistic/comma-dangle": ["error", "always-multiline"],
            "@stylistic/max-len": ["error", { code: 140, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
            "@stylistic/no-trailing-spaces": "error",
            "@stylistic/eol-last": "error",
            curly: ["error", "all"],
            eqeqeq: "error",
            "no-var": "error",
            "prefer-const": "error",
            "default-case-last": "error",
            "guard-for-in": "error",
            "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
        },
    },
);
