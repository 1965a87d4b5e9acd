/** `npm test`: installs what is missing, then runs mocha with the given arguments. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { bootstrap, guarded, root } from "./bootstrap.mjs";

await guarded(async () => {
    await bootstrap();
    const mocha = createRequire(path.join(root, "package.json")).resolve("mocha/bin/mocha.js");
    const child = spawn(process.execPath, [mocha, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
    process.exitCode = await new Promise((resolve) => {
        child.on("close", (code, signal) => resolve(signal ? 1 : code));
    });
});
