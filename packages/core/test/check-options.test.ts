import {
  ArgumentError,
  checkChoice,
  checkOptions,
  compile,
  hostArray,
  referenceBackend,
  spec,
  trace,
} from '../src/index.js';

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
