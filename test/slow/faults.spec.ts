import { strict as assert } from "node:assert";
import { tolerantStage } from "../../simulation/sampleStages";
import { subject, sweep, type Sweep } from "../../simulation/faultSweep";
import { deployedSubject } from "../../simulation/stages";

/** Another seed runs other pairs and sequences; a failure names the one that it was found with. */
const seed = Number(process.env.FAULTS_SEED ?? 20_261_123);
const EXECUTIONS = 20_000;

describe(`the fault sweep (seed ${seed})`, function () {
    this.timeout(1_800_000);
    let done: Sweep;

    before(async () => {
        const subjects = [
            await deployedSubject("dev"),
            await deployedSubject("prod"),
            subject("tolerant", tolerantStage(1), { notifySuccess: true, modelPackageGroup: "smartcat-prod" }),
        ];
        done = await sweep(subjects, seed, 4_000, 10_000, EXECUTIONS);
    });

    it(
        "ends every execution SUCCEEDED with all artefacts or FAILED with exactly one message, " + "within every bound",
        () => {
            assert.deepEqual(done.problems.slice(0, 20), []);
        },
    );

    it("runs at least 20,000 executions", () => {
        assert.ok(done.executions >= EXECUTIONS, String(done.executions));
    });

    it("covers every Task of both stages with every fault", () => {
        for (const stage of ["dev", "prod"]) {
            const states = new Set(done.rows.filter((row) => row.stage === stage).map((row) => row.state));
            for (const state of [
                "Setup Statemachine",
                "Image Model Training",
                "Register Text Model",
                "JSONify Sequence Model Error Cause",
                "Notify Failure",
            ]) {
                assert.ok(states.has(state), `${stage}: ${state}`);
            }
        }
        const registering = new Set(done.rows.filter((row) => row.stage === "prod").map((row) => row.state));
        assert.deepEqual(
            ["Find Registered Ensemble", "Register Ensemble", "Notify Success"].filter(
                (state) => !registering.has(state),
            ),
            [],
        );
    });

    it("tells of every failure that lasts, and of none that did not end the execution", () => {
        for (const row of done.rows) {
            assert.equal(
                row.messages,
                row.end === "SUCCEEDED" ? 0 : 1,
                `${row.stage}: ${row.state}, ${row.fault}: ${row.end}`,
            );
        }
    });
});
