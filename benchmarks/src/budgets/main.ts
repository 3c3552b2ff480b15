/** `npm run budgets`: counts what the cases' graphs cost and writes the tables that tests hold them to. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { countBudgets } from './tables.js';

for (const { file, text } of await countBudgets()) {
  const path = fileURLToPath(new URL(`../../budgets/${file}`, import.meta.url));
  const isSame = ((): boolean => {
    try {
      return readFileSync(path, 'utf8') === text;
    } catch {
      return false;
    }
  })();
  if (!isSame) writeFileSync(path, text);
  console.log(`${isSame ? 'unchanged' : 'written'}: benchmarks/budgets/${file}\n\n${text}`);
}
