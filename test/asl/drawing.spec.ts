import assert from "node:assert/strict";
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { toDot, toMermaid } from "../../asl/drawing";
import type { StateMachineDefinition } from "../../asl/types";

const definition: StateMachineDefinition = {
    StartAt: "Train?",
    States: {
        "Train?": {
            Type: "Choice",
            Choices: [{ Condition: '{% $x = "a" %}', Next: "Both" }],
            Default: "Done",
        },
        "Both": {
            Type: "Parallel",
            Branches: [{ StartAt: "Left", States: { Left: { Type: "Pass", End: true } } }],
            Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
            Next: "Done",
        },
        "Done": { Type: "Succeed" },
        "Failed": { Type: "Fail", Error: "E", Cause: "C" },
    },
};

describe("a definition as a Mermaid flowchart", () => {
    it("draws every state, branch and route, quoting what Mermaid would read", () => {
        assert.equal(
            toMermaid(definition),
            [
                "flowchart TD",
                '    b0((" ")) --> s0',
                '    s0{"Train?"}',
                '    s0 -->|"$x = &quot;a&quot;"| s1',
                '    s0 -->|"otherwise"| s2',
                '    subgraph s1["Both"]',
                '        subgraph s1_0[" "]',
                '            b1((" ")) --> s3',
                '            s3("Left")',
                "        end",
                "    end",
                "    s1 --> s2",
                '    s1 -.->|"States.ALL"| s4',
                '    s2(["Done"])',
                '    s4[["Failed"]]',
                "",
            ].join("\n"),
        );
    });

    it("leaves out the failure routes and what only they reach, when asked", () => {
        const text = toMermaid(definition, { failures: false });
        assert.doesNotMatch(text, /Failed|-\.->/);
        assert.match(text, /Done/);
    });

    it("leaves out the conditions, when asked", () => {
        assert.doesNotMatch(toMermaid(definition, { labels: false }), /\|/);
    });

    it("colours states by class and ignores a class for a state that is not drawn", () => {
        const text = toMermaid(definition, {
            classes: { Done: "succeeded", Nowhere: "failed" },
            classDefinitions: { succeeded: "fill:#dfd" },
        });
        assert.match(text, /class s2 succeeded\n/);
        assert.match(text, /classDef succeeded fill:#dfd/);
        assert.doesNotMatch(text, /failed/);
    });

    it("draws a chain of 20,000 states without recursion", () => {
        const States: Record<string, StateMachineDefinition["States"][string]> = {};
        for (let i = 0; i < 20_000; i++) {
            States[`S${i}`] = i === 19_999 ? { Type: "Succeed" } : { Type: "Pass", Next: `S${i + 1}` };
        }
        assert.equal(toMermaid({ StartAt: "S0", States }).split("\n").length, 40_002);
    });

    it("shows a target that does not exist instead of failing", () => {
        assert.match(
            toMermaid({ StartAt: "A", States: { A: { Type: "Pass", Next: "Gone" } } }),
            /s0 --> s1\n {4}s1\["Gone \(missing\)"\]/,
        );
    });
});

describe("a definition as Graphviz's DOT", () => {
    it("draws every state with its type and outcome as classes, branches as clusters", () => {
        const dot = toDot(definition, { classes: { Left: "failed" } });
        assert.match(dot, /s3 \[label="Left", class="pass failed"\];/);
        assert.match(dot, /subgraph cluster_s1_0 \{/);
        assert.match(dot, /s1 -> s4 \[class="catch", label="States\.ALL", style=dashed\];/);
        assert.match(dot, /label="\$x = \\"a\\""/);
    });

    it("is laid out by Graphviz", async () => {
        const svg = (await Graphviz.load()).dot(toDot(definition));
        assert.match(svg, /<svg/);
        assert.match(svg, />Both</);
    });
});
