/** The cases `*-params` of the transformers: names, shapes and counts of the parameters that the other cases share. */
import { publishedParameters } from '@meanflow/models/published';
import { compareCount, compareNames, namedShapes, withoutNames } from './compare-names.js';
import { at, type ParityRunner } from './parity-case.js';
import { transformerConfig, type TransformerFamily } from './transformer-config.js';

export const transformerParameters =
  (family: TransformerFamily): ParityRunner =>
  async (given) => {
    const field = (name: string) => at(given.facts, [name]);
    const training = publishedParameters(transformerConfig(family, given));
    const listed = namedShapes(`${given.name}.json: "shapes"`, field('shapes'));
    const stored = new Map(Object.entries(given.tensors).map(([name, { shape }]) => [name, shape]));
    const results = [compareNames('shapes', training, listed), compareNames('tensors', training, stored)];
    const count = field('count');
    if (typeof count === 'number') results.push(compareCount('count', training, count));
    const absent = field('eval_form_absent');
    if (absent !== undefined) {
      const sampling = publishedParameters(transformerConfig(family, given, 'sampling'));
      const present = withoutNames(`${given.name}.json: "eval_form_absent"`, listed, absent);
      results.push(compareNames('sampling form', sampling, present));
    }
    return results;
  };
