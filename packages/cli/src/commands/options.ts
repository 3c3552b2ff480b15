/** Options that several commands share, and how their values are read. */
import { InvalidArgumentError, type Command } from 'commander';

/** A whole number from `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number from ${least}, got ${text}.`);
    }
    return value;
  };
}

/** Whole numbers from `least`, separated by commas, each once. */
export function wholeNumbers(least: number): (text: string) => number[] {
  return (text) => unique(text.split(',').map((part) => wholeNumber(least)(part.trim())));
}

/** Names separated by commas, each once. */
export function names(text: string): string[] {
  const found = text.split(',').map((part) => part.trim());
  if (found.includes(''))
    throw new InvalidArgumentError(`Expected names separated by commas, got "${text}".`);
  return unique(found);
}

/** A number from 0 on. */
export function nonNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < Infinity)) {
    throw new InvalidArgumentError(`Expected a number from 0, got ${text}.`);
  }
  return value;
}

/** `--backend`, the same for every command that computes. */
export function withBackend(command: Command): Command {
  return command.option('--backend <name>', 'what to compute on, such as ort:cpu; see "meanflow doctor"');
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
