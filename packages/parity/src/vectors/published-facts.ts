/**
 * The case `facts`: counts, names and shapes of the published models. Each entry of its JSON is compared by the reader that
 * knows its key; an entry that none knows is an error.
 */
import { DataError } from '@meanflow/core';
import type { JsonObject } from '@meanflow/formats';
import type { FactReader } from './fact-reader.js';
import { at, type ParityRunner } from './parity-case.js';
import { transformerCounts, transformerNames } from './transformer-facts.js';
import { unetCounts, unetNameLists } from './unet-facts.js';

/** Readers of the JSON's two parts. */
const readers: Readonly<Record<'counts' | 'names', readonly FactReader[]>> = {
  counts: [transformerCounts, unetCounts],
  names: [transformerNames, unetNameLists],
};

export const publishedFacts: ParityRunner = async (given) =>
  Object.entries(readers).flatMap(([part, known]) => {
    const entries = at(given.facts, [part]);
    if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
      throw new DataError(`${given.name}.json: "${part}" must hold facts by model.`);
    }
    return Object.keys(entries).flatMap((key) => {
      for (const { pattern, compare } of known) {
        const match = pattern.exec(key);
        if (match !== null) return compare(match, entries as JsonObject, given);
      }
      throw new DataError(`${given.name}.json: nothing here knows "${part}.${key}".`);
    });
  });
