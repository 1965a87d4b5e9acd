import { PNG } from "pngjs";
import { visitsOf, type HistoryEventLike } from "../../asl/history";
import { confusionOf, type JudgedPage } from "../../report/metrics";
import type { ModelResult, ReportData } from "../../report/model";

const start = Date.UTC(2026, 10, 20, 8);

/** Entry, task and exit of states after each other, as GetExecutionHistory gives them. */
export function history(
    states: readonly {
        name: string;
        type: string;
        seconds: number;
        fails?: string;
        exits?: boolean;
        retries?: number;
    }[],
): HistoryEventLike[] {
    const events: HistoryEventLike[] = [{ id: 1, type: "ExecutionStarted", timestamp: start }];
    let time = start;
    const add = (type: string, details: object): void => {
        events.push({ id: events.length + 1, previousEventId: events.length, type, timestamp: time, ...details });
    };
    const resource = { resourceType: "lambda", resource: "invoke" };
    for (const state of states) {
        add(`${state.type}StateEntered`, { stateEnteredEventDetails: { name: state.name } });
        for (let retry = 0; retry < (state.retries ?? 0); retry++) {
            add("TaskScheduled", { taskScheduledEventDetails: resource });
            add("TaskFailed", { taskFailedEventDetails: { ...resource, error: "Busy", cause: "try later" } });
        }
        if (state.type === "Task") {
            add("TaskScheduled", { taskScheduledEventDetails: resource });
        }
        time += state.seconds * 1000;
        if (state.fails !== undefined) {
            add("TaskFailed", { taskFailedEventDetails: { ...resource, error: state.fails, cause: "because" } });
        } else if (state.type === "Task" && state.exits !== false) {
            add("TaskSucceeded", { taskSucceededEventDetails: { ...resource, output: "{}" } });
        }
        if (state.exits !== false) {
            add(`${state.type}StateExited`, { stateExitedEventDetails: { name: state.name } });
        }
    }
    return events;
}

/** A grey picture with a dark frame. */
export function picture(width: number, height: number): Buffer {
    const png = new PNG({ width, height });
    for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
            const frame = x < 8 || y < 8 || x >= width - 8 || y >= height - 8;
            png.data.set([frame ? 40 : 235, frame ? 40 : 235, frame ? 40 : 235, 255], (y * width + x) * 4);
        }
    }
    return PNG.sync.write(png);
}

const classes = ["payslip", "contract", "land_register"];
const pages: JudgedPage[] = Array.from({ length: 28 }, (_, index) => ({
    stack: `stack-${Math.floor(index / 4)}`,
    page: (index % 4) + 1,
    class: classes[index % 3],
    begins: true,
}));

function result(model: string, wrongEvery: number): ModelResult {
    const labels = pages.map((page, index) =>
        index % wrongEvery === 0 ? classes[(classes.indexOf(page.class) + 1) % 3] : page.class,
    );
    const right = labels.filter((label, index) => label === pages[index].class).length;
    return {
        model,
        pages: pages.length,
        pageAccuracy: right / pages.length,
        segmentF1: 0.8,
        ...confusionOf(pages, labels),
        predicted: labels.map((label) => [label, 0.7]),
        pagesJudged: pages,
    };
}

export function sampleReport(overrides: Partial<ReportData> = {}): ReportData {
    return {
        title: "Training of the ensemble text, image and sequence",
        stage: "dev",
        execution: 'arn:aws:states:eu-central-1:123456789012:execution:smartcat-model-training-dev:a <b> & "c"',
        where: "aws",
        status: "SUCCEEDED",
        startedAt: start,
        stoppedAt: start + 95_000,
        definition: {
            StartAt: "Setup",
            States: {
                Setup: {
                    Type: "Task",
                    Resource: "r",
                    Next: "Train",
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
                },
                Train: {
                    Type: "Task",
                    Resource: "r",
                    Next: "Done",
                    Catch: [{ ErrorEquals: ["States.ALL"], Next: "Failed" }],
                },
                Done: { Type: "Succeed" },
                Failed: { Type: "Fail", Error: "E", Cause: "C" },
            },
        },
        visits: visitsOf(
            history([
                { name: "Setup", type: "Task", seconds: 5 },
                { name: "Train", type: "Task", seconds: 30, fails: "CapacityError" },
                { name: "Train", type: "Task", seconds: 60 },
                { name: "Done", type: "Succeed", seconds: 0 },
            ]),
            "SUCCEEDED",
        ),
        failures: [
            {
                state: "Train",
                error: "CapacityError",
                class: "Capacity",
                reason: "no ml.g6.xlarge is free",
                advice: "Add an instance type.",
                logUrl: "https://eu-central-1.console.aws.amazon.com/cloudwatch/home#x",
                count: 2,
                at: start + 35_000,
                overcome: true,
            },
        ],
        models: [
            {
                name: "text",
                role: "member",
                reason: "reused: same key ab12cd34",
                outcome: "reused",
                jobs: 0,
                seconds: 0,
                result: result("text", 4),
                curves: [],
                folds: [
                    { fold: 0, pages: 12, accuracy: 0.75 },
                    { fold: 1, pages: 14, accuracy: 0.8 },
                ],
            },
            {
                name: "image",
                role: "member",
                reason: "trains: first training",
                outcome: "trained",
                jobs: 2,
                seconds: 90,
                result: result("image", 5),
                curves: [0, 1, 2, 3].map((fold) => ({
                    fold,
                    epochs: [1, 2, 3],
                    loss: [1.2 + fold / 10, 0.7, 0.4],
                    validationLoss: [1.4, 1 + fold / 20, 0.8],
                    accuracy: [0.4, 0.7, 0.86 + fold / 50],
                    validationAccuracy: [0.35, 0.6, 0.7 + fold / 40],
                })),
                folds: [],
            },
            {
                name: "sequence",
                role: "combiner",
                reason: "trains: first training",
                outcome: "trained",
                jobs: 1,
                seconds: 20,
                result: result("sequence", 14),
                curves: [{ epochs: [1, 2, 3, 4], loss: [2, 1.1, 0.8, 0.7], accuracy: [0.5, 0.8, 0.9, 0.93] }],
                folds: [],
            },
        ],
        mistakes: {
            model: "sequence",
            total: 2,
            shown: [
                {
                    stack: "stack-3",
                    page: 2,
                    truth: "contract",
                    predicted: "land_register",
                    probability: 0.71,
                    image: picture(120, 160),
                },
                { stack: "stack-0", page: 1, truth: "payslip", predicted: "contract", probability: 0.52 },
            ],
        },
        remarks: ["image: epochs 80 -> 3"],
        notes: ["data: s3://b/data, 84 objects, 4096 bytes, identity 0123456789ab"],
        price: {
            lines: [
                { item: "training of image", how: "4 x ml.g6.xlarge (Spot), 90 s", dollars: 0.11 },
                { item: "training of sequence", how: "1 x ml.m5.large, 20 s" },
                { item: "state transitions", how: "24", dollars: 0.0006 },
            ],
            known: 0.1106,
            unknown: ["ml.m5.large in eu-central-1"],
            pricesAsOf: "2026-11-20",
            basis: "Billable seconds at on-demand prices.",
        },
        missing: [{ what: "text: history.json", why: "it is no JSON" }],
        ...overrides,
    };
}
