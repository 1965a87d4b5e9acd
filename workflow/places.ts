/**
 * What lies where in S3 below an execution's target, and for how long: one table for paths, roles, lifecycle rules
 * and `ensemble prune`.
 */

/**
 * How long objects of a folder stay.
 *
 * - `kept`: no rule deletes them. What nothing points at any more is for `ensemble prune`.
 * - the name of a configuration key below `retention`: so many days after they were written.
 */
export type Lifetime = "kept" | "runDays" | "checkpointDays";

export interface Place {
    readonly lifetime: Lifetime;
    readonly holds: string;
}

/** The folders directly below a target. workflow/CONTRACT.md says what each holds in detail. */
export const PLACES = {
    runs: {
        lifetime: "runDays",
        holds: "one folder an execution: its copy of the data, split, table, plan, and the markers of its models",
    },
    checkpoints: { lifetime: "checkpointDays", holds: "checkpoints of the trainings, by content key" },
    checksums: { lifetime: "runDays", holds: "checksums of data sets, by the objects' versions" },
    models: { lifetime: "kept", holds: "archives of trained models, by content key" },
    trained: { lifetime: "kept", holds: "markers of finished models, by content key: they point into models/" },
    published: {
        lifetime: "kept",
        holds: "published ensembles, one folder an execution, and the pointer to the newest",
    },
    code: { lifetime: "kept", holds: "source archives of the trainings, by content hash" },
} as const satisfies Readonly<Record<string, Place>>;

export type Folder = keyof typeof PLACES;

/** The folders whose objects expire, with the key of the configuration that says when. */
export function expiringFolders(): { readonly folder: Folder; readonly lifetime: Exclude<Lifetime, "kept"> }[] {
    return (Object.keys(PLACES) as Folder[]).flatMap((folder) => {
        const { lifetime } = PLACES[folder];
        return lifetime === "kept" ? [] : [{ folder, lifetime }];
    });
}
