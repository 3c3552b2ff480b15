/** PNG images of every kind as `Pixels`: fast-png decodes; palettes, few bits, many bits and transparent colours are evened out. */
import { DataError } from '@meanflow/core';
import { convertIndexedToRgb, decode, type DecodedPng } from 'fast-png';
import { type Pixels } from './pixels.js';
import { checkedPng } from './png-file.js';

/**
 * Decodes a PNG image.
 *
 * @throws {DataError} when it is no PNG, is of too many pixels, is cut short or damaged
 */
export function decodePng(bytes: Uint8Array, source: string): Pixels {
  const { file, header } = checkedPng(bytes, source);
  try {
    const png = decode(file);
    return header.colourType === 3 ? fromPalette(png) : fromSamples(png);
  } catch (error) {
    throw new DataError(`${source}: the PNG image is damaged (${(error as Error).message}).`, {
      cause: error,
    });
  }
}

function fromPalette(png: DecodedPng): Pixels {
  const { width, height, palette } = png;
  return { width, height, channels: palette?.[0]?.length ?? 3, data: convertIndexedToRgb(png) };
}

/** Samples of any depth in 8 bits; where one colour stands for nothing, a channel of alpha says so. */
function fromSamples({ width, height, channels, depth, data, transparency }: DecodedPng): Pixels {
  const count = width * height * channels;
  const values = depth < 8 ? unpacked(data, width * channels, height, depth) : data;
  const largest = 2 ** depth - 1;
  const toByte = (value: number): number => (depth === 16 ? value >> 8 : Math.round((value * 255) / largest));
  if (transparency === undefined) {
    return { width, height, channels, data: Uint8Array.from({ length: count }, (_, i) => toByte(values[i])) };
  }
  const withAlpha = new Uint8Array(width * height * (channels + 1));
  for (let pixel = 0; pixel < width * height; pixel++) {
    let isTransparent = true;
    for (let channel = 0; channel < channels; channel++) {
      const value = values[pixel * channels + channel];
      withAlpha[pixel * (channels + 1) + channel] = toByte(value);
      isTransparent &&= value === transparency[channel];
    }
    withAlpha[pixel * (channels + 1) + channels] = isTransparent ? 0 : 255;
  }
  return { width, height, channels: channels + 1, data: withAlpha };
}

/** Samples of fewer than 8 bits, several in a byte, each row beginning with a byte of its own. */
function unpacked(data: ArrayLike<number>, perRow: number, rows: number, depth: number): Uint8Array {
  const bytesPerRow = Math.ceil((perRow * depth) / 8);
  const perByte = 8 / depth;
  const values = new Uint8Array(perRow * rows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < perRow; i++) {
      const byte = data[row * bytesPerRow + Math.floor(i / perByte)];
      values[row * perRow + i] = (byte >> (8 - depth * ((i % perByte) + 1))) & (2 ** depth - 1);
    }
  }
  return values;
}
