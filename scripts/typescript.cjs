/**
 * `node -r ./scripts/typescript.cjs`: reads TypeScript in this process. esbuild strips the types of some hundred files
 * in a tenth of a second and without the compiler's memory; ts-node takes three. Types are checked by
 * `npm run typecheck`, not at every start.
 */
/* eslint-disable @typescript-eslint/no-require-imports -- it is there before any module is read */
const { readFileSync } = require("node:fs");
const { transformSync } = require("esbuild");

require.extensions[".ts"] = (module, filename) =>
    module._compile(
        transformSync(readFileSync(filename, "utf8"), {
            loader: "ts",
            format: "cjs",
            target: "node20",
            sourcemap: "inline",
            sourcefile: filename,
        }).code,
        filename,
    );
process.setSourceMapsEnabled(true);
