/** Parity of the published U-Net for CIFAR-10: outputs, loss, gradients, names and buffers; and what makes a case fail. */
import { fileURLToPath } from 'node:url';
import { referenceBackend } from '@meanflow/core';
import type { JsonObject } from '@meanflow/formats';
import { runParity } from '../src/node.js';
import { scratchCases } from './support/scratch-cases.js';

const data = fileURLToPath(new URL('data/unet', import.meta.url));
const { copy, outcomeOf, rewriteJson, rewriteTensors } = scratchCases(data);

function configure(name: string, change: JsonObject): void {
  rewriteJson(name, ({ config, ...facts }) => ({
    ...facts,
    config: { ...(config as JsonObject), ...change },
  }));
}

test('every case agrees with the published code', async () => {
  const results = await runParity(data, referenceBackend());
  expect(results.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['unet-fwd', 'passed'],
    ['unet-loss', 'passed'],
    ['unet-params', 'passed'],
  ]);
  const [outputs, loss, parameters] = results.map((result) => ('tensors' in result ? result.tensors : []));
  // What float64 computes is the float64 record to its last digit or two.
  expect(Math.max(...outputs.map(({ error, tolerance }) => error / tolerance))).toBeLessThan(1e-2);
  expect(outputs).toHaveLength(6);
  // 8 terms, and whole gradients or norms of all 143 parameters.
  expect(new Set(loss.map(({ tensor }) => tensor.replace(/^grad(norm)?\//, ''))).size).toBe(8 + 143);
  expect(parameters.map(({ tensor }) => tensor).slice(0, 3)).toEqual(['param_count', 'shapes', 'tensors']);
});

test('a network without augmentation labels needs none, and names may have the prefix of checkpoints', async () => {
  copy('unet-fwd', 'unet-params');
  configure('unet-fwd', { augment_dim: 0 });
  rewriteTensors('unet-params', (tensors) => {
    for (const [name, array] of Object.entries(tensors)) {
      delete tensors[name];
      tensors[`net.${name}`] = array;
    }
  });
  rewriteTensors('unet-fwd', (tensors) => {
    delete tensors['in/aug'];
    for (const name of ['u', 'du_dt']) {
      for (const group of ['out', 'out64']) tensors[`${group}/${name}`] = tensors[`${group}/${name}_noaug`];
    }
    // Without labels the pulled-back cotangent is another.
    for (const group of ['out', 'out64']) delete tensors[`${group}/vjp_z`];
  });
  rewriteJson('unet-fwd', (facts) => ({ ...facts, tensors: undefined }));
  expect(await outcomeOf('unet-fwd')).toMatchObject({ outcome: 'passed' });
});

describe('fails', () => {
  test('when a weight is another', async () => {
    copy('unet-fwd', 'unet-params');
    rewriteTensors('unet-params', (tensors) => (tensors['dec.8x8_block1.conv1.weight'].data[40] += 0.01));
    expect(await outcomeOf('unet-fwd')).toMatchObject({
      outcome: 'failed',
      outside: expect.arrayContaining(['out/u', 'out/du_dt', 'out/vjp_z']),
    });
  });

  test.each<[JsonObject, RegExp]>([
    [
      { encoder_type: 'residual' },
      /"config.encoder_type" is "residual"; the U-Net here is that of "standard"/,
    ],
    [{ label_dim: 10 }, /"config.label_dim" is 10/],
    [{ out_channels: 6 }, /"config.out_channels" is 6/],
    [{ channel_mult: 2 }, /"config.channel_mult" must be a list of numbers/],
    [{ num_blocks: 2 }, /unet-params.safetensors lacks "net.dec.8x8_block2.affine.bias"/],
    [{ channel_mult_emb: 2 }, /"net.map_layer0.bias" is \[64\], expected \[32\]/],
  ])('on a configuration of another network: %j', async (change, message) => {
    copy('unet-fwd', 'unet-params');
    configure('unet-fwd', change);
    expect(await outcomeOf('unet-fwd')).toMatchObject({
      outcome: 'failed',
      problem: expect.stringMatching(message),
    });
  });

  test('when attention is elsewhere, or the filter another', async () => {
    copy('unet-fwd', 'unet-params');
    configure('unet-fwd', { resample_filter: [1, 1] });
    expect((await outcomeOf('unet-fwd')).outside).toContain('out/u');
    configure('unet-fwd', { resample_filter: [1, 3, 3, 1], attn_resolutions: [8] });
    expect((await outcomeOf('unet-fwd')).problem).toMatch(/lacks "net.dec.8x8_block1.norm2.bias"/);
  });

  test('when a gradient, or only its norm, is another', async () => {
    copy('unet-loss', 'unet-params');
    const [whole, norm] = ['grad/enc.4x4_block0.qkv.bias', 'gradnorm/dec.8x8_up.conv0.weight'];
    rewriteTensors('unet-loss', (tensors) => {
      tensors[whole].data[5] += 1e-5;
      tensors[norm].data[0] *= 1.0001;
    });
    expect((await outcomeOf('unet-loss')).outside.sort()).toEqual([whole, norm].sort());
  });

  test('when names, shapes, counts or buffers are others', async () => {
    copy('unet-params');
    const buffer = 'enc.4x4_down.skip.resample_filter';
    rewriteTensors('unet-params', (tensors) => {
      tensors[buffer].data[0] *= 1.001;
      tensors['dec.extra'] = tensors[buffer];
    });
    rewriteJson('unet-params', ({ shapes, ...facts }) => ({
      ...facts,
      shapes: { ...(shapes as JsonObject), 'map_layer0.bias': [65] },
      param_count: 192804,
    }));
    expect((await outcomeOf('unet-params')).outside).toEqual([
      'param_count',
      'shapes (map_layer0.bias is [64], published [65])',
      'tensors (dec.extra is missing, published [1, 1, 4, 4])',
      buffer,
    ]);
  });
});
