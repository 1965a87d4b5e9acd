import { strict as assert } from "node:assert";
import { renderDefinition } from "../../workflow";
import { stageSettings, targets } from "./fixtures";

describe("renderDefinition", () => {
    it("gives the same bytes for the same settings and targets", () => {
        const bytes = () => JSON.stringify(renderDefinition(stageSettings("prod"), targets("prod")));
        assert.equal(bytes(), bytes());
    });
});
