import type { ReportData } from "../../report/model";
import type { TimelineEvent } from "../../report/visits";
import { visitsOf } from "../../report/visits";

const start = Date.UTC(2026, 10, 20, 8);

/** Entry, task and exit of states after each other, as GetExecutionHistory gives them. */
export function history(
    states: readonly { name: string; type: string; seconds: number; fails?: string; exits?: boolean }[],
): TimelineEvent[] {
    const events: TimelineEvent[] = [{ id: 1, type: "ExecutionStarted", timestamp: start }];
    let time = start;
    const add = (type: string, details: object): void => {
        events.push({ id: events.length + 1, previousEventId: events.length, type, timestamp: time, ...details });
    };
    for (const state of states) {
        add(`${state.type}StateEntered`, { stateEnteredEventDetails: { name: state.name } });
        time += state.seconds * 1000;
        if (state.fails !== undefined) {
            add("TaskFailed", { taskFailedEventDetails: { error: state.fails, cause: "because" } });
        }
        if (state.exits !== false) {
            add(`${state.type}StateExited`, { stateExitedEventDetails: { name: state.name } });
        }
    }
    return events;
}

export function sampleReport(overrides: Partial<ReportData> = {}): ReportData {
    return {
        title: "Training of the ensemble text, image and sequence",
        stage: "dev",
        execution: "arn:aws:states:eu-central-1:123456789012:execution:smartcat-model-training-dev:a <b> & \"c\"",
        status: "SUCCEEDED",
        startedAt: start,
        stoppedAt: start + 95_000,
        definition: {
            StartAt: "Setup",
            States: {
                Setup: { Type: "Task", Resource: "r", Next: "Train", Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }] },
                Train: { Type: "Task", Resource: "r", Next: "Done", Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }] },
                Done: { Type: "Succeed" },
                Failed: { Type: "Fail", Error: "E", Cause: "C" },
            },
        },
        visits: visitsOf(history([
            { name: "Setup", type: "Task", seconds: 5 }, { name: "Train", type: "Task", seconds: 30, fails: "CapacityError" },
            { name: "Train", type: "Task", seconds: 60 }, { name: "Done", type: "Succeed", seconds: 0 },
        ])),
        models: [{
            name: "image", reason: "trains: first training", classes: ["payslip", "contract", "land register"],
            confusion: [[8, 1, 0], [0, 9, 2], [1, 0, 7]], pageAccuracy: 24 / 28, segmentF1: 0.8,
            curves: { loss: [1.2, 0.7, 0.4], "val accuracy": [0.4, 0.7, 0.86] },
        }],
        mistakes: [{ stack: "stack-3", page: 2, truth: "contract", predicted: "land register", probability: 0.71 }],
        remarks: ["image: epochs 80 -> 3"],
        price: "unknown: no price is known for ml.m5.large in eu-central-1",
        ...overrides,
    };
}
