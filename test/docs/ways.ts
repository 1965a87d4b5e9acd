/**
 * How each command of the documents is tried. A command without an entry, and an entry without a command, fails the
 * plain suite.
 */

export type Way =
    /** Run as it stands: in the plain suite where it is quick, else in test/package/documents.spec.ts. */
    | {
          readonly way: "quick" | "slow";
          /** Exit code; default 0. */
          readonly exit?: number;
          /** What it prints, on either stream. */
          readonly says?: RegExp;
          /** Arguments that make it small or keep it in its own folder; they come behind those of the documents. */
          readonly with?: readonly string[];
          /** Started, looked at, and ended by Ctrl-C once it has said what is expected. */
          readonly until?: true;
      }
    /** Run by test/package/documents.spec.ts in a copy of the example, with the packed package installed. */
    | { readonly way: "example" }
    /** Run with the real engine by test/engine/docs.spec.ts. */
    | { readonly way: "engine" }
    /** Run by another suite: the file holds these words. */
    | { readonly way: "suite"; readonly file: string; readonly words: string }
    /** Its options are checked against the program's own help, and no more; why. */
    | { readonly way: "syntax"; readonly why: string };

const quick = (says?: RegExp, exit?: number): Way => ({ way: "quick", says, exit });
const slow = (says?: RegExp, exit?: number, extra?: readonly string[]): Way => ({
    way: "slow",
    says,
    exit,
    with: extra,
});
const suite = (file: string, words: string): Way => ({ way: "suite", file, words });
const step = (script: string): Way => suite(".ci/run", `npm run --silent ${script}`);
const ACCOUNT = "It asks an account, and there is none here.";

