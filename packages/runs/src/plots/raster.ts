/**
 * Raster: a small RGB canvas for PNG pictures of points and pixel grids. It knows two marks, an anti-aliased dot and a filled
 * rectangle, which is all that these pictures need; text stays in the SVG ones.
 */
import { encode } from 'fast-png';
import { ArgumentError } from '@meanflow/core';

/** Red, green, blue, each from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

export class Raster {
  private readonly pixels: Uint8Array;

  /** A canvas in one colour; sizes in pixels. */
  constructor(
    readonly width: number,
    readonly height: number,
    background: Rgb,
  ) {
    if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
      throw new ArgumentError(`A picture has whole positive sides, got ${width} by ${height}.`);
    }
    this.pixels = new Uint8Array(width * height * 3);
    this.rectangle(0, 0, width, height, background);
  }

  /** Fills a rectangle, cut at the canvas's edges. */
  rectangle(left: number, top: number, width: number, height: number, colour: Rgb): void {
    for (let y = Math.max(0, top); y < Math.min(this.height, top + height); y++) {
      for (let x = Math.max(0, left); x < Math.min(this.width, left + width); x++) {
        this.pixels.set(colour, (y * this.width + x) * 3);
      }
    }
  }

  /** A dot whose edge fades over one pixel, cut at the canvas's edges. */
  dot(centreX: number, centreY: number, radius: number, colour: Rgb, opacity: number): void {
    const reach = radius + 0.5;
    const top = Math.max(0, Math.floor(centreY - reach));
    const left = Math.max(0, Math.floor(centreX - reach));
    for (let y = top; y <= Math.min(this.height - 1, Math.ceil(centreY + reach)); y++) {
      for (let x = left; x <= Math.min(this.width - 1, Math.ceil(centreX + reach)); x++) {
        // Pixels are centred half a pixel in.
        const distance = Math.hypot(x + 0.5 - centreX, y + 0.5 - centreY);
        const coverage = Math.max(0, Math.min(1, reach - distance)) * opacity;
        if (coverage > 0) this.blend(x, y, colour, coverage);
      }
    }
  }

  /** The picture as a PNG file's bytes. */
  png(): Uint8Array {
    return encode({ width: this.width, height: this.height, data: this.pixels, channels: 3, depth: 8 });
  }

  private blend(x: number, y: number, colour: Rgb, share: number): void {
    const at = (y * this.width + x) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const under = this.pixels[at + channel]!;
      this.pixels[at + channel] = Math.round(under + (colour[channel]! - under) * share);
    }
  }
}
