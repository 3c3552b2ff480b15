/**
 * Clusters: which instructions of a graph run as one fused call. Instructions are visited in order; one joins the clusters that
 * make its operands, and joins them with one another, where all have one iteration space, the call stays within its
 * limits, and no cluster comes to wait for itself. Then clusters that read the same large value are joined.
 *
 * Members of a cluster are of one level (`levels.ts`), so that whatever lies between two of them is all that is searched.
 */
import { FUSED_LIMITS } from '../../composites/fused.js';
import type { Graph } from '../../graph.js';
import type { PrimitiveAttributes } from '../../ops/attributes.js';
import type { Instruction, ValueId } from '../../tensor.js';
import { sameShape, sizeOf } from '../../types.js';
import { levelsOf } from './levels.js';
import {
  commonSpace,
  isRelabelling,
  isWithin,
  ownSpace,
  placeIn,
  type Placement,
  type Space,
} from './space.js';

/** An operand that is not a member's result: the value, and where its axes lie in the space. */
export interface Read {
  readonly value: ValueId;
  readonly axes: readonly number[];
}

/** A cluster, its members by their places among the graph's instructions, in order. */
export interface Cluster {
  readonly space: Space;
  readonly members: readonly number[];
  /** How many operands its members have: it reads no more from outside. */
  readonly operands: number;
}

/** The smallest value for whose sake clusters that read it are joined, in elements. */
const WORTH_SHARING = 2 ** 10;

/** Whether an instruction computes, and not only places. */
export const computes = ({ op }: Instruction): boolean =>
  op !== 'reshape' && op !== 'broadcastTo' && op !== 'constant';

export class Clustering {
  private readonly maker: Int32Array;
  private readonly users: number[][];
  private readonly isOutput: Uint8Array;
  private readonly level: Int32Array;
  private readonly clusterOf: (Cluster | undefined)[];
  /** By instruction. */
  private readonly ownSpaces: readonly (Space | undefined)[];
  private readonly placements: (Placement | undefined)[];

  constructor(private readonly graph: Graph) {
    const { types, instructions, outputs } = graph;
    this.maker = new Int32Array(types.length).fill(-1);
    this.users = types.map(() => []);
    this.isOutput = new Uint8Array(types.length);
    this.clusterOf = new Array<Cluster | undefined>(instructions.length);
    this.ownSpaces = instructions.map((instruction) => ownSpace(instruction, types));
    this.placements = new Array<Placement | undefined>(instructions.length);
    for (const { value } of outputs) this.isOutput[value] = 1;
    instructions.forEach((instruction, i) => {
      for (const output of instruction.outputs) this.maker[output] = i;
      for (const input of instruction.inputs) this.users[input]!.push(i);
    });
    const { maker, users, isOutput } = this;
    const isPassing = (i: number) => instructions[i]!.op === 'reshape' || this.ownSpaces[i] !== undefined;
    this.level = levelsOf({ graph, maker, users, isOutput, isPassing });
  }

  /** An instruction's place in a space; undefined where it does not fit. */
  placementIn(space: Space, i: number): Placement | undefined {
    const known = this.placements[i];
    if (known !== undefined && isWithin(known.space, space)) return known;
    const own = this.ownSpaces[i];
    return (this.placements[i] = own && placeIn(space, own, this.graph.instructions[i]!, this.graph.types));
  }

  /** Visits every instruction; gives way after each few. */
  *run(): Generator<void, readonly Cluster[]> {
    for (let i = 0; i < this.graph.instructions.length; i++) {
      if (i % 256 === 255) yield;
      this.visit(i);
    }
    for (const readers of this.readersOfLargeValues().values()) {
      for (const [i, reader] of readers.entries()) {
        const [a, b] = [this.clusterOf[readers[0]!], this.clusterOf[reader]];
        if (i > 0 && a !== undefined && b !== undefined && a !== b) this.join([a, b]);
      }
    }
    yield;
    const found = new Set(this.clusterOf.filter((cluster) => cluster !== undefined));
    return [...found].filter((cluster) => this.isWorthACall(cluster));
  }

  /** More than one instruction; or one that reads a product, which may be computed within the call, or a slice, which needs no copy. */
  private isWorthACall({ members }: Cluster): boolean {
    const { instructions } = this.graph;
    const computing = members.filter((i) => computes(instructions[i]!));
    const isReadWithin = (value: ValueId): boolean => {
      const made = instructions[this.maker[value]!];
      if (made?.op === 'reshape') return isReadWithin(made.inputs[0]!);
      return made?.op === 'dotGeneral' || made?.op === 'slice';
    };
    return computing.length > 1 || computing.some((i) => instructions[i]!.inputs.some(isReadWithin));
  }

  private visit(i: number): void {
    const { instructions, types } = this.graph;
    const instruction = instructions[i]!;
    const own = this.ownSpaces[i];
    if (own === undefined) return;
    const makers = new Set<Cluster>();
    for (const input of instruction.inputs) {
      const from = this.maker[input]!;
      const cluster = from < 0 || this.level[from] !== this.level[i] ? undefined : this.clusterOf[from];
      if (cluster !== undefined) makers.add(cluster);
    }
    let joined: Cluster | undefined;
    for (const cluster of makers) {
      joined = joined === undefined ? this.extended(cluster, i) : (this.join([joined, cluster]) ?? joined);
    }
    // What only gives a value other axes of size 1 is no beginning: who reads it reads what it is made of.
    if (joined === undefined && !isRelabelling(instruction, types))
      this.set({ space: own, members: [i], operands: instruction.inputs.length });
  }

