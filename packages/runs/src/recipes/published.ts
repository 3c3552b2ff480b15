/**
 * The published recipes: configuration files in the package's folder `recipes`, with the source beside each value. The values are
 * those of `@meanflow/models`, which a test holds them to.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from '@meanflow/core';
import { didYouMean } from '@meanflow/core/validation';
import { parseConfig } from '../config/read-file.js';
import type { JsonRecord } from '../config/merge.js';

const folder = fileURLToPath(new URL('../../recipes/', import.meta.url));
const ENDING = '.jsonc';

/** Their names, in the order of a list. */
export function publishedRecipeNames(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();
}

/** The first line of a recipe: what it is. */
export function publishedRecipeTitle(name: string): string {
  const text = publishedRecipeText(name);
  return text.slice(0, text.indexOf('.')).replaceAll(/\n?\/\/ /g, '');
}

/** A recipe's file. @throws {ArgumentError} when there is none of that name */
export function publishedRecipeText(name: string): string {
  const names = publishedRecipeNames();
  if (!names.includes(name)) {
    throw new ArgumentError(
      `There is no published recipe "${name}".${didYouMean(name, names)} Known are ${names.join(', ')}.`,
    );
  }
  return readFileSync(`${folder}${name}${ENDING}`, 'utf8');
}

/** What a recipe says of a run. @throws {ArgumentError} when there is none of that name */
export function publishedRecipe(name: string): JsonRecord {
  return parseConfig(publishedRecipeText(name), name);
}
