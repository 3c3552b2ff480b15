import { csvDataset, describeData, distributionDataset, eightGaussians } from '../src/index.js';

it('says what was understood of data in one line', () => {
  const rows = Array.from({ length: 50 }, (_, i) => `${i},${i * i},c${i % 3}`);
  const dataset = csvDataset(new TextEncoder().encode(['x,square,class', ...rows].join('\n')), {
    file: 'points.csv',
    label: 'class',
  });
  expect(describeData({ ...dataset, notes: ['decimal comma'] })).toBe(
    'points.csv: 50 rows (40 to learn from, 10 held out) of 2 columns (x, square); 3 classes (c0 17, c1 17, c2 16); ' +
      'mean 0.00, deviation 1.00 after normalising; decimal comma.',
  );
  expect(describeData(distributionDataset(eightGaussians))).toMatch(
    /^8-gaussians: samples drawn afresh of 2 columns \(x, y\); 8 classes \(0, 1, 2, 3, 4, 5, 6, 7\); mean/,
  );
});
