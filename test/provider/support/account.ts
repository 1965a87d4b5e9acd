/** An account of AWS's on this machine: moto's server, and Terraform's configuration that leads to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LOCAL_IDENTITY } from "../../../project/evaluate";
import { freePort } from "../../support/s3";
import type { Declared } from "./declared";
import { PROVIDER_VERSION } from "./terraform";

const root = path.resolve(__dirname, "../../..");

/** Endpoints by Terraform's names of the services. */
const SERVICES = [
    "batch",
    "cloudwatch",
    "cloudwatchevents",
    "cloudwatchlogs",
    "ec2",
    "ecr",
    "iam",
    "kms",
    "lambda",
    "s3",
    "sagemaker",
    "scheduler",
    "sfn",
    "sns",
    "sqs",
    "sts",
];

/** A running server. */
export class Account {
    private constructor(
        readonly endpoint: string,
        private readonly server: ChildProcess,
    ) {}

    /** @param folder for the server's log */
    static async start(folder: string): Promise<Account> {
        mkdirSync(folder, { recursive: true });
        const port = await freePort();
        const log = path.join(folder, "account.log");
        const output = openSync(log, "w");
        const server = spawn(path.join(root, ".venv/bin/python"), [path.join(__dirname, "cloud.py"), String(port)], {
            stdio: ["ignore", output, output],
            env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
        });
        closeSync(output);
        const endpoint = `http://127.0.0.1:${port}`;
        for (let tries = 0; !(await answers(endpoint)); tries += 1) {
            if (tries > 1_200 || server.exitCode !== null) {
                throw new Error(`The account does not answer: ${readFileSync(log, "utf8").slice(-500)}`);
            }
            await sleep(100);
        }
        return new Account(endpoint, server);
    }

    stop(): void {
        this.server.kill("SIGKILL");
    }
}

async function answers(endpoint: string): Promise<boolean> {
    try {
        return (await fetch(`${endpoint}/moto-api/`)).ok;
    } catch {
        return false;
    }
}

/** Identifiers that configurations name, because somebody else made the resources, and what they stand for. */
export const GIVEN: Readonly<Record<string, string>> = {
    "vpc-0123456789abcdef0": "aws_vpc.given.id",
    "subnet-0aaaaaaaaaaaaaaa0": "aws_subnet.given_a.id",
    "subnet-0bbbbbbbbbbbbbbb0": "aws_subnet.given_b.id",
    "sg-0aaaaaaaaaaaaaaa0": "aws_security_group.given.id",
    "arn:aws:kms:eu-central-1:123456789012:key/22222222-2222-3333-4444-555555555555": "aws_kms_key.given.arn",
};

/** The resources behind {@link GIVEN}. */
const OTHERS = {
    aws_vpc: { given: { cidr_block: "10.9.0.0/16" } },
    aws_subnet: {
        given_a: { vpc_id: "${aws_vpc.given.id}", cidr_block: "10.9.0.0/24" },
        given_b: { vpc_id: "${aws_vpc.given.id}", cidr_block: "10.9.1.0/24" },
    },
    aws_security_group: { given: { name: "given", vpc_id: "${aws_vpc.given.id}" } },
    aws_kms_key: { given: { description: "given" } },
};

/** Their addresses. */
export const OF_OTHERS = Object.entries(OTHERS)
    .flatMap(([type, named]) => Object.keys(named).map((name) => `${type}.${name}`))
    .sort();

/**
 * Terraform's configuration of one account with several stages.
 *
 * @param forgotten addresses of what is no longer declared and yet stays in the account
 */
export function configuration(
    endpoint: string,
    stages: readonly Declared[],
    forgotten: readonly string[] = [],
): object {
    const provider = {
        region: LOCAL_IDENTITY.region,
        access_key: "test",
        secret_key: "test",
        max_retries: 3,
        skip_credentials_validation: true,
        skip_metadata_api_check: "true",
        s3_use_path_style: true,
        endpoints: [Object.fromEntries(SERVICES.map((service) => [service, endpoint]))],
    };
    const questions = together(stages.map((stage) => stage.questions));
    const asked = Object.keys(questions).length > 0;
    return {
        terraform: { required_providers: { aws: { source: "hashicorp/aws", version: PROVIDER_VERSION } } },
        provider: { aws: provider },
        // Terraform refuses an empty one.
        data: asked ? questions : undefined,
        resource: together([OTHERS, ...stages.map(({ resources }) => resources)]),
        removed: forgotten.map((from) => ({ from, lifecycle: { destroy: false } })),
    };
}

type ByType = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function together(parts: readonly ByType[]): ByType {
    const types = [...new Set(parts.flatMap((part) => Object.keys(part)))].sort();
    return Object.fromEntries(
        types.map((type) => [type, Object.assign({}, ...parts.map((part) => part[type])) as Record<string, unknown>]),
    );
}
