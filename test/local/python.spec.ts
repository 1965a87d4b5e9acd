import assert from "node:assert/strict";
import { pythonArgument } from "../../local/training/python";

describe("local/training/python: a hyperparameter as the toolkit hands it to a script", () => {
    // left: the string in hyperparameters.json; right: str(json.loads(string)), or the string itself where that fails
    const cases: readonly (readonly [string, string])[] = [
        ["80", "80"],
        ["1.0", "1.0"],
        ["0.0001", "0.0001"],
        ["0.00001", "1e-05"],
        ["1e-7", "1e-07"],
        ["1e5", "100000.0"],
        ["1.5e16", "1.5e+16"],
        ["12345678901234567890", "12345678901234567890"],
        ["true", "True"],
        ["null", "None"],
        ['"gru"', "gru"],
        ["gru", "gru"],
        ['"5"', "5"],
        ["s3://bucket/key", "s3://bucket/key"],
        ['[1, "a", false]', "[1, 'a', False]"],
        ['{"b": 1, "a": "x"}', "a=x,b=1"],
        ["", ""],
    ];
    for (const [text, expected] of cases) {
        it(`${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () => {
            assert.equal(pythonArgument(text), expected);
        });
    }
});
