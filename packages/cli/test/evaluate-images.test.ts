/** `evaluate`, `compare` and `train-classifier` on images with classes: judged by a classifier that is trained once. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { writeIdx } from './support/images.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const classifier = { steps: 4, batch: 8 };
const featureMetrics = ['feature-frechet', 'class-frechet', 'class-accuracy', 'inception-score'];
const manifoldMetrics = ['precision', 'recall', 'density', 'coverage'];

/** Improved MeanFlow on the coloured shapes, whose network takes guidance; over in a moment. */
const guidedShapes = {
  data: 'shapes',
  method: 'improved-meanflow',
  steps: 6,
  batch: 4,
  network: { kind: 'dit', patchSize: 8, width: 16, depth: 1, heads: 2, guidance: true },
  optimizer: { warmUpSteps: 0 },
  objective: { kind: 'improved-meanflow', tangent: 'boundary', guidance: { maxScale: 8 } },
  ema: { decays: [0.5] },
  sampling: { ema: 0.5, nfe: [1] },
  evaluation: { samples: 120, metrics: ['feature-frechet'], classifier },
};

beforeAll(async () => {
  process.env.MEANFLOW_CACHE = folder.path('cache');
  const config = await writeJson(folder.path('shapes.json'), guidedShapes);
  await succeed('train', '--config', config, '--out', folder.path('shapes'));
});

const cached = async (): Promise<string[]> => (await readdir(folder.path('cache'))).sort();

describe('evaluate', () => {
  it('trains the classifier once, keeps it, and computes every metric on its features', async () => {
    const names = [...featureMetrics, ...manifoldMetrics];
    const args = ['evaluate', folder.path('shapes'), '--metrics', names.join(','), '--json'];
    const first = await succeed(...args);
    expect(first.err).toContain('Training the classifier that judges shapes, once: 4 steps of 8');
    const [file, ...others] = await cached();
    expect(file).toMatch(/^classifier-shapes-[0-9a-f]{16}\.safetensors$/);
    expect(others).toEqual([]);
    const bytes = await readFile(folder.path('cache', file));

    const second = await succeed(...args);
    expect(second.err).not.toContain('Training');
    expect(second.err).toMatch(/Classifier: .*, right on \d+\.\d % of held-out images/);
    expect(second.out).toBe(first.out);
    expect(await readFile(folder.path('cache', file))).toEqual(bytes);

    const { classifier: judge, floor, results } = JSON.parse(second.out);
    expect(judge).toMatchObject({ data: 'shapes', steps: 4, batchSize: 8, seed: 0 });
    expect(judge.heldOutAccuracy).toBeGreaterThan(0);
    expect(Object.keys(results[0].metrics)).toEqual(names);
    expect(Object.keys(floor)).toEqual(names);
    for (const name of ['feature-frechet', 'class-frechet']) {
      expect(floor[name]).toBeLessThan(results[0].metrics[name]);
    }
    expect(floor['coverage']).toBeGreaterThan(0.5);
  });

  it('shows class accuracy and feature Fréchet at every guidance scale', async () => {
    const args = ['evaluate', folder.path('shapes'), '--guidance', '1,2.5'];
    const { out } = await succeed(...args);
    expect(out).toMatch(/NFE +ω +feature Fréchet ↓ +class accuracy ↑/);
    expect(out).toMatch(/Improved MeanFlow +1 +1 .*\n +1 +2\.5 .*\n/);
    const { results } = JSON.parse((await succeed(...args, '--json')).out);
    expect(results.map(({ guidance }: { guidance: number }) => guidance)).toEqual([1, 2.5]);
    // The scale reaches the network.
    expect(results[0].metrics['feature-frechet']).not.toBe(results[1].metrics['feature-frechet']);
    // So does the interval, and that of the scale 1 as well: it is a condition of its own.
    const part = await succeed(...args, '--guidance-interval', '0.4,0.65', '--json');
    expect(JSON.parse(part.out).results[1].metrics).not.toEqual(results[1].metrics);
  });

  it('takes a classifier of one’s own, and refuses one of other data or none', async () => {
    const [shapes, digits] = ['shapes', 'digits'].map((name) => folder.path(`${name}.safetensors`));
    const small = ['--steps', '3', '--batch', '8'];
    const trained = await succeed('train-classifier', '--data', 'shapes', '--out', shapes, ...small);
    expect(trained.out).toMatch(/^right on \d+\.\d % of held-out images: /);
    const again = await succeed('train-classifier', '--data', 'shapes', '--out', shapes, ...small);
    expect(again.out).toBe(trained.out);
    const other = await meanflow('train-classifier', '--data', 'shapes', '--out', shapes, '--seed', '1');
    expect(other).toMatchObject({ status: 1, err: expect.stringContaining('holds another classifier') });

    const before = await cached();
    const { out } = await succeed('evaluate', folder.path('shapes'), '--classifier', shapes, '--json');
    expect(JSON.parse(out).classifier).toMatchObject({ steps: 3 });
    expect(await cached()).toEqual(before);

    await succeed('train-classifier', '--data', 'digits', '--out', digits, ...small);
    const wrong = await meanflow('evaluate', folder.path('shapes'), '--classifier', digits);
    expect(wrong).toMatchObject({ status: 1, err: expect.stringContaining('of 10 classes; "shapes" has images [16, 16, 3]') }); // prettier-ignore
    const config = folder.path('shapes', 'config.json');
    const none = await meanflow('evaluate', folder.path('shapes'), '--classifier', config);
    expect(none.status).toBe(1);
  });

  it('does not take a cached file that holds another classifier', async () => {
    const [file] = await cached();
    const kept = await readFile(folder.path('cache', file));
    await writeFile(folder.path('cache', file), await readFile(folder.path('digits.safetensors')));
    const { status, err } = await meanflow('evaluate', folder.path('shapes'));
    expect({ status, err }).toMatchObject({ status: 1, err: expect.stringContaining('holds another classifier') }); // prettier-ignore
    await writeFile(folder.path('cache', file), kept);
  });

  it('judges the digits, which are flattened and a finite set', async () => {
    const config = await writeJson(folder.path('digits.json'), {
      data: 'digits',
      steps: 2,
      batch: 4,
      network: { width: 8, depth: 1 },
      sampling: { nfe: [1] },
      evaluation: { samples: 100, metrics: ['frechet', 'feature-frechet', 'class-accuracy'], classifier },
    });
    await succeed('train', '--config', config, '--out', folder.path('digits'));
    const { out } = await succeed('evaluate', folder.path('digits'), '--json');
    const { floor, results } = JSON.parse(out);
    expect(floor['feature-frechet']).toBeLessThan(results[0].metrics['feature-frechet']);
    expect(floor['class-accuracy']).toBeGreaterThan(0);
  });
});

