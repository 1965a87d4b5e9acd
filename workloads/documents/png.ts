/** Whether a PNG file is whole. Source: the PNG specification (third edition), sections 5, 7, 8 and 11. */
import { crc32, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Other formats that people give the ending .png, by their first bytes. */
const OTHERS: readonly (readonly [string, string])[] = [
    ["\xff\xd8\xff", "a JPEG image"],
    ["II*\0", "a TIFF image"],
    ["MM\0*", "a TIFF image"],
    ["GIF8", "a GIF image"],
    ["BM", "a BMP image"],
    ["%PDF", "a PDF document"],
];
/** Length, type and checksum of a chunk. */
const CHUNK_FRAME = 12;
/** Samples of a pixel by colour type: grey, RGB, palette, grey with alpha, RGB with alpha. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** The seven passes of an interlaced image: first column and row, steps between columns and rows. */
const PASSES = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
] as const;

interface Header {
    readonly width: number;
    readonly height: number;
    readonly bitsOfPixel: number;
    readonly interlaced: boolean;
}

/**
 * What is wrong with a PNG file's bytes, or undefined when a decoder will take them.
 * @param maximumPixels larger pictures are no page scans but a way to fill the memory.
 */
export function pngProblem(bytes: Buffer, maximumPixels: number): string | undefined {
    if (bytes.length === 0) {
        return "is empty";
    }
    if (!bytes.subarray(0, 8).equals(SIGNATURE)) {
        return `is not a PNG image (${beginning(bytes)})`;
    }
    const data: Buffer[] = [];
    let header: Header | string = "has no header";
    for (let offset = SIGNATURE.length; offset + CHUNK_FRAME <= bytes.length;) {
        const type = bytes.toString("latin1", offset + 4, offset + 8);
        const end = offset + 8 + bytes.readUInt32BE(offset);
        const problem = chunkProblem(bytes, offset, end, type);
        if (problem !== undefined) {
            return problem;
        }
        if (type === "IHDR") {
            header = readHeader(bytes.subarray(offset + 8, end), maximumPixels);
        } else if (type === "IDAT") {
            data.push(bytes.subarray(offset + 8, end));
        }
        if (typeof header === "string") {
            return header;
        }
        if (type === "IEND") {
            return pixelProblem(data, header);
        }
        offset = end + 4;
    }
    return "has no end: a cut file";
}

function beginning(bytes: Buffer): string {
    const text = bytes.toString("latin1", 0, 4);
    const [, known] = OTHERS.find(([signature]) => text.startsWith(signature)) ?? [];
    return known === undefined ? `it begins with ${JSON.stringify(text)}` : `it is ${known}`;
}

/** @param end of the chunk's data; its checksum follows. */
function chunkProblem(bytes: Buffer, offset: number, end: number, type: string): string | undefined {
    if (end + 4 > bytes.length) {
        return `ends in the middle of its part ${type}: a cut file`;
    }
    const sum = crc32(bytes.subarray(offset + 4, end));
    return sum === bytes.readUInt32BE(end) ? undefined : `is damaged in its part ${type} (checksum)`;
}

function readHeader(data: Buffer, maximumPixels: number): Header | string {
    if (data.length !== 13) {
        return `has a header of ${data.length} bytes, 13 are expected`;
    }
    const width = data.readUInt32BE(0);
    const height = data.readUInt32BE(4);
    if (width === 0 || height === 0 || width * height > maximumPixels) {
        return `has ${width} x ${height} pixels; 1 to ${maximumPixels} in all are expected`;
    }
    const bits = data.readUInt8(8) * (SAMPLES[data.readUInt8(9)] ?? 0);
    return bits === 0
        ? "has a header that no decoder knows"
        : { width, height, bitsOfPixel: bits, interlaced: data.readUInt8(12) === 1 };
}

/** Bytes of the pixels: of each row one for its filter. */
function pixelBytes({ width, height, bitsOfPixel, interlaced }: Header): number {
    const rows = (columns: number, count: number) =>
        columns === 0 ? 0 : count * (1 + Math.ceil((columns * bitsOfPixel) / 8));
    if (!interlaced) {
        return rows(width, height);
    }
    const steps = (size: number, first: number, step: number) => Math.max(0, Math.ceil((size - first) / step));
    return PASSES.map(([x, y, dx, dy]) => rows(steps(width, x, dx), steps(height, y, dy))).reduce((a, b) => a + b);
}

function pixelProblem(data: readonly Buffer[], header: Header): string | undefined {
    const expected = pixelBytes(header);
    try {
        const { length } = inflateSync(Buffer.concat(data), { maxOutputLength: expected + 1 });
        return length < expected
            ? `holds ${length} bytes of pixels, ${expected} are expected for ${header.width} x ${header.height}`
            : undefined;
    } catch (error) {
        // what is more than the pixels need, decoders leave out
        return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
            ? undefined
            : `has pixels that cannot be decoded (${(error as Error).message})`;
    }
}
