import { BackendError, MeanflowError, referenceBackend, type Backend } from '@meanflow/core';
import {
  backendSource,
  conformanceCommand,
  conforms,
  matrixHtml,
  matrixText,
  reportsJson,
  runConformance,
  type Case,
  type Report,
} from '../src/index.js';

const device = {
  backend: 'made-up',
  device: 'cpu',
  description: 'a <device>',
  versions: { lib: '1.2' },
} as const;
const report: Report = {
  backend: 'made-up',
  device,
  results: [
    { id: 'add: 1', op: 'add', aspect: 'values', outcome: 'passed', worst: 0.25, seconds: 0.1 },
    { id: 'add: 2', op: 'add', aspect: 'values', outcome: 'unsupported', reason: 'no int32', seconds: 0 },
    { id: 'exp: 1', op: 'exp', aspect: 'values', outcome: 'failed', worst: Infinity, detail: 'element 3 is <wrong>', seconds: 0.2 },
    { id: 'conv: 1', op: 'conv', aspect: 'values', outcome: 'unsupported', reason: 'no conv', seconds: 0 },
    { id: 'state: 1', op: 'state', aspect: 'state', outcome: 'passed', detail: '3 buffers, then 3', seconds: 0.5 },
  ],
}; // prettier-ignore
const other: Report = { ...report, backend: 'other', results: report.results.slice(0, 1) };

test('the matrix as text', () => {
  expect(matrixText([report, other])).toMatchInlineSnapshot(`
    "made-up: a <device> (lib 1.2)
    other: a <device> (lib 1.2)

    error    cases      made-up  other
    add          2    0.25 (−1)   0.25
    exp          1   1 FAILED ∞
    conv         1  unsupported
    state        1           ok

    seconds             made-up  other
    add                     0.1    0.1
    exp                     0.2
    conv                    0.0
    state                   0.5
    total                   0.8    0.1

    Errors are the worst of an op in units of its tolerance: at most 1 is correct. (−n): n cases unsupported.
    Seconds are the sums over an op’s cases, the reference’s included.

    made-up DOES NOT CONFORM: 2 of 5 cases passed, 1 failed, in 0.8 s
      state        3 buffers, then 3
      failed       exp: 1
                   element 3 is <wrong>
      unsupported  1 case (add): no int32
      unsupported  1 case (conv): no conv

    other conforms: 1 of 1 cases passed, 0 failed, in 0.1 s
    "
  `);
});

test('the matrix tells what ended early, what is not here and what broke', () => {
  const ended: Report = { ...other, backend: 'far/made-up', ended: 'in exp: 1: its process died' };
  const absences = [
    { backend: 'gpu', reason: 'no driver', isUnavailable: true },
    { backend: 'native', reason: 'it died early', isUnavailable: false },
  ];
  expect(matrixText([ended], { absences })).toMatchInlineSnapshot(`
    "far/made-up: a <device> (lib 1.2)

                       far/
    error    cases  made-up
    add          1     0.25

                       far/
    seconds         made-up
    add                 0.1
    total               0.1

    Errors are the worst of an op in units of its tolerance: at most 1 is correct. (−n): n cases unsupported.
    Seconds are the sums over an op’s cases, the reference’s included.

    far/made-up DOES NOT CONFORM: 1 of 1 cases passed, 0 failed, in 0.1 s
      ENDED        in exp: 1: its process died

    gpu does not run here
      no driver

    native BROKE
      it died early
    "
  `);
  const html = matrixHtml([ended], absences);
  expect(html).toContain('<li class="failed">Ended in exp: 1: its process died</li>');
  expect(html).toContain('<h2>gpu does not run here</h2>\n<p class="reason">no driver</p>');
  expect(html).toContain('<h2>native broke</h2>');
  const parsed = JSON.parse(reportsJson([ended], absences)) as unknown[];
  expect(parsed.slice(1)).toEqual([
    { backend: 'gpu', absent: 'no driver' },
    { backend: 'native', broke: 'it died early' },
  ]);
});

