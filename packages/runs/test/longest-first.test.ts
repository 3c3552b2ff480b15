/** In which order a comparison's runs are begun: what takes long first, so that no core waits for it at the end. */
import { layersOf } from '../src/config/layers.js';
import { longestFirst } from '../src/experiment/compare-all.js';
import { resolveRun } from '../src/experiment/resolve.js';

it('begins with the data set whose runs take longest', async () => {
  const plan = async (...names: string[]) => {
    const resolved = names.map((data) => resolveRun(layersOf({ data, method: 'meanflow' }, 'The test')));
    const planned = (await Promise.all(resolved)).map((run) => ({ runs: [{ byMethod: [run] }] }));
    return longestFirst(planned).map(({ runs: [{ byMethod }] }) => byMethod[0].dataset.name);
  };
  expect(await plan('8-gaussians', 'checkerboard', 'digits')).toEqual([
    'digits',
    '8-gaussians',
    'checkerboard',
  ]);
  expect(await plan('checkerboard', '8-gaussians')).toEqual(['8-gaussians', 'checkerboard']);
});
