/** SVG and HTML text, escaped in one place. */

export type AttributeValue = string | number | undefined;

/** Text as it may stand between tags and inside quoted attributes. */
export function escapeText(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}

/**
 * An element.
 *
 * @param attributes values are escaped; undefined ones are left out
 * @param content markup, not escaped
 */
export function element(
  name: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  content = '',
): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeText(String(value))}"`)
    .join('');
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}
