/** Facts of the published transformers: `counts` such as `imfDiT_B_2`, and `names` such as `iMF-B/2 train`. */
import { DataError } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { networkPreset, type NetworkConfig } from '@meanflow/models';
import { publishedParameters } from '@meanflow/models/published';
import { compareCount, compareNames, namedShapes, withoutNames } from './compare-names.js';
import type { FactReader } from './fact-reader.js';

/** Our names of the published families. */
const families: Readonly<Record<string, string>> = { mf: 'dit', imf: 'imf-dit', pmf: 'pmf-dit' };

const presetOf = (family: string, size: string, patch: string): string =>
  `${families[family.toLowerCase()]}-${size.toLowerCase()}-${patch}`;

/** The forms of a model in which it is counted. */
const forms: Readonly<Record<string, (preset: string) => NetworkConfig>> = {
  train: (preset) => networkPreset(`${preset}-train`),
  inference: (preset) => networkPreset(preset),
  inference_without_v_final_layer: (preset) => {
    const { velocityHead: _, ...config } = networkPreset(preset) as NetworkConfig & {
      velocityHead?: unknown;
    };
    return config as NetworkConfig;
  },
};

/** One number, or one for each form. */
export const transformerCounts: FactReader = {
  pattern: /^(MF |imf|pmf)DiT_([A-Z]+)_(\d+)$/,
  compare: (match, entries, { name }) => {
    const [key, family, size, patch] = leading(match, 4);
    const preset = presetOf(family.trim(), size, patch);
    const value = entries[key];
    if (typeof value === 'number')
      return [compareCount(key, publishedParameters(networkPreset(preset)), value)];
    if (typeof value !== 'object' || value === null) {
      throw new DataError(`${name}.json: "counts.${key}" must be a number, or one for each form.`);
    }
    return Object.entries(value).map(([form, count]) => {
      const config = Object.hasOwn(forms, form) ? forms[form]!(preset) : undefined;
      if (config === undefined || typeof count !== 'number') {
        throw new DataError(
          `${name}.json: "counts.${key}.${form}" must be a number, for a form that is known.`,
        );
      }
      return compareCount(`${key} ${form}`, publishedParameters(config), count);
    });
  },
};

/** Shapes by name, or which names of the form for training that for sampling lacks. */
export const transformerNames: FactReader = {
  pattern: /^([ip]?MF)-([A-Z]+)\/(\d+)( train| eval absent keys)?$/,
  compare: (match, entries, { name }) => {
    const [key, family, size, patch] = leading(match, 4);
    const form = match[4];
    const preset = presetOf(family, size, patch);
    const where = `${name}.json: "names.${key}"`;
    if (form === ' eval absent keys') {
      const training = namedShapes(where, entries[key.replace(form, ' train')]);
      const present = withoutNames(where, training, entries[key]);
      return [compareNames(key, publishedParameters(networkPreset(preset)), present)];
    }
    const config = networkPreset(form === undefined ? preset : `${preset}-train`);
    return [compareNames(key, publishedParameters(config), namedShapes(where, entries[key]))];
  },
};
