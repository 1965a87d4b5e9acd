/** Pages of AWS's console. */

/** A log in CloudWatch. */
export interface LogLocation {
    readonly group: string;
    readonly stream: string;
    /** Whether `stream` is a stream's whole name; else it is where several streams' names begin. */
    readonly exact: boolean;
}

/** Host name of the console in the partition of a region. */
function consoleHost(region: string): string {
    if (region.startsWith("cn-")) {
        return "console.amazonaws.cn";
    }
    return region.startsWith("us-gov-") ? "console.amazonaws-us-gov.com" : "console.aws.amazon.com";
}

/** Address of a page of AWS's console, for example `states/home`, for a region of any partition. */
export function consoleUrl(region: string, page: string, fragment = ""): string {
    const place = fragment === "" ? "" : `#${fragment}`;
    return `https://${region}.${consoleHost(region)}/${page}?region=${region}${place}`;
}

/** The page of the CloudWatch console that shows a log, for a region. */
export function logUrl(log: LogLocation, region: string): string {
    // The console wants its fragment encoded twice, with $ in place of %.
    const twice = (text: string): string => encodeURIComponent(encodeURIComponent(text)).replace(/%/g, "$");
    const filter = encodeURIComponent("?logStreamNameFilter=").replace(/%/g, "$");
    const place = log.exact ? `/log-events/${twice(log.stream)}` : `${filter}${twice(log.stream)}`;
    return consoleUrl(region, "cloudwatch/home", `logsV2:log-groups/log-group/${twice(log.group)}${place}`);
}
