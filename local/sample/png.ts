import { crc32, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Larger pictures are no page scans but a way to fill the memory. */
const MAX_PIXELS = 100_000_000;

/**
 * What is wrong with a PNG file's bytes, or undefined when a decoder will take them. Source: the PNG specification,
 * sections 5 and 11.
 */
export function pngProblem(bytes: Buffer): string | undefined {
    if (bytes.length === 0) {
        return "is empty";
    }
    if (!bytes.subarray(0, 8).equals(SIGNATURE)) {
        return `is not a PNG image (it begins with ${JSON.stringify(bytes.subarray(0, 4).toString("latin1"))})`;
    }
    const data: Buffer[] = [];
    let width = 0;
    let height = 0;
    let offset = 8;
    while (offset + 12 <= bytes.length) {
        const length = bytes.readUInt32BE(offset);
        const type = bytes.toString("latin1", offset + 4, offset + 8);
        const end = offset + 8 + length;
        if (end + 4 > bytes.length) {
            return `ends in the middle of its part ${type}: a cut file`;
        }
        if (crc32(bytes.subarray(offset + 4, end)) !== bytes.readUInt32BE(end)) {
            return `is damaged in its part ${type} (checksum)`;
        }
        if (type === "IHDR") {
            width = bytes.readUInt32BE(offset + 8);
            height = bytes.readUInt32BE(offset + 12);
            if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
                return `has ${width} x ${height} pixels; 1 to ${MAX_PIXELS} in all are expected`;
            }
        } else if (type === "IDAT") {
            data.push(bytes.subarray(offset + 8, end));
        } else if (type === "IEND") {
            return pixelProblem(data, width, height);
        }
        offset = end + 4;
    }
    return "has no end: a cut file";
}

function pixelProblem(data: readonly Buffer[], width: number, height: number): string | undefined {
    if (width === 0) {
        return "has no header";
    }
    try {
        // a row has at least one filter byte and one bit a pixel
        const pixels = inflateSync(Buffer.concat(data)).length;
        const least = height * (1 + Math.ceil(width / 8));
        return pixels < least
            ? `holds ${pixels} bytes of pixels, at least ${least} are expected for ${width} x ${height}`
            : undefined;
    } catch (error) {
        return `has pixels that cannot be decoded (${(error as Error).message})`;
    }
}
