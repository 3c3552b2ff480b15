import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { noCircles } from './scripts/eslint/no-circles.mjs';

// The rule about layers reads Nx's graph of the packages from a cache, and passes everything where there is none: ESLint's own
// command makes it here, outside of Nx's tasks. Nx reads this file too while it makes the graph, and would wait for itself.
const isCommand = /[\\/]eslint(\.js)?$/.test(process.argv[1] ?? '');
if (isCommand && process.env.NX_TASK_TARGET_TARGET === undefined) {
  process.env.NX_DAEMON = 'false';
  const { createProjectGraphAsync } = await import('@nx/devkit');
  await createProjectGraphAsync();
}

/** What stands below the application layer. */
const parts = [
  'core',
  'format',
  'backend',
  'samplers',
  'data',
  'metrics',
  'models',
  'training',
  'checkpoints',
  'classifier',
];

/** Of our own packages, those of a layer may import only the layers listed for it. */
const layers = {
  core: [],
  format: ['core'],
  backend: ['core'],
  samplers: ['core'],
  data: ['core', 'format'],
  metrics: ['core', 'format'],
  models: ['core', 'samplers'],
  training: ['core', 'format', 'samplers', 'models'],
  checkpoints: ['core', 'format', 'samplers', 'models', 'training'],
  classifier: ['core', 'format', 'metrics', 'models', 'training'],
  runs: parts,
  kit: ['core'],
  app: [...parts, 'runs', 'kit', 'app'],
};

/** Layers that may name the library a backend is made of. */
const mayNameBackends = ['backend', 'runs', 'app'];

const depConstraints = Object.entries(layers).map(([layer, imports]) => ({
  sourceTag: `layer:${layer}`,
  onlyDependOnLibsWithTags: imports.length > 0 ? imports.map((name) => `layer:${name}`) : ['none'],
  ...(mayNameBackends.includes(layer) ? {} : { bannedExternalImports: ['onnxruntime-*', '@tensorflow/*'] }),
}));

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      '**/out-tsc',
      '**/reports',
      'release',
      '**/coverage',
      '**/runs',
      '!packages/runs',
      '.nx',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx, meanflow: { rules: { 'no-circles': noCircles } } },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { allow: [], depConstraints }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'meanflow/no-circles': 'error',
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'ClassDeclaration[superClass.name=/Error$/]:not(:has(MethodDefinition[kind="get"][key.name="name"]))',
          message:
            'Give the error its name: override get name(): string { return … }. A minified class has another.',
        },
      ],
    },
  },
  {
    // A backend's own suite runs the conformance kit, and the cases of models, which stand above it.
    files: ['packages/backend-*/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            {
              sourceTag: 'layer:backend',
              onlyDependOnLibsWithTags: ['layer:core', 'layer:kit', 'layer:app'],
            },
          ],
        },
      ],
    },
  },
  {
    // The kit has the instruments that look for dependence of random streams.
    files: ['packages/{samplers,models,data,training,runs}/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: depConstraints.map((each) => ({
            ...each,
            onlyDependOnLibsWithTags: [...each.onlyDependOnLibsWithTags, 'layer:kit'],
          })),
        },
      ],
    },
  },
  {
    // The classifier's suite trains one, for which the interpreter is too slow.
    files: ['packages/classifier/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            {
              sourceTag: 'layer:classifier',
              onlyDependOnLibsWithTags: [...layers.classifier, 'backend', 'data'].map(
                (name) => `layer:${name}`,
              ),
            },
          ],
        },
      ],
    },
  },
  {
    // Core's second door is for who writes a backend, checks one or counts what it is given; what others need of it is little.
    files: ['**/*.ts'],
    ignores: ['packages/backend-*/**', 'packages/conformance/**', 'benchmarks/src/budgets/**', '**/test/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@meanflow/core/backend',
              allowImportNames: [
                ...['bfloat16ToNumber', 'halfToNumber', 'LARGEST_HALF', 'numberToHalf', 'stridesOf'],
                ...['AdapterReport', 'inspectWebgpu', 'settleOrtTelemetry'],
              ],
              message: 'It is for backends and the conformance kit.',
            },
          ],
        },
      ],
    },
  },
  {
    // A backend is handed the runtime module to use, so that it serves Node and browsers alike.
    files: ['packages/backend-ort/src/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: ['onnxruntime-node', 'onnxruntime-web'] }],
    },
  },
  {
    // Projects outside the workspace, which are checked there.
    files: ['outside/**/*.{ts,cts}'],
    rules: {
      '@nx/enforce-module-boundaries': 'off',
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-require-imports': 'off',
    },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', performance: 'readonly' },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', module: 'writable' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  prettier,
);
