import { metricsTable } from '../../src/report/table.js';
import { reportHtml } from '../../src/report/html.js';
import { pictureFiles } from '../../src/report/files.js';
import { comparisonResults, datasetPictures, datasetResults } from '../support/results.js';
import { loadedAddresses } from '../support/self-contained.js';

const html = reportHtml(comparisonResults, [datasetPictures]);

it('needs nothing from elsewhere', () => {
  expect(loadedAddresses(html)).toEqual([]);
  expect(loadedAddresses('<script src="a.js"></script><img src="https://x.y/z.png">')).toHaveLength(4);
});

it('says what was run, on what, for how long', () => {
  for (const text of [
    '1 min 15 s, 4 runs',
    'ort:cpu, runtime 1.2.3',
    'a processor',
    '0, 1',
    '2026-11-21 02:40 UTC',
  ]) {
    expect(html).toContain(text);
  }
  expect(html).toContain('meanflow compare --seeds 0,1');
  expect(html).toContain('<h1>Flow matching and MeanFlow, side by side</h1>');
});

it('lists the runs that failed, and only where there are some', () => {
  expect(html).not.toContain('class="failed"');
  const failed = [
    { dataset: 'points', method: 'meanflow' as const, seed: 1, message: 'The loss <was> NaN.' },
  ];
  const partial = reportHtml({ ...comparisonResults, failed }, [datasetPictures]);
  expect(partial).toContain('One run failed, and what follows is of the others.');
  expect(partial).toContain('<b>points, MeanFlow, seed 1:</b> The loss &lt;was&gt; NaN.');
});

it('needs no pictures of a method: its first run may have failed', () => {
  for (const methods of [[], datasetPictures.methods.slice(1)]) {
    const pictures = { ...datasetPictures, methods };
    expect(reportHtml(comparisonResults, [pictures])).not.toMatch(/NaN|undefined|Infinity/);
    expect(Object.keys(pictureFiles(datasetResults, pictures))).toEqual(['points.svg', 'points.png']);
  }
});

it('escapes what it is given', () => {
  expect(html).toContain('made-up points &lt;b&gt;&amp;&lt;/b&gt;');
});

it('has a panel for the data, each method and NFE, and each trajectory', () => {
  const labels = [...html.matchAll(/class="panel"[^>]*aria-label="([^"]*)"/g)].map((match) => match[1]);
  expect(labels).toEqual([
    'The data',
    'Flow matching at 1 NFE',
    'Flow matching at 64 NFE',
    'Trajectories of Flow matching at 64 NFE',
    'MeanFlow at 1 NFE',
  ]);
});

it('keeps every coordinate and colour a value', () => {
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});

describe('the table', () => {
  const rows = metricsTable(datasetResults).match(/<tr[\s\S]*?<\/tr>/g)!;
  const classes = rows.map((row) =>
    [...row.matchAll(/<td(?: class="([^"]*)")?>/g)].map((match) => match[1] ?? ''),
  );

  it('tints the best of a column with all that read alike, and outlines the best at the fewest evaluations', () => {
    expect(classes.slice(1, 4)).toEqual([
      ['', '', ''],
      ['', 'best', 'best'],
      ['', 'one-step', 'best one-step'],
    ]);
  });

  it('gives the noise floor a row of its own, and never the best mark', () => {
    expect(rows).toHaveLength(5);
    expect(rows[4]).toContain('noise floor');
    expect(classes[4]).toEqual(['', '', '']);
  });

  it('shows the range over seeds below the median', () => {
    expect(rows[1]).toContain('0.900<small>0.900 … 1.00</small>');
    expect(rows[1]).toContain('25 %<small>25 % … 25 %</small>');
  });
});

it('writes a sheet with captions and a picture of all panels', () => {
  const files = pictureFiles(datasetResults, datasetPictures);
  expect(Object.keys(files)).toEqual(['points.svg', 'points.png']);
  expect(loadedAddresses(String(files['points.svg']))).toEqual([]);
  expect(String(files['points.svg']).match(/\d+ NFE/g)).toEqual(['1 NFE', '64 NFE', '1 NFE']);
});
