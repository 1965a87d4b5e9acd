import * as ec2 from "@pulumi/aws/ec2";
import { getAvailabilityZonesOutput } from "@pulumi/aws/getAvailabilityZones";
import * as pulumi from "@pulumi/pulumi";
import type { StageNames } from "./names";
import type { StageTags } from "./tags";

/** Where the Batch jobs run. */
export type NetworkChoice =
    | { readonly kind: "default" }
    | {
          readonly kind: "given";
          readonly vpcId: string;
          readonly subnetIds: readonly string[];
          /**
           * True where the subnets' way out is an internet gateway: Fargate then needs a public address to pull its
           * image.
           */
          readonly assignPublicIp: boolean;
      }
    | {
          readonly kind: "created";
          /** The VPC's addresses, for example `10.42.0.0/20`; cut into two subnets. */
          readonly cidr: string;
      };

export interface NetworkArgs {
    readonly names: StageNames;
    readonly choice: NetworkChoice;
    readonly tags: StageTags;
}

/**
 * Cuts an IPv4 block into `count` equal parts (a power of two).
 *
 * @throws where the block is none, its address has bits below its mask, or the parts would be smaller than a subnet may
 * be (/28).
 */
export function cutBlock(cidr: string, count: number): string[] {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
    const octets = match?.slice(1, 5).map(Number) ?? [];
    const bits = Number(match?.[5]);
    const step = Math.log2(count);
    if (match === null || octets.some((octet) => octet > 255) || bits < 16 || bits + step > 28) {
        throw new Error(
            `No block for a VPC: got "${cidr}", expected an IPv4 block from /16 to /${28 - step}, for example ` +
                "10.42.0.0/20.",
        );
    }
    const start = octets.reduce((sum, octet) => sum * 256 + octet, 0);
    const size = 2 ** (32 - bits - step);
    if (start % (size * count) !== 0) {
        throw new Error(`No block for a VPC: "${cidr}" has address bits below its mask.`);
    }
    return Array.from({ length: count }, (_, index) => {
        const address = start + index * size;
        const parts = [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
        return `${parts.join(".")}/${bits + step}`;
    });
}

/**
 * The network of a stage's Batch jobs: the account's default VPC, given subnets, or a VPC of its own. The own one has
 * two public subnets, which the jobs pull their image through, and a gateway endpoint for S3; there is no NAT gateway
 * to pay for.
 *
 * Trainings run in a VPC only where its subnets and security groups are given by configuration (`isolation.vpc`):
 * identifiers that are made here are unknown at a new stage's first preview, and one of them would make the whole
 * definition unknown.
 */
export class Network extends pulumi.ComponentResource {
    readonly vpcId: pulumi.Output<string>;
    readonly subnetIds: pulumi.Output<string[]>;
    /** Security group of the jobs: nothing comes in, HTTPS goes out. */
    readonly securityGroupId: pulumi.Output<string>;
    /** Whether the jobs get a public address. */
    readonly assignPublicIp: boolean;

    constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
        super("ensemble:ec2:Network", name, {}, opts);
        const { choice, names, tags } = args;
        if (choice.kind === "created") {
            const made = this.create(name, choice.cidr, args);
            this.vpcId = made.vpcId;
            this.subnetIds = made.subnetIds;
            this.assignPublicIp = true;
        } else if (choice.kind === "given") {
            this.vpcId = pulumi.output(choice.vpcId);
            this.subnetIds = pulumi.output([...choice.subnetIds]);
            this.assignPublicIp = choice.assignPublicIp;
        } else {
            this.vpcId = ec2.getVpcOutput({ default: true }, { parent: this }).id;
            this.subnetIds = ec2.getSubnetsOutput(
                {
                    filters: [
                        { name: "vpc-id", values: [this.vpcId] },
                        { name: "default-for-az", values: ["true"] },
                    ],
                },
                { parent: this },
            ).ids;
            this.assignPublicIp = true;
        }
        const group = new ec2.SecurityGroup(
            name,
            {
                name: `${names.prefix}-jobs`,
                description: "Jobs: nothing comes in, HTTPS goes out",
                vpcId: this.vpcId,
                egress: [
                    {
                        protocol: "tcp",
                        fromPort: 443,
                        toPort: 443,
                        cidrBlocks: ["0.0.0.0/0"],
                        description: "AWS services",
                    },
                ],
                tags: { ...tags, Name: `${names.prefix}-jobs` },
            },
            { parent: this },
        );
        this.securityGroupId = group.id;
        this.registerOutputs({ vpcId: this.vpcId, subnetIds: this.subnetIds, securityGroupId: this.securityGroupId });
    }

    private create(
        name: string,
        cidr: string,
        args: NetworkArgs,
    ): { vpcId: pulumi.Output<string>; subnetIds: pulumi.Output<string[]> } {
        const { region } = args.names.identity;
        const child = { parent: this };
        const tags = { ...args.tags, Name: `${args.names.prefix}-jobs` };
        const vpc = new ec2.Vpc(
            name,
            { cidrBlock: cidr, enableDnsHostnames: true, enableDnsSupport: true, tags },
            child,
        );
        // The group that every VPC brings along allows nothing: what runs here has its own.
        new ec2.DefaultSecurityGroup(name, { vpcId: vpc.id, ingress: [], egress: [], tags }, child);
        const gateway = new ec2.InternetGateway(name, { vpcId: vpc.id, tags }, child);
        const routes = new ec2.RouteTable(
            name,
            {
                vpcId: vpc.id,
                routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }],
                tags,
            },
            child,
        );
        new ec2.VpcEndpoint(
            `${name}-s3`,
            {
                vpcId: vpc.id,
                serviceName: `com.amazonaws.${region}.s3`,
                vpcEndpointType: "Gateway",
                routeTableIds: [routes.id],
                tags,
            },
            child,
        );
        const zones = getAvailabilityZonesOutput({ state: "available" }, child).names;
        const subnetIds = cutBlock(cidr, 2).map((cidrBlock, index) => {
            const subnet = new ec2.Subnet(
                `${name}-${index}`,
                { vpcId: vpc.id, cidrBlock, availabilityZone: zones[index], tags },
                child,
            );
            const association = new ec2.RouteTableAssociation(
                `${name}-${index}`,
                { subnetId: subnet.id, routeTableId: routes.id },
                child,
            );
            return pulumi.all([subnet.id, association.id]).apply(([id]) => id);
        });
        return { vpcId: vpc.id, subnetIds: pulumi.all(subnetIds) };
    }
}
