/** Core's derivatives and rewrite rules, to be broken on purpose: they are not exported, and tests of other packages have no business in them. */
import type { Tensor } from '@meanflow/core';

export interface Rule {
  jvp: (context: never) => unknown;
  transpose?: (context: never) => readonly unknown[];
}

/** The rule that core itself uses. */
async function ruleOf(op: string): Promise<Rule> {
  const source = new URL('../../../core/src/derivatives/table.ts', import.meta.url).href;
  const module = (await import(source)) as { readonly ruleOf: (op: string) => Rule };
  return module.ruleOf(op);
}

/** Replaces one rule of one op while `use` runs. */
export async function withRule<K extends keyof Rule, T>(
  op: string,
  rule: K,
  replace: (original: NonNullable<Rule[K]>) => Rule[K],
  use: () => Promise<T>,
): Promise<T> {
  const own = await ruleOf(op);
  const original = own[rule];
  own[rule] = replace(original as NonNullable<Rule[K]>);
  try {
    return await use();
  } finally {
    own[rule] = original;
  }
}

type Rewrite = (inputs: readonly Tensor[], attributes: never, context: never) => Tensor | undefined;

/** Replaces the rewrite rule of one op, by which `simplify` replaces it, while `use` runs. */
export async function withRewrite<T>(
  op: string,
  replace: (original: Rewrite) => Rewrite,
  use: () => Promise<T>,
): Promise<T> {
  const source = new URL('../../../core/src/simplify-rules.ts', import.meta.url).href;
  const { rules } = (await import(source)) as { readonly rules: Record<string, Rewrite> };
  const original = rules[op];
  rules[op] = replace(original);
  try {
    return await use();
  } finally {
    rules[op] = original;
  }
}
