/** The help texts, as a newcomer reads them. */
import { meanflow } from './support/cli.js';

it.each([
  [],
  ['compare'],
  ['train'],
  ['sample'],
  ['save'],
  ['export'],
  ['import'],
  ['evaluate'],
  ['train-classifier'],
  ['statistics'],
  ['info'],
  ['doctor'],
  ['conformance'],
  ['parity'],
])('meanflow %s --help', async (...command) => {
  const { status, out, err } = await meanflow(...command, '--help');
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out.split('\n').filter((line) => line.length > 130)).toEqual([]);
  expect(out).toMatchSnapshot();
});

it('prints its version', async () => {
  const { status, out } = await meanflow('--version');
  expect(status).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it('without a command, shows what there is and fails', async () => {
  const { status, out, err } = await meanflow();
  expect(status).toBe(2);
  expect(out + err).toContain('Usage: meanflow');
});