test('code between backticks is code on the page', () => {
  const html = matrixHtml([], [{ backend: 'gpu', reason: 'Run `npm install <x>`.', isUnavailable: true }]);
  expect(html).toContain('Run <code>npm install &lt;x&gt;</code>.');
});

test('every unsupported case is listed', () => {
  expect(matrixText([report], { listUnsupported: true })).toMatch(/no conv\n +conv: 1/);
});

test('the page stands alone, escapes what it shows and marks what failed', () => {
  const html = matrixHtml([report]);
  expect(html).not.toMatch(/<script|<link|https?:|src=/);
  expect(html).toContain('a &lt;device&gt;');
  expect(html).toContain('element 3 is &lt;wrong&gt;');
  expect(html).toContain('<td class="failed">1 FAILED ∞');
  expect(html).toContain('made-up does not conform');
});

test('JSON holds everything, infinities included', () => {
  const [parsed] = JSON.parse(reportsJson([report])) as [{ results: { worst?: unknown }[] }];
  expect(parsed.results.map(({ worst }) => worst)).toEqual([
    0.25,
    undefined,
    'Infinity',
    undefined,
    undefined,
  ]);
});

test('a report conforms when every case was run and nothing failed', () => {
  const ended = { ...other, ended: 'in exp: 1: its process died' };
  expect([report, other, ended].map(conforms)).toEqual([false, true, false]);
});

const only =
  (...ids: string[]) =>
  ({ id }: Case) =>
    ids.includes(id);

describe('declarations', () => {
  const filter = only(
    'floor: float32 [5]',
    'floor: of sliced',
    'floor: tangent',
    'sqrt: denormal',
    'sqrt: float32 [5]',
  );
  const refusing = (message: string): Backend => {
    const reference = referenceBackend();
    return {
      ...reference,
      compile: async (graph, options) => {
        if (graph.instructions.some(({ op }) => op === 'floor')) throw new BackendError(message);
        return reference.compile(graph, options);
      },
    };
  };
  const unsupported = [
    { op: 'floor', reason: 'no floor' },
    { op: 'sqrt', feature: 'denormal', reason: 'flushes' },
  ] as const;

  test('what is declared and refused by name is unsupported', async () => {
    const { results } = await runConformance(refusing('op "floor" has no kernel here.'), { filter, unsupported });
    expect(results.map(({ id, outcome, reason }) => [id, outcome, reason])).toEqual([
      ['floor: float32 [5]', 'unsupported', 'no floor'],
      ['floor: of sliced', 'unsupported', 'no floor'],
      ['sqrt: float32 [5]', 'passed', undefined],
      ['sqrt: denormal', 'unsupported', 'flushes'],
      // The derivative of x − ⌊x⌋ needs no floor.
      ['floor: tangent', 'passed', undefined],
    ]);
  }); // prettier-ignore

  test('what is not declared is a failure', async () => {
    const { results } = await runConformance(refusing('op "floor" has no kernel here.'), { filter });
    expect(results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)).toEqual([
      'floor: float32 [5]',
      'floor: of sliced',
    ]);
  });

  test('what is declared, but compiles or does not say which op, is a failure', async () => {
    for (const backend of [referenceBackend(), refusing('something is missing.')]) {
      const { results } = await runConformance(backend, { filter, unsupported });
      expect(results[0]).toMatchObject({
        outcome: 'failed',
        detail: expect.stringContaining('"floor" is declared unsupported'),
      });
    }
  });

  test('of several ops that a graph lacks, the backend names any; a case of what it does is not carried out', async () => {
    const refusing = (named: string): Backend => {
      const reference = referenceBackend();
      const compile: Backend['compile'] = (graph, options) => {
        const lacks = graph.instructions.some(({ op }) => op === 'floor' || op === 'sub');
        return lacks
          ? Promise.reject(new BackendError(`no "${named}" here`))
          : reference.compile(graph, options);
      };
      return { ...reference, compile };
    };
    const lacking = [
      { op: 'floor', reason: 'no floor' },
      { op: 'sub', reason: 'no difference' },
    ];
    const ids = ['floor: of sliced', 'state: that is given for another input as well'];
    const outcomes = async (named: string) => {
      const options = { filter: only(...ids), unsupported: lacking };
      const { results } = await runConformance(refusing(named), options);
      return results.map(({ outcome, reason }) => [outcome, reason]);
    };
    expect(await outcomes('sub')).toEqual([
      ['failed', undefined],
      ['unsupported', 'no difference'],
    ]);
    expect(await outcomes('floor')).toEqual([
      ['unsupported', 'no floor'],
      ['unsupported', 'no floor'],
    ]);
    expect(await outcomes('other')).toEqual([
      ['failed', undefined],
      ['failed', undefined],
    ]);
  });
});

