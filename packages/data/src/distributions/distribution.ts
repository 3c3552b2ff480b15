/**
 * Distribution of points in the plane: what all of them share. Each is one pure function from a class and a few
 * independent uniform and normal numbers to a point, in the units it is usually written in, and the exact mean and
 * standard deviation of that point. Samples leave with zero mean and unit variance along each axis: by those
 * constants, not by what a batch happens to hold, so that the same point always stands for the same place.
 */
import { HostArray, type RandomKey } from '@meanflow/core';
import { checkCount } from '../dataset.js';
import { type Support } from '../support.js';

/** A point of the plane. */
export type Point = readonly [x: number, y: number];

/** The randomness of one point: independent, uniform on [0, 1) and standard normal. */
export interface PointDraws {
  readonly uniform: Point;
  readonly normal: Point;
}

/** Samples with the class that each was drawn from. */
export interface LabelledSamples {
  /** float32 `[count, 2]`, zero mean and unit variance along each axis. */
  readonly x: HostArray<'float32'>;
  /** int32 `[count]`. */
  readonly label: HostArray<'int32'>;
}

/** A distribution in the plane with classes of equal probability. */
export interface Distribution {
  readonly name: string;
  /** One phrase for a list of names. */
  readonly description: string;
  readonly classCount: number;
  /** Known where the distribution's mass has an exact place; in normalised coordinates. */
  readonly support: Support | undefined;
  /**
   * Independent samples.
   *
   * @returns float32 `[count, 2]`, zero mean and unit variance along each axis
   * @throws {ArgumentError} when count is not a positive whole number
   */
  sample(key: RandomKey, count: number): HostArray<'float32'>;
  /** The same samples as `sample` with the class of each; classes are equally probable. */
  sampleLabelled(key: RandomKey, count: number): LabelledSamples;
}

/** What tells one distribution from another. */
export interface DistributionDefinition {
  readonly name: string;
  readonly description: string;
  readonly classCount: number;
  /** The point that a class and its draws stand for, in the distribution's own units. */
  readonly point: (label: number, draws: PointDraws) => Point;
  /** The exact mean of `point`. */
  readonly mean: Point;
  /** The exact standard deviation of `point` along each axis. */
  readonly deviation: Point;
  readonly support?: {
    readonly description: string;
    readonly modeCount: number;
    /** As `Support.modeOf`, of a point in the distribution's own units. */
    readonly modeOf: (point: Point) => number;
  };
}

/** A distribution from its definition: adds sampling and normalisation. */
export function defineDistribution(definition: DistributionDefinition): Distribution {
  const { name, description, classCount, point, mean, deviation, support } = definition;
  const sampleLabelled = (key: RandomKey, count: number): LabelledSamples => {
    checkCount(`A sample of "${name}"`, count);
    const label = key.fold('class').integers([count], 0, classCount);
    const uniform = key.fold('uniform').uniform([count, 2]).data;
    const normal = key.fold('normal').normal([count, 2]).data;
    const x = new Float32Array(2 * count);
    for (let i = 0; i < x.length; i += 2) {
      const drawn = point(label.data[i / 2]!, {
        uniform: [uniform[i]!, uniform[i + 1]!],
        normal: [normal[i]!, normal[i + 1]!],
      });
      x[i] = (drawn[0] - mean[0]) / deviation[0];
      x[i + 1] = (drawn[1] - mean[1]) / deviation[1];
    }
    return { x: new HostArray('float32', [count, 2], x), label };
  };
  return {
    name,
    description,
    classCount,
    support: support && {
      ...support,
      modeOf: (at) => support.modeOf([at[0]! * deviation[0] + mean[0], at[1]! * deviation[1] + mean[1]]),
    },
    sample: (key, count) => sampleLabelled(key, count).x,
    sampleLabelled,
  };
}
