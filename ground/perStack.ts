/** Settings that are other ones for some stacks of a project. */

type Settings = Readonly<Record<string, unknown>>;

/**
 * The settings of one stack: those in general, over them those below `stacks` for all stacks of its project
 * (`<project>/*`), and over these the stack's own (`<project>/<stack>`).
 */
export function settingsOfStack(settings: Settings, project: string, stack: string): Settings {
    const { stacks, ...general } = settings;
    const own = isSettings(stacks) ? [stacks[`${project}/*`], stacks[`${project}/${stack}`]] : [];
    return Object.assign({}, general, ...own.filter(isSettings)) as Settings;
}

function isSettings(value: unknown): value is Settings {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
