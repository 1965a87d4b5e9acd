import { program } from "../../stacks/program";
import { root, scriptFlags, TestStack } from "./support/engine";

describe("try", () => {
    for (const stage of ["dev", "prod"]) {
    it("previews " + stage, async () => {
        const s = await TestStack.create(stage, program, root);
        const { policies } = scriptFlags("preview:" + stage);
        for (const f of ["preview", "up", "preview", "refresh", "destroy"] as const) {
            const t = Date.now();
            const o = f === "preview" || f === "up" ? await s[f]({ policies }) : await s[f]();
            console.log(f, Date.now() - t, o.succeeded, o.changes, o.same, Object.values(o.steps).length, o.violations.map(v => [v.policy, v.level, v.urn.split("::").slice(2).join("::"), v.message.split("\n").slice(0).join("\n").slice(0, 400)].join(" | ")), o.succeeded ? "" : o.log.slice(-3000));
        }
        s.dispose();
    });
    }
});
