/** What is told before the first step: a line that grows, and ends before anything else is written. */
import { showBeginning } from '../../src/terminal/beginning.js';

it('is one line of phases, ended once, with the time that they took', () => {
  let text = '';
  const view = showBeginning({ err: (more) => void (text += more) });
  view.end();
  expect(text).toBe('');
  for (const phase of ['tracing', 'preparing', 'compiling']) view.update({ phase });
  expect(text).toBe('tracing… preparing… compiling… ');
  view.end();
  view.end();
  view.update({ phase: 'first step' });
  view.end();
  expect(text).toMatch(/^tracing… preparing… compiling… \d+\.\d s\nfirst step… \d+\.\d s\n$/);
});
