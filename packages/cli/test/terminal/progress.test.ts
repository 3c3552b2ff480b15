/** Progress on a terminal: how far several runs are together, and a cursor that is never left hidden. */
import { PassThrough } from 'node:stream';
import type { Progress } from '@meanflow/training';
import { showCombinedProgress } from '../../src/terminal/combined-progress.js';
import type { Io } from '../../src/terminal/io.js';
import { showProgress } from '../../src/terminal/progress.js';

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

const at = (step: number, steps: number, secondsElapsed = 0): Progress => ({
  step,
  steps,
  loss: 1,
  stepsPerSecond: 1,
  samplesPerSecond: 1,
  secondsElapsed,
  secondsLeft: undefined,
});

/** A terminal, and what was written to it. */
function terminal(): { io: Io; stream: PassThrough; written: () => string } {
  let text = '';
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 200 });
  stream.on('data', (chunk) => (text += String(chunk)));
  const write = (more: string): void => void stream.write(more);
  return { io: { out: write, err: write, isInteractive: true }, stream, written: () => text };
}

it('shows the cursor at the first interrupt, and does not hide it again', () => {
  const { io, stream, written } = terminal();
  const interrupt = new AbortController();
  const view = showProgress('training', io, { signal: interrupt.signal, stream });
  view.update(at(1, 10));
  expect(written()).toContain(HIDE);
  interrupt.abort();
  view.update(at(2, 10));
  view.stop();
  expect(written().lastIndexOf(SHOW)).toBeGreaterThan(written().lastIndexOf(HIDE));
  expect(written()).toContain('Ctrl-C once more ends it at once.');
});

it('counts the steps of runs that are over, whether they told of them or not', () => {
  const { io, stream, written } = terminal();
  const task = (steps: number) => ({ run: { config: { steps } } });
  const [silent, stopped, running] = [task(30), task(50), task(20)];
  const view = showCombinedProgress('training', 100, io, { stream });
  view.finish(silent, 'silent is done\n');
  view.update(stopped, at(10, 50));
  view.finish(stopped, 'stopped has failed\n');
  view.update(running, at(5, 20));
  view.stop();
  expect(written()).toContain('85/100 steps');
});