it('judges images by path as they are, however they are changed in training', async () => {
  await writeIdx(folder.path('idx'), 40);
  const config = await writeJson(folder.path('idx.json'), {
    data: folder.path('idx'),
    images: { flip: true, cropPadding: 1 },
    steps: 2,
    batch: 4,
    network: { kind: 'dit', patchSize: 4, width: 16, depth: 1, heads: 2 },
    sampling: { nfe: [1] },
    evaluation: { samples: 20, metrics: ['feature-frechet', 'class-accuracy'], classifier },
  });
  await succeed('train', '--config', config, '--out', folder.path('idx-run'));
  const own = await succeed('evaluate', folder.path('idx-run'), '--json');
  const file = folder.path('idx.safetensors');
  const training = ['--steps', String(classifier.steps), '--batch', String(classifier.batch)];
  await succeed('train-classifier', '--data', folder.path('idx'), '--out', file, ...training);
  const named = await succeed('evaluate', folder.path('idx-run'), '--classifier', file, '--json');
  expect(named.out).toBe(own.out);
  expect(JSON.parse(own.out).classifier.fingerprint).toMatch(/^[0-9a-f]{64}$/);
});

it('judges clothes by what their recipe says, and draws them by the names of their classes', async () => {
  const config = await writeJson(folder.path('fashion.json'), {
    data: 'fashion',
    steps: 2,
    batch: 4,
    network: { kind: 'dit', patchSize: 7, width: 16, depth: 1, heads: 2 },
    evaluation: { samples: 20, classifier },
  });
  const { err } = await succeed('train', '--config', config, '--out', folder.path('fashion'));
  expect(err).toContain('fashion: 10,000 rows (8,000 to learn from, 2,000 held out) of images 28 × 28 × 1');
  const { out } = await succeed('evaluate', folder.path('fashion'), '--nfe', '1', '--json');
  const { classifier: judge, results } = JSON.parse(out);
  expect(judge).toMatchObject({ data: 'fashion', steps: classifier.steps });
  expect(Object.keys(results[0].metrics)).toEqual(['feature-frechet', 'class-accuracy']);
  const csv = folder.path('boots.csv');
  await succeed('sample', folder.path('fashion'), '--class', 'Ankle boot,T-shirt/top', '--count', '4', '--out', csv); // prettier-ignore
  const labels = (await readFile(csv, 'utf8')).trim().split('\n').slice(1).map((row) => row.slice(row.lastIndexOf(',') + 1)); // prettier-ignore
  expect([...new Set(labels)].sort()).toEqual(['Ankle boot', 'T-shirt/top']);
});

