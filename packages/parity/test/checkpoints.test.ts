/** The subdirectory of checkpoints: what passes, and what does not pass for it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostArray, type HostArray, referenceBackend } from '@meanflow/core';
import { encodeSafetensors } from '@meanflow/formats';
import { parityCommand } from '../src/node.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parity-'));
  mkdirSync(join(directory, 'ckpt'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const tensors = { 'net/kernel': hostArray([[1, 2, 3]]), step: hostArray([7], { dtype: 'int32' }) };
const write = (name: string, content: Record<string, HostArray>): void =>
  writeFileSync(join(directory, 'ckpt', name), encodeSafetensors(content));
const outcome = async () => {
  const { results, exitCode, output } = await parityCommand(directory, referenceBackend());
  return { results, exitCode, output };
};

test('a checkpoint passes when every tensor is there to the last bit, wherever its container lies', async () => {
  const below = Object.fromEntries(Object.entries(tensors).map(([name, array]) => [`state/${name}`, array]));
  write('one.expected.safetensors', tensors);
  write('one-plain', { ...tensors, 'opt/mu': hostArray([1]) });
  write('one-nested', { ...below, 'step': hostArray([9], { dtype: 'int32' }) }); // prettier-ignore
  const { results, exitCode, output } = await outcome();
  expect(results.map(({ name, outcome: what }) => [name, what])).toEqual([
    ['ckpt/one-nested', 'passed'],
    ['ckpt/one-plain', 'passed'],
  ]);
  expect(exitCode).toBe(0);
  expect(output).toContain('net (1)');
});

test.each([
  ['another value', { 'net/kernel': hostArray([[1, 2, 3.0000002384185791]]) }, /differs by 2\.38/],
  ['another shape', { 'net/kernel': hostArray([[1], [2], [3]]) }, /is \[3, 1\], not \[1, 3\]/],
  ['a NaN', { 'net/kernel': hostArray([[1, NaN, 3]]) }, /differs by Infinity/],
])('%s fails', async (_, changed, message) => {
  write('one.expected.safetensors', tensors);
  write('one-plain', { ...tensors, ...changed });
  const { results, exitCode, output } = await outcome();
  expect(results[0].outcome).toBe('failed');
  expect(output).toMatch(message);
  expect(exitCode).toBe(1);
});

test('a tensor that is missing fails', async () => {
  write('one.expected.safetensors', tensors);
  write('one-plain', { step: tensors.step });
  const { results, output } = await outcome();
  expect(results[0].outcome).toBe('failed');
  expect(output).toContain('net (1 of 1 differ: net/kernel is missing)');
});

test('a damaged checkpoint, one that nothing is expected of, and an expectation without one', async () => {
  write('one.expected.safetensors', tensors);
  write('two.expected.safetensors', tensors);
  write('one', tensors);
  write('other', tensors);
  const path = join(directory, 'ckpt', 'one');
  writeFileSync(path, readFileSync(path).subarray(0, -4));
  const { results, exitCode } = await outcome();
  expect(results.map(({ name, outcome: what }) => [name, what])).toEqual([
    ['ckpt/one', 'damaged'],
    ['ckpt/other', 'unknown'],
    ['ckpt/two.expected.safetensors', 'damaged'],
  ]);
  expect(exitCode).toBe(1);
});

test('the longest beginning decides, and it ends with a word', async () => {
  write('one.expected.safetensors', { 'net/kernel': hostArray([5]) });
  write('one-two.expected.safetensors', tensors);
  write('one-two.pt', tensors);
  write('one-twofold', { 'net/kernel': hostArray([5]) });
  const { results } = await outcome();
  expect(results.map(({ name, outcome: what }) => [name, what])).toEqual([
    ['ckpt/one-two.pt', 'passed'],
    ['ckpt/one-twofold', 'passed'],
  ]);
});
