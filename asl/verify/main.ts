/** `npm run verify:aws -- --role ARN [--region REGION] [--endpoint URL] [ID...]` */
import { parseArgs } from "node:util";
import { SFNClient } from "@aws-sdk/client-sfn";
import Table from "cli-table3";
import { ToolError } from "../../ground/errors";
import { ASSUMPTIONS } from "./assumptions";
import { verify } from "./run";

/** The command could not start; the message is all that the user needs. */
async function main(): Promise<number> {
    const { values, positionals } = parseArgs({
        allowPositionals: true,
        options: {
            role: { type: "string" },
            region: { type: "string" },
            endpoint: { type: "string" },
            help: { type: "boolean" },
        },
    });
    if (values.help === true) {
        console.log(
            [
                "npm run verify:aws -- --role ARN [--region REGION] [--endpoint URL] [ID...]",
                "Runs a small state machine for each rule of asl/ASSUMPTIONS.md on your account, deletes it, and says whether the rule holds.",
                "The role must be assumable by states.amazonaws.com and needs no permission. The caller needs states:CreateStateMachine,",
                "DeleteStateMachine, StartExecution, DescribeExecution and iam:PassRole. Costs: under 200 state transitions.",
            ].join("\n"),
        );
        return 0;
    }
    const chosen =
        positionals.length === 0
            ? ASSUMPTIONS
            : ASSUMPTIONS.filter((assumption) => positionals.includes(assumption.id));
    const unknown = positionals.filter((id) => !ASSUMPTIONS.some((assumption) => assumption.id === id));
    if (unknown.length > 0) {
        throw new ToolError(
            `unknown: ${unknown.join(", ")}; known: ${ASSUMPTIONS.map((assumption) => assumption.id).join(", ")}`,
        );
    }
    const region = values.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
    if (region === undefined) {
        throw new ToolError("no region: set AWS_REGION or give --region");
    }
    const client = new SFNClient({ region, ...(values.endpoint === undefined ? {} : { endpoint: values.endpoint }) });
    try {
        await client.config.credentials();
    } catch (error) {
        throw new ToolError(`no AWS credentials (${(error as Error).message}); sign in, then run it again`);
    }
    const roleArn = values.role ?? process.env.VERIFY_ROLE_ARN;
    if (roleArn === undefined) {
        throw new ToolError(
            "no role: give --role ARN (or VERIFY_ROLE_ARN) of a role that states.amazonaws.com may assume; it needs no permission",
        );
    }
    const verdicts = await verify(client, chosen, {
        roleArn,
        run: Date.now().toString(36),
        onVerdict: (verdict) =>
            console.error(
                `${verdict.holds === undefined ? "?" : verdict.holds ? "holds" : "DOES NOT HOLD"}  ${verdict.id}`,
            ),
    });
    const table = new Table({
        head: ["rule", "expected", "observed", "verdict"],
        colWidths: [34, 34, 44, 15],
        wordWrap: true,
        wrapOnWordBoundary: false,
    });
    for (const verdict of verdicts) {
        table.push([
            verdict.id,
            verdict.expected,
            verdict.observed,
            verdict.holds === undefined ? "not run" : verdict.holds ? "holds" : "does not hold",
        ]);
    }
    console.log(table.toString());
    const held = verdicts.filter((verdict) => verdict.holds === true).length;
    console.log(`${held} of ${verdicts.length} rules hold.`);
    return held === verdicts.length ? 0 : 1;
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
