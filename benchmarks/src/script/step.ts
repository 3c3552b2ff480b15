/** A train step as a peer in JavaScript has it. */
export interface ScriptStep {
  /** Makes an update; its loss. */
  step(): Promise<number>;
  /** Of the first update, asked for after it. */
  gradientNorm(): Promise<number>;
}

/** Angular frequencies of the features of a time. */
export function frequencies(dimension: number, scale: number): Float32Array {
  const half = dimension / 2;
  return Float32Array.from({ length: half }, (_, i) => scale * Math.exp((-Math.log(10_000) * i) / half));
}
