/** Registering plug-ins: all of their entries or none, and what is said of those that are none. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { referenceBackend } from '@meanflow/core';
import { datasets, openDataset, type DatasetDefinition } from '@meanflow/data';
import { metrics } from '@meanflow/metrics';
import { networks, objectives, type NetworkDefinition, type ObjectiveDefinition } from '@meanflow/models';
import { solvers } from '@meanflow/samplers';
import { z } from 'zod';
import { backends, loadBackend, loadPlugin, openBackend, registerPlugin, type Plugin } from '../src/node.js';

const moons = (name: string): DatasetDefinition => ({
  name,
  description: 'moons',
  open: () => openDataset('two-moons'),
});
const solver = (name: string) => ({ ...solvers.get('euler'), name });
const network = (name: string): NetworkDefinition => ({
  name,
  settings: z.object({ kind: z.literal(name), width: z.int() }),
  create: ({ featureShape }) => networks.get('mlp').create({ kind: 'mlp', featureShape }),
});
const objective = (name: string): ObjectiveDefinition => ({
  name,
  create: () => objectives.get('meanflow').create({ kind: 'meanflow' }),
});

/** Every name that is registered. */
const all = () =>
  [networks, objectives, datasets, metrics, solvers, backends].map((registry) => [...registry.names]);

describe('registerPlugin', () => {
  it('registers entries of every kind, and once', () => {
    const plugin: Plugin = {
      networks: [network('a-network')],
      objectives: [objective('an-objective')],
      datasets: [moons('a-dataset')],
      metrics: [{ ...metrics.get('mmd2'), name: 'a-metric' }],
      solvers: [solver('a-solver')],
      backends: [{ name: 'a:backend', open: async () => referenceBackend() }],
    };
    registerPlugin(plugin);
    const after = all();
    expect(after.map((names) => names.at(-1))).toEqual([
      ...['a-network', 'an-objective', 'a-dataset', 'a-metric', 'a-solver', 'a:backend'],
    ]);
    registerPlugin(plugin);
    registerPlugin({ ...plugin });
    expect(all()).toEqual(after);
    expect(datasets.isAdded('a-dataset')).toBe(true);
    expect(datasets.isAdded('two-moons')).toBe(false);
    expect(datasets.isAdded('nothing')).toBe(false);
  });

  const good = { datasets: ['d-1', 'd-2', 'd-3', 'd-4'].map(moons) };
  /** A plug-in, and what is said of it. */
  const wrong: readonly (readonly [string, unknown, string])[] = [
    [
      'a title that a terminal would obey',
      { objectives: [{ ...objective('obeyed'), title: 'a\u001b[2J' }] },
      'title is text without control characters, got "a\\x1b[2J"',
    ],
    [
      'a title of a metric that a terminal would obey',
      { metrics: [{ ...metrics.get('mmd2'), name: 'obeyed', title: 'a\u001b[2J' }] },
      'metrics[0]: The metric "obeyed": title is text without control characters, got "a\\x1b[2J"',
    ],
    [
      'a unit of a metric that a terminal would obey',
      { metrics: [{ name: 'obeyed', better: 'lower', value: () => 0, unit: '\u001b[2J' }] },
      'unit is text without control characters, or none, got "\\x1b[2J"',
    ],
    ['nothing', {}, 'The plug-in: there is nothing in it; a plug-in has networks, objectives, datasets'],
    ['no object', 'mine', 'The plug-in: expected an object, got "mine".'],
    ['a misspelt list', { network: [] }, 'there is no field "network". Did you mean "networks"?'],
    ['an entry that is no list', { datasets: moons('d') }, 'datasets: expected a list, got an object.'],
    ['one of five without open', { datasets: [...good.datasets, { name: 'd-5', description: 'x' }] }, 'datasets[4]: The data set "d-5": open is a function, got undefined.'],
    ['one of five whose name is taken', { datasets: [...good.datasets, moons('two-moons')] }, 'datasets[4].name: there is a data set "two-moons" already. Give this one another name.'],
    ['a name twice', { datasets: [moons('d-1'), moons('d-1')] }, 'datasets[1].name: there is a data set "d-1" already, in this plug-in.'],
    ['a name that is a path', { datasets: [moons('../d')] }, 'datasets[0].name: expected a name of letters, digits, "-", "_" and ".", a letter or digit first.'],
    ['a name with a comma', { solvers: [solver('a,b')] }, 'solvers[0].name: expected a name'],
    ['a name that ends a style', { objectives: [{ ...objective('x'), name: 'x;}' }] }, 'objectives[0].name: expected a name of letters'],
    ['a colour that ends a style', { objectives: [{ ...objective('x'), colours: { light: 'red;}', dark: '#000000' } }] }, 'objectives[0]: The objective "x": colours are { light, dark }, each as #rrggbb.'],
    ['settings that are no schema', { networks: [{ ...network('x'), settings: 3 }] }, 'networks[0]: x: settings are a schema: an object of Zod'],
    ['settings of another kind', { networks: [{ ...network('x'), name: 'y' }] }, 'networks[0]: y: the kind of its settings, where they have one, is z.literal of its name.'],
    ['settings of any kind', { networks: [{ ...network('x'), settings: z.object({ kind: z.string() }) }] }, 'networks[0]: x: the kind of its settings'],
    ['a plug-in with a name', { name: 'nobody', datasets: [moons('two-moons')] }, 'The plug-in "nobody": datasets[0].name'],
  ]; // prettier-ignore

  it.each(wrong)('refuses %s, and registers nothing of it', (_, plugin, message) => {
    const before = all();
    expect(() => registerPlugin(plugin as Plugin)).toThrow(message);
    expect(all()).toEqual(before);
  });
});

