import * as cloudwatch from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { TRAINING_LOG_GROUP } from "../ground/awsNames";
import { FUNCTIONS, type StageNames } from "./names";

/** What the dashboard shows of a model's trainings. */
export interface DashboardModel {
    readonly name: string;
    /** Every training job's name begins so. */
    readonly jobPrefix: string;
    /** Names of the metrics that SageMaker reads out of the model's log. */
    readonly metrics: readonly string[];
}

const STATES_METRICS = "https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html";
const SAGEMAKER_METRICS = "https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html";
const LAMBDA_METRICS = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html";
const SQS_METRICS =
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html";
const SNS_METRICS = "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html";
const EVENTS_METRICS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html";

interface MetricTable {
    readonly namespace: string;
    readonly dimension: string;
    readonly names: readonly string[];
    /** Address of the page that names them. */
    readonly source: string;
}

/**
 * Every metric of AWS's that the dashboard shows: namespace, name, dimension and where that is documented. A misspelt
 * metric is an empty graph, and an empty graph looks like a quiet stage. The trainings' own metrics come from their
 * metric definitions.
 */
export const DASHBOARD_METRICS: readonly MetricTable[] = [
    {
        namespace: "AWS/States",
        dimension: "StateMachineArn",
        source: STATES_METRICS,
        names: [
            "ExecutionsStarted",
            "ExecutionsSucceeded",
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
            "ExecutionTime",
            "ExecutionThrottled",
        ],
    },
    {
        namespace: "AWS/States",
        dimension: "ServiceIntegrationResourceArn",
        source: STATES_METRICS,
        names: [
            "ServiceIntegrationsStarted",
            "ServiceIntegrationsSucceeded",
            "ServiceIntegrationsFailed",
            "ServiceIntegrationsTimedOut",
        ],
    },
    {
        namespace: TRAINING_LOG_GROUP,
        dimension: "Host",
        source: SAGEMAKER_METRICS,
        names: ["CPUUtilization", "MemoryUtilization", "GPUUtilization", "GPUMemoryUtilization", "DiskUtilization"],
    },
    {
        namespace: "AWS/Lambda",
        dimension: "FunctionName",
        source: LAMBDA_METRICS,
        names: ["Errors", "Throttles", "Duration"],
    },
    {
        namespace: "AWS/SQS",
        dimension: "QueueName",
        source: SQS_METRICS,
        names: ["ApproximateNumberOfMessagesVisible"],
    },
    { namespace: "AWS/SNS", dimension: "TopicName", source: SNS_METRICS, names: ["NumberOfNotificationsFailed"] },
    { namespace: "AWS/Events", dimension: "RuleName", source: EVENTS_METRICS, names: ["FailedInvocations"] },
];

/** CloudWatch's bounds: "CloudWatch service quotas", Amazon CloudWatch User Guide, and PutDashboard. */
export const DASHBOARD_LIMITS = { widgets: 500, metricsInWidget: 500, metrics: 2_500, searchCharacters: 1_024 };

type Metric = readonly (string | Readonly<Record<string, string | number>>)[];

