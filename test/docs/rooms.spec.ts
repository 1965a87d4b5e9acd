import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { crossings, packages, ROOMS } from "../../docs/rooms";
import { root } from "./commands";

describe("the rooms", () => {
    it("import only what the architecture allows them", () => {
        const refused = crossings().filter(({ from, to }) => !ROOMS[from].mayImport.includes(to));
        assert.deepEqual(
            refused.map(({ file, to }) => `${file} imports ${to}/, which its room may not`),
            [],
        );
    });

    it("depend downwards only: no room allows itself to be reached by what it may import", () => {
        const order = Object.keys(ROOMS);
        for (const [index, room] of order.entries()) {
            assert.deepEqual(
                ROOMS[room].mayImport.filter((other) => order.indexOf(other) <= index),
                [],
                `${room} stands above what it imports`,
            );
        }
    });

    it("keep the library free of Pulumi and AWS: asl/ and workflow/ load neither", () => {
        const found = packages().filter(
            ({ room, name }) => ["asl", "workflow"].includes(room) && /^@(?:pulumi|aws-sdk)\//.test(name),
        );
        // the checks of assumptions about AWS are a program of their own
        assert.deepEqual(
            found.filter(({ file }) => !file.startsWith("asl/verify/")).map(({ file, name }) => `${file}: ${name}`),
            [],
        );
    });

    it("reach into the packages only through what these export", () => {
        const entries = (workspace: string): string[] => {
            const text = readFileSync(path.join(root, workspace, "package.json"), "utf8");
            const { exports } = JSON.parse(text) as { readonly exports: Readonly<Record<string, unknown>> };
            return Object.keys(exports).map((entry) => entry.replace(/^\.\/?/, ""));
        };
        const exported = new Map(["asl", "policy"].map((workspace) => [workspace, entries(workspace)]));
        // A folder and its index are one entry, as the build has it. Whoever is bundled names the index: the folder
        // alone would mean the main file of its package.json, which is the build.
        const entryOf = (inside: string): string => inside.replace(/(^|\/)index$/, "");
        const reaching = crossings().filter(
            ({ from, to, inside }) => from !== "docs" && exported.get(to)?.includes(entryOf(inside)) === false,
        );
        assert.deepEqual(
            reaching.map(
                ({ file, to, inside }) => `${file} imports ${to}/${inside}, which its package.json does not export`,
            ),
            [],
        );
    });

    it("have a ground that stands on nothing", () => {
        const found = crossings().filter(({ from }) => from === "ground");
        const loaded = packages().filter(({ room }) => room === "ground");
        assert.deepEqual([...found, ...loaded], []);
    });

    it("are all there, and no folder with code is without a rule", () => {
        assert.deepEqual(
            Object.keys(ROOMS).filter((room) => !existsSync(path.join(root, room))),
            [],
        );
        const folders = readdirSync(root, { withFileTypes: true })
            .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
            .map(({ name }) => name);
        const free = new Set(["node_modules", "test", "bench", "scripts", "examples", "dist"]);
        assert.deepEqual(
            folders.filter((name) => !free.has(name) && ROOMS[name] === undefined),
            [],
        );
    });
});

describe("the glossary", () => {
    const text = readFileSync(path.join(root, "docs/architecture.md"), "utf8");
    const [, table = ""] = /## Glossary\n([\s\S]*?)\n## /.exec(text) ?? [];
    const rows = table.split("\n").filter((line) => /^\| (?!word \|)[^-]/.test(line));

    it("names places that there are, and types that stand there", () => {
        assert.ok(rows.length > 15);
        for (const row of rows) {
            const [, meaning = "", where = ""] = row.replace(/ \|$/, "").split(" | ");
            const [, place = "no place"] = /^`([^`]+)`$/.exec(where) ?? [];
            if (place.includes("<")) {
                continue;
            }
            assert.ok(existsSync(path.join(root, place)), `${row}: there is no ${place}`);
            const [type] = /(?<=^`)[A-Z]\w+(?=`:)/.exec(meaning) ?? [];
            if (type !== undefined) {
                const declared = new RegExp(`export (?:interface|class|type) ${type}\\b`);
                assert.match(readFileSync(path.join(root, place), "utf8"), declared, row);
            }
        }
    });
});
