import assert from "node:assert/strict";
import type { State } from "../../asl/types";
import { innerGraphs, mapInnerGraphs, statesIn } from "../../asl/walk";

const branch = (name: string): object => ({ StartAt: name, States: { [name]: { Type: "Succeed" } } });
const MACHINE = {
    StartAt: "Both",
    States: {
        "Both": {
            Type: "Parallel",
            Branches: [branch("a/b"), { StartAt: "Each", States: { Each: { Type: "Map", Iterator: branch("Old") } } }],
        },
        "Many": { Type: "Map", ItemProcessor: { ...branch("New"), ProcessorConfig: { Mode: "DISTRIBUTED" } } },
        "x~y": { Type: "Pass" },
    },
};

describe("the walk through a definition", () => {
    it("meets every state, a Map's under either name of its processor, in the order in which they are written", () => {
        const found = statesIn(MACHINE as unknown).map(({ path, owner }) => [path, owner?.name]);
        assert.deepEqual(found, [
            ["States/Both", undefined],
            ["States/Both/Branches/0/States/a~1b", "Both"],
            ["States/Both/Branches/1/States/Each", "Both"],
            ["States/Both/Branches/1/States/Each/Iterator/States/Old", "Each"],
            ["States/Many", undefined],
            ["States/Many/ItemProcessor/States/New", "Many"],
            ["States/x~0y", undefined],
        ]);
    });

    it("tells a distributed Map's processor from one that sees the variables around it", () => {
        const [both, many] = Object.values(MACHINE.States) as unknown[];
        assert.deepEqual(
            innerGraphs(both).map(({ key, isDistributed }) => [key, isDistributed]),
            [
                ["Branches/0", false],
                ["Branches/1", false],
            ],
        );
        assert.deepEqual(
            innerGraphs(many).map(({ key, isDistributed }) => [key, isDistributed]),
            [["ItemProcessor", true]],
        );
    });

    it("leaves out what is no graph", () => {
        for (const value of [null, 1, "x", [], {}, { Type: "Map" }, { Type: "Parallel", Branches: [1, null] }]) {
            assert.deepEqual(innerGraphs(value as unknown), []);
            assert.deepEqual(statesIn(value as unknown), []);
        }
        assert.equal(statesIn({ States: { a: 1, b: { Type: "Map", Iterator: [] } } } as unknown).length, 2);
    });

    it("bears a nesting of ten thousand", () => {
        let graph = branch("Innermost");
        for (let depth = 0; depth < 10_000; depth += 1) {
            graph = { StartAt: "M", States: { M: { Type: "Map", ItemProcessor: graph } } };
        }
        assert.equal(statesIn(graph as unknown).length, 10_001);
    });

    it("replaces inner graphs and leaves the rest as it is", () => {
        const { Both: both, Many: many } = MACHINE.States as unknown as { readonly [name: string]: State };
        const first = mapInnerGraphs(both, (graph) => (graph.StartAt === "Each" ? undefined : graph));
        assert.deepEqual(first, { ...MACHINE.States.Both, Branches: [MACHINE.States.Both.Branches[0]] });
        assert.deepEqual(
            mapInnerGraphs(many, () => undefined),
            { Type: "Map" },
        );
        assert.equal(mapInnerGraphs({ Type: "Succeed" }, () => undefined).Type, "Succeed");
    });
});
