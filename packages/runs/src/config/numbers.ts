/** Numbers that many fields are. */
import { z } from 'zod';

/** A whole number from 1. */
export const count = z.int().positive();
/** A size in memory, as text: `4GB`, `800 MB`, in powers of a thousand. */
export const byteSize = z
  .string('expected a size such as "4GB" or "800MB".')
  .regex(/^\d+(\.\d+)?\s?[kMGT]B$/i, 'expected a size such as "4GB" or "800MB".');

/** @param text a `byteSize` */
export function bytesOf(text: string): number {
  const [, number, prefix] = /^([\d.]+)\s?([kMGT])B$/i.exec(text)!;
  return Math.round(Number(number) * 1000 ** ('KMGT'.indexOf(prefix!.toUpperCase()) + 1));
}

/** From 0 to 1. */
export const share = z.number().min(0).max(1);
