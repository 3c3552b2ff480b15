/** Commands to be typed again: arguments quoted where a shell would take them apart. */

/** An argument as a shell reads it back: quoted where it holds more than letters, digits and harmless signs. */
export function shellWord(text: string, platform: string | undefined = globalThis.process?.platform): string {
  if (platform === 'win32') return /^[\w.,:;=+@/\\-]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
  return /^[\w.,:=+@%/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
