import * as cloudwatch from "@pulumi/aws/cloudwatch";
import type * as pulumi from "@pulumi/pulumi";
import type { StageNames } from "./names";
import type { StageTags } from "./tags";

/** An alarm that says that something went wrong which nobody else tells of. */
export interface AlarmSpec {
    /** End of the alarm's name. */
    readonly name: string;
    readonly description: string;
    readonly namespace: string;
    readonly metric: string;
    readonly dimensions: Readonly<Record<string, string>>;
    readonly statistic: "Sum" | "Maximum";
}

/** Alarms on the operations topic. Each goes off at the first event within five minutes; no data is a good sign. */
export function alarms(
    name: string,
    names: StageNames,
    specs: readonly AlarmSpec[],
    tags: StageTags,
    opts: pulumi.CustomResourceOptions,
): void {
    for (const alarm of specs) {
        new cloudwatch.MetricAlarm(
            `${name}-${alarm.name}`,
            {
                name: `${names.prefix}-${alarm.name}`,
                alarmDescription: alarm.description,
                namespace: alarm.namespace,
                metricName: alarm.metric,
                dimensions: alarm.dimensions,
                statistic: alarm.statistic,
                period: 300,
                evaluationPeriods: 1,
                threshold: 0,
                comparisonOperator: "GreaterThanThreshold",
                treatMissingData: "notBreaching",
                alarmActions: [names.topicArn("operations")],
                tags,
            },
            opts,
        );
    }
}
