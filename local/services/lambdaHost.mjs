/**
 * Runs one invocation of a function's bundle, as Lambda's runtime does: node lambdaHost.mjs BUNDLE HANDLER EVENT RESULT
 * CONTEXT The answer goes to a file, because a function's standard output is its log.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [bundle, handlerName, eventFile, resultFile, contextText] = process.argv.slice(2);
const context = JSON.parse(contextText);
const deadline = Date.now() + context.timeoutMs;

function report(error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`${thrown.stack}\n`);
    writeFileSync(
        resultFile,
        JSON.stringify({
            error: {
                errorType: thrown.name,
                errorMessage: thrown.message,
                trace: (thrown.stack ?? "").split("\n"),
            },
        }),
    );
}

try {
    const loaded = await import(pathToFileURL(bundle).href);
    const handler = loaded[handlerName] ?? loaded.default?.[handlerName];
    if (typeof handler !== "function") {
        throw Object.assign(new Error(`${handlerName} is undefined or not exported`), {
            name: "Runtime.HandlerNotFound",
        });
    }
    const value = await handler(JSON.parse(readFileSync(eventFile, "utf8")), {
        ...context,
        getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    });
    writeFileSync(resultFile, JSON.stringify({ value: value === undefined ? null : value }));
} catch (error) {
    report(error);
}
