/**
 * Evaluates the stage dev with so many members under mocks. `evaluate.ts <members> [file]` writes what the stage
 * declares to the file, as bench/cdk/app.ts reads it.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { addMembers } from "./members";

const [members, file] = process.argv.slice(2);
addMembers(Number(members));

/* eslint-disable @typescript-eslint/no-require-imports -- only now: they read the members when they are loaded */
const { evaluateStage } = require("../../project/evaluate") as typeof import("../../project/evaluate");
const { loadBundles } = require("../../stacks/bundles") as typeof import("../../stacks/bundles");
/* eslint-enable @typescript-eslint/no-require-imports */

async function main(): Promise<void> {
    const { stage, identity, resources } = await evaluateStage("dev");
    if (file === undefined) {
        return;
    }
    const folder = path.dirname(path.resolve(file));
    const bundles = loadBundles();
    const functions = Object.fromEntries(
        resources
            .filter(({ type }) => type === "aws:lambda/function:Function")
            .map(({ inputs }) => {
                const name = String(inputs.name);
                const code = path.join(folder, name);
                fs.mkdirSync(code, { recursive: true });
                fs.writeFileSync(
                    path.join(code, "index.js"),
                    bundles[name.replace(/^ensemble-dev-/, "") as keyof typeof bundles].code,
                );
                return [name, code];
            }),
    );
    const images = resources
        .filter(({ type }) => type === "docker-build:index:Image")
        .map(({ inputs }) => {
            const context = path.resolve((inputs.context as { location: string }).location);
            const dockerfile = path.resolve((inputs.dockerfile as { location: string }).location);
            return { context, dockerfile: path.relative(context, dockerfile) };
        });
    const archives = resources
        .filter(({ type }) => type === "aws:s3/bucketObjectv2:BucketObjectv2")
        .map(({ inputs }) => {
            const [, model, hash] = String(inputs.key).split("/");
            return path.resolve(`.build/source/${model}-${hash.slice(0, 12)}.tar.gz`);
        });
    fs.writeFileSync(file, JSON.stringify({ stage, identity, resources, functions, images, archives }));
}

void main();