interface Widget {
    readonly type: "metric" | "text" | "log";
    readonly height: number;
    readonly width: number;
    readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * The dashboard of a stage as CloudWatch stores it. Known at preview: names and ARNs only.
 *
 * @throws where it would have more widgets than CloudWatch takes.
 */
export function dashboardBody(
    names: StageNames,
    models: readonly DashboardModel[],
): { readonly widgets: readonly unknown[] } {
    const { region } = names.identity;
    const graph: Graph = (title, metrics, more = {}, width = 8) => ({
        type: "metric",
        width,
        height: 6,
        properties: { title, region, view: "timeSeries", stat: "Sum", period: 3_600, metrics, ...more },
    });
    const machine = (name: string, options: Readonly<Record<string, string>> = {}): Metric => [
        "AWS/States",
        name,
        "StateMachineArn",
        names.stateMachineArn,
        options,
    ];
    // The dimension's value has region and account, other than the Resource in a definition, and counts all state
    // machines of both.
    const integration = (task: string) =>
        [
            "ServiceIntegrationsStarted",
            "ServiceIntegrationsSucceeded",
            "ServiceIntegrationsFailed",
            "ServiceIntegrationsTimedOut",
        ].map((name): Metric => [
            "AWS/States",
            name,
            "ServiceIntegrationResourceArn",
            names.arn("states", task),
            { label: name.replace("ServiceIntegrations", "") },
        ]);
    const functions = (name: string, stat: string): Metric[] =>
        FUNCTIONS.map((one) => ["AWS/Lambda", name, "FunctionName", names.function(one), { stat, label: one }]);
    const utilisation = (name: string): Metric => [
        { expression: search("Host", name, names.prefix, "Average", 300), label: "", id: "e1" },
    ];

    const widgets: Widget[] = [
        {
            type: "text",
            width: 24,
            height: 2,
            properties: {
                markdown:
                    `# ${names.stateMachine}\n[Executions](` +
                    `${names.console("states/home", `/statemachines/view/${names.stateMachineArn}`)}) · ` +
                    `[artefacts](${names.console(`s3/buckets/${names.bucket}`)}) · ` +
                    `[jobs](${names.console("batch/home", "jobs")})`,
            },
        },
        graph("Executions", [
            machine("ExecutionsStarted", { color: "#1f77b4" }),
            machine("ExecutionsSucceeded", { color: "#2ca02c" }),
            machine("ExecutionsFailed", { color: "#d62728" }),
            machine("ExecutionsTimedOut", { color: "#ff7f0e" }),
            machine("ExecutionsAborted", { color: "#7f7f7f" }),
            machine("ExecutionThrottled"),
        ]),
        graph("Duration of executions (ms)", [
            machine("ExecutionTime", { stat: "Average", label: "average" }),
            machine("ExecutionTime", { stat: "Maximum", label: "longest" }),
        ]),
        graph("Undelivered: messages about failures, and starts", [
            [
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "QueueName",
                names.undeliveredQueue,
                { stat: "Maximum", label: "in the queue" },
            ],
            ["AWS/Events", "FailedInvocations", "RuleName", names.failureRule, { label: "failure rule" }],
            ["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", names.topic("alerts"), { label: "alerts topic" }],
        ]),
        graph("Training jobs, of all state machines of the account", integration("sagemaker:createTrainingJob.sync")),
        graph("Batch jobs, of all state machines of the account", integration("batch:submitJob.sync")),
        {
            type: "log",
            width: 8,
            height: 6,
            properties: {
                title: "Errors of Batch jobs",
                region,
                view: "table",
                query:
                    `SOURCE '${names.jobLogGroup}' | fields @timestamp, @message | filter @message like ` +
                    "/(Error|QualityGate|Interrupted): / " +
                    "| sort @timestamp desc | limit 20",
            },
        },
        ...models.flatMap((model) => curves(model, graph)),
        ...["CPUUtilization", "MemoryUtilization", "DiskUtilization", "GPUUtilization", "GPUMemoryUtilization"].map(
            (name) =>
                graph(`Trainings: ${name} (%)`, [utilisation(name)], {
                    stat: "Average",
                    period: 300,
                    yAxis: { left: { min: 0 } },
                }),
        ),
        graph("Errors of functions", [...functions("Errors", "Sum"), ...functions("Throttles", "Sum")]),
        graph("Longest run of functions (ms)", functions("Duration", "Maximum")),
    ];
    if (widgets.length > DASHBOARD_LIMITS.widgets) {
        throw new Error(
            `dashboard: ${models.length} models make ${widgets.length} widgets, CloudWatch takes ` +
                `${DASHBOARD_LIMITS.widgets}: set dashboard to false`,
        );
    }
    return { widgets: placed(widgets) };
}

type Graph = (
    title: string,
    metrics: readonly Metric[],
    more?: Readonly<Record<string, unknown>>,
    width?: number,
) => Widget;

/** The learning curves of a model: losses in one graph, everything else in another. */
function curves({ name, jobPrefix, metrics }: DashboardModel, graph: Graph): Widget[] {
    const groups = [
        ["loss", metrics.filter((metric) => /loss$/.test(metric))],
        ["accuracy and the like", metrics.filter((metric) => !/(loss|learning_rate)$/.test(metric))],
    ] as const;
    return groups
        .filter(([, shown]) => shown.length > 0)
        .map(([what, shown]) =>
            graph(
                `${name}: ${what}, by training job`,
                shown.map((metric, index): Metric => [
                    {
                        expression: search("TrainingJobName", metric, jobPrefix, "Average", 60),
                        id: `e${index + 1}`,
                        label: `${metric.replace(/^.*:/, "")} `,
                    },
                ]),
                { stat: "Average", period: 60 },
                12,
            ),
        );
}

/**
 * Every attempt's job has another name, so its metrics are searched by what the names begin with: without quotation
 * marks CloudWatch compares word by word. Syntax: "CloudWatch search expression syntax", Amazon CloudWatch User Guide.
 */
function search(
    dimension: "Host" | "TrainingJobName",
    metric: string,
    jobPrefix: string,
    statistic: string,
    period: number,
): string {
    return (
        `SEARCH('{"${TRAINING_LOG_GROUP}",${dimension}} MetricName="${metric}" ` +
        `${dimension}=${jobPrefix.replace(/-+$/, "")}', '${statistic}', ${period})`
    );
}

/** Puts the widgets side by side on the grid of 24 columns, in their order. */
function placed(widgets: readonly Widget[]): readonly unknown[] {
    let x = 0;
    let y = 0;
    let rowHeight = 0;
    return widgets.map(({ type, width, height, properties }) => {
        if (x + width > 24) {
            x = 0;
            y += rowHeight;
            rowHeight = 0;
        }
        const widget = { type, x, y, width, height, properties };
        x += width;
        rowHeight = Math.max(rowHeight, height);
        return widget;
    });
}

export interface StageDashboardArgs {
    readonly names: StageNames;
    readonly models: readonly DashboardModel[];
}

/** What happens in a stage, at a glance: executions, learning curves, utilisation, failures. */
export class StageDashboard extends pulumi.ComponentResource {
    readonly dashboardName: pulumi.Output<string>;

    constructor(name: string, args: StageDashboardArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:cloudwatch:StageDashboard", name, {}, opts);
        const dashboard = new cloudwatch.Dashboard(
            name,
            {
                dashboardName: args.names.dashboard,
                dashboardBody: JSON.stringify(dashboardBody(args.names, args.models)),
            },
            { parent: this },
        );
        this.dashboardName = dashboard.dashboardName;
        this.registerOutputs({ dashboardName: this.dashboardName });
    }
}
