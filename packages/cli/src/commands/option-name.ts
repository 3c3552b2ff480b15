/** Names of options: as they are typed, and as commander keeps them. */

/** An option as it is typed, `--image-size`, from its key, `imageSize`. */
export function optionName(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
