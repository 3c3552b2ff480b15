/** `meanflow doctor`: what can run on this machine, and why what cannot, cannot. */
import { backends } from '@meanflow/runs/node';
import { examineAdapters } from '../diagnosis/adapters.js';
import { examineBackend } from '../diagnosis/backend.js';
import { examineBrowser } from '../diagnosis/browser.js';
import type { Finding } from '../diagnosis/finding.js';
import { examineLibraries } from '../diagnosis/libraries.js';
import { examineMachine } from '../diagnosis/machine.js';
import type { Io } from '../terminal/io.js';

const marks = { ok: '✓', failed: '✗', absent: '·' };

/**
 * @param named backends that are examined alone, and must work
 * @returns the exit status
 */
export async function doctor(named: readonly string[] | undefined, io: Io): Promise<number> {
  const findings = await (named === undefined ? examine() : examineNamed(named));
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  for (const { subject, status, text } of findings) {
    const indented = text.trimEnd().replaceAll('\n', `\n${' '.repeat(width + 4)}`);
    io.out(`${marks[status]} ${subject.padEnd(width)}  ${indented}\n`);
  }
  return findings.some(({ status }) => status === 'failed') ? 1 : 0;
}

/** @throws {ArgumentError} when there is no backend of a name */
async function examineNamed(names: readonly string[]): Promise<Finding[]> {
  const entries = names.map((name) => backends.get(name));
  const found = await examineMachine();
  for (const entry of entries) found.push(await examineBackend(entry, { isOptional: false }));
  return found;
}

async function examine(): Promise<Finding[]> {
  const found = [...(await examineMachine()), ...(await examineLibraries()), ...(await examineAdapters())];
  // One after the other: an adapter is not asked for twice at a time.
  for (const entry of backends) found.push(await examineBackend(entry));
  found.push(await examineBrowser());
  return found;
}
