/** Configuration files that no configuration is: each a typed error with its line, in no time, and nothing is polluted. */
import { writeFile } from 'node:fs/promises';
import { ArgumentError, DataError } from '@meanflow/core';
import { problemAt, type FieldPath } from '@meanflow/core/validation';
import { openConfigFile, parseConfig, readConfigFile } from '@meanflow/runs/command';
import { temporaryFolder } from '../support/cli.js';

const folder = temporaryFolder();

const written = async (content: string | Uint8Array): Promise<string> => {
  const path = folder.path('config.json');
  await writeFile(path, content);
  return path;
};

it('reads comments, commas at the end and a mark at the beginning', async () => {
  const text =
    '\ufeff{ // a comment\n "steps": 5, /* "steps": */ "data": "a//b",\n "list": [1, {"steps": 2}, ],}';
  expect(await readConfigFile(await written(text))).toEqual({
    steps: 5,
    data: 'a//b',
    list: [1, { steps: 2 }],
  });
});

it('knows the line of a field, or of what is around it', async () => {
  const path = await written(
    '{\n"steps": 5,\n"network": {\n"width":\n8, "embedding" : {"kind": "fourier"}\n}, "a": [1,\n{"b": 2}]}',
  );
  const { source } = await openConfigFile(path);
  expect(String(source)).toBe(path);
  const lineOf = (field: FieldPath) => Number(/line (\d+)/.exec(problemAt(source, field, ''))?.[1]);
  expect(lineOf(['steps'])).toBe(2);
  expect(lineOf(['network', 'width'])).toBe(4);
  expect(lineOf(['network', 'embedding', 'kind'])).toBe(5);
  expect(lineOf(['network', 'embedding', 'frequencies'])).toBe(5);
  expect(lineOf(['a', 1, 'b'])).toBe(7);
  expect(lineOf(['nothing'])).toBeNaN();
});

it.each<[string, string, typeof ArgumentError | typeof DataError, RegExp]>([
  ['a key of the prototype', '{"data": 1,\n"__proto__": {"polluted": 1}}', ArgumentError, /line 2: there is no field "__proto__"/],
  ['one within', '{"network": {"a": [{"__proto__": {"polluted": 1}}]}}', ArgumentError, /line 1: network\.a\[0\]: there is no field "__proto__"/],
  ['one in escapes', '{"\\u005f_proto__": {"polluted": 1}}', ArgumentError, /there is no field "__proto__"/],
  ['a field twice', '{"steps": 3,\n"steps": 4}', ArgumentError, /line 2: the field "steps" is there twice/],
  ['a number beyond all', '{"optimizer": {"learningRate": 1e999}}', ArgumentError, /optimizer\.learningRate: 1e999 is beyond all numbers/],
  ['NaN', '{"steps": NaN}', DataError, /is not JSON: invalid symbol \(NaN\) at line 1, column 11/],
  ['-Infinity', '{"steps": -Infinity}', DataError, /is not JSON/],
  ['objects without end', '{"a":'.repeat(100_000), DataError, /line 1: it is nested more than 64 deep/],
  ['lists without end', `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, DataError, /nested more than 64 deep/],
  ['comments within them', `{"a": ${'[//\n'.repeat(100_000)}`, DataError, /line 64: it is nested more than 64 deep/],
  ['many values', `{"a": [${'1,'.repeat(60_000)}1]}`, DataError, /more than 50000 values/],
  ['many keys', `{${Array.from({ length: 60_000 }, (_, i) => `"${i}":1`).join(',')}}`, DataError, /more than 50000 values/],
  ['a text that does not end', '{"steps": "5}', DataError, /is not JSON/],
  ['nothing', '', DataError, /is not JSON: value expected/],
  ['a list', '[1]', DataError, /does not hold a JSON object/],
])('%s', (_, text, Failure, message) => {
  const parse = (): unknown => parseConfig(text, 'config.json');
  expect(parse).toThrow(Failure);
  expect(parse).toThrow(message);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}); // prettier-ignore

it.each<[string, Uint8Array, RegExp]>([
  ['beyond four MiB', new Uint8Array(5 << 20).fill(0x20), /has 5242880 bytes; a configuration has at most 4194304/],
  ['in UTF-16', new Uint8Array(Buffer.from('\ufeff{"steps":3}', 'utf16le')), /is in UTF-16; save it as UTF-8/],
  ['that is no text', Uint8Array.of(0x7b, 0xff, 0xfe), /is not UTF-8 text/],
])('a file %s', async (_, bytes, message) => {
  await expect(readConfigFile(await written(bytes))).rejects.toThrow(message);
}); // prettier-ignore
