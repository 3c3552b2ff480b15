import { BackendError, MeanflowError, referenceBackend, type Backend } from '@meanflow/core';
import {
  describeReport,
  remoteReport,
  runConformance,
  serveConformance,
  type Case,
  type RemoteLine,
  type RemoteMessage,
  type Report,
} from '../src/index.js';

const filter = ({ id }: Case) => ['neg: float32 [5]', 'abs: float32 [5]', 'add: float32 [5]'].includes(id);

/** Serves `open` on the line, with `change` between the two sides. */
const serving =
  (open: () => Promise<Backend>, change: (message: RemoteMessage, line: RemoteLine) => void) =>
  (line: RemoteLine): void => {
    void serveConformance(open, line.cases, (message) => change(structuredClone(message), line));
  };
const hear = (message: RemoteMessage, line: RemoteLine): void => line.hear(message);
const reference = async () => referenceBackend();
const ids = ({ results }: Report) => results.map(({ id }) => id);

test('the report is that of the backend, under its name over there', async () => {
  const log: string[] = [];
  const onResult = ({ id }: { id: string }, done: number, count: number) =>
    log.push(`${id} ${done}/${count}`);
  const report = await remoteReport('far/reference', { filter, onResult }, serving(reference, hear));
  const near = await runConformance(referenceBackend(), { filter });
  expect(report.backend).toBe('far/reference');
  expect(report.device).toEqual({ ...near.device, backend: 'far/reference' });
  const untimed = ({ results }: Report) => results.map((result) => ({ ...result, seconds: 0 }));
  expect(untimed(report)).toEqual(untimed(near));
  expect(log).toEqual(ids(near).map((id, i) => `${id} ${i + 1}/3`));
  expect('ended' in report).toBe(false);
});

test('a side that ends leaves what it told, and where it was', async () => {
  let results = 0;
  const change = (message: RemoteMessage, line: RemoteLine): void => {
    if (message.kind === 'result' && ++results === 2) line.end('its process was ended by SIGSEGV');
    else line.hear(message);
  };
  const report = await remoteReport('far', { filter }, serving(reference, change));
  const near = await runConformance(referenceBackend(), { filter });
  expect(ids(report)).toEqual(ids(near).slice(0, 1));
  expect(report.ended).toBe(`in ${ids(near)[1]}: its process was ended by SIGSEGV`);
});

test('a side that is silent counts as hanging', async () => {
  const options = { filter: ({ op }: Case) => op === 'errors', stallSeconds: 0.05 };
  const silent = (message: RemoteMessage, line: RemoteLine): void => {
    if (message.kind === 'opened') line.hear(message);
  };
  const report = await remoteReport('far', options, serving(reference, silent));
  expect(report).toMatchObject({
    results: [],
    ended: expect.stringContaining('nothing was heard for 0.05 seconds'),
  });
  const mute = remoteReport('far', options, () => {});
  await expect(mute).rejects.toThrow('far could not be opened: nothing was heard');
});

test('a backend that cannot be opened is refused by its own error, a bug by another', async () => {
  const failing = (error: Error) =>
    remoteReport(
      'far',
      { filter },
      serving(() => Promise.reject(error), hear),
    );
  await expect(failing(new BackendError('no driver'))).rejects.toEqual(new BackendError('no driver'));
  const bug = failing(new TypeError('x is undefined'));
  await expect(bug).rejects.toThrow('x is undefined');
  await expect(bug).rejects.not.toThrow(MeanflowError);
  const thrown = new TypeError('x is undefined');
  await expect(failing(thrown)).rejects.toHaveProperty('stack', thrown.stack);
});

test('a side that ends before the backend is open broke', async () => {
  const broken = remoteReport('far', { filter }, ({ end }) => end('its process ended with status 1'));
  await expect(broken).rejects.toThrow('far could not be opened: its process ended with status 1.');
  await expect(broken).rejects.toThrow(MeanflowError);
  await expect(broken).rejects.not.toThrow(BackendError);
});

describe('describeReport', () => {
  /** The tests that it defines, by title. */
  function define(report: Report): Map<string, () => Promise<void>> {
    const tests = new Map<string, () => Promise<void>>();
    describeReport(async () => report, {
      name: 'far',
      filter,
      describe: (_, define) => define(),
      test: (title, run) => void tests.set(title, run),
    });
    return tests;
  }

  test('a test for each op and aspect, which fails with what failed and with what was not reached', async () => {
    const near = await runConformance(referenceBackend(), { filter });
    const [first, second] = near.results;
    const tests = define({
      ...near,
      results: [first, { ...second, outcome: 'failed', worst: 3, detail: 'element 1 is wrong' }],
      ended: 'in add: float32 [5]: it died',
    });
    expect([...tests.keys()]).toEqual(['neg, values', 'abs, values', 'add, values']);
    await tests.get('neg, values')!();
    await expect(tests.get('abs, values')!()).rejects.toThrow(
      /1 of 1 cases failed[^]*abs: float32 \[5\] \(error 3.00 times its tolerance\)\n +element 1 is wrong/,
    );
    await expect(tests.get('add, values')!()).rejects.toThrow('it died');
  });
});
