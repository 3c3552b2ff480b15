/** Duplicate keys in JSON, which `JSON.parse` overlooks: it keeps the last value and drops the others. */

/**
 * The first key that an object of a JSON text has twice.
 *
 * @param text valid JSON
 */
export function findDuplicateKey(text: string): string | undefined {
  const scopes: (Set<string> | undefined)[] = [];
  // Between two tokens that are not listed here, only numbers, words, commas and spaces can stand.
  for (const [token, string, colon] of text.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")\s*(:?)|[{}[\]]/g)) {
    if (token === '{') scopes.push(new Set());
    else if (token === '[') scopes.push(undefined);
    else if (token === '}' || token === ']') scopes.pop();
    else if (colon === ':') {
      const key = JSON.parse(string) as string;
      const keys = scopes.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
