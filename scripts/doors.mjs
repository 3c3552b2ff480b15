/**
 * What the packages' doors promise to programs outside, of the declarations that were built (`npx tsc -b`):
 *
 * - they hold in a strict program that checks declarations too and knows neither DOM nor Node (`lib: ["ES2022"]`, no types), resolved
 *   as Node does and as bundlers do; the doors that are for Node, with Node's types;
 * - every type that they mention can be named: a door exports it.
 *
 *     node scripts/doors.mjs
 */
import { join, relative } from 'node:path';
import ts from 'typescript';
import { publishedPackages, root } from './pack/packages.mjs';

/** Doors of which Node's types are needed. */
const forNode = /^meanflow$|\/(node|command|processes)$/;
/** Doors that mention types of packages which need those of a browser. */
const forBrowsers = /\/chromium$/;

const doors = publishedPackages().flatMap(({ folder, manifest: { name, exports } }) =>
  Object.entries(exports)
    .filter(([, target]) => target.types !== undefined)
    .map(([path, { types }]) => ({ package: name, name: name + path.slice(1), file: join(folder, types) })),
);

/** A door of our own command, whose types nobody else writes. */
const forTheCommand = /\/command$/;

/** A program in the root that imports doors, as if it stood in a file. */
function programOf(names, options) {
  const entry = join(root, 'outside-program.mts');
  const text = names.map((name, i) => `export * as door${i} from '${name}';`).join('\n');
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (file) => file === entry || fileExists(file);
  host.readFile = (file) => (file === entry ? text : readFile(file));
  host.getSourceFile = (file, version, ...rest) =>
    file === entry ? ts.createSourceFile(file, text, version) : getSourceFile(file, version, ...rest);
  return ts.createProgram([entry], options, host);
}

const strict = {
  ...{ strict: true, skipLibCheck: false, noEmit: true, target: ts.ScriptTarget.ES2022 },
  ...{ lib: ['lib.es2022.d.ts'], types: [] },
};
const asNode = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const asBundlers = { module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler };

const problems = [];

/** @returns the checked program */
function checkTypes(what, names, options) {
  const program = programOf(names, options);
  for (const { file, start = 0, messageText } of ts.getPreEmitDiagnostics(program)) {
    const at =
      file && `${relative(root, file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1}: `;
    problems.push(`${what}: ${at ?? ''}${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  }
  const platform = /lib\.(dom|webworker)|node_modules\/@types\//;
  for (const { fileName } of options.types.length > 0 ? [] : program.getSourceFiles()) {
    if (platform.test(fileName)) problems.push(`${what}: ${relative(root, fileName)} is drawn in.`);
  }
  return program;
}

const anywhere = doors
  .map(({ name }) => name)
  .filter((name) => !forNode.test(name) && !forBrowsers.test(name));
const inNode = doors.map(({ name }) => name).filter((name) => !forBrowsers.test(name));
checkTypes('resolved as Node does', anywhere, { ...strict, ...asNode });
checkTypes('resolved as bundlers do', anywhere, { ...strict, ...asBundlers });
checkTypes('with types of Node', inNode, { ...strict, ...asNode, types: ['node'] });

// Every door, so that what one mentions is found in all others.
const program = programOf(
  doors.map(({ name }) => name),
  { ...strict, ...asNode, types: ['node'] },
);
const checker = program.getTypeChecker();
const ours = join(root, 'packages');
const isOurs = (file) => file.startsWith(ours) && file.includes('/dist/');
const resolved = (symbol) =>
  symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

for (const door of doors) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(door.file));
  door.exports = new Set(checker.getExportsOfModule(module).map(resolved));
}

/** Whether a declaration makes a name for users: an interface, a class, or an alias that its module exports; of generic aliases none. */
function isName(node) {
  if (node.parent === undefined || !ts.isSourceFile(node.parent)) return false;
  if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) return true;
  const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
  return ts.isTypeAliasDeclaration(node) && node.typeParameters === undefined && isExported;
}

/** The types of our packages that are mentioned where a symbol is declared. */
function* mentions(symbol) {
  const nodes = (symbol.declarations ?? []).filter((node) => isOurs(node.getSourceFile().fileName));
  while (nodes.length > 0) {
    const node = nodes.pop();
    // What an interface is put together from need not have a name.
    if (ts.isHeritageClause(node)) continue;
    ts.forEachChild(node, (child) => void nodes.push(child));
    if (!ts.isIdentifier(node)) continue;
    const meant = resolved(checker.getSymbolAtLocation(node));
    const [declaration] = meant?.declarations ?? [];
    if (declaration !== undefined && isName(declaration) && isOurs(declaration.getSourceFile().fileName))
      yield meant;
  }
}

const open = doors.filter(({ name }) => !forTheCommand.test(name));
for (const door of open) {
  const missing = new Map();
  for (const symbol of door.exports) {
    for (const meant of mentions(symbol)) {
      if (!open.some(({ exports }) => exports.has(meant))) missing.set(meant.name, symbol.name);
    }
  }
  for (const [name, by] of missing) {
    problems.push(`${door.name}: \`${by}\` mentions \`${name}\`, which no door exports.`);
  }
}

for (const problem of problems) console.error(problem);
const checked = `${doors.length} doors of ${new Set(doors.map((door) => door.package)).size} packages`;
console.log(
  `${checked}: ${problems.length === 0 ? 'types hold outside, and can be named' : `${problems.length} problems`}.`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
