import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { MARKER_ADDRESS } from "../../components/dataTrigger";
import { DASHBOARD_LIMITS, DASHBOARD_METRICS, dashboardBody } from "../../components/dashboard";
import { StageNames } from "../../components/names";
import { ConfigError, loadStageConfig } from "../../stacks/config";
import { evaluateStage, type EvaluatedStage, type RecordedResource } from "../../project/evaluate";
import { scheduleProblem } from "../../stacks/scheduleExpression";
import { stageStarts } from "../../stacks/starts";
import { readInput } from "../../workflow/input";
import type { StageSettings } from "../../workflow";

const NOW = new Date("2026-11-23T12:00:00Z");
/** All that is off by default, each in its one line. */
const ON = {
    schedule: { expression: "cron(0 3 ? * MON *)", timezone: "Europe/Berlin", data: "incoming/weekly" },
    trigger: { prefix: "incoming" },
    modelRegistry: true,
    dashboard: true,
};

describe("a schedule's expression", () => {
    for (const expression of [
        "rate(7 days)",
        "rate(1 day)",
        "rate(60 minutes)",
        "rate(2 hours)",
        "cron(0 3 ? * MON *)",
        "cron(0 3 1 * ? *)",
        "cron(30 0/6 * * ? *)",
        "cron(0 3 L * ? *)",
        "cron(0 3 ? * 2#1 *)",
        "at(2027-01-31T03:00:00)",
    ]) {
        it(`may be ${expression}`, () => {
            assert.equal(scheduleProblem(expression, NOW), undefined);
        });
    }

    for (const [expression, expected] of [
        ["weekly", /^expected rate\(<number> minutes\|hours\|days\), cron\(/],
        ["rate(7 weeks)", /for example rate\(7 days\)/],
        ["rate(0 days)", /whole number from 1/],
        ["rate(59 minutes)", /at least 60 minutes between two starts, has 59 minutes/],
        ["cron(0 3 * * *)", /six fields .* not 5/],
        ["cron(0 3 * * MON *)", /\? in exactly one of day of month and day of week/],
        ["cron(0 3 ? * ? *)", /\? in exactly one/],
        ["cron(61 3 * * ? *)", /a cron expression of AWS \(.*61/],
        ["cron(0 3 ? * FOO *)", /a cron expression of AWS/],
        ["cron(*/5 * * * ? *)", /at least 60 minutes between two starts, has 5 minutes, at 2026-/],
        // Only at the turn of the hour are two starts too near to each other.
        ["cron(0,30 3 * * ? *)", /has 30 minutes/],
        ["cron(0 3 1 1 ? 2020)", /a start in the future/],
        ["at(2026-11-20T03:00:00)", /a time in the future/],
        ["at(2027-13-31T03:00:00)", /at\(<yyyy-mm-ddThh:mm:ss>\)/],
        ["at(2027-01-31 03:00)", /at\(<yyyy-mm-ddThh:mm:ss>\)/],
    ] as const) {
        it(`may not be ${expression}`, () => {
            assert.match(scheduleProblem(expression, NOW) ?? "", expected);
        });
    }

    it("is judged with the configuration, which names key, value and bound", () => {
        assert.throws(
            () =>
                loadStageConfig("dev", {
                    containers: { allowTags: true },
                    schedule: { expression: "rate(5 minutes)", timezone: "Europe/Berlinn", data: "incoming/*" },
                    trigger: { prefix: "incoming", marker: "done.txt" },
                }),
            (error: ConfigError) => {
                assert.deepEqual(
                    error.problems.map((problem) => problem.split(",")[0]),
                    [
                        'schedule.expression: got "rate(5 minutes)"',
                        'schedule.timezone: got "Europe/Berlinn"',
                        'schedule.data: got "incoming/*"',
                        'trigger.marker: got "done.txt"',
                    ],
                );
                assert.match(error.problems[0], /expected at least 60 minutes between two starts/);
                assert.match(error.problems[3], /expected "manifest\.json" or "labels\.csv"/);
                return true;
            },
        );
    });
});

describe("a stage that starts itself, registers its ensembles and has a dashboard", function () {
    this.timeout(60_000);
    let off: EvaluatedStage;
    let on: EvaluatedStage;
    let settings: StageSettings;
    const one = (type: string, name?: string): RecordedResource => {
        const found = on.resources.filter(
            (resource) => resource.type === type && (name === undefined || resource.name === name),
        );
        assert.equal(found.length, 1, `${found.length} of ${type}`);
        return found[0];
    };

    before(async () => {
        off = await evaluateStage("dev");
        on = await evaluateStage("dev", { overrides: ON });
        const setup = on.stateMachine.definition.States["Setup Statemachine"] as unknown as {
            Arguments: { Payload: { settings: StageSettings } };
        };
        settings = setup.Arguments.Payload.settings;
    });

    const label = ({ type, name }: RecordedResource) => `${type} ${name}`;
    /** Types of what a key of the configuration adds, and nothing else may it change but what is named. */
    const added = (stage: EvaluatedStage) => {
        const before = new Set(off.resources.map(label));
        const now = new Set(stage.resources.map(label));
        assert.deepEqual(
            [...before].filter((resource) => !now.has(resource)),
            [],
            "something is gone",
        );
        return stage.resources
            .filter(({ custom }) => custom)
            .map(label)
            .filter((resource) => !before.has(resource))
            .map((resource) => resource.split(" ")[0])
            .sort();
    };

    it("has for each key what belongs to it, and nothing of it without", async () => {
        assert.deepEqual(added(off), []);
        const started = await evaluateStage("dev", { overrides: { schedule: ON.schedule, trigger: ON.trigger } });
        assert.deepEqual(added(started), [
            "aws:cloudwatch/eventRule:EventRule",
            "aws:cloudwatch/eventTarget:EventTarget",
            ...Array.from({ length: 4 }, () => "aws:cloudwatch/metricAlarm:MetricAlarm"),
            ...Array.from({ length: 2 }, () => "aws:iam/role:Role"),
            ...Array.from({ length: 2 }, () => "aws:iam/rolePolicy:RolePolicy"),
            "aws:s3/bucketNotification:BucketNotification",
            "aws:scheduler/schedule:Schedule",
            "aws:scheduler/scheduleGroup:ScheduleGroup",
        ]);
        assert.deepEqual(started.stateMachine.definition, off.stateMachine.definition);
        const shown = await evaluateStage("dev", { overrides: { modelRegistry: true, dashboard: true } });
        assert.deepEqual(added(shown), [
            "aws:cloudwatch/dashboard:Dashboard",
            "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        ]);
    });

    it("starts by the schedule with an input that Setup accepts", () => {
        const { inputs } = one("aws:scheduler/schedule:Schedule");
        const target = inputs.target as { arn: string; input: string; deadLetterConfig: { arn: string } };
        assert.deepEqual(
            [inputs.scheduleExpression, inputs.scheduleExpressionTimezone, inputs.groupName],
            ["cron(0 3 ? * MON *)", "Europe/Berlin", "ensemble-dev"],
        );
        assert.equal(target.arn, on.stateMachine.arn);
        const { input, problems } = readInput(JSON.parse(target.input), settings);
        assert.deepEqual(problems, []);
        assert.equal(input?.dataPath, `${settings.artifactBase}/incoming/weekly`);
        assert.equal(
            target.deadLetterConfig.arn,
            "arn:aws:sqs:eu-central-1:123456789012:ensemble-dev-training-failed-undelivered",
        );
    });

    it(
        "starts on the last file of a data set with an input that Setup accepts, whose data is " + "the file's folder",
        () => {
            const { inputs } = one("aws:cloudwatch/eventTarget:EventTarget", "ensemble-new-data");
            const { inputTemplate } = inputs.inputTransformer as { inputTemplate: string };
            const event = { bucket: "ensemble-dev-123456789012-eu-central-1", key: "incoming/2026-11/manifest.json" };
            const text = inputTemplate.replace(MARKER_ADDRESS, `s3://${event.bucket}/${event.key}`);
            const { input, problems } = readInput(JSON.parse(text), settings);
            assert.deepEqual(problems, []);
            assert.equal(input?.dataPath, `s3://${event.bucket}/incoming/2026-11`);
        },
    );

    it("keeps what could not be started in the queue that has an alarm, and lets the rule send there", () => {
        const { Statement } = JSON.parse(String(one("aws:sqs/queuePolicy:QueuePolicy").inputs.policy)) as {
            Statement: { Condition: object }[];
        };
        assert.deepEqual(Statement[0].Condition, {
            ArnEquals: {
                "aws:SourceArn": ["training-failed", "queue-blocked", "new-data"].map(
                    (rule) => `arn:aws:events:eu-central-1:123456789012:rule/ensemble-dev-${rule}`,
                ),
            },
        });
        const alarm = on.resources.find(({ inputs }) => inputs.name === "ensemble-dev-failure-undelivered");
        assert.match(String(alarm?.inputs.alarmDescription), /or the start of one/);
    });

    const names = new StageNames(
        { partition: "aws", region: "eu-central-1", account: "123456789012" },
        { service: "ensemble", stage: "dev" },
    );
    const refused = (overrides: Record<string, unknown>, expected: RegExp) => {
        const config = loadStageConfig("dev", { containers: { allowTags: true }, ...overrides });
        assert.throws(
            () => stageStarts(config, names, settings),
            (error: Error) => {
                assert.ok(error instanceof ConfigError);
                assert.match(error.message, expected);
                return true;
            },
        );
    };

    it("refuses at preview an input that Setup would refuse", () =>
        refused(
            {
                schedule: {
                    ...ON.schedule,
                    input: { initialization: { image_model: { instance_type: "ml.p2.xlarge" } } },
                },
            },
            /schedule\.input: initialization\.image_model\.instance_type: got "ml\.p2\.xlarge", expected/,
        ));

    it("refuses data that the roles do not reach", () =>
        refused(
            { trigger: { prefix: "s3://elsewhere/incoming" } },
            /trigger\.input: initialization\.fetch_data\.preprocessed_data_path: got "s3:\/\/elsewhere\/incoming\/new\/manifest\.json", expected a place inside/,
        ));

    it("refuses a trigger on what executions write, which would start one for ever", () =>
        refused(
            { trigger: { prefix: "runs" } },
            /trigger\.prefix: got "runs", expected a folder in which no execution writes/,
        ));

    it("refuses a trigger above the target that its own executions write to", () =>
        refused(
            {
                trigger: {
                    prefix: "incoming",
                    input: {
                        initialization: {
                            output_artifact_target_base_path:
                                "s3://ensemble-dev-123456789012-eu-central-1/incoming/out",
                        },
                    },
                },
            },
            /trigger\.prefix: got "incoming"/,
        ));

    describe("the dashboard", () => {
        type Metric = (string | { expression?: string })[];
        interface Widget {
            type: string;
            x: number;
            y: number;
            width: number;
            height: number;
            properties: { metrics?: Metric[]; region?: string };
        }
        const widgets = () =>
            (
                JSON.parse(String(one("aws:cloudwatch/dashboard:Dashboard").inputs.dashboardBody)) as {
                    widgets: Widget[];
                }
            ).widgets;

        it("is known at a new stage's first preview", async () => {
            const { resources } = await evaluateStage("dev", { overrides: ON, preview: true });
            const body = resources.find(({ type }) => type === "aws:cloudwatch/dashboard:Dashboard")?.inputs
                .dashboardBody;
            assert.equal(body, one("aws:cloudwatch/dashboard:Dashboard").inputs.dashboardBody);
        });

        it("shows only metrics that exist", () => {
            const known = new Set(
                DASHBOARD_METRICS.flatMap(({ namespace, dimension, names: listed }) =>
                    listed.map((name) => `${namespace} ${dimension} ${name}`),
                ),
            );
            const trained = new Set(
                trainings().flatMap(({ AlgorithmSpecification }) =>
                    AlgorithmSpecification.MetricDefinitions.map(
                        ({ Name }) => `/aws/sagemaker/TrainingJobs TrainingJobName ${Name}`,
                    ),
                ),
            );
            const shown = widgets()
                .flatMap(({ properties }) => properties.metrics ?? [])
                .map((metric) => {
                    const [first] = metric;
                    if (typeof first === "string") {
                        return `${first} ${String(metric[2])} ${String(metric[1])}`;
                    }
                    const [, namespace, dimension, name] =
                        /^SEARCH\('\{"([^"]+)",(\w+)\} MetricName="([^"]+)" \w+=[a-z0-9-]+', '(?:Average)', \d+\)$/.exec(
                            first.expression ?? "",
                        ) ?? [];
                    assert.ok((first.expression ?? "").length <= DASHBOARD_LIMITS.searchCharacters);
                    return `${namespace} ${dimension} ${name}`;
                });
            assert.ok(shown.length > 25, String(shown.length));
            assert.deepEqual(
                shown.filter((metric) => !known.has(metric) && !trained.has(metric)),
                [],
            );
            assert.deepEqual(
                [...known].filter((metric) => !shown.includes(metric)),
                [],
                "in the table, and not shown",
            );
            DASHBOARD_METRICS.forEach(({ source }) => assert.match(source, /^https:\/\/docs\.aws\.amazon\.com\//));
        });

        it("lays its widgets on the grid, none over another", () => {
            const taken = new Set<string>();
            for (const { x, y, width, height } of widgets()) {
                assert.ok(x >= 0 && x + width <= 24 && width >= 1 && height >= 1);
                for (let column = x; column < x + width; column += 1) {
                    for (let row = y; row < y + height; row += 1) {
                        assert.ok(!taken.has(`${column} ${row}`), `two widgets at ${column}, ${row}`);
                        taken.add(`${column} ${row}`);
                    }
                }
            }
        });

        it("has room for 100 members, and says so where it has none", () => {
            const models = (count: number) =>
                Array.from({ length: count }, (_, index) => ({
                    name: `member_${index}`,
                    jobPrefix: `ensemble-dev-member-${index}-`,
                    metrics: [`member_${index}:loss`, `member_${index}:accuracy`],
                }));
            const { widgets: many } = dashboardBody(names, models(101));
            assert.ok(many.length <= DASHBOARD_LIMITS.widgets);
            const metrics = (many as Widget[]).flatMap(({ properties }) => properties.metrics ?? []);
            assert.ok(metrics.length <= DASHBOARD_LIMITS.metrics, String(metrics.length));
            assert.throws(() => dashboardBody(names, models(300)), /300 models make \d+ widgets, CloudWatch takes 500/);
        });

        interface Training {
            AlgorithmSpecification: { MetricDefinitions: { Name: string; Regex: string }[] };
            TrainingJobName: string;
        }

        /** Arguments of the training states. */
        function trainings(): Training[] {
            const found: Training[] = [];
            const visit = (
                states: Record<string, { Resource?: string; Arguments?: unknown; Branches?: { States: object }[] }>,
            ): void => {
                for (const state of Object.values(states)) {
                    if (state.Resource?.includes("createTrainingJob") === true) {
                        found.push(state.Arguments as Training);
                    }
                    state.Branches?.forEach((branch) => visit(branch.States as typeof states));
                }
            };
            visit(on.stateMachine.definition.States as never);
            return found;
        }

        it("reads metrics out of every training's log, by definitions that SageMaker takes", () => {
            assert.equal(trainings().length, 3);
            for (const {
                AlgorithmSpecification: { MetricDefinitions },
            } of trainings()) {
                assert.ok(MetricDefinitions.length >= 1 && MetricDefinitions.length <= 40);
                for (const { Name, Regex } of MetricDefinitions) {
                    assert.ok(Name.length <= 255 && Regex.length <= 500, Name);
                }
            }
        });

        it("searches the trainings by what their names begin with", () => {
            const text = JSON.stringify(widgets());
            for (const model of ["image", "text", "sequence"]) {
                assert.ok(text.includes(`TrainingJobName=ensemble-dev-${model}'`), model);
            }
        });

        it("is not there, and sends no metrics, without its key", () => {
            assert.ok(!JSON.stringify(off.stateMachine.definition).includes("MetricDefinitions"));
        });
    });

    it("reads the values out of the lines that the scripts print", () => {
        const definitions = JSON.parse(
            fs.readFileSync(path.join(__dirname, "../../workloads/training/common/metric_definitions.json"), "utf8"),
        ) as Record<string, { Name: string; Regex: string }[]>;
        const read = (model: string, line: string) =>
            Object.fromEntries(
                definitions[model]
                    .map(({ Name, Regex }) => [Name, new RegExp(Regex).exec(line)?.[1]])
                    .filter(([, value]) => value !== undefined),
            );
        assert.deepEqual(read("text", "fold 2/4 pages=12 accuracy=0.9167"), { "text:accuracy": "0.9167" });
        assert.deepEqual(
            read(
                "image",
                "epoch 3/80 fold 2 loss=0.1234 accuracy=0.9 val_loss=1.5e-05 val_accuracy=0.875 learning_rate=0.001 " +
                    "seconds=1.2",
            ),
            {
                "image:loss": "0.1234",
                "image:accuracy": "0.9",
                "image:val_loss": "1.5e-05",
                "image:val_accuracy": "0.875",
                "image:learning_rate": "0.001",
            },
        );
    });
});
