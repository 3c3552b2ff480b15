/** Every backend that this machine has, through the command: what the doctor says of it, a run on it, a run that changes to it. */
import { BackendError } from '@meanflow/core';
import { readRunMetrics } from '@meanflow/training/node';
import { withAdapters } from '@meanflow/runs/command';
import { succeed, temporaryFolder } from './support/cli.js';
import { start } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
let config = '';

const fileName = (backend: string): string => backend.replace(':', '-');

/** The losses of two runs agree to float32's precision, at the same steps. */
async function expectSameLosses(name: string, expected: string): Promise<void> {
  const [got, wanted] = await Promise.all([name, expected].map((run) => readRunMetrics(folder.path(run))));
  expect(got.map(({ step }) => step)).toEqual(wanted.map(({ step }) => step));
  const errors = got.map(({ loss }, i) => Math.abs(loss / wanted[i].loss - 1));
  expect(Math.max(...errors)).toBeLessThan(1e-5);
}

/** A constant rate, so that a run does not depend on how long it was planned to be. */
beforeAll(async () => {
  const optimizer = { schedule: 'constant' };
  config = await writeJson(folder.path('config.json'), { ...tinyConfig, optimizer });
  await succeed('train', '--config', config, '--out', folder.path('ort-cpu'));
});

/** A process of its own, with the software adapter where the machine has none: its driver is found through the environment. */
const software = { MEANFLOW_ALLOW_SOFTWARE: '1' };
const doctor = await start(['doctor'], software).end;
const isSoftware = doctor.out.includes('computes in software');
const noWebgpu = /^· tfjs:webgpu +(.*)$/m.exec(doctor.out)?.[1];
if (process.env.MEANFLOW_REQUIRE_WEBGPU === '1' && noWebgpu !== undefined) throw new Error(noWebgpu);

it('the doctor computes with each backend, and says what is missing', () => {
  expect(doctor.status).toBe(0);
  for (const name of ['ort:cpu', 'ort:wasm', 'tfjs:cpu', 'tfjs:wasm', 'reference']) {
    expect(doctor.out).toMatch(new RegExp(`^✓ ${name} .*computed a derivative correctly on: `, 'm'));
  }
  for (const name of ['ort:cpu', 'ort:wasm', 'reference']) {
    expect(doctor.out).toMatch(new RegExp(`^✓ ${name} .*; takes float16$`, 'm'));
  }
  for (const name of ['tfjs:cpu', 'tfjs:wasm']) {
    expect(doctor.out).toMatch(
      new RegExp(`^✓ ${name} .*\\n +${name} does not compute graph "doctor" in float16: tfjs has no`, 'm'),
    );
  }
  expect(doctor.out).toMatch(/^✓ onnxruntime-node +\d+\.\d+\.\d+, .*brings the providers cpu/m);
  expect(doctor.out).toMatch(
    /^[✓·] chromium +(\S.*can run chromium\/tfjs:webgpu|No Chromium was found on PATH)/m,
  );
  expect(doctor.out).toMatch(/^✓ onnxruntime-web +\d+\.\d+\.\d+, for ort:wasm$/m);
  expect(doctor.out).toMatch(/^✓ @tensorflow\/tfjs-backend-wasm +4\.22\.\d+, for tfjs:wasm$/m);
  expect(doctor.out).toMatch(/^✓ esbuild +\d+\.\d+\.\d+, for meanflow conformance in Chromium$/m);
  expect(doctor.out).toMatch(/^[✓·] ort:cuda /m);
  expect(doctor.out).toMatch(/^[✓·] tfjs:node-gpu /m);
  expect(doctor.out).toMatch(
    /^· @tensorflow\/tfjs-node-gpu +not installed; for tfjs:node-gpu: npm install @tensorflow\/tfjs-node-gpu@4\.22\.0, which /m,
  );
});

it.each(['ort:wasm', 'tfjs:cpu', 'tfjs:wasm'])('%s trains as ort:cpu does, and samples', async (name) => {
  await succeed('train', '--config', config, '--backend', name, '--out', folder.path(fileName(name)));
  await expectSameLosses(fileName(name), 'ort-cpu');
  const draw = async (backend: string) => {
    const { out } = await succeed(
      'sample',
      folder.path(fileName(name)),
      '--backend',
      backend,
      '--count',
      '2',
      '--out',
      '-',
    );
    return out.trim().split('\n').slice(1).flatMap((row) => row.split(',').map(Number)); // prettier-ignore
  };
  const expected = await draw('ort:cpu');
  (await draw(name)).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
});

it('a run begun on one backend goes on with another', async () => {
  const run = folder.path('changing');
  await succeed('train', '--config', config, '--steps', '2', '--out', run);
  await succeed('train', '--resume', run, '--steps', '4', '--backend', 'tfjs:wasm');
  await succeed('train', '--resume', run, '--steps', '6', '--backend', 'ort:wasm');
  await expectSameLosses('changing', 'ort-cpu');
});

(noWebgpu === undefined ? describe : describe.skip)(
  `WebGPU${noWebgpu === undefined ? '' : `: ${noWebgpu}`}`,
  () => {
    it('the doctor describes the adapter', () => {
      expect(doctor.out).toMatch(
        /^✓ WebGPU adapter +vendor .*buffers of [\d,]+ MiB, storage bindings of .* workgroups of \d+ invocations/m,
      );
    });

    it.each(['tfjs:webgpu', 'ort:webgpu'])('%s trains as ort:cpu does', async (name) => {
      const outcome = await start(
        ['train', '--config', config, '--backend', name, '--out', folder.path(fileName(name))],
        software,
      ).end;
      expect(outcome).toMatchObject({ status: 0 });
      await expectSameLosses(fileName(name), 'ort-cpu');
    });

    (isSoftware ? it : it.skip).each(['tfjs:webgpu', 'ort:webgpu'])(
      '%s takes software only where it is allowed',
      async (name) => {
        const outcome = await start(['sample', folder.path('ort-cpu'), '--backend', name, '--out', '-'], {
          MEANFLOW_ALLOW_SOFTWARE: '',
        }).end;
        expect(outcome).toMatchObject({ status: 1, out: '' });
        expect(outcome.err).toMatch(/error: .*MEANFLOW_ALLOW_SOFTWARE=1/);
      },
    );
  },
);

it('says how to allow software, where that is what is missing', async () => {
  const before = process.env.MEANFLOW_ALLOW_SOFTWARE;
  delete process.env.MEANFLOW_ALLOW_SOFTWARE;
  const fail = (message: string) => () => Promise.reject(new BackendError(message));
  await expect(withAdapters(fail('Set `allowSoftware`.'))).rejects.toThrow(/`\. .*MEANFLOW_ALLOW_SOFTWARE=1/);
  await expect(withAdapters(fail('Install it.'))).rejects.toThrow(/^Install it\.$/);
  if (before !== undefined) process.env.MEANFLOW_ALLOW_SOFTWARE = before;
});
