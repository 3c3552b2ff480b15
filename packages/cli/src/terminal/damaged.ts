/** The list of files that were left out because they cannot be read. */
import type { Dataset } from '@meanflow/data';
import { countText } from '@meanflow/runs/command';

/** Files that a list names of many. */
const SHOWN = 100;

/** A line for each file, with its cause; nothing where there are none. */
export function damagedText({ damaged = [] }: Pick<Dataset, 'damaged'>): string {
  if (damaged.length === 0) return '';
  const rest = damaged.length - SHOWN;
  const lines = damaged.slice(0, SHOWN).map((message) => `  ${message}\n`);
  const more = rest > 0 ? `  and ${countText(rest)} more\n` : '';
  return `Left out, as they cannot be read:\n${lines.join('')}${more}`;
}
