/**
 * Times the Fréchet distance between two Gaussians in processor seconds, which other work on the machine moves little: ours, by
 * pivoted Cholesky factors and the singular values of their product, and by two decompositions into eigenvectors of ml-matrix, as
 * is usual. Both must give the same number.
 *
 *     node dist/frechet.js --dimensions 256,768 [--alone 3072] [--rounds 3] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type HostArray, RandomKey } from '@meanflow/core';
import { featureStatistics, frechetDistanceOfStatistics, type FeatureStatistics } from '@meanflow/metrics';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

const { values: options } = parseArgs({
  options: {
    dimensions: { type: 'string', default: '256,768' },
    alone: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});

/** Rows whose neighbouring features are alike, as pixels are. */
function features(name: string, rows: number, dimension: number): HostArray {
  const array = RandomKey.fromSeed(0).fold(name).normal([rows, dimension]);
  for (let row = 0; row < rows; row++) {
    for (let j = 1, at = row * dimension + 1; j < dimension; j++, at++) {
      array.data[at] = 0.95 * array.data[at - 1] + 0.3 * array.data[at];
    }
  }
  return array;
}

/** With the symmetric root of one covariance. */
function byEigenvectors(a: FeatureStatistics, b: FeatureStatistics): number {
  const dimension = a.mean.size;
  const [first, second] = [a, b].map(({ covariance }) =>
    Matrix.from1DArray(dimension, dimension, covariance.data),
  );
  const eigen = new EigenvalueDecomposition(first, { assumeSymmetric: true });
  const root = eigen.eigenvectorMatrix.mulRowVector(
    eigen.realEigenvalues.map((value) => Math.sqrt(Math.max(0, value))),
  );
  const product = root.transpose().mmul(second).mmul(root);
  const { realEigenvalues } = new EigenvalueDecomposition(product, { assumeSymmetric: true });
  const trace = realEigenvalues.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  const means = a.mean.data.reduce((sum, value, i) => sum + (value - b.mean.data[i]) ** 2, 0);
  return means + first.trace() + second.trace() - 2 * trace;
}

/** Processor seconds and the value. */
function timed(work: () => number): { readonly seconds: number; readonly value: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, value };
}

const listed = (text: string): number[] => text.split(',').filter(Boolean).map(Number);
const results: object[] = [];
for (const dimension of [...listed(options.dimensions), ...listed(options.alone)]) {
  const hasPeer = !listed(options.alone).includes(dimension);
  const rows = Math.round(1.2 * dimension);
  let statistics: FeatureStatistics[] = [];
  const { seconds: forStatistics } = timed(() => {
    statistics = ['a', 'b'].map((name) => featureStatistics(features(name, rows, dimension)));
    return 0;
  });
  const [a, b] = statistics;
  const [ours, peers]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    const own = timed(() => frechetDistanceOfStatistics(a, b));
    ours.push(own.seconds);
    if (!hasPeer) break;
    const peer = timed(() => byEigenvectors(a, b));
    peers.push(peer.seconds);
    if (!(Math.abs(own.value / peer.value - 1) < 1e-6))
      throw new Error(`${own.value} and ${peer.value} differ.`);
  }
  const [best, bestPeer] = [Math.min(...ours), Math.min(...peers)];
  const result = {
    dimension,
    rows,
    statisticsSeconds: forStatistics,
    seconds: best,
    ...(hasPeer ? { peerSeconds: bestPeer, ratio: best / bestPeer } : {}),
  };
  console.log(JSON.stringify(result));
  results.push(result);
}
if (options.json !== undefined) {
  const content = { clock: 'processor seconds', processor: cpus()[0].model, node: process.version, results };
  writeFileSync(options.json, `${JSON.stringify(content, null, 2)}\n`);
}
