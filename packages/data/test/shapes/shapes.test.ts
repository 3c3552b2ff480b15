import { HostArray, RandomKey } from '@meanflow/core';
import { denormalise, featureNames, openDataset, shapeClasses, shapesDataset } from '../../src/index.js';
import { drawShapes } from '../../src/shapes/draw.js';
import { FARTHEST } from '../../src/shapes/classes.js';

const key = RandomKey.fromSeed(5);
const shapes = shapesDataset();
const classNamed = (name: string) => shapeClasses.find((shape) => shape.name === name)!;

/** FNV-1a over the bits of float32 values. */
function fingerprint(values: Float32Array): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

describe('shapesDataset', () => {
  it('says what it holds', () => {
    expect(shapes).toMatchObject({
      name: 'shapes',
      featureShape: [16, 16, 3],
      imageShape: [16, 16, 3],
      classCount: 10,
      sizes: undefined,
      columns: [],
    });
    expect(new Set(shapes.classNames).size).toBe(10);
    expect(shapesDataset({ side: 32, layout: 'nchw' })).toMatchObject({
      name: 'shapes-32',
      featureShape: [3, 32, 32],
      imageShape: [32, 32, 3],
    });
    expect(featureNames(shapes)).toHaveLength(768);
    expect(featureNames(shapes)[5]).toBe('feature_0_1_2');
  });

  it('draws the same bits on every platform', () => {
    expect(fingerprint(shapes.batch(key, 3, 40).x.data)).toBe('176fdde');
    expect(fingerprint(shapesDataset({ side: 32 }).reference('test', key, 20).x.data)).toBe('33cd6b17');
  });

  it('gives a step its batch, and independent splits', () => {
    const { x, label } = shapes.batch(key, 7, 50);
    expect(shapesDataset().batch(RandomKey.fromSeed(5), 7, 50)).toEqual({ x, label });
    const others = [
      shapes.batch(key, 8, 50),
      shapes.batch(key.fold('other'), 7, 50),
      shapes.reference('train', key, 50),
      shapes.reference('test', key, 50),
    ];
    const seen = [x, ...others.map((other) => other.x)].map(({ data }) => fingerprint(data));
    expect(new Set(seen).size).toBe(5);
  });

  it('draws every class about as often, with pixels from −1 to 1 in 8-bit units of 0 to 255', () => {
    const { x, label } = shapes.reference('train', key, 2000);
    const counts = new Array<number>(10).fill(0);
    for (const value of label!.data) counts[value]++;
    // Four standard deviations of a binomial around 200.
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(54);
    expect(x.data.every((value) => value >= -1 && value <= 1)).toBe(true);
    const pixels = denormalise(shapes.normalisation, x).data;
    expect(pixels[123]).toBeCloseTo((x.data[123] + 1) * 127.5, 4);
  });

  it('draws the same pictures in both layouts', () => {
    const { x } = shapes.batch(key, 0, 3);
    const channelsFirst = shapesDataset({ layout: 'nchw' }).batch(key, 0, 3).x;
    for (const [image, row, column, channel] of [
      [0, 0, 0, 0],
      [1, 5, 9, 2],
      [2, 15, 15, 1],
    ]) {
      expect(channelsFirst.data[((image * 3 + channel) * 16 + row) * 16 + column]).toBe(
        x.data[((image * 16 + row) * 16 + column) * 3 + channel],
      );
    }
  });

  it('keeps a shape apart from its background: of a circle, the middle colour differs in each channel', () => {
    const circles = new HostArray('int32', [200], new Int32Array(200));
    const images = drawShapes(key, circles, 32);
    for (let image = 0; image < 200; image++) {
      const pixels = images.data.subarray(image * 3072, (image + 1) * 3072);
      const apart = [0, 1, 2].map((channel) => {
        const values = pixels.filter((_, i) => i % 3 === channel);
        return Math.max(...values) - Math.min(...values);
      });
      // 0.25 of the range 2, less what two gradients can take from it within the shape.
      expect(Math.min(...apart)).toBeGreaterThan(0.25);
    }
  });

  it('covers edges in part', () => {
    const square = drawShapes(key, new HostArray('int32', [1], Int32Array.of(1)), 16).data;
    const red = [...square.filter((_, i) => i % 3 === 0)].sort((a, b) => a - b);
    const [low, high] = [red[10], red[red.length - 11]];
    const between = red.filter(
      (value) => value > low + 0.2 * (high - low) && value < high - 0.2 * (high - low),
    );
    expect(between.length).toBeGreaterThan(5);
  });

  it('refuses sides at which classes cannot be told apart, or memory ends', () => {
    expect(() => shapesDataset({ side: 8 })).toThrow('a side of 12 to 512 pixels, got 8');
    expect(() => shapesDataset({ side: 16.5 })).toThrow('got 16.5');
    expect(() => shapesDataset({ side: 1024 })).toThrow('got 1024');
  });

  it('is opened by name, in a layout', async () => {
    expect(await openDataset('shapes-32', { layout: 'nchw' })).toMatchObject({ featureShape: [3, 32, 32] });
  });
});

describe('shapeClasses', () => {
  it.each(shapeClasses.map(({ name, distance }) => [name, distance] as const))(
    '%s lies about the unit circle, and is neither empty nor all of it',
    (_, distance) => {
      let inside = 0;
      for (let i = -150; i <= 150; i++) {
        for (let j = -150; j <= 150; j++) {
          const [x, y] = [i / 100, j / 100];
          if (distance(x, y) >= 0) continue;
          inside++;
          expect(Math.hypot(x, y)).toBeLessThan(FARTHEST);
        }
      }
      expect(inside / 10_000 / Math.PI).toBeGreaterThan(0.25);
      expect(inside / 10_000 / Math.PI).toBeLessThan(0.85);
    },
  );

  it('knows holes and gaps', () => {
    for (const name of ['ring', 'bars', 'dots']) expect(classNamed(name).distance(0, 0)).toBeGreaterThan(0);
    expect(classNamed('cross').distance(0.5, 0.5)).toBeGreaterThan(0);
    expect(classNamed('crescent').distance(0.3, 0)).toBeGreaterThan(0);
    expect(classNamed('crescent').distance(-0.6, 0)).toBeLessThan(0);
  });

  it('gives a star five equal arms', () => {
    const { distance } = classNamed('star');
    const at = (radius: number, turn: number) =>
      distance(radius * Math.cos(2 * Math.PI * turn), radius * Math.sin(2 * Math.PI * turn));
    for (const turn of [0, 0.03, 0.07, 0.1, 0.15]) {
      for (const radius of [0.3, 0.7, 1.1]) {
        for (let arm = 1; arm < 5; arm++) {
          expect(at(radius, turn + arm / 5)).toBeCloseTo(at(radius, turn), 12);
        }
      }
    }
    expect(at(1, 0)).toBeCloseTo(0, 12);
    expect(at(0.45, 0.1)).toBeCloseTo(0, 12);
  });
});
