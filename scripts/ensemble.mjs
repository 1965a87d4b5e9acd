#!/usr/bin/env node
/**
 * The `ensemble` tool out of a checkout: installs what is missing, then runs cli/ in this very process, so that
 * Ctrl-C reaches exactly one program. `npm start` is `ensemble local`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { bootstrap, guarded, root } from "./bootstrap.mjs";

await guarded(async () => {
    await bootstrap();
    // Node 20 is what the AWS SDK warns about until 2027; the warning is about a future version, not about this run
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const require = createRequire(path.join(root, "package.json"));
    const { transformSync } = require("esbuild");
    // esbuild strips the types of some hundred files in a tenth of a second; ts-node takes four, at every start
    require.extensions[".ts"] = (module, filename) => module._compile(transformSync(readFileSync(filename, "utf8"), {
        loader: "ts", format: "cjs", target: "node20", sourcemap: "inline", sourcefile: filename,
    }).code, filename);
    process.setSourceMapsEnabled(true);
    await require(path.join(root, "cli", "ensemble.ts")).main(process.argv);
});
