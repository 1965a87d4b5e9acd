/** `npm run verify:aws -- [--plan | --deploy --role ARN] [--region REGION] [--endpoint URL] [ID...]` */
import { parseArgs } from "node:util";
import { SFNClient, TestStateCommand, type TestStateCommandInput } from "@aws-sdk/client-sfn";
import Table from "cli-table3";
import { ToolError } from "../../ground/errors";
import { defined } from "../../ground/fields";
import { testState, type TestStateRequest, type TestStateResponse } from "../interpreter/index";
import { ASSUMPTIONS, type Assumption } from "./assumptions";
import { verify, verifyByTestState, type Verdict } from "./run";

const HELP = [
    "npm run verify:aws -- [--plan | --deploy --role ARN] [--region REGION] [--endpoint URL] [ID...]",
    "Says for each rule of asl/ASSUMPTIONS.md whether it holds on AWS, by calls of TestState with mocked results: nothing is",
    "deployed, nothing is left behind. The caller needs states:TestState; no role is needed.",
    "",
    "  --plan          print the calls, with what this project expects of them, and make none",
    "  --deploy        run a small state machine for each rule instead, and delete it: also rules that TestState cannot show.",
    "                  Needs states:CreateStateMachine, DeleteStateMachine, StartExecution, DescribeExecution and iam:PassRole,",
    "                  and costs under 200 state transitions",
    "  --role ARN      with --deploy: a role that states.amazonaws.com may assume; it needs no permission (VERIFY_ROLE_ARN)",
    "  --region        default AWS_REGION",
    "  --endpoint URL  another endpoint than AWS's",
    "",
    "Exit codes: 0 every rule that was run holds, 1 one does not or could not be run, 2 the command could not start.",
].join("\n");

interface Options {
    readonly plan: boolean;
    readonly deploy: boolean;
    readonly role: string | undefined;
    readonly region: string | undefined;
    readonly endpoint: string | undefined;
}

async function main(): Promise<number> {
    const { values, positionals } = parseArgs({
        allowPositionals: true,
        options: {
            plan: { type: "boolean", default: false },
            deploy: { type: "boolean", default: false },
            role: { type: "string" },
            region: { type: "string" },
            endpoint: { type: "string" },
            help: { type: "boolean" },
        },
    });
    if (values.help === true) {
        console.log(HELP);
        return 0;
    }
    const chosen = chosenOf(positionals);
    if (values.plan) {
        return printPlan(chosen);
    }
    const { plan, deploy, role, region, endpoint } = values;
    const verdicts = await verdictsOf(chosen, { plan, deploy, role, region, endpoint });
    return printVerdicts(verdicts, chosen, deploy);
}

function chosenOf(ids: readonly string[]): readonly Assumption[] {
    const known = ASSUMPTIONS.map(({ id }) => id);
    const unknown = ids.filter((id) => !known.includes(id));
    if (unknown.length > 0) {
        throw new ToolError(`unknown: ${unknown.join(", ")}; known: ${known.join(", ")}`);
    }
    return ids.length === 0 ? ASSUMPTIONS : ASSUMPTIONS.filter(({ id }) => ids.includes(id));
}

/** The calls in their order; where a later one depends on an earlier one's answer, on the answer that is expected. */
async function printPlan(assumptions: readonly Assumption[]): Promise<number> {
    let calls = 0;
    for (const assumption of assumptions) {
        console.log(`${assumption.id}: ${assumption.rule}`);
        const call = async (request: TestStateRequest): Promise<TestStateResponse> => {
            calls += 1;
            const { definition: _, ...shown } = request;
            console.log(`  TestState ${JSON.stringify(shown)}`);
            return testState(request);
        };
        const [verdict] = await verifyByTestState(call, [assumption]);
        console.log(`  expected: ${verdict?.holds === undefined ? (verdict?.observed ?? "") : verdict.expected}\n`);
    }
    const shown = assumptions.filter(({ onlyInExecution }) => onlyInExecution === undefined).length;
    console.log(`${calls} calls of TestState for ${shown} of ${assumptions.length} rules; none was made.`);
    return 0;
}

async function verdictsOf(chosen: readonly Assumption[], options: Options): Promise<Verdict[]> {
    const region = options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (region === undefined) {
        throw new ToolError("no region: set AWS_REGION or give --region");
    }
    const { endpoint } = options;
    // AWS answers TestState at sync-states...; another endpoint has one name.
    const client = new SFNClient({ ...defined({ region, endpoint }), disableHostPrefix: endpoint !== undefined });
    try {
        await client.config.credentials();
    } catch (error) {
        throw new ToolError(`no AWS credentials (${(error as Error).message}); sign in, then run it again`);
    }
    const onVerdict = ({ holds, id }: Verdict): void => console.error(`${verdictWord(holds)}  ${id}`);
    if (!options.deploy) {
        return verifyByTestState((request) => callAws(client, request), chosen, onVerdict);
    }
    const roleArn = options.role ?? process.env.VERIFY_ROLE_ARN;
    if (roleArn === undefined) {
        throw new ToolError(
            "no role: give --role ARN (or VERIFY_ROLE_ARN) of a role that states.amazonaws.com may assume;" +
                " it needs no permission",
        );
    }
    return verify(client, chosen, { roleArn, run: Date.now().toString(36), onVerdict });
}

async function callAws(client: SFNClient, request: TestStateRequest): Promise<TestStateResponse> {
    const answer = await client.send(new TestStateCommand(request as TestStateCommandInput));
    return answer as TestStateResponse;
}

function verdictWord(holds: boolean | undefined): string {
    if (holds === undefined) {
        return "not run";
    }
    return holds ? "holds" : "does not hold";
}

function printVerdicts(verdicts: readonly Verdict[], chosen: readonly Assumption[], isDeployed: boolean): number {
    const table = new Table({
        head: ["rule", "expected", "observed", "verdict"],
        colWidths: [34, 34, 44, 15],
        wordWrap: true,
        wrapOnWordBoundary: false,
    });
    for (const { id, expected, observed, holds } of verdicts) {
        table.push([id, expected, observed, verdictWord(holds)]);
    }
    console.log(table.toString());
    const left = isDeployed ? [] : chosen.filter(({ onlyInExecution }) => onlyInExecution !== undefined);
    const held = verdicts.filter(({ holds }) => holds === true).length;
    const run = verdicts.length - left.length;
    console.log(`${held} of ${run} rules hold.`);
    if (left.length > 0) {
        console.log(`${left.length} that only an execution shows were not run; --deploy runs them.`);
    }
    return held === run ? 0 : 1;
}

main().then(
    (code) => {
        process.exitCode = code;
    },
    (error: unknown) => {
        console.error(`verify:aws: ${error instanceof ToolError ? error.message : String(error)}`);
        process.exitCode = 2;
    },
);
