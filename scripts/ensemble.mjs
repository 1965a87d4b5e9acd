#!/usr/bin/env node
/**
 * The `ensemble` tool out of a checkout: installs what is missing, then runs cli/ in this very process, so that
 * Ctrl-C reaches exactly one program. `npm start` is `ensemble local`.
 */
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { bootstrap, guarded, root } from "./bootstrap.mjs";

await guarded(async () => {
    await bootstrap();
    // Node 20 is what the AWS SDK warns about until 2027; the warning is about a future version, not about this run
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const require = createRequire(path.join(root, "package.json"));
    require("./scripts/typescript.cjs");
    await require(path.join(root, "cli", "ensemble.ts")).main(process.argv);
});
