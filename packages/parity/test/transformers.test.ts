/** Parity of the published transformers: networks, losses, gradients, samples, training, names and counts. */
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '@meanflow/formats';
import { scratchCases } from './support/scratch-cases.js';

const data = fileURLToPath(new URL('data/transformers', import.meta.url));
const { at, copy, outcomeOf, rewriteJson, rewriteTensors } = scratchCases(data);

const cases = readdirSync(data).flatMap((file) =>
  file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [],
);

test.each(cases)('%s agrees with the published code', async (name) => {
  copy(name, ...(name === 'facts' ? [] : [`${name.split('-')[0]}-params`]));
  const { tensors, ...result } = await outcomeOf(name);
  expect(result).toMatchObject({ outcome: 'passed', outside: [] });
  // What float64 computes is the float64 record to its last digits.
  if (/-(dit|sample)$/.test(name)) {
    for (const { error, tolerance } of tensors) expect(error / tolerance).toBeLessThan(1e-2);
  }
});

test('fields of a configuration that are left out are those of the published code', async () => {
  copy('imf-dit', 'imf-params');
  const keep = ({ config, ...rest }: JsonObject) => {
    const { num_class_tokens: _, num_time_tokens: __, mlp_ratio: ___, ...others } = config as JsonObject;
    return { ...rest, config: others, params: undefined };
  };
  for (const name of ['imf-dit', 'imf-params']) rewriteJson(name, keep);
  expect(await outcomeOf('imf-dit')).toMatchObject({ outcome: 'passed' });
  rewriteJson('imf-dit', ({ config, ...rest }) => ({ ...rest, config: { ...(config as object), mlp_ratio: '5/2 (narrower)' } })); // prettier-ignore
  expect((await outcomeOf('imf-dit')).problem).toMatch(
    /"net\/.*w1.*" is float32\[32, 85\], expected|is \[32, 85\], expected \[32, 80\]/,
  );
  rewriteJson('imf-dit', ({ config, ...rest }) => ({
    ...rest,
    config: { ...(config as object), mlp_ratio: 'wide' },
  }));
  expect((await outcomeOf('imf-dit')).problem).toMatch(
    /"config.mlp_ratio" must be a number or a fraction, got wide/,
  );
});

