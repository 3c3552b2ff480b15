import { HostArray, hostArray, RandomKey } from '@meanflow/core';
import { decode } from 'fast-png';
import { densityLevels } from '../../src/plots/density.js';
import { frameAround, place } from '../../src/plots/frame.js';
import { lightPalette, rgb } from '../../src/plots/palette.js';
import { Raster } from '../../src/plots/raster.js';
import { scatterMarks } from '../../src/plots/scatter.js';
import { scatterPng } from '../../src/plots/scatter-raster.js';
import { trajectoryMarks } from '../../src/plots/trajectories.js';

const frame = { centre: [0, 0], half: 2 } as const;

describe('a frame', () => {
  it('is the smallest square around the points, and a margin', () => {
    const points = hostArray([
      [0, 1],
      [4, 2],
      [2, 5],
    ]);
    expect(frameAround(points, [0, 1], 0.5)).toEqual({ centre: [2, 3], half: 3 });
  });

  it('has a size also around a single point', () => {
    expect(frameAround(hostArray([[7, 7]])).half).toBe(1);
  });

  it('puts x to the right and y upwards, and counts what is outside or not a number', () => {
    const points = hostArray([
      [0, 0],
      [2, 2],
      [-2, -1],
      [2.1, 0],
      [Number.NaN, 0],
    ]);
    const { xy, outside } = place(points, frame);
    expect([...xy]).toEqual([500, 500, 1000, 0, 0, 750]);
    expect(outside).toBe(2);
  });
});

describe('density', () => {
  const crowd = RandomKey.fromSeed(1).uniform([400, 2], -0.05, 0.05);
  const points = new HostArray('float32', [401, 2], Float32Array.of(...crowd.data, 1.5, 1.5));
  const { xy } = place(points, frame);
  const levels = densityLevels(xy, 6);

  it('keeps every point once', () => {
    expect(levels.reduce((sum, level) => sum + level.xy.length, 0)).toBe(2 * 401);
  });

  it('draws the crowd stronger than the lone point, and after it', () => {
    const [faintest] = levels;
    expect([...faintest.xy]).toEqual([875, 125]);
    const opacities = levels.map(({ opacity }) => opacity);
    expect(opacities).toEqual([...opacities].sort((a, b) => a - b));
    expect(levels[levels.length - 1].xy.length).toBeGreaterThan(2 * 300);
  });
});

it('a scatter plot writes each point inside the frame once, by moves that lead to it', () => {
  const points = RandomKey.fromSeed(2).normal([300, 2]);
  const { svg, outside } = scatterMarks(points, { frame, colour: 'red' });
  const drawn: string[] = [];
  for (const [, path] of svg.matchAll(/ d="([^"]*)"/g)) {
    let [x, y] = [0, 0];
    for (const [, dx, dy] of path.matchAll(/m(-?\d+)\s?(-?\d+)h0/g)) {
      [x, y] = [x + Number(dx), y + Number(dy)];
      drawn.push(`${x},${y}`);
    }
  }
  const { xy } = place(points, frame);
  const expected = Array.from({ length: xy.length / 2 }, (_, i) => `${xy[2 * i]},${xy[2 * i + 1]}`);
  expect(drawn.sort()).toEqual(expected.sort());
  expect(drawn.length + outside).toBe(300);
});

it('a trajectory passes through its states and leaves out what starts outside', () => {
  const states = [
    hostArray([
      [0, 0],
      [5, 0],
    ]),
    hostArray([
      [1, 0],
      [1, 1],
    ]),
    hostArray([
      [1, 1],
      [0, 0],
    ]),
  ];
  const { svg, outside } = trajectoryMarks(states, { frame, colour: 'red', startColour: 'grey' });
  expect(svg).toContain('d="M500 500l250 0l0 -250"');
  expect(outside).toBe(1);
});

describe('a picture of points', () => {
  const png = decode(
    scatterPng([[{ points: hostArray([[0, 0]]), colour: '#c75200' }]], { frame, side: 101 }),
  );
  const pixel = (x: number, y: number) => [
    ...png.data.subarray((y * png.width + x) * 3, (y * png.width + x) * 3 + 3),
  ];

  it('is a panel with a margin around it', () => {
    expect([png.width, png.height, png.channels]).toEqual([125, 125, 3]);
    expect(pixel(12, 12)).toEqual([...rgb(lightPalette.rule)]);
  });

  it('blends the dot with the ground by its opacity', () => {
    const ink = rgb('#c75200');
    const [red, green, blue] = pixel(62, 62);
    expect([red, green, blue]).toEqual(ink.map((channel) => Math.round(255 + (channel - 255) * 0.42)));
    expect(pixel(40, 62)).toEqual([255, 255, 255]);
  });
});

it('a raster cuts marks at its edges', () => {
  const raster = new Raster(4, 3, [255, 255, 255]);
  raster.dot(0, 0, 2, [0, 0, 0], 1);
  raster.rectangle(3, 2, 10, 10, [9, 9, 9]);
  const { data } = decode(raster.png());
  expect([data[0], data[(2 * 4 + 3) * 3], data[(1 * 4 + 2) * 3]]).toEqual([0, 9, 255]);
  expect(() => new Raster(0, 3, [0, 0, 0])).toThrow('whole positive sides');
});
