/**
 * What the cases' graphs cost, to the instruction and the byte: `benchmarks/budgets`. A change that is meant is accepted by
 * `npm run budgets`, and stands in the commit.
 */
import { readFileSync } from 'node:fs';
import { countBudgets, type BudgetTable } from '../src/budgets/tables.js';

let counted: readonly BudgetTable[];
beforeAll(async () => {
  counted = await countBudgets();
}, 120_000);

test.each(['core.md', 'ort-cpu.md', 'tfjs-webgpu.md', 'ort-traffic.md'])('%s', (file) => {
  const kept = readFileSync(new URL(`../budgets/${file}`, import.meta.url), 'utf8');
  const found = counted.find((table) => table.file === file);
  // By lines, so that what differs is seen; `npm run budgets` writes what is counted now.
  expect(found?.text.split('\n')).toEqual(kept.split('\n'));
});
