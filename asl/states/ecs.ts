import { checkEntries, checkInteger } from "./bounds";
import { managedRule, placeOf, type Permission } from "./permissions";
import type { Expression, Template } from "./jsonata";
import { Task, type TaskOptions } from "./task";

/** What a container of the task does differently from its definition. */
export interface EcsContainerOverride {
    /** Name of the container in the task definition. */
    readonly name: string;
    /** Default: the definition's. */
    readonly command?: readonly (string | Expression<string>)[] | Expression<readonly string[]>;
    /** Added to the definition's. Default: none. */
    readonly environment?: Readonly<Record<string, string | Expression<string>>>;
}

/** A task of ECS. Source of the bounds: API reference of ECS, RunTask. */
export interface EcsRunTaskOptions extends TaskOptions {
    /** ARN of the cluster; the role may run tasks in this one alone. */
    readonly clusterArn: string;
    /** ARN of a task definition, better without its revision: then the newest one runs. */
    readonly taskDefinitionArn: string;
    /** Execution role and task role of the definition: the machine hands them to ECS. */
    readonly passedRoleArns: readonly string[];
    /** Default: the cluster's own strategy. */
    readonly launchType?: "EC2" | "FARGATE" | "EXTERNAL";
    /** Tasks to start, 1 to 10. Default: 1. */
    readonly count?: number | Expression<number>;
    /** Demanded by the network mode awsvpc, and so by Fargate. */
    readonly network?: {
        /** 1 to 16. */
        readonly subnetIds: readonly string[];
        /** At most 5. Default: the VPC's own. */
        readonly securityGroupIds?: readonly string[];
        /** Whether tasks get a public address; without one they need a NAT gateway or endpoints. Default: false. */
        readonly assignPublicIp?: boolean;
    };
    /** Default: none. */
    readonly containerOverrides?: readonly EcsContainerOverride[];
    /** At most 50. Default: none. */
    readonly tags?: Readonly<Record<string, string>>;
}

/** `ecs:runTask.sync`: runs a task, waits for its end, and stops it when the execution is stopped. */
export class EcsRunTask extends Task {
    constructor(
        name: string,
        private readonly options: EcsRunTaskOptions,
    ) {
        super(name, options);
        const { count, network, tags, launchType } = options;
        checkInteger({ state: name, field: "count" }, count, { min: 1, max: 10, unit: "tasks" });
        checkEntries({ state: name, field: "network.subnetIds" }, network?.subnetIds, { min: 1, max: 16 });
        checkEntries({ state: name, field: "network.securityGroupIds" }, network?.securityGroupIds, { min: 0, max: 5 });
        checkEntries({ state: name, field: "tags" }, tags, { min: 0, max: 50, unit: "tags" });
        if (launchType === "FARGATE" && network === undefined) {
            throw new Error(`state "${name}": network must be given where launchType is FARGATE`);
        }
    }

    protected override resource(): string {
        return `arn:${placeOf(this.options.clusterArn).partition}:states:::ecs:runTask.sync`;
    }

    protected override arguments(): Template {
        const { clusterArn, taskDefinitionArn, launchType, count, tags, containerOverrides } = this.options;
        return {
            Cluster: clusterArn,
            TaskDefinition: taskDefinitionArn,
            LaunchType: launchType,
            Count: count,
            NetworkConfiguration: this.networkConfiguration(),
            Overrides:
                containerOverrides === undefined
                    ? undefined
                    : { ContainerOverrides: containerOverrides.map(renderOverride) },
            Tags: tags === undefined ? undefined : Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        };
    }

    private networkConfiguration(): Template | undefined {
        const { network } = this.options;
        if (network === undefined) {
            return undefined;
        }
        return {
            AwsvpcConfiguration: {
                Subnets: network.subnetIds,
                SecurityGroups: network.securityGroupIds,
                AssignPublicIp: network.assignPublicIp === true ? "ENABLED" : "DISABLED",
            },
        };
    }

    protected override needs(): readonly Permission[] {
        const { clusterArn, taskDefinitionArn, passedRoleArns, tags } = this.options;
        const { partition, region, account, resource } = placeOf(clusterArn);
        const tasks = `arn:${partition}:ecs:${region}:${account}:task/${resource.replace(/^cluster\//, "")}/*`;
        const inCluster = { ArnEquals: { "ecs:cluster": clusterArn } };
        const permissions: Permission[] = [
            {
                actions: ["ecs:RunTask"],
                resources: [`${taskDefinitionArn.replace(/:\d+$/, "")}:*`],
                conditions: inCluster,
                reason: "each registration of the task definition has a revision of its own",
            },
            {
                actions: ["ecs:DescribeTasks", "ecs:StopTask"],
                resources: [tasks],
                reason: "a task's id is made by ECS",
            },
            {
                actions: ["iam:PassRole"],
                resources: passedRoleArns,
                conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
            },
            managedRule({ partition, region, account }, "StepFunctionsGetEventsForECSTaskRule"),
        ];
        if (tags !== undefined) {
            permissions.push({
                actions: ["ecs:TagResource"],
                resources: [tasks],
                reason: "a task's id is made by ECS",
            });
        }
        return permissions;
    }
}

function renderOverride({ name, command, environment }: EcsContainerOverride): Template {
    const variables = Object.entries(environment ?? {}).map(([Name, Value]) => ({ Name, Value }));
    return { Name: name, Command: command, Environment: environment === undefined ? undefined : variables };
}
