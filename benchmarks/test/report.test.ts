/** The report: ratios are of programs that took turns, the rewrite's stand apart, and nothing in it is taken for markup. */
import type { Row } from '../src/driver/run-case.js';
import { htmlReport } from '../src/report/html.js';
import { markdownReport } from '../src/report/markdown.js';
import type { Results } from '../src/report/results.js';

const row = (fields: Partial<Row> & Pick<Row, 'name' | 'title' | 'side' | 'ratio'>): Row => ({
  ...{ median: 10 * fields.ratio, minimum: 9, cpu: 12, steps: 8, rounds: 4, cleanRounds: 3, peakMb: 100 },
  ...{ importSeconds: 0.5, firstStepSeconds: 1.25, differences: { losses: 1e-7 } },
  ...fields,
});

const results: Results = {
  date: '2026-12-01',
  isQuick: true,
  machine: {
    processor: 'A <fast> one',
    threads: 2,
    memoryMb: 2048,
    system: 'Linux',
    versions: { node: 'v20' },
  },
  cases: [
    {
      ...{ name: 'w1', title: 'an MLP', task: 'train' },
      rows: [
        row({ name: 'meanflow', title: 'ours', side: 'ours', ratio: 1 }),
        row({ name: 'meanflow-rows', title: 'fewer rows', side: 'rewrite', ratio: 0.5 }),
        row({ name: 'torch', title: 'PyTorch eager', side: 'peer', ratio: 2 }),
        row({ name: 'jax', title: 'JAX jit', side: 'peer', ratio: 0.75 }),
      ],
      absent: [{ title: 'torch.compile', why: 'there is no torch: `pip install torch`' }],
    },
  ],
  browser: [],
};

test('Markdown', () => {
  const text = markdownReport(results);
  const summary = text.split('\n').find((line) => line.startsWith('| w1 '))!;
  const cells = summary.split('|').map((cell) => cell.trim()).slice(1, -1); // prettier-ignore
  // Eager, compiled, JAX, fastest: with the same work, and with the derivative where r ≠ t.
  expect(cells).toEqual(['w1', '2.00', '–', '0.75', '0.75', '4.00', '–', '1.50', '1.50']);
  expect(text).toContain('- torch.compile is absent: there is no torch: `pip install torch`.');
  expect(text).toContain('Quick run');
});

test('HTML', () => {
  const page = htmlReport(results);
  expect(page).toContain('A &lt;fast&gt; one');
  expect(page).toContain('<td class="behind">0.75</td>');
  expect(page).toContain('<td class="ahead">4.00</td>');
  expect(page.match(/class="bar /g)).toHaveLength(4);
  expect(page).toContain('style="width:100.0%"');
  // Nothing is fetched.
  expect(page).not.toMatch(/(src|href)="(?!#|data:)/);
});
