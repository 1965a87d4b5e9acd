import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { TAGGABLE } from "../../policy/lib/taggable";

const sdk = path.dirname(require.resolve("@pulumi/aws/package.json"));

describe("the list of types that take tags", () => {
    for (const type of TAGGABLE) {
        it(`${type} takes tags by the provider's own declarations`, () => {
            const [, module] = type.split(":");
            const declaration = readFileSync(path.join(sdk, `${module}.d.ts`), "utf8");
            assert.match(declaration.slice(declaration.indexOf("Args {")), /^\s+tags\?: /m);
        });
    }
});