export const WAYS: Readonly<Record<string, Way>> = {
    // this checkout
    "npm ci": suite("scripts/bootstrap.mjs", '"npm", ["ci"'),
    "npm start": suite("test/slow/local.spec.ts", '"scripts/ensemble.mjs"), "local"'),
    "npm test": suite(".ci/run", "npm test"),
    "npm run lint": step("lint"),
    "npm run lint:prune": { way: "syntax", why: "It rewrites what the lint of the same run reads." },
    "npm run typecheck": step("typecheck"),
    "npm run measure": slow(/\*\*all\*\*/),
    "npm run measure -- --write": { way: "syntax", why: "It rewrites a document of the checkout." },
    "npm run mutation -- pricing": { way: "syntax", why: "It takes minutes for a room, hours for all." },
    "npm run mutation -- ROOM": { way: "syntax", why: "It takes minutes for a room." },
    "npm run mutation -- --write": { way: "syntax", why: "It takes hours, and rewrites a document of the checkout." },
    "npm run nightly": { way: "syntax", why: "It takes an hour, and asks the registry for known holes." },
    "npm run nightly:quality": { way: "syntax", why: "It trains the sample with the values of both stages: hours." },
    ".venv/bin/python bench/quality/measure.py --ablations --control": {
        way: "syntax",
        why: "It trains three sets with three seeds: an hour; npm run nightly:quality is the same program.",
    },
    "npm audit": { way: "syntax", why: "It asks the registry." },
    "npm install --package-lock-only": { way: "syntax", why: "It rewrites the lock file of the checkout." },
    "node scripts/bootstrap.mjs": suite(".ci/run", "node scripts/bootstrap.mjs"),
    "npm test --silent": suite(".ci/run", "npm test --silent"),
    "bash .ci/browser": suite(".ci/run", "bash .ci/browser"),
    "bash .ci/provider": { way: "syntax", why: "It fetches the provider, which the provider's suite then runs." },
    "bash .ci/pack packed": suite(".ci/run", "bash .ci/pack"),
    'node scripts/commits.mjs "origin/$GITHUB_BASE_REF..HEAD^2"': suite(
        "test/scripts/messages.spec.ts",
        '"scripts/commits.mjs"',
    ),
    'node scripts/release.mjs "$GITHUB_REF_NAME" > notes.md': suite("test/scripts/messages.spec.ts", '"release.mjs"'),
    'gh release create "$GITHUB_REF_NAME" --verify-tag --title "$GITHUB_REF_NAME" --notes-file notes.md packed/*.tgz': {
        way: "syntax",
        why: "It is GitHub's own.",
    },
    "npm run test:engine": step("test:engine"),
    "npm run test:provider": step("test:provider"),
    "npm run test:tools": step("test:tools"),
    "npm run test:training": step("test:training"),
    "npm run test:training:slow": step("test:training:slow"),
    "npm run test:slow": step("test:slow"),
    "npm run test:package": step("test:package"),
    "npm run test:local": step("test:local"),
    "npx mocha test/workflow/names.spec.ts": slow(/passing/),
    "bash .ci/run": { way: "syntax", why: "It runs this very test." },
    "npm run docs": slow(),
    "npm run schema:input": slow(),
    "npm run policy:docs": slow(),
    "npm run policy:build": slow(),
    "npm run verify:docs": slow(),
    "npm run conformance:report": slow(),
    "npm run analysis:docs": slow(),
    "npm run faults": suite("test/slow/faults.spec.ts", "sweep("),
    "UPDATE_GOLDEN=1 npx mocha test/workflow/*.spec.ts": suite(
        "test/workflow/ensembleTraining.spec.ts",
        "UPDATE_GOLDEN",
    ),
    "npm run verify:aws": { way: "syntax", why: ACCOUNT },
    "npm run verify:aws -- --plan": slow(/TestState \{/),
    "npm run verify:aws -- --deploy --role ARN": { way: "syntax", why: ACCOUNT },

    "npm run docs:api": step("docs:api"),
    "npm pack": suite("test/package/installed.ts", '"npm", ["pack"'),
    "npm install <file>": suite("test/package/installed.ts", '"npm", ["install"'),

    // the checker
    "asl-check docs/silent-failure.asl.json": quick(
        /Train -\(States\.TaskFailed\)-> Record -> Done: the execution SUCCEEDS/,
        1,
    ),
    "asl-check my-machine.asl.json template.yaml plan.json": slow(/3 definitions: 0 errors/),
    "asl-check --baseline .asl-check-baseline.json --update-baseline machines/ templates/": suite(
        "test/asl/check/known.spec.ts",
        "--update-baseline",
    ),
    "asl-check --baseline .asl-check-baseline.json machines/ templates/": suite(
        "test/asl/check/known.spec.ts",
        "--baseline",
    ),
    "asl-check --explain RULE": slow(/failure-swallowed/),
    "asl-check --explain notified-twice": quick(/at most one notification/),

    // the local run and what comes of it
    "ensemble local --documents my-scans": slow(/SUCCEEDED in/),
    "ensemble local --documents DIR": slow(/SUCCEEDED in/, 0, ["--reuse"]),
    "ensemble local --reuse": slow(/image: reused: same key/),
    "ensemble local --set image.epochs=3 --set run_training_steps.text_model=true": slow(
        /text: reused[\s\S]*SUCCEEDED in/,
        0,
        ["--reuse"],
    ),
    "ensemble local --set image.epochs=3 --reuse": slow(/text: reused[\s\S]*SUCCEEDED in/),
    "ensemble local --set image.epochs=1": slow(),
    'ensemble local --fail "Image Model Training=CapacityError*2"': suite(
        "test/slow/local.spec.ts",
        '"Image Model Training=CapacityError*2"',
    ),
    'ensemble local --fail "Text Model Training=AlgorithmError"': slow(/Notified\.UserBug/, 1),
    "ensemble predict --model .local/runs/<run>/artifacts my-new-scans": slow(/stack-0001\n {2}pages? \d/),
    "ensemble predict --model .local/runs/<run>/artifacts scan/*.png --json": slow(/"segments":/),
    "ensemble predict --model .local/runs/<run>/artifacts post.pdf --out answers.csv": suite(
        "test/training/test_predict.py",
        "--source",
    ),
    "ensemble documents import scans --out documents --labels labels.csv": suite(
        "test/cli/documents.spec.ts",
        '"documents", "import"',
    ),
    "ensemble local --documents documents": slow(/SUCCEEDED in/, 0, ["--reuse"]),
    "ensemble prune --stack prod": suite("test/cli/prune.spec.ts", "pruneCommand()"),
    "ensemble prune --stack prod --keep 20 --yes": suite("test/cli/prune.spec.ts", "pruneCommand()"),
    "ensemble report --run .local/runs/20261123-211743": slow(/report\.html/),

    "ensemble local --serve": suite("test/slow/localServe.spec.ts", '"local", "--serve", "--port"'),
    "ensemble local --serve --port 8083": suite("test/slow/localServe.spec.ts", '"local", "--serve", "--port"'),
    "ensemble start --stack dev --endpoint http://127.0.0.1:8083 --input .local/serve/input.json --watch": suite(
        "test/slow/localServe.spec.ts",
        '["start", ...at(), "--input", told.input',
    ),
    "ensemble report --stack dev": suite("test/slow/report.spec.ts", '["report", "--stack", "dev"'),
    "ensemble report --stack prod nightly-7 --out report.html": suite("test/slow/report.spec.ts", '"--out", out]'),
    "ensemble report --stack prod --pages 8": suite("test/slow/report.spec.ts", '"--pages"'),

    // before anything runs
    "ensemble plan --stack dev": slow(/Quotas of SageMaker/),
    "ensemble plan --stack dev --input input.json": slow(/What the input says/),
    "ensemble plan --stack prod": slow(/Quotas of SageMaker/),
    "ensemble plan --stack prod --input input.json --html plan.html": slow(/What the input says/),
    "ensemble plan --mermaid > workflow.mmd": slow(/flowchart TD/),
    "ensemble diff --stack dev --against main": slow(/stage dev at main -> stage dev/),
    "ensemble diff --stack prod --against main --markdown": slow(/### Workflow/),
    "ensemble diff --from-stack dev --to-stack prod": slow(/stage dev -> stage prod/),
    "ensemble diff --from old.asl.json --to new.asl.json": slow(/old\.asl\.json -> new\.asl\.json/),

    "ensemble prices update --stack dev": suite("test/cli/prices.spec.ts", 'run(pricesCommand(root), ["update"'),
    "ensemble prices update --stack prod": suite("test/cli/prices.spec.ts", 'run(pricesCommand(root), ["update"'),
    "ensemble prices update --region eu-central-1 us-east-1": suite(
        "test/cli/prices.spec.ts",
        'run(pricesCommand(root), ["update"',
    ),

    // the shell
    'alias ensemble="npm run --silent ensemble --"': {
        way: "syntax",
        why: "It is an alias of the reader's own shell.",
    },
    "source <(ensemble completion bash)": slow(),
    "ensemble completion zsh > ~/.zfunc/_ensemble": slow(/#compdef ensemble/),
    "ensemble completion fish > ~/.config/fish/completions/ensemble.fish": slow(/complete -c ensemble/),

    // executions, against the Step Functions API on the interpreter
    "ensemble start --stack dev --input input.json --watch": slow(/SUCCEEDED after/),
    "ensemble start --stack prod --input input.json --watch": slow(/SUCCEEDED after/),
    "ensemble watch --stack dev": slow(/SUCCEEDED after/),
    "ensemble watch --stack prod": slow(/SUCCEEDED after/),
    "ensemble watch --stack dev --endpoint http://127.0.0.1:8083": suite(
        "test/slow/cli.spec.ts",
        '"--endpoint", api.endpoint]',
    ),
    "ensemble explain --stack dev": slow(/SUCCEEDED after/),
    "ensemble explain --stack prod": slow(/SUCCEEDED after/),
    "ensemble resume --stack dev --watch": suite(
        "test/slow/cli.spec.ts",
        'ensemble(["resume", ...at(), "bad", "--watch"',
    ),
    "ensemble resume --stack prod --watch": suite(
        "test/slow/cli.spec.ts",
        'ensemble(["resume", ...at(), "bad", "--watch"',
    ),
    "ensemble stop --stack dev": suite("test/slow/cli.spec.ts", 'ensemble(["stop", ...at()'),
    'ensemble stop --stack prod nightly-7 --cause "wrong data"': suite(
        "test/slow/cli.spec.ts",
        'ensemble(["stop", ...at(), "long", "--cause"',
    ),
    "ensemble serve --port 8083 --results results.json": {
        way: "slow",
        says: /Step Functions on http:\/\/127\.0\.0\.1:8083/,
        until: true,
    },

    // Pulumi
    "npm run preview:dev": suite("test/engine/stage.spec.ts", "scriptFlags(`preview:${stage}`)"),
    "npm run up:dev": suite("test/engine/stage.spec.ts", "scriptFlags(`up:${stage}`)"),
    "npm run preview:dev -- --non-interactive --diff": suite(
        "test/engine/stage.spec.ts",
        "scriptFlags(`preview:${stage}`)",
    ),
    "npm run up:dev -- --yes --non-interactive": suite("test/engine/stage.spec.ts", "scriptFlags(`up:${stage}`)"),
    "pulumi preview": suite("test/engine/stage.spec.ts", "stack.preview("),
    "pulumi preview --policy-pack policy": suite("test/engine/support/engine.ts", 'policies.pack ?? "policy"'),
    "pulumi preview --policy-pack <this folder> --policy-pack-config <your configuration>": suite(
        "test/engine/rules.spec.ts",
        "policies: {",
    ),
    "pulumi up": suite("test/engine/stage.spec.ts", "stack.up("),
    "pulumi login": { way: "syntax", why: "Without an address it asks Pulumi Cloud; the same with an address is run." },
    "pulumi login s3://my-pulumi-state": { way: "syntax", why: ACCOUNT },
    "pulumi stack init dev": { way: "engine" },
    "pulumi stack output artifactBucket": { way: "engine" },
    "bucket=$(pulumi stack output artifactBucket --stack dev)": suite(
        "test/engine/docs.spec.ts",
        "pulumi stack output artifactBucket",
    ),
    ".venv/bin/python -c \"import boto3; boto3.resource('s3').Bucket('$bucket').object_versions.delete()\"": suite(
        "test/provider/provider.spec.ts",
        "object_versions",
    ),
    "pulumi state unprotect --all": { way: "engine" },
    "pulumi destroy": { way: "engine" },
    "pulumi destroy --stack dev": { way: "engine" },
    "export BUILDX_NO_DEFAULT_ATTESTATIONS=1": quick(),
    'aws sns list-subscriptions-by-topic --topic-arn "$(pulumi stack output alertsTopicArn)" --query "Subscriptions[?SubscriptionArn==\'PendingConfirmation\'].Endpoint"':
        { way: "syntax", why: ACCOUNT },
    'aws sns list-subscriptions-by-topic --topic-arn "$(pulumi stack output operationsTopicArn)" --query "Subscriptions[?SubscriptionArn==\'PendingConfirmation\'].Endpoint"':
        { way: "syntax", why: ACCOUNT },
    "aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083": suite(
        "test/tools/awsCli.spec.ts",
        "list-state-machines --endpoint-url",
    ),

    // benchmarks: long, and nothing is asserted of them
    "npx ts-node bench/program.ts": { way: "syntax", why: "A benchmark measures this machine alone." },
    "npx ts-node bench/rendering.ts": { way: "syntax", why: "A benchmark measures this machine alone." },
    "npm run bench:interpreter": { way: "syntax", why: "A benchmark measures this machine alone." },
    "npm run bench:analysis": { way: "syntax", why: "A benchmark measures this machine alone." },
    'PATH="$(bash .ci/engine --cli):$PWD/test/engine/bin:$PATH" npx ts-node bench/policy.ts': {
        way: "syntax",
        why: "A benchmark measures this machine alone.",
    },

    "npm ci --prefix bench": { way: "syntax", why: "It installs the peers, which only the benchmarks need." },
    'PATH="$(bash .ci/engine --cli):$PATH" npx ts-node bench/synth.ts': {
        way: "syntax",
        why: "A benchmark measures this machine alone.",
    },
    "npx ts-node bench/interpreterPeers.ts --python <interpreter with moto[stepfunctions]>": {
        way: "syntax",
        why: "A benchmark measures this machine alone.",
    },
    "npx ts-node bench/localRun.ts": { way: "syntax", why: "A benchmark measures this machine alone." },

    // what the trainings and the documents are run with
    "python local/documents/generate.py --out DIR --seed 1 [--stacks 90] [--without-split]": suite(
        "test/slow/local.spec.ts",
        "local/documents/generate.py",
    ),
    "python predict/predict.py MODEL --documents DIR|--source PATH... [--stack NAME ...]": suite(
        "local/python.ts",
        "predict/predict.py",
    ),
    "node jobs.js <job> --name value ...": suite("test/workloads/chain.spec.ts", "jobs"),

    // the examples
    "(examples/workflow) npm --prefix ../.. run packages": suite("test/package/installed.ts", ".build/packages"),
    "(examples/tabular) npm --prefix ../.. run packages": suite("test/package/installed.ts", ".build/packages"),
    "(examples/workflow) npm install": suite("test/package/installed.ts", '"npm", ["install"'),
    "(examples/workflow) npm test": { way: "example" },
    "(examples/workflow) pulumi preview --stack dev": suite("test/engine/examples.spec.ts", ".preview("),
    "(examples/tabular) npm install": suite("test/package/installed.ts", '"npm", ["install"'),
    '(examples/tabular) python3 -m venv .venv && .venv/bin/pip install -r training/requirements.txt "moto[s3,server]"':
        {
            way: "syntax",
            why: "It installs what the checkout's own .venv has already.",
        },
    "(examples/tabular) .venv/bin/python generate.py data": { way: "example" },
    "(examples/tabular) npm run local": { way: "example" },
    "(examples/tabular) npm test": { way: "example" },
    "(examples/tabular) pulumi preview --stack dev --policy-pack node_modules/@ensemble-training/pulumi/dist/policy-pack --policy-pack-config policy.dev.json":
        suite("test/engine/examples.spec.ts", "stack.preview({ policies })"),
    "(examples/tabular) pulumi up --stack dev": suite("test/engine/examples.spec.ts", ".up("),

    // the CI's workflows
    "ensemble COMMAND": { way: "syntax", why: "COMMAND stands for every command below." },
    'bash .ci/comment "$NUMBER" change.md': suite("test/docs/workflows.spec.ts", '[".ci/comment", "7", file]'),
    'ensemble diff --stack dev --against "origin/$GITHUB_BASE_REF" --markdown > change.md':
        slow(/### Workflow: stage dev/),
    'ensemble diff --stack prod --against "origin/$GITHUB_BASE_REF" --markdown >> change.md':
        slow(/### Workflow: stage prod/),
};