describe('loading from files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meanflow-plugins-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const dataset = (name: string): string =>
    `{ datasets: [{ name: '${name}', description: 'x', open: async () => { throw new Error('closed'); } }] }`;

  it('gives path and digest, and loads a file once, whatever it is called', async () => {
    const path = await write(
      'once.mjs',
      `globalThis.loadings = (globalThis.loadings ?? 0) + 1;\nexport default ${dataset('from-file')};\n`,
    );
    const first = await loadPlugin(path);
    expect(first.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(first.path).toMatch(/once\.mjs$/);
    await symlink(path, join(folder, 'link.mjs'));
    expect(await loadPlugin(join(folder, 'link.mjs'))).toEqual(first);
    expect(await loadPlugin(pathToFileURL(path))).toEqual(first);
    expect((globalThis as { loadings?: number }).loadings).toBe(1);
    expect(datasets.names.filter((name) => name === 'from-file')).toHaveLength(1);
  });

  it('takes no other content for a file that is loaded', async () => {
    const path = await write('changing.mjs', `export default ${dataset('changing')};\n`);
    await loadPlugin(path);
    await write('changing.mjs', `export default ${dataset('changed')};\n`);
    await expect(loadPlugin(path)).rejects.toThrow('has changed since this program loaded it');
  });

  it('says what holds a name', async () => {
    await loadPlugin(await write('holder.mjs', `export default ${dataset('held')};\n`));
    const path = await write('other.mjs', `// another\nexport default ${dataset('held')};\n`);
    await expect(loadPlugin(path)).rejects.toThrow(
      /there is a data set "held" already, of the plug-in ".*holder\.mjs"/,
    );
  });

  it('opens backends: a function under the name of its file, an entry, a plug-in with one', async () => {
    const open = 'async () => globalThis.someBackend';
    Object.assign(globalThis, { someBackend: referenceBackend() });
    const names = [
      await loadBackend(await write('plain-function.mjs', `export default ${open};`)),
      await loadBackend(await write('entry.mjs', `export default { name: 'toy:cpu', open: ${open} };`)),
      await loadBackend(
        await write('plug.mjs', `export default { backends: [{ name: 'toy:gpu', open: ${open} }] };`),
      ),
    ];
    expect(names).toEqual(['plain-function', 'toy:cpu', 'toy:gpu']);
    for (const name of names) expect((await openBackend(name)).name).toBe('reference');
    const two = `{ backends: [{ name: 'toy:1', open: ${open} }, { name: 'toy:2', open: ${open} }] }`;
    await expect(loadBackend(await write('two.mjs', `export default ${two};`))).rejects.toThrow(
      'expected one backend, found toy:1, toy:2',
    );
  });

  it('names a backend that is a function after its package, where its file is called index', async () => {
    await mkdir(join(folder, 'toy backend', 'dist'), { recursive: true });
    const path = await write(join('toy backend', 'dist', 'index.js'), 'export default async () => {};');
    expect(await loadBackend(path)).toBe('toy-backend');
  });

  it("calls a backend's module what it is, where it cannot be loaded", async () => {
    const failing = await write('failing.mjs', "throw new Error('no chip');");
    await expect(loadBackend(failing)).rejects.toThrow(
      /^The backend's module ".*failing\.mjs" cannot be loaded: no/,
    );
    const none = join(folder, 'none.mjs');
    await expect(loadBackend(none)).rejects.toThrow(/^The backend's module ".*none\.mjs" cannot be read: /);
    await expect(loadBackend('https://x.org/a.mjs')).rejects.toThrow(
      "A backend's module is a file on this machine",
    );
    const list = await write('list-of.mjs', 'export default [];');
    await expect(loadBackend(list)).rejects.toThrow(
      /^The backend's module ".*list-of\.mjs": expected a function that opens a backend as its default export/,
    );
  });

  /** A module, what loads it, and what is said. */
  const modules: readonly (readonly [string, string, string])[] = [
    ['no default export', 'export const networks = [];', 'has no default export, only networks: write `export default'],
    ['a list', 'export default [];', 'expected a plug-in as its default export, got an array of 0.'],
    ['a function', 'export default () => 1;', 'its default export is a function, not a plug-in'],
    ['one entry', "export default { name: 'x', open() {} };", 'its default export is one entry, not a plug-in'],
    ['code that throws', "throw new Error('not today');", 'cannot be loaded: not today (line 1).'],
    ['an import that is not installed', "import 'not-installed-anywhere';", 'cannot be loaded: '],
  ]; // prettier-ignore

  it.each(modules)('refuses a module with %s', async (name, text, message) => {
    const before = all();
    const path = await write(`${name.replaceAll(' ', '-')}.mjs`, text);
    await expect(loadPlugin(path)).rejects.toThrow(message);
    expect(all()).toEqual(before);
  });

  it('refuses what is no file', async () => {
    await mkdir(join(folder, 'sub'));
    await expect(loadPlugin(join(folder, 'sub'))).rejects.toThrow(
      /is a folder: name the file in it, such as ".*sub\/index.js"/,
    );
    await expect(loadPlugin(join(folder, 'none.mjs'))).rejects.toThrow(
      'cannot be read: there is no such file',
    );
    for (const address of [
      'https://example.org/a.mjs',
      'data:text/javascript,export default {}',
      'node:fs',
    ]) {
      await expect(loadPlugin(address)).rejects.toThrow(
        'A plug-in is a file on this machine, such as ./mine.mjs',
      );
    }
    await expect(loadPlugin(new URL('https://example.org/a.mjs'))).rejects.toThrow(
      'got https://example.org/a.mjs',
    );
    await expect(loadPlugin(' ')).rejects.toThrow('such as ./mine.mjs, got " "');
  });
});
