/** The graphs whose costs are kept: the train steps and samplers of cases, traced, with nothing compiled. */
import { referenceBackend, type Graph } from '@meanflow/core';
import { createNetwork } from '@meanflow/models';
import { averageVelocity, sampleGraph } from '@meanflow/samplers';
import { cases } from '../cases.js';
import { createTrainer, type DerivativeRows } from '../train-step.js';
import { makeWorkload } from '../workload.js';

export interface BudgetedGraph {
  readonly name: string;
  readonly graph: Graph;
}

/** Cases that differ in what is computed, not in sizes alone. */
const budgeted: readonly (readonly [name: string, rows: DerivativeRows])[] = [
  ['w1', 'all'],
  ['w2', 'all'],
  ['w2', 'different'],
  ['w2_imf', 'all'],
  ['w2_fm', 'all'],
  ['unet', 'all'],
  ['sample_1', 'all'],
];

export async function budgetedGraphs(): Promise<readonly BudgetedGraph[]> {
  const backend = referenceBackend();
  const graphs: BudgetedGraph[] = [];
  for (const [name, rows] of budgeted) {
    const benchmark = cases.find((each) => each.name === name)!;
    const workload = makeWorkload(benchmark, { zeros: true });
    const label = rows === 'all' ? name : `${name}, derivative where r ≠ t`;
    if (benchmark.task === 'sample') {
      const { graph } = sampleGraph(createNetwork(benchmark.network), workload.params, {
        ...{ rows: benchmark.batch, solver: averageVelocity, times: [1, 0] },
      });
      graphs.push({ name: label, graph });
    } else {
      const trainer = await createTrainer(backend, benchmark, workload, rows);
      graphs.push({ name: label, graph: trainer.graph });
      await trainer.dispose();
    }
  }
  await backend.dispose();
  return graphs;
}
