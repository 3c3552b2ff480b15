/** Cases of published tensors in a folder of the test's own, where they can be changed. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostArray, referenceBackend } from '@meanflow/core';
import { decodeSafetensors, encodeSafetensors, type JsonObject } from '@meanflow/formats';
import { runParity } from '../../src/node.js';

/**
 * A new folder for each test of the file.
 *
 * @param data the folder of the cases
 */
export function scratchCases(data: string) {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'meanflow-parity-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const at = (name: string): string => join(directory, name);
  return {
    at,
    /** Copies cases with their files of parameters. */
    copy(...names: string[]): void {
      for (const name of names) {
        for (const file of readdirSync(data).filter((file) => file.split('.')[0] === name))
          cpSync(join(data, file), at(file));
      }
    },
    rewriteJson(name: string, change: (facts: JsonObject & Record<string, never>) => object): void {
      const facts = JSON.parse(readFileSync(at(`${name}.json`), 'utf8')) as JsonObject &
        Record<string, never>;
      writeFileSync(at(`${name}.json`), JSON.stringify(change(facts)));
    },
    rewriteTensors(name: string, change: (tensors: Record<string, HostArray>) => void): void {
      const tensors = { ...decodeSafetensors(readFileSync(at(`${name}.safetensors`))).tensors };
      change(tensors);
      writeFileSync(at(`${name}.safetensors`), encodeSafetensors(tensors));
    },
    /** What became of one case of the folder. */
    async outcomeOf(name: string) {
      const results = await runParity(directory, referenceBackend());
      const result = results.find((result) => result.name === name)!;
      const tensors = 'tensors' in result ? result.tensors : [];
      const outside = tensors.filter(({ passed }) => !passed).map(({ tensor }) => tensor);
      return { ...result, tensors, outside, problem: 'problem' in result ? result.problem : undefined };
    },
  };
}