describe('the command', () => {
  const filter = only('add: float32 [5]');

  test('runs backends one after the other and disposes of each', async () => {
    const log: string[] = [];
    const open = (name: string) =>
      backendSource(name, async () => {
        log.push(`open ${name}`);
        return { ...referenceBackend(), dispose: async () => void log.push(`dispose ${name}`) };
      });
    const { output, exitCode } = await conformanceCommand([open('a'), open('b')], {
      filter,
      onResult: (backend, { outcome }, done, count) => log.push(`${backend} ${outcome} ${done}/${count}`),
    });
    expect(log).toEqual(['open a', 'a passed 1/1', 'dispose a', 'open b', 'b passed 1/1', 'dispose b']);
    expect(output).toMatch(/^add +1 +\S+ +\S+$/m);
    expect(exitCode).toBe(0);
  });

  test('exits with 1 when a backend does not conform', async () => {
    const reference = referenceBackend();
    const broken: Backend = {
      ...reference,
      compile: () => Promise.reject(new BackendError('nothing compiles here')),
    };
    const { exitCode, output } = await conformanceCommand([backendSource('broken', async () => broken)], {
      filter,
    });
    expect(exitCode).toBe(1);
    expect(output).toContain('nothing compiles here');
  });
  const reference = backendSource('reference', async () => referenceBackend());
  const refusing = (name: string, error: Error) => backendSource(name, () => Promise.reject(error));

  test('a backend that is not here is told, and is an error unless it may be absent', async () => {
    const sources = [refusing('gpu', new BackendError('no driver')), reference];
    const strict = await conformanceCommand(sources, { filter });
    expect(strict.output).toMatch(/^gpu does not run here\n {2}no driver$/m);
    expect(strict.absences).toEqual([{ backend: 'gpu', reason: 'no driver', isUnavailable: true }]);
    expect(strict.exitCode).toBe(1);
    const lenient = await conformanceCommand(sources, { filter, isOptional: (name) => name === 'gpu' });
    expect(lenient.exitCode).toBe(0);
    const other = await conformanceCommand(sources, { filter, isOptional: (name) => name !== 'gpu' });
    expect(other.exitCode).toBe(1);
  });

  test('what breaks is an error also where it may be absent', async () => {
    const sources = [refusing('gpu', new MeanflowError('its process died')), reference];
    const { output, exitCode } = await conformanceCommand(sources, { filter, isOptional: () => true });
    expect(output).toMatch(/^gpu BROKE\n {2}its process died$/m);
    expect(exitCode).toBe(1);
  });

  test('a bug costs its backend, and no other; the report has its stack', async () => {
    const bug = new TypeError('x is undefined');
    const { output, reports, exitCode } = await conformanceCommand([refusing('gpu', bug), reference], {
      filter,
      isOptional: () => true,
    });
    expect(output).toMatch(/^gpu BROKE\n {2}TypeError: x is undefined\n {6}at .*report\.test/m);
    expect(reports.map(({ backend }) => backend)).toEqual(['reference']);
    expect(exitCode).toBe(1);
  });

  test('without any report there is no matrix', async () => {
    const absent = conformanceCommand([refusing('gpu', new BackendError('no driver'))], { filter });
    await expect(absent).rejects.toThrow('no driver');
    const bug = conformanceCommand([refusing('gpu', new TypeError('x is undefined'))], { filter });
    await expect(bug).rejects.toThrow(TypeError);
  });
});
