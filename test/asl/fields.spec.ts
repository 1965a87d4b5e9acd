import assert from "node:assert/strict";
import { namesOf, STATE_FIELDS, MAP_PARTS } from "../../asl/fields";
import { compile, DefinitionError } from "../../asl/interpreter/index";
import { machine } from "./interpreter/helpers";

describe("the table of fields", () => {
    it("gives JSONPath states no field of JSONata and the other way round", () => {
        for (const fields of Object.values(STATE_FIELDS)) {
            const [path, jsonata] = [namesOf(fields, "JSONPath"), namesOf(fields, "JSONata")];
            assert.ok(!path.has("Output") && !path.has("Arguments"));
            assert.ok(!jsonata.has("InputPath") && !jsonata.has("ResultPath") && !jsonata.has("TimeoutSecondsPath"));
            assert.ok(path.has("Comment") && jsonata.has("Type"));
        }
    });

    it("is what the interpreter refuses by: every value that is not simulated, with the reason", () => {
        let refused = 0;
        for (const [name, { fields, inside }] of Object.entries(MAP_PARTS)) {
            for (const [field, { notSimulated }] of Object.entries(fields)) {
                for (const [value, why] of Object.entries(notSimulated ?? {})) {
                    const part = { [name]: { [field]: value } };
                    const whole = inside === undefined ? part : { [inside]: part };
                    const map = {
                        Type: "Map",
                        ItemProcessor: { StartAt: "P", States: { P: { Type: "Pass", End: true } } },
                        End: true,
                        ...whole,
                    };
                    assert.throws(
                        () => compile(machine({ M: map })),
                        (error) => error instanceof DefinitionError && error.message.includes(why),
                    );
                    refused += 1;
                }
            }
        }
        assert.ok(refused > 0);
    });
});
