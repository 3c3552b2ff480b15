/** What every command needs: Node, the machine and the bundled data. */
import { leading } from '@meanflow/core/validation';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { readAsset } from '@meanflow/data/node';
import { attempt, type Finding } from './finding.js';

export async function examineMachine(): Promise<Finding[]> {
  return [node(), machine(), await bundledData()];
}

function node(): Finding {
  const [major, minor] = leading(process.versions.node.split('.').map(Number), 2);
  const isNewEnough = major > 20 || (major === 20 && minor >= 19);
  const text = `${process.version} on ${process.platform}-${process.arch}`;
  return isNewEnough
    ? { subject: 'node', status: 'ok', text }
    : { subject: 'node', status: 'failed', text: `${text}: 20.19 or later is needed` };
}

function machine(): Finding {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const cores = availableParallelism();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return { subject: 'machine', status: 'ok', text: `${model}, ${cores} cores, ${memory} GiB of memory` };
}

async function bundledData(): Promise<Finding> {
  return attempt('data', 'failed', async () => {
    const bytes = await readAsset('digits.csv.gz');
    return `digits and wine are here (${Math.round(bytes.length / 1024)} kB of digits)`;
  });
}
