/**
 * Pages of the documentation as projects. Of a page's fenced blocks, one with `file=NAME` behind its language is a file, one with `run` is
 * a command, and an `output` block is what the command before it prints, with … for what varies:
 *
 *     ```js file=mine.mjs
 *     ```sh run
 *     ```output
 *
 * In order: a file may be written again further down. What a page needs it installs itself, as its reader does.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './root.mjs';

/** @returns {import('./projects.mjs').Project[]} */
export function readPages() {
  const pages = readdirSync(join(root, 'docs'), { recursive: true }).filter((name) => name.endsWith('.md'));
  const files = ['README.md', ...pages.map((name) => join('docs', name))].map((name) => join(root, name));
  return files.flatMap((file) => {
    const blocks = blocksOf(readFileSync(file, 'utf8'));
    if (!blocks.some(({ words }) => words.includes('run'))) return [];
    const name = relative(root, file).replaceAll('\\', '/').replace(/\.md$/, '');
    return [pageProject(name, blocks)];
  });
}

/** @returns {{ words: string[], text: string }[]} what stands behind the fence's first three ticks, and what is inside */
export function blocksOf(markdown) {
  const fence = /^( *)(```+)(.*)\n([\s\S]*?)^\1\2 *$/gm;
  return [...markdown.matchAll(fence)].map(([, indent, , info, text]) => ({
    words: info.trim().split(/\s+/),
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

function pageProject(name, blocks) {
  const checks = [];
  let files = [];
  for (const [index, { words, text }] of blocks.entries()) {
    const file = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    if (file !== undefined) files.push({ file, text });
    if (!words.includes('run')) continue;
    const next = blocks[index + 1];
    const expected = next?.words[0] === 'output' ? next.text : undefined;
    const [first, ...rest] = text.trim().split('\n');
    checks.push({
      name: rest.length > 0 ? `${first} …` : first,
      command: text,
      files,
      ...(expected !== undefined && { judge: (output) => differenceFrom(expected, output) }),
    });
    files = [];
  }
  return { name, onlyWhenAsked: false, inOrder: true, absence: undefined, sources: [], checks };
}

/** @returns {string | undefined} what of the page is not in what was printed; lines before and after it may be more */
export function differenceFrom(expected, output) {
  const quote = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = expected.trim().split('…').map(quote).join('[\\s\\S]*?');
  return new RegExp(pattern).test(output)
    ? undefined
    : `the page says that it prints:\n${expected.trimEnd()}`;
}
