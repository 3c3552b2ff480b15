/**
 * Text from outside (a tensor's name, a class, a path, a field of a file) made fit to print: what a terminal would obey
 * or what would hide or reorder other text is escaped, and what is too long to read is cut. Every error and table that
 * shows such text goes through here.
 */

/** Controls, and marks that are not seen but change what is: directions, joiners, separators of lines, tags. */
const UNSEEN = /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu; // prettier-ignore
/** Controls but for breaks of lines and tabs, which our own messages have. */
const CONTROLS = /[^\P{Cc}\n\t]/gu;
/** How many characters of a name are shown. */
const LONGEST_NAME = 200;
/** How many characters of a message are shown; no list of ours is as long. */
const LONGEST_MESSAGE = 20_000;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The text in one line, without anything that a terminal obeys, cut where it is longer than `limit`.
 *
 * @param limit characters that are kept; the length of what is cut is said
 */
export function printable(text: string, limit = LONGEST_NAME): string {
  return cut(text, limit).replace(UNSEEN, escaped);
}

/** The same in double quotes; quotes and backslashes within are escaped. */
export function quoted(text: string, limit = LONGEST_NAME): string {
  const inner = cut(text, limit).replace(/["\\]/g, '\\$&');
  return `"${inner.replace(UNSEEN, escaped)}"`;
}

/**
 * A value of JSON for a message, as one line that is cut; never throws, however deep the value is.
 */
export function printableJson(value: unknown, limit = LONGEST_NAME): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  } catch {
    text = Array.isArray(value) ? 'a list of many levels' : 'an object of many levels';
  }
  return printable(text ?? String(value), limit);
}

/** A whole message of ours, whatever was put into it: its line breaks stay. */
export function printableMessage(message: string): string {
  // What is escaped grows: first what nobody needs to escape goes, then what is still too long.
  return withoutMiddle(withoutMiddle(message).replace(CONTROLS, escaped));
}

function withoutMiddle(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  const [head, tail] = [message.slice(0, LONGEST_MESSAGE / 2), message.slice(-LONGEST_MESSAGE / 2)];
  return `${head} … (${message.length - head.length - tail.length} characters) … ${tail}`;
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length} characters)`;
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const digits = code.toString(16);
  return (
    short[character] ?? (code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits.padStart(4, '0')}}`)
  );
}
