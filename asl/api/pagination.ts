/** Lists, page by page: a token names the last entry of its page, so that what is added meanwhile moves nothing. */
import { invalidToken } from "./errors";

/** What a request says of its page. */
export interface PageRequest {
    /** 1 to 1,000; 0 is the default of 100. */
    readonly maxResults?: number;
    readonly nextToken?: string;
}

/** One page. */
export interface Page<T> {
    readonly items: readonly T[];
    readonly nextToken?: string;
}

const DEFAULT_SIZE = 100;

/**
 * The page that a request asks for.
 * @param list What is listed: a token is good for one list only.
 * @param keyOf An entry's own name within the list.
 * @throws ServiceError InvalidToken where the token is none, another list's, or its entry is no longer there.
 */
export function pageOf<T>(
    list: string,
    items: readonly T[],
    { maxResults = 0, nextToken }: PageRequest,
    keyOf: (item: T) => string,
): Page<T> {
    const from = nextToken === undefined ? 0 : items.findIndex((item) => keyOf(item) === lastKey(list, nextToken)) + 1;
    if (nextToken !== undefined && from === 0) {
        throw invalidToken();
    }
    const size = maxResults === 0 ? DEFAULT_SIZE : maxResults;
    const page = items.slice(from, from + size);
    const last = page.at(-1);
    if (last === undefined || from + size >= items.length) {
        return { items: page };
    }
    return { items: page, nextToken: tokenOf(list, keyOf(last)) };
}

function tokenOf(list: string, key: string): string {
    return Buffer.from(JSON.stringify([list, key])).toString("base64url");
}

function lastKey(list: string, token: string): string {
    try {
        const [ofList, key] = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as [string, string];
        if (ofList === list) {
            return key;
        }
    } catch {
        // no token of ours
    }
    throw invalidToken();
}
