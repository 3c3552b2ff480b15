/**
 * Frozen parameters on the device: each tree once, however many references and steps use it. They are put there by a graph
 * that hands on what it is given, and enter every run as they are, none of which consumes them.
 */
import {
  compile,
  trace,
  treePaths,
  type Backend,
  type DeviceArray,
  type HostArray,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { crc32 } from '@meanflow/formats/build';
import { frozenOf } from './references.js';
import type { Stage } from './stages.js';
import { disposeArrays } from './step-program.js';
import type { FrozenTrees } from './train-step.js';

export class FrozenParameters {
  /** By the tree itself: that of one reference may be that of another, too. */
  private readonly placed = new Map<Tree<HostArray>, Promise<Tree<DeviceArray>>>();

  constructor(private readonly backend: Backend) {}

  /** Those of a stage. What only other stages use is taken off the device. */
  async of(stage: Stage): Promise<FrozenTrees<DeviceArray>> {
    const trees = frozenOf(stage);
    const used = new Set(Object.values(trees));
    for (const tree of this.placed.keys()) if (!used.has(tree)) await this.remove(tree);
    const inputs: [string, Tree<DeviceArray>][] = [];
    for (const [name, tree] of Object.entries(trees)) {
      let placed = this.placed.get(tree);
      if (placed === undefined) this.placed.set(tree, (placed = place(this.backend, tree)));
      inputs.push([name, await placed]);
    }
    return Object.fromEntries(inputs);
  }

  async dispose(): Promise<void> {
    for (const tree of this.placed.keys()) await this.remove(tree);
  }

  private async remove(tree: Tree<HostArray>): Promise<void> {
    const placed = this.placed.get(tree);
    this.placed.delete(tree);
    // A placement that failed was reported by the run that wanted it.
    disposeArrays(await placed?.catch(() => undefined));
  }
}

async function place(backend: Backend, tree: Tree<HostArray>): Promise<Tree<DeviceArray>> {
  const traced = trace((given: Tree<Tensor>) => given, tree, { name: 'frozen parameters' });
  await using program = await compile(backend, traced);
  return await program.run(tree);
}

/** A checksum of every frozen tree, by the name of its reference, and from a later stage on `name@step`: to be known again by. */
export function frozenChecksums(stages: readonly Stage[]): Readonly<Record<string, string>> {
  const sums = new Map<Tree<HostArray>, string>();
  const entries = stages.flatMap((stage, i) => {
    const before = i === 0 ? {} : frozenOf(stages[i - 1]!);
    return Object.entries(frozenOf(stage))
      .filter(([name, tree]) => before[name] !== tree)
      .map(([name, tree]) => {
        const sum = sums.get(tree) ?? checksumOf(tree);
        sums.set(tree, sum);
        return [i === 0 ? name : `${name}@${stage.from}`, sum] as const;
      });
  });
  return Object.fromEntries(entries);
}

/** CRC-32 of every leaf's path, type and bytes, as eight hexadecimal digits. */
function checksumOf(tree: Tree<HostArray>): string {
  const sum = treePaths(tree).reduce((previous, { path, leaf: { dtype, shape, data } }) => {
    const type = new TextEncoder().encode(`${path} ${dtype} ${shape.join()} `);
    return crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), crc32(type, previous));
  }, 0);
  return sum.toString(16).padStart(8, '0');
}
