import { DataError } from '../src/index.js';
import { printable, printableJson, quoted } from '../src/validation-door.js';

describe('printable', () => {
  it.each([
    ['what a terminal obeys', '\x1b]0;pwned\x07\x1b[2J', String.raw`\x1b]0;pwned\x07\x1b[2J`],
    ['C1 controls', '\x9b31m', String.raw`\x9b31m`],
    ['lines', 'evil\r\nfake line\tx', String.raw`evil\r\nfake line\tx`],
    ['directions', 'a\u202Egpj.exe', String.raw`a\u{202e}gpj.exe`],
    ['what is not seen', 'a\u200Bb\u00adc\uFEFF', String.raw`a\u{200b}b\xadc\u{feff}`],
    ['half of a pair', 'a\uD800b', String.raw`a\u{d800}b`],
    ['tags', 'a\u{E0041}', String.raw`a\u{e0041}`],
  ])('escapes %s', (_, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('leaves the letters of all languages as they are', () => {
    for (const text of ['layers/0/kernel', 'Größe', '数据', 'עברית', '😀 ok', 'é'])
      expect(printable(text)).toBe(text);
  });

  it('cuts what is long, and says how long it is', () => {
    expect(printable('x'.repeat(20_000_000))).toBe(`${'x'.repeat(200)}… (20000000 characters)`);
    expect(printable('abcdef', 3)).toBe('abc… (6 characters)');
  });

  it('quotes', () => {
    expect(quoted('a "b" \\ \n')).toBe(String.raw`"a \"b\" \\ \n"`);
  });

  it('prints any value of JSON', () => {
    let deep: unknown = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(printableJson(deep)).toBe('a list of many levels');
    expect(printableJson({ a: [1, '\x1b'], b: 3n })).toBe(String.raw`{"a":[1,"\u001b"],"b":"3"}`);
    expect(printableJson(undefined)).toBe('undefined');
  });
});

test('no message of ours carries controls or is endless, whatever was put into it', () => {
  const error = new DataError(`"\x1b[2J${'y'.repeat(1_000_000)}" is damaged:\n  row 3\tx`, { cause: 'c' });
  expect(error.message).toMatch(/^"\\x1b\[2Jy+ … \(\d+ characters\) … y+" is damaged:\n {2}row 3\tx$/);
  expect(error.message.length).toBeLessThan(20_100);
  expect(error.cause).toBe('c');
  expect(new DataError('\x90'.repeat(1_000_000)).message.length).toBeLessThan(20_100);
});
