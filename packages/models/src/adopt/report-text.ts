/** What became of given parameters, in words. */
import { sizeOf } from '@meanflow/core';
import { printableJson } from '@meanflow/core/validation';
import type { AdoptedParameter, AdoptionReport, Origin } from './adopt.js';

/** How many names a line has. */
const LISTED = 6;

/** A parameter of one origin. */
interface Of<O extends Origin> {
  readonly path: string;
  readonly origin: O;
}

/** One line for each that there is something to say of; the first says how much was taken. */
export function adoptionText({ parameters, left, settings }: AdoptionReport): string {
  const taken = of(parameters, 'taken');
  const zero = of(parameters, 'made').filter(({ origin }) => origin.values === 'zero');
  const initial = of(parameters, 'made').filter(({ origin }) => origin.values === 'initial');
  const lines = [
    taken.length === parameters.length
      ? `All ${parameters.length} parameters are taken as they are.`
      : `${taken.length} of ${parameters.length} parameters (${share(parameters, taken)} % of the numbers) are taken as they are.`,
    ...of(parameters, 'by rows').map(({ path, origin }) => byRowsText(path, origin)),
    line('Copied', of(parameters, 'copied'), ({ path, origin }) => `${path} from ${origin.from}`),
    line('New, from zero, which changes nothing at first', zero, ({ path }) => path),
    line(
      'New',
      initial,
      ({ path, origin }) => `${path}${origin.given ? ` (was [${origin.given.join(', ')}])` : ''}`,
    ),
    line('Left over', left, (path) => path),
    line(
      'Learnt with other settings',
      settings,
      ({ name, given, now }) => `${name} ${settingText(given)} (now ${settingText(now)})`,
    ),
  ];
  return lines.flatMap((text) => text ?? []).join('\n');
}

function of<How extends Origin['how']>(
  parameters: readonly AdoptedParameter[],
  how: How,
): readonly Of<Extract<Origin, { how: How }>>[] {
  const is = (each: AdoptedParameter): each is AdoptedParameter & Of<Extract<Origin, { how: How }>> =>
    each.origin.how === how;
  return parameters.filter(is);
}

function share(all: readonly AdoptedParameter[], taken: readonly { readonly path: string }[]): string {
  const paths = new Set(taken.map(({ path }) => path));
  const count = (of: readonly AdoptedParameter[]): number =>
    of.reduce((total, { shape }) => total + sizeOf(shape), 0);
  return ((100 * count(all.filter(({ path }) => paths.has(path)))) / count(all)).toFixed(0);
}

function byRowsText(
  path: string,
  { taken, made, left, values }: Extract<Origin, { how: 'by rows' }>,
): string {
  const parts = [
    `taken ${listed(taken)}`,
    ...(made.length > 0 ? [`new${values === 'zero' ? ', from zero,' : ''} ${listed(made)}`] : []),
    ...(left.length > 0 ? [`left over ${listed(left)}`] : []),
  ];
  return `By rows: ${path}: ${parts.join('; ')}.`;
}

function line<T>(what: string, of: readonly T[], text: (each: T) => string): string | undefined {
  return of.length === 0 ? undefined : `${what}: ${listed(of.map(text))}.`;
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED;
  return more > 0 ? `${names.slice(0, LISTED).join(', ')} and ${more} more` : names.join(', ');
}

function settingText(value: unknown): string {
  return value === undefined ? 'as by default' : printableJson(value);
}
