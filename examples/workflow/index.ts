/** Deploys the workflow: its topic, the function that it calls, and the state machine with all that it stands on. */
import * as sns from "@pulumi/aws/sns";
import * as pulumi from "@pulumi/pulumi";
import { callerIdentity, ProvenStateMachine } from "@ensemble-training/pulumi/provenStateMachine";
import { importFunction } from "./importFunction";
import { orderImport } from "./workflow";

export = async () => {
    const identity = await callerIdentity();
    const { partition, region, account } = identity;
    const name = `order-import-${pulumi.getStack()}`;
    const topic = new sns.Topic("failures", { name });
    const machine = new ProvenStateMachine("order-import", {
        identity,
        machine: orderImport({
            importFunctionArn: `arn:${partition}:lambda:${region}:${account}:function:${name}:live`,
            topicArn: `arn:${partition}:sns:${region}:${account}:${name}`,
        }),
        failureTopicArn: topic.arn,
        notifiedPrefix: "Notified.",
        targets: [topic, importFunction(name, identity)],
    });
    return { stateMachineArn: machine.arn, topicArn: topic.arn };
};