describe('fails', () => {
  test('when a weight is another', async () => {
    copy('mf-dit', 'mf-params');
    rewriteTensors('mf-params', (tensors) => {
      tensors['net/blocks/layers_1/mlp/fc1/_flax_linear/kernel'].data[40] += 0.01;
    });
    const { outcome, outside } = await outcomeOf('mf-dit');
    expect(outcome).toBe('failed');
    expect(outside).toContain('out/du_dt');
  });

  test('when parameters are missing or of another shape', async () => {
    copy('mf-dit', 'mf-params');
    const name = 'net/t_embedder/mlp/layers_2/_flax_linear/bias';
    rewriteTensors('mf-params', (tensors) => (tensors[name] = tensors[name].reshape([2, 16])));
    rewriteJson('mf-params', ({ shapes: _, ...rest }) => ({ ...rest, shapes: {} }));
    expect((await outcomeOf('mf-dit')).problem).toContain(
      `mf-params.safetensors: "${name}" is [2, 16], expected [32]`,
    );
    rewriteTensors('mf-params', (tensors) => delete tensors[name]);
    expect((await outcomeOf('mf-dit')).problem).toContain(`mf-params.safetensors lacks "${name}"`);
    rmSync(at('mf-params.safetensors'));
    expect((await outcomeOf('mf-dit')).problem).toContain('mf-params.safetensors is missing');
  });

  test('when a gradient, or only its norm, is another', async () => {
    copy('mf-loss-cfg-k05', 'mf-params');
    const [whole, norm] = [
      'grad/net/blocks/layers_0/attn/qkv/_flax_linear/bias',
      'gradnorm/net/x_embedder/proj/kernel',
    ];
    rewriteTensors('mf-loss-cfg-k05', (tensors) => {
      tensors[whole].data[3] *= 1.1;
      tensors[norm].data[0] *= 1.0001;
    });
    expect((await outcomeOf('mf-loss-cfg-k05')).outside.sort()).toEqual([whole, norm].sort());
  });

  test('when a gradient is of no parameter, or none is there', async () => {
    copy('mf-loss-cfg-k05', 'mf-params');
    rewriteTensors('mf-loss-cfg-k05', (tensors) => (tensors['grad/net/other'] = tensors['out/loss']));
    expect((await outcomeOf('mf-loss-cfg-k05')).problem).toContain('no parameter for "grad/net/other"');
    rewriteTensors('mf-loss-cfg-k05', (tensors) => {
      for (const name of Object.keys(tensors)) if (name.startsWith('grad')) delete tensors[name];
    });
    expect((await outcomeOf('mf-loss-cfg-k05')).problem).toContain('neither "grad/…" nor "gradnorm/…"');
  });

  test('when labels are dropped on other rows', async () => {
    copy('mf-loss-none', 'mf-params');
    rewriteJson('mf-loss-none', ({ method, ...rest }) => ({ ...rest, method: { ...(method as object), class_dropout_prob: 0.9 } })); // prettier-ignore
    expect((await outcomeOf('mf-loss-none')).outside).toEqual(
      expect.arrayContaining(['out/y_inp', 'out/num_drop']),
    );
  });

  test('when training is another; the key bias, where Adam amplifies rounding, is compared loosely', async () => {
    copy('mf-train', 'mf-params');
    const bias = 'final/net/blocks/layers_0/attn/qkv/_flax_linear/bias';
    rewriteTensors('mf-train', (tensors) => {
      tensors[bias].data[40] += 1e-3;
      tensors['ema/net/x_embedder/proj/bias'].data[0] += 1e-4;
    });
    expect((await outcomeOf('mf-train')).outside).toEqual(['ema/net/x_embedder/proj/bias']);
    rewriteTensors('mf-train', (tensors) => {
      tensors[bias].data[40] += 1e-1;
      tensors[bias].data[70] += 1e-3;
    });
    expect((await outcomeOf('mf-train')).outside).toEqual(expect.arrayContaining([bias, `${bias}[32:64]`]));
    rewriteJson('mf-train', ({ optimizer, ...rest }) => ({ ...rest, optimizer: { ...(optimizer as object), lr_schedule: 'sawtooth' } })); // prettier-ignore
    expect((await outcomeOf('mf-train')).problem).toContain('no published schedule is called "sawtooth"');
  });

  test('when nothing says how samples were drawn', async () => {
    copy('imf-sample', 'imf-params');
    rewriteJson('imf-sample', (facts) => ({ ...facts, variants: [] }));
    expect((await outcomeOf('imf-sample')).problem).toContain('neither "in/t_steps_1" nor variant "1"');
  });

  test('when names, shapes or counts are others, naming one', async () => {
    copy('facts', 'imf-params');
    rewriteJson('facts', ({ counts, names, ...rest }) => {
      const { 'MF-B/4': model } = names as Record<string, JsonObject>;
      const { 'net/x_embedder/proj/bias': _, ...others } = model;
      return {
        ...rest,
        counts: { ...(counts as object), 'MF DiT_M_2': 308019217 },
        names: { 'MF-B/4': others },
      };
    });
    const { outside } = await outcomeOf('facts');
    expect(outside).toEqual(['MF DiT_M_2', 'MF-B/4 (net/x_embedder/proj/bias is [768], published missing)']);
    rewriteJson('facts', ({ counts, names }) => ({ names, counts: { ...(counts as object), 'GPT-2': 1 } }));
    expect((await outcomeOf('facts')).problem).toContain('nothing here knows "counts.GPT-2"');
    rewriteJson('imf-params', (facts) => ({ ...facts, count: 1, eval_form_absent: [] }));
    expect((await outcomeOf('imf-params')).outside).toEqual([
      'count',
      expect.stringMatching(/^sampling form \(net\/v_heads_0.* is missing, published /),
    ]);
  });
});
