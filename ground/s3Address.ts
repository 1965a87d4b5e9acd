/**
 * `s3://bucket/key` addresses, read in one way by the roles that allow them, the jobs that read them and the run on the
 * desk.
 *
 * A key is what S3 says it is: any text, slashes at its beginning included. `s3://bucket//a` names the key `/a`, not
 * `a`.
 */
import { MAXIMUM_S3_KEY_BYTES } from "./awsLimits";

/** An object, or with a key that ends in `/` or is empty, everything below a prefix. */
export interface S3Address {
    readonly bucket: string;
    /** Without the slash that ends the bucket; may be empty. */
    readonly key: string;
}

/** An address that S3 would not take. */
export class S3AddressError extends Error {
    constructor(address: string, problem: string) {
        super(`${JSON.stringify(address)} is no address in S3: ${problem}; expected s3://<bucket>/<key>.`);
        this.name = "S3AddressError";
    }
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const IP_ADDRESS = /^\d{1,3}(\.\d{1,3}){3}$/;

/** A regular expression of whole addresses, for schemas; {@link parseS3Address} checks more and says what is wrong. */
export const S3_ADDRESS = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\n]*)?$/;

/**
 * Why a text is no bucket's name, or undefined where it is one.
 * Source: Amazon S3 User Guide, "General purpose bucket naming rules".
 */
function bucketNameProblem(name: string): string | undefined {
    if (!BUCKET.test(name)) {
        return (
            `the bucket's name ${JSON.stringify(name)} must have 3 to 63 lower-case letters, digits, dots and ` +
            "hyphens, " +
            "with a letter or digit at both ends"
        );
    }
    if (name.includes("..")) {
        return `the bucket's name ${JSON.stringify(name)} must not have two dots in a row`;
    }
    return IP_ADDRESS.test(name)
        ? `the bucket's name ${JSON.stringify(name)} must not look like an IP address`
        : undefined;
}

/**
 * Splits an address into bucket and key.
 * @throws S3AddressError where the scheme, the bucket's name or the key's length (1,024 bytes of UTF-8) is wrong.
 */
export function parseS3Address(address: string): S3Address {
    if (!address.startsWith("s3://")) {
        throw new S3AddressError(address, "it does not begin with s3://");
    }
    const rest = address.slice("s3://".length);
    const slash = rest.indexOf("/");
    const bucket = slash < 0 ? rest : rest.slice(0, slash);
    const key = slash < 0 ? "" : rest.slice(slash + 1);
    const problem = bucketNameProblem(bucket);
    if (problem !== undefined) {
        throw new S3AddressError(address, problem);
    }
    const bytes = Buffer.byteLength(key, "utf8");
    if (bytes > MAXIMUM_S3_KEY_BYTES) {
        throw new S3AddressError(address, `its key has ${bytes} bytes, S3 takes ${MAXIMUM_S3_KEY_BYTES}`);
    }
    return { bucket, key };
}

/** The address of a bucket and a key. */
export function formatS3Address({ bucket, key }: S3Address): string {
    return `s3://${bucket}/${key}`;
}

/**
 * `s3://bucket/a` and `b` give `s3://bucket/a/b`, however many slashes stand between; a slash at the very end stays,
 * and so do those within the first part.
 */
export function joinS3(prefix: string, ...parts: readonly string[]): string {
    const bare = parts.map((part, index) => {
        const isLast = index === parts.length - 1;
        return isLast ? part.replace(/^\/+/, "") : part.replace(/^\/+|\/+$/g, "");
    });
    return [prefix.replace(/\/+$/, ""), ...bare.filter((part) => part !== "")].join("/");
}

/** The prefix one level up: `s3://bucket/runs/x/raw_data` gives `s3://bucket/runs/x`. */
export function parentOfS3(address: string): string {
    return address.replace(/\/+$/, "").replace(/\/[^/]*$/, "");
}

/**
 * A prefix that S3 matches as a folder: with exactly one slash at its end. Without it `text` also lists `text_ocr1/`.
 */
export function folderOfS3(address: string): string {
    return `${address.replace(/\/+$/, "")}/`;
}
