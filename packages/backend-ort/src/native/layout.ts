/**
 * Layout: where the elements of a value lie after movements of it. The axes come apart into pieces where a reshape splits
 * them, and each piece keeps to one stride in the memory of what the movements made.
 */
import type { Shape } from '@meanflow/core';
import type { Instruction } from '@meanflow/core/backend';

/** Part of an axis, and the distance between its elements in memory. */
export interface Piece {
  readonly size: number;
  readonly stride: number;
}

/** What an axis is made of; split further when a reshape asks for it. */
interface Part {
  readonly size: number;
  parts?: readonly [Part, Part];
}

const unsplit = (part: Part): Part[] => part.parts?.flatMap(unsplit) ?? [part];

export class Layout {
  private readonly origin: readonly Part[];
  /** The axes of what the movements made so far, each as the parts that it runs through. */
  private axes: readonly (readonly Part[])[];

  /** @param shape of the value, without empty axes */
  constructor(shape: Shape) {
    this.origin = shape.map((size) => ({ size }));
    this.axes = this.origin.map((part) => [part]);
  }

  /** Takes one more movement into account; false where it is none, or one that repeats, leaves out or fills in. */
  follow({ op, attributes }: Instruction): boolean {
    if (op === 'transpose') this.axes = attributes.permutation.map((axis) => this.axes[axis]!);
    else if (op === 'reshape') return this.regroup(attributes.shape);
    else return false;
    return true;
  }

  private regroup(shape: Shape): boolean {
    const left = this.axes.flatMap((parts) => parts.flatMap(unsplit)).filter(({ size }) => size > 1);
    const axes: Part[][] = [];
    for (const size of shape) {
      const axis: Part[] = [];
      let wanted = size;
      while (wanted > 1) {
        const part = left.shift()!;
        if (wanted % part.size === 0) {
          axis.push(part);
          wanted /= part.size;
        } else if (part.size % wanted === 0) {
          const parts = [{ size: wanted }, { size: part.size / wanted }] as const;
          part.parts = parts;
          axis.push(parts[0]);
          left.unshift(parts[1]);
          wanted = 1;
        } else return false;
      }
      axes.push(axis);
    }
    this.axes = axes;
    return true;
  }

  /**
   * The pieces of each axis of the value, outermost first.
   *
   * @param along how far neighbours lie apart along each axis of what the movements made; as its type says, by default
   */
  pieces(along?: readonly number[]): Piece[][] {
    const strides = new Map<Part, number>();
    let stride = 1;
    for (const [axis, parts] of [...this.axes.entries()].reverse()) {
      stride = along?.[axis] ?? stride;
      for (const part of parts.flatMap(unsplit).reverse()) {
        strides.set(part, stride);
        stride *= part.size;
      }
    }
    return this.origin.map((part) =>
      unsplit(part).map((p) => ({ size: p.size, stride: strides.get(p) ?? 0 })),
    );
  }
}
