/**
 * What every package's Jest config spreads: TypeScript through SWC, native ES modules, and workspace packages
 * resolved to their sources (the `@meanflow/source` condition), so that tests never see a stale build.
 *
 * Native ES modules in Jest need Node's `--experimental-vm-modules`, and threads that a package starts (they inherit Node's
 * options and know nothing of Jest) need the TypeScript loader. When Jest was started without, it is started again with
 * these here, so that `npx jest`, `npx nx test core`, `npm test` and an editor's runner all just work.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const isJestItself = /[\\/]jest(\.js)?$/.test(process.argv[1] ?? '');
const loader = new URL('./scripts/typescript-loader.mjs', import.meta.url).href;
if (isJestItself && (vm.SourceTextModule === undefined || !process.execArgv.includes(loader))) {
  const flags = [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...['--conditions', '@meanflow/source', '--import', loader],
  ];
  const args = [...process.execArgv, ...flags, ...process.argv.slice(1)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1);
}

// ONNX Runtime would send telemetry of what tests run; their processes inherit this.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  testEnvironment: at('./jest.environment.cjs'),
  testEnvironmentOptions: { customExportConditions: ['@meanflow/source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/out-tsc/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'json', 'node'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      },
    ],
  },
  maxWorkers: '50%',
  // Tests compile graphs and train models, on machines that do other things too.
  testTimeout: 60_000,
  passWithNoTests: true,
  reporters: ['default', at('./scripts/jest-reporter.mjs')],
};