  private extended(cluster: Cluster, i: number): Cluster | undefined {
    const placement = this.placementIn(cluster.space, i);
    if (placement === undefined) return undefined;
    const { inputs } = this.graph.instructions[i]!;
    const fits = inputs.every((input, k) => {
      const from = this.maker[input]!;
      if (from < 0 || this.clusterOf[from] !== cluster) return true;
      return sameShape(this.placementIn(cluster.space, from)!.result, placement.operands[k]!);
    });
    const operands = cluster.operands + inputs.length;
    const extended = { space: placement.space, members: [...cluster.members, i], operands };
    return fits && this.isWithinLimits(extended) && !this.waitsForItself(extended)
      ? this.set(extended)
      : undefined;
  }

  private join([a, b]: readonly [Cluster, Cluster]): Cluster | undefined {
    const space = commonSpace(a.space, b.space);
    if (space === undefined || this.level[a.members[0]!] !== this.level[b.members[0]!]) return undefined;
    const members = [...a.members, ...b.members].sort((x, y) => x - y);
    const joined = { space, members, operands: a.operands + b.operands };
    const fits = this.isWithinLimits(joined) && this.readsOf(joined) !== undefined;
    return fits && !this.waitsForItself(joined) ? this.set(joined) : undefined;
  }

  /** Counted only where there may be too many. */
  private isWithinLimits(cluster: Cluster): boolean {
    const { members, operands } = cluster;
    const { inputs, outputs, instructions } = FUSED_LIMITS;
    const computing = members.filter((i) => computes(this.graph.instructions[i]!)).length;
    return (
      computing <= instructions &&
      (operands <= inputs || (this.readsOf(cluster)?.length ?? Infinity) <= inputs) &&
      (members.length <= outputs || this.resultsOf(cluster).length <= outputs)
    );
  }

  private set(cluster: Cluster): Cluster {
    for (const i of cluster.members) this.clusterOf[i] = cluster;
    return cluster;
  }

  /** What a cluster reads from outside, scalar constants apart; undefined where its members do not fit together. */
  readsOf({ space, members }: Cluster): readonly Read[] | undefined {
    const { instructions } = this.graph;
    const inside = new Map<ValueId, string>();
    const reads = new Map<string, Read>();
    for (const i of members) {
      const instruction = instructions[i]!;
      const placement = this.placementIn(space, i);
      if (placement === undefined) return undefined;
      for (const [k, input] of instruction.inputs.entries()) {
        const axes = placement.operands[k]!;
        const known = inside.get(input);
        if (known !== undefined && known !== axes.join()) return undefined;
        if (known !== undefined || this.scalarConstant(input) !== undefined) continue;
        const value = this.sourceOf(input);
        reads.set(`${value} ${axes.join()}`, { value, axes });
      }
      inside.set(instruction.outputs[0]!, placement.result.join());
    }
    return [...reads.values()];
  }

  /** Values of members that are needed outside. */
  resultsOf({ members }: Cluster): readonly ValueId[] {
    const inside = new Set(members);
    return members
      .map((i) => this.graph.instructions[i]!.outputs[0]!)
      .filter((value) => this.isOutput[value] === 1 || this.users[value]!.some((user) => !inside.has(user)));
  }

  /** The attributes of a scalar constant, which every cluster that reads it has for itself; undefined for other values. */
  scalarConstant(value: ValueId): PrimitiveAttributes['constant'] | undefined {
    const instruction = this.graph.instructions[this.maker[value]!];
    return instruction?.op === 'constant' && instruction.attributes.value.shape.length === 0
      ? instruction.attributes
      : undefined;
  }

  /** The value itself, or what it is but for axes of size 1. */
  sourceOf(value: ValueId): ValueId {
    const from = this.maker[value]!;
    const instruction = from < 0 ? undefined : this.graph.instructions[from]!;
    const isPlain = instruction !== undefined && isRelabelling(instruction, this.graph.types);
    return isPlain && this.clusterOf[from] === undefined ? this.sourceOf(instruction.inputs[0]!) : value;
  }

  /** Whether one of these needs, by way of others, another of these. */
  private waitsForItself(cluster: Cluster): boolean {
    const { instructions } = this.graph;
    const members = new Set(cluster.members);
    const level = this.level[cluster.members[0]!]!;
    const seen = new Set<number>();
    const pending: number[] = [];
    const enter = (i: number): boolean => {
      for (const input of instructions[i]!.inputs) {
        const from = this.maker[input]!;
        if (from < 0 || this.level[from] !== level || seen.has(from)) continue;
        if (members.has(from)) {
          if (!members.has(i)) return true;
          continue;
        }
        for (const other of this.clusterOf[from]?.members ?? [from]) {
          if (seen.has(other)) continue;
          seen.add(other);
          pending.push(other);
        }
      }
      return false;
    };
    for (const i of members) if (enter(i)) return true;
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) if (enter(next)) return true;
    return false;
  }

  private readersOfLargeValues(): Map<ValueId, number[]> {
    const readers = new Map<ValueId, number[]>();
    this.graph.instructions.forEach(({ inputs }, i) => {
      if (this.clusterOf[i] === undefined) return;
      for (const input of new Set(inputs.map((value) => this.sourceOf(value)))) {
        if (sizeOf(this.graph.types[input]!.shape) < WORTH_SHARING) continue;
        const known = readers.get(input);
        if (known === undefined) readers.set(input, [i]);
        else known.push(i);
      }
    });
    return readers;
  }
}
