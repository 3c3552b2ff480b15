/**
 * Builds the library of fused kernels with gcc and puts it among the prebuilt ones, with a digest of what it was built from:
 * `npm run kernels`. Of the instruction sets of x86-64 one is chosen when the library is loaded.
 *
 * CC names another compiler, such as `aarch64-linux-gnu-gcc`; the folder is named after its target.
 * `--check` builds into a temporary folder and prints where the library is, for tests of what the sources say now.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('.', import.meta.url));
const compiler = process.env.CC ?? 'gcc';

/** Where the digest of the sources stands that the prebuilt libraries were built from. */
export const digestFile = join(sources, 'prebuilt', 'sources.sha256');

/** SHA-256 of the C sources and of this file, which has the compiler's options. */
export function digestOfSources() {
  const hash = createHash('sha256');
  const files = readdirSync(sources).filter((name) => /\.([ch]|mjs)$/.test(name));
  for (const name of files.sort()) hash.update(`${name}\n`).update(readFileSync(join(sources, name)));
  return hash.digest('hex');
}

// No -ffast-math: NaN and infinity have their meaning. What is allowed is what vector code needs: errno is not set, floating
// point traps are not taken. Products and sums are joined only where the sources say so.
const options = ['-std=c11', '-O3', '-fPIC', '-fvisibility=hidden', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=off', '-Wall', '-Wextra', '-Werror']; // prettier-ignore

const instructionSets = {
  x86_64: { base: ['-march=x86-64'], avx2: ['-march=x86-64-v3'], avx512: ['-march=x86-64-v4', '-mprefer-vector-width=512'] }, // prettier-ignore
  aarch64: { base: [] },
};

/** Floats in a register. */
const vectors = { base: 4, avx2: 8, avx512: 16 };

/** Builds into a folder. @returns the library's path */
function build(folder, sets) {
  const objects = mkdtempSync(join(tmpdir(), 'meanflow-kernels-'));
  try {
    const compile = (source, name, extra) => {
      const object = join(objects, `${name}.o`);
      execFileSync(compiler, [...options, ...extra, '-c', join(sources, source), '-o', object], { stdio: 'inherit' }); // prettier-ignore
      return object;
    };
    const parts = [
      'body',
      'interpreter',
      'library',
      'fused-op',
      'product-op',
      'fused-product-op',
      'convolution-op',
      'sum-op',
      'workspace',
    ].map((name) => compile(`${name}.c`, name, []));
    for (const [set, flags] of Object.entries(sets)) {
      parts.push(compile('operations.c', `operations-${set}`, [...flags, `-DTABLE=operations_${set}`]));
      // Sums of products are what fused instructions are for; in their order nothing changes.
      const product = ['-ffp-contract=fast', `-DSET=${set}`, `-DVECTOR=${vectors[set]}`];
      for (const name of ['product', 'convolution'])
        parts.push(compile(`${name}.c`, `${name}-${set}`, [...flags, ...product]));
    }
    mkdirSync(folder, { recursive: true });
    const library = join(folder, 'libmeanflow-kernels.so');
    execFileSync(compiler, ['-shared', '-s', '-Wl,--build-id=none', '-o', library, ...parts, '-lm'], { stdio: 'inherit' }); // prettier-ignore
    return library;
  } finally {
    rmSync(objects, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [machine] = execFileSync(compiler, ['-dumpmachine'], { encoding: 'utf8' }).trim().split('-');
  const sets = instructionSets[machine];
  if (sets === undefined)
    throw new Error(`No instruction sets are listed for ${machine}, which ${compiler} builds for.`);
  const isCheck = process.argv.includes('--check');
  const platform = `linux-${machine === 'x86_64' ? 'x64' : 'arm64'}`;
  const folder = isCheck
    ? mkdtempSync(join(tmpdir(), 'meanflow-kernels-'))
    : join(sources, 'prebuilt', platform);
  console.log(build(folder, sets));
  if (!isCheck) writeFileSync(digestFile, `${digestOfSources()}\n`);
}
