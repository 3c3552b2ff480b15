import * as mf from '../src/index.js';
import {
  ArgumentError,
  compile,
  DTypeError,
  hostArray,
  referenceBackend,
  spec,
  trace,
  type Tensor,
} from '../src/index.js';
import { checkChoice, checkOptions } from '../src/validation-door.js';

interface Options {
  readonly learningRate?: number;
  readonly beta1?: number;
}

const check = (options: unknown) => () =>
  checkOptions<Options>('adam', options as Options, { learningRate: true, beta1: true });

describe('checkOptions', () => {
  it('takes what there is, some of it, and nothing', () => {
    for (const options of [
      undefined,
      {},
      { beta1: 1 },
      { learningRate: 1, beta1: undefined, other: undefined },
    ]) {
      expect(check(options)).not.toThrow();
    }
  });

  it.each<[unknown, string]>([
    [{ lr: 1 }, 'adam has no option "lr"; it takes learningRate, beta1. Did you mean "learningRate"?'],
    [{ learning_rate: 1 }, 'Did you mean "learningRate"?'],
    [{ beta: 1 }, 'Did you mean "beta1"?'],
    [{ momentum: 1 }, 'adam has no option "momentum"; it takes learningRate, beta1.'],
    [{ constructor: 1 }, 'adam has no option "constructor"'],
    [{ ['__proto__']: 1 }, 'adam has no option "__proto__"'],
    [0.1, 'adam takes an object of options ({ learningRate, beta1 }), got 0.1.'],
    [null, 'got null'],
    [[1], 'got an array of 1'],
  ])('refuses %j', (options, message) => {
    expect(check(options)).toThrow(ArgumentError);
    expect(check(options)).toThrow(message);
  });
});

test('checkChoice names what there is', () => {
  const activation = (value: unknown) => () =>
    checkChoice('mlp: activation', value, ['silu', 'gelu', 'gelu-tanh']);
  expect(activation('gelu')).not.toThrow();
  expect(activation('gellu')).toThrow(
    new ArgumentError(
      'mlp: activation is one of "silu", "gelu", "gelu-tanh"; got "gellu". Did you mean "gelu"?',
    ),
  );
  expect(activation(3)).toThrow('got 3.');
  expect(activation('constructor')).toThrow('got "constructor".');
});

test('runs and compilations refuse options that they do not have', async () => {
  const backend = referenceBackend();
  const double = trace((x) => x.mul(2), spec([1]));
  await expect(compile(backend, double, { states: {} } as never)).rejects.toThrow(/Did you mean "state"/);
  await expect(backend.compile(double.graph, { donate: {} } as never)).rejects.toThrow(
    'compile has no option "donate"',
  );
  const compiled = await compile(backend, double);
  await expect(compiled.run(hostArray([1]), { abort: 1 } as never)).rejects.toThrow(
    'run has no option "abort"',
  );
});

describe('functions of tensors', () => {
  const given = <T>(options: unknown) => options as T;
  const tracing = (f: (x: Tensor) => Tensor) => () => trace(f, spec([1, 2, 2, 2]));

  it.each<[string, (x: Tensor) => Tensor, string]>([
    ['sum', (x) => mf.sum(x, 0, given({ keepdims: true })), 'sum has no option "keepdims"; it takes keepDims. Did you mean "keepDims"?'],
    ['mean', (x) => mf.mean(x, 0, given({ keepdims: true })), 'has no option "keepdims"'],
    ['max', (x) => x.max(0, given({ keepdims: true })), 'max has no option "keepdims"'],
    ['min', (x) => mf.min(x, 0, given(true)), 'takes an object of options ({ keepDims }), got true.'],
    ['gelu', (x) => mf.gelu(x, given({ approximation: 'tanh' })), 'gelu has no option "approximation"'],
    ['gelu of another kind', (x) => mf.gelu(x, given({ approximate: 'tahn' })), 'gelu: approximate is one of "none", "tanh"; got "tahn". Did you mean "tanh"?'],
    ['layerNorm', (x) => mf.layerNorm(x, given({ eps: 1e-5 })), 'layerNorm has no option "eps"; it takes scale, bias, epsilon.'],
    ['rmsNorm', (x) => mf.rmsNorm(x, given({ epsilom: 1e-5 })), 'Did you mean "epsilon"?'],
    ['groupNorm', (x) => mf.groupNorm(x, given({ groups: 1, eps: 1e-5 })), 'groupNorm has no option "eps"'],
    ['attention', (x) => mf.attention(x, x, x, given({ scaling: 1 })), 'attention has no option "scaling"'],
    ['pad', (x) => mf.pad(x, given({ hihg: [1, 1, 1, 1] })), 'pad has no option "hihg"; it takes low, high, interior. Did you mean "high"?'],
    ['conv', (x) => mf.conv(x, x, given({ stride: [2, 2] })), 'conv has no option "stride"'],
    ['dotGeneral', (x) => mf.dotGeneral(x, x, given({ contracting: [0] })), 'dotGeneral has no option "contracting"'],
    ['valueAndGrad', (x) => mf.valueAndGrad((y: Tensor): [Tensor, Tensor] => [mf.sum(y), y], given<{ hasAux: true }>({ aux: true }))(x)[1], 'valueAndGrad has no option "aux"; it takes hasAux.'],
    ['jvp', (x) => mf.jvp((y: Tensor): [Tensor, Tensor] => [y, y], [x], [x], given<{ hasAux: true }>({ aux: true }))[0], 'jvp has no option "aux"'],
  ])('%s refuses an option that it does not have', (_, f, message) => {
    expect(tracing(f)).toThrow(ArgumentError);
    expect(tracing(f)).toThrow(message);
  }); // prettier-ignore

  it.each<[string, (x: Tensor) => Tensor]>([
    ['cast', (x) => mf.cast(x, given('float64'))],
    ['constant', () => mf.constant(1, given('float64'))],
    ['full', () => mf.full([2], 1, given('float64'))],
    ['iota', () => mf.iota([2], 0, given('float64'))],
  ])('%s refuses a dtype that graphs do not have', (_, f) => {
    expect(tracing(f)).toThrow(DTypeError);
    expect(tracing(f)).toThrow('the dtypes of a graph are float32, float16, int32, bool; got "float64".');
  });

  test('a graph is traced by options, dtypes and shapes that there are', async () => {
    expect(() => trace((x) => x, spec([1]), given({ nam: 'f' }))).toThrow('Did you mean "name"?');
    expect(() => trace((x) => x, spec([1], given('bfloat16')))).toThrow(DTypeError);
    expect(() => trace((x) => x, spec(given(3)))).toThrow('leaf "input" has shape 3; a shape is an array');
    const executable = await referenceBackend().compile(trace((x) => x, spec([1])).graph);
    await expect(executable.run(given(undefined))).rejects.toThrow(
      'takes an object of arrays by name, got undefined.',
    );
  });
});
