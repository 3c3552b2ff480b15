/** Names of options: as they are typed, and as commander keeps them. */

/** An option as it is typed, `--image-size`, from its key, `imageSize`. */
export function optionName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The first of these options that was given, as it is typed. @param keys by commander's names */
export function firstGiven(options: object, keys: readonly string[]): string | undefined {
  const given = new Map<string, unknown>(Object.entries(options));
  const key = keys.find((name) => given.get(name) !== undefined);
  return key === undefined ? undefined : optionName(key);
}
