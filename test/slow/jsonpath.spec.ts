import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { agree, casesOf, evaluated, type Answer, type PathCase } from "../asl/expressions/jsonpath/cases";

const WORK = path.resolve(__dirname, "../../.build/jsonpath");
const RECORDED = path.join(__dirname, "../asl/expressions/jsonpath/jayway.jsonl");

function classpath(): string {
    const file = path.join(WORK, "classpath.txt");
    fs.mkdirSync(WORK, { recursive: true });
    if (!fs.existsSync(file)) {
        const pom = path.join(__dirname, "jsonpath/pom.xml");
        const goals = ["dependency:build-classpath", `-Dmdep.outputFile=${file}`];
        execFileSync("mvn", ["-q", "-B", "-f", pom, ...goals], { stdio: ["ignore", "ignore", "inherit"] });
    }
    return fs.readFileSync(file, "utf8").trim();
}

/** Asks the library. */
function answersTo(cases: readonly PathCase[]): Answer[] {
    const classes = classpath();
    const input = path.join(WORK, "cases.jsonl");
    fs.writeFileSync(input, cases.map((one) => JSON.stringify(one)).join("\n"));
    const program = path.join(__dirname, "jsonpath/Evaluate.java");
    const output = execFileSync("java", ["-cp", classes, program, input], { encoding: "utf8", maxBuffer: 2 ** 30 });
    return output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Answer);
}

/** Some of another seed, small enough to keep: most of what is found, and as many failures and empty lists. */
function recorded(): string {
    const cases = casesOf(11, 4000).filter((one) => JSON.stringify(one.document).length < 200);
    const lines = answersTo(cases).map((answer, index) => ({ ...(cases[index] as PathCase), ...answer }));
    const failed = lines.filter(({ error }) => error !== undefined);
    const empty = lines.filter(({ value }) => JSON.stringify(value) === "[]");
    const found = lines.filter((line) => !failed.includes(line) && !empty.includes(line));
    const kept = [found, failed, empty].flatMap((group) => group.slice(0, 500));
    return kept.map((line) => `${JSON.stringify(line)}\n`).join("");
}

const available = ["mvn", "java"].every(
    (command) => spawnSync(command, ["-version"], { stdio: "ignore" }).status === 0,
);

describe("JSONPath, against Jayway's library, which Step Functions uses", function () {
    this.timeout(600_000);
    before(function () {
        if (!available) {
            console.log("      skipped: Maven and Java are needed to run Jayway's library");
            this.skip();
        }
        if (process.env.UPDATE_JAYWAY !== undefined) {
            fs.writeFileSync(RECORDED, recorded());
        }
    });

    for (const seed of [1, 2, 3, 4, 5]) {
        it(`gives the same on 25,000 random paths and documents (seed ${seed})`, () => {
            const cases = casesOf(seed, 25_000);
            const answers = answersTo(cases);
            const different = cases
                .map((one, index) => ({ ...one, theirs: answers[index] as Answer, ours: evaluated(one) }))
                .filter(({ theirs, ours }) => !agree(ours, theirs));
            assert.deepEqual(different.slice(0, 5), []);
        });
    }
});