describe('what does not fit', () => {
  const refusal = async (...args: string[]): Promise<string> => {
    const { status, err } = await meanflow(...args);
    expect(status).toBe(2);
    return err;
  };

  it('is said: metrics on features of what is no image or has no classes', async () => {
    expect(await refusal('compare', '--data', 'two-moons', '--metrics', 'feature-frechet')).toContain(
      'The metric "feature-frechet" needs a classifier of the data. A classifier learns from images with at least two classes',
    );
    expect(await refusal('train-classifier', '--data', 'wine')).toContain('"wine" holds no images');
    expect(await refusal('evaluate', folder.path('shapes'), '--metrics', 'feature-freche')).toContain(
      'Did you mean "feature-frechet"',
    );
    expect(await refusal('evaluate', folder.path('shapes'), '--metrics', 'off-support')).toContain(
      'The metric "off-support" does not apply here: it needs data whose distribution is known',
    );
    expect(
      await refusal(
        'evaluate',
        folder.path('shapes'),
        '--metrics',
        'frechet',
        '--classifier',
        'x.safetensors',
      ),
    ).toContain('--classifier is for metrics on features');
  });

  it('is said: guidance of a model that does not take it', async () => {
    expect(await refusal('evaluate', folder.path('digits'), '--guidance', '1,2')).toContain(
      'was not trained for guidance when sampling',
    );
  });
});

describe('compare', () => {
  it('trains one classifier for all runs, and says what it is worth', async () => {
    const config = await writeJson(folder.path('compare.json'), {
      data: ['shapes'],
      recipes: {
        shapes: {
          steps: 2,
          batch: 4,
          network: { kind: 'dit', patchSize: 8, width: 16, depth: 1, heads: 2 },
          evaluation: { samples: 40, classifier: { ...classifier, seed: 5 } },
          methods: { meanflow: { sampling: { nfe: [1] } } },
        },
      },
    });
    const before = await cached();
    const args = ['compare', '--config', config, '--method', 'meanflow', '--seeds', '0', '--jobs', '1'];
    const metrics = ['--metrics', 'feature-frechet,class-accuracy'];
    const { out, err } = await succeed(...args, ...metrics, '--out', folder.path('compared'));
    expect(err.match(/Training the classifier/g)).toHaveLength(1);
    expect((await cached()).length).toBe(before.length + 1);
    expect(out).toMatch(/feature Fréchet ↓ +class accuracy ↑/);
    const { datasets } = JSON.parse(await readFile(folder.path('compared', 'results.json'), 'utf8'));
    expect(datasets[0].facts.at(-1)).toMatch(
      /^judged by a classifier \(4 steps of 8, seed 5\) that is right on \d+\.\d % of held-out images$/,
    );
    expect(Object.keys(datasets[0].floor)).toEqual(['feature-frechet', 'class-accuracy']);
    expect(Object.keys(datasets[0].methods[0].sampling[0].metrics)).toEqual(['feature-frechet', 'class-accuracy']); // prettier-ignore
  });
});
