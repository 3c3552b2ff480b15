/** Snippets of docs/writing-a-backend.md, checked by the compiler as part of this package, which the page is about. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, '../../docs/writing-a-backend.md'), 'utf8');

/** Blocks of TypeScript that are no files: those are a project, which tests from outside build and run. */
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);

/** What a block takes for granted, and the block's file, by its beginning. */
const settings = [
  {
    begins: 'import { builtInComposite',
    file: 'src/page-composites.ts',
    given:
      "interface Kernel { lower(): void } declare const softmax: Kernel; declare const graph: import('@meanflow/core').Graph;",
  },
  {
    begins: 'const unsupported',
    file: 'test/page-unsupported.ts',
    given: "import type { Unsupported } from '@meanflow/conformance';",
  },
] as const;

test('all code blocks of the page are looked at', () => {
  expect(blocks.map((block) => settings.findIndex(({ begins }) => block.startsWith(begins)))).toEqual([0, 1]);
});

test('the code of the page compiles', () => {
  const sources = new Map(
    settings.map((setting, i) => {
      return [join(root, setting.file), `${setting.given}\n${blocks[i]}\nexport {};`] as const;
    }),
  );
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} };
  const { options } = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.test.json'),
    {
      noEmit: true,
      composite: false,
      emitDeclarationOnly: false,
      tsBuildInfoFile: undefined,
      declaration: false,
      rootDir: join(root, '../..'),
    },
    host,
  )!;
  const files = ts.createCompilerHost(options);
  const program = ts.createProgram([...sources.keys()], options, {
    ...files,
    fileExists: (file) => sources.has(file) || files.fileExists(file),
    readFile: (file) => sources.get(file) ?? files.readFile(file),
    getSourceFile: (file, language) => {
      const text = sources.get(file);
      return text === undefined
        ? files.getSourceFile(file, language)
        : ts.createSourceFile(file, text, language);
    },
  });
  const errors = [...sources.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  expect(
    errors.map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    ),
  ).toEqual([]);
});
