/** Pictures of pages, small enough for a page of many. */
import { PNG } from "pngjs";

/** Longest side of an embedded picture, in pixels. */
export const maximumSide = 360;
/** Larger pictures are not decoded: a few bytes can claim gigabytes. */
const maximumPixels = 40_000_000;
/** Shades of grey that are kept: text stays readable, and the file is a fraction of its size. */
const shades = 16;

/**
 * A page's PNG as a grey one whose sides are at most {@link maximumSide}.
 * @throws Error where the bytes are no PNG, damaged, or of too many pixels.
 */
export function shrink(bytes: Uint8Array): Buffer {
    const source = Buffer.from(bytes);
    // width and height stand at fixed places behind the signature (PNG specification, 11.2.2)
    const pixels = source.length < 24 ? 0 : source.readUInt32BE(16) * source.readUInt32BE(20);
    if (pixels > maximumPixels) {
        throw new Error(`it has ${pixels} pixels, at most ${maximumPixels} are decoded`);
    }
    const { width, height, data } = PNG.sync.read(source);
    const scale = Math.min(1, maximumSide / Math.max(width, height));
    const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
    const grey = Buffer.alloc(w * h);
    for (let y = 0; y < h; y += 1) {
        const [top, bottom] = part(y, h, height);
        for (let x = 0; x < w; x += 1) {
            const [left, right] = part(x, w, width);
            let sum = 0;
            for (let row = top; row < bottom; row += 1) {
                for (let at = (row * width + left) * 4, end = (row * width + right) * 4; at < end; at += 4) {
                    // on white paper, with the luma weights of ITU-R BT.601
                    const alpha = data[at + 3] / 255;
                    sum += 255 + alpha * (0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2] - 255);
                }
            }
            const step = 255 / (shades - 1);
            grey[y * w + x] = Math.round(Math.round(sum / ((bottom - top) * (right - left)) / step) * step);
        }
    }
    const target = new PNG({ width: w, height: h, colorType: 0, inputColorType: 0, inputHasAlpha: false, bitDepth: 8 });
    target.data = grey;
    return PNG.sync.write(target, { colorType: 0, inputColorType: 0, inputHasAlpha: false, deflateLevel: 9 });
}

/** The source pixels that the `index`-th of `count` target pixels covers: at least one. */
function part(index: number, count: number, size: number): [number, number] {
    const from = Math.floor((index * size) / count);
    return [from, Math.max(from + 1, Math.floor(((index + 1) * size) / count))];
}
