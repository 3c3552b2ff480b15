/** What was passed over in a checkpoint, in words: by what it is, with where it lies. */
import { printable } from '@meanflow/core/validation';
import type { PassedOver } from '@meanflow/formats';

/** Kinds that are told, and places of each. */
const KINDS = 6;
const PLACES = 3;

/** `omegaconf.dictconfig.DictConfig (cfg), datetime.datetime (date, info/end)`, cut where it is long. */
export function passedOverText(objects: readonly PassedOver[]): string {
  const places = new Map<string, string[]>();
  for (const { name, what } of objects) {
    const known = places.get(what);
    if (known === undefined) places.set(what, [name]);
    else known.push(name);
  }
  const kinds = [...places].map(([what, names]) => `${printable(what)} (${listed(names, PLACES)})`);
  return listed(kinds, KINDS, (kind) => kind);
}

function listed(texts: readonly string[], most: number, show: (text: string) => string = printable): string {
  const more = texts.length > most ? `, and ${texts.length - most} more` : '';
  return `${texts
    .slice(0, most)
    .map((text) => show(text))
    .join(', ')}${more}`;
}
