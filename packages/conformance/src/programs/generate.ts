/**
 * Random programs by kind, from a seed: inputs of related shapes, then steps that are proposed until enough are
 * well-conditioned (pool.ts says which values are avoided), then outputs: what nothing has taken, and among them an input
 * as it is, one value twice, a view of another output. The same seed, kind and number give the same program anywhere.
 */
import { HostArray, RandomKey, reshape, sizeOf, type Shape } from '@meanflow/core';
import { combinationOps } from './combinations.js';
import { Dice } from './dice.js';
import { movementOps } from './movements.js';
import { call, type ProgramOp } from './op.js';
import { pointwiseOps } from './pointwise.js';
import { ordinaryMargins, Pool, smoothMargins, type Margins } from './pool.js';
import { typesOf, type Mode, type Program } from './program.js';

/** What programs are made of. */
export type ProgramKind = 'movements' | 'mixed' | 'integers' | 'derivatives' | 'state';

interface Profile {
  readonly ops: readonly ProgramOp[];
  readonly steps: readonly [least: number, most: number];
  readonly margins: Margins;
  /** How often a step stands on the one before. */
  readonly lateness: number;
  readonly modes: readonly Mode[];
  /** The share of inputs that are of int32 or bool. */
  readonly discrete: number;
}

const all = [...pointwiseOps, ...movementOps, ...combinationOps];
const emphasised = (ops: readonly ProgramOp[], favoured: readonly ProgramOp[], factor: number): ProgramOp[] =>
  ops.map((op) => (favoured.includes(op) ? { ...op, weight: op.weight * factor } : op));
const named = (...names: readonly string[]): ProgramOp[] => all.filter(({ name }) => names.includes(name));

const profiles: Readonly<Record<ProgramKind, Profile>> = {
  movements: {
    ops: emphasised(
      [...movementOps, ...named('arithmetic', 'reduction', 'where', 'comparison')],
      named('reshape', 'transpose', 'reverse', 'slice'),
      2,
    ),
    steps: [5, 14],
    margins: ordinaryMargins,
    lateness: 0.85,
    modes: ['value'],
    discrete: 0.2,
  },
  mixed: {
    ops: all,
    steps: [4, 14],
    margins: ordinaryMargins,
    lateness: 0.5,
    modes: ['value'],
    discrete: 0.25,
  },
  integers: {
    ops: emphasised(all, named('comparison', 'logic', 'where', 'cast', 'argMax', 'oneHot', 'gather'), 2),
    steps: [4, 12],
    margins: ordinaryMargins,
    lateness: 0.5,
    modes: ['value'],
    discrete: 0.75,
  },
  derivatives: {
    ops: all,
    steps: [2, 7],
    margins: smoothMargins,
    lateness: 0.5,
    modes: ['tangent', 'gradient', 'gradient of the tangent'],
    discrete: 0.12,
  },
  state: {
    ops: all.filter(({ decides }) => !decides),
    steps: [2, 8],
    margins: smoothMargins,
    lateness: 0.5,
    modes: ['value'],
    discrete: 0.15,
  },
};

export const programKinds = Object.keys(profiles) as readonly ProgramKind[];

/** Proposals for one step until the program is left as long as it is. */
const PATIENCE = 40;

/** The program of a seed, a kind and a number. */
export function randomProgram(seed: number, kind: ProgramKind, number: number): Program {
  const dice = new Dice(RandomKey.fromSeed(seed).fold('random programs').fold(kind).fold(number));
  const profile = profiles[kind];
  const pool = new Pool(dice, someInputs(dice, profile), profile.margins, profile.lateness);
  const wanted = dice.between(...profile.steps);
  for (let patience = PATIENCE; pool.steps.length < wanted && patience > 0; patience--) {
    const draft = dice.weighted(profile.ops).propose(pool);
    if (draft !== undefined && pool.take(draft)) patience = PATIENCE;
  }
  return kind === 'state' ? withState(pool) : withOutputs(pool, dice.of(profile.modes));
}

const SIZES = [1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8] as const;

function someInputs(dice: Dice, { discrete }: Profile): HostArray[] {
  const a = dice.of(SIZES);
  // Often alike: of axes of one size the wrong one shows by its numbers only.
  const b = dice.oneIn(3) ? a : dice.of(SIZES);
  // Now and then nothing at all.
  const c = dice.oneIn(20) ? 0 : dice.between(1, 3);
  const shapes: readonly Shape[] = [[a, b], [a, b], [b], [a], [b, a], [a, a], [a, 1], [c, a, b], [a, b, a], [c, c, c], [a * b], [], [2, 1, b], [1, a, 1, b]]; // prettier-ignore
  return Array.from({ length: dice.between(2, 4) }, (_, i) => {
    const shape = dice.of(shapes);
    const stream = dice.stream('input');
    // One float input at least, for what is differentiated.
    if (i === 0 || !dice.chance(discrete)) return someFloats(dice, shape, stream);
    if (dice.oneIn(2)) return stream.integers(shape, -5, 8);
    return new HostArray('bool', shape, Uint8Array.from(stream.integers([sizeOf(shape)], 0, 2).data));
  });
}

/** Numbers of every kind, or small whole ones, which meet. */
function someFloats(dice: Dice, shape: Shape, stream: RandomKey): HostArray<'float32'> {
  if (!dice.oneIn(3)) return stream.uniform(shape, -2, 2);
  return new HostArray('float32', shape, Float32Array.from(stream.integers(shape, -4, 5).data));
}

/** Outputs that are loose ends, an input, the same twice, a view of another. */
function withOutputs(pool: Pool, mode: Mode): Program {
  const { dice } = pool;
  const isFloat = (number: number) => pool.values[number]!.dtype === 'float32';
  const loose = pool.loose.filter((number) => mode === 'value' || isFloat(number));
  const outputs = loose.length > 0 ? loose.slice(-5) : [0];
  if (mode === 'value') {
    if (dice.oneIn(4)) outputs.push(dice.of(outputs));
    if (dice.oneIn(4)) outputs.push(dice.below(pool.inputs.length));
    if (dice.oneIn(4)) {
      const viewed = pool.values[dice.of(outputs)]!;
      const shape = [1, sizeOf(viewed.shape)];
      if (pool.take(call('reshape', [viewed], (x) => reshape(x, shape), { rest: [shape] })))
        outputs.push(pool.values.length - 1);
    }
  }
  return { inputs: pool.inputs, steps: pool.steps, outputs: dice.shuffled(outputs), mode, state: [] };
}

/** Inputs of which each is replaced by an output of its type: what a step made, another input, or itself. */
function withState(pool: Pool): Program {
  const { dice, inputs, steps } = pool;
  const program: Program = { inputs, steps, outputs: pool.loose.slice(-3), mode: 'value', state: [] };
  const types = typesOf(program);
  const outputs = [...program.outputs];
  const state = inputs.flatMap((input, i): [number, number][] => {
    if (dice.oneIn(4)) return [];
    const alike = [...types.keys()].filter(
      (number) => types[number]!.dtype === input.dtype && types[number]!.shape.join() === input.shape.join(),
    );
    const late = alike.filter((number) => number >= inputs.length);
    const next = late.length > 0 && !dice.oneIn(4) ? dice.of(late) : dice.of(alike);
    outputs.push(next);
    return [[i, outputs.length - 1]];
  });
  return { ...program, outputs: outputs.length > 0 ? outputs : [0], state };
}
