/** Scope: a block of a kernel's text. ElementWriter: what writes into it. NotFusable: there is no such text. */
import type { StoredValue } from '../program/program.js';
import type { Index } from './index-expression.js';

/** The group asks for more than one kernel can give. */
export class NotFusable extends Error {
  override get name(): string {
    return 'NotFusable';
  }
}

/** Statements with the names of what they computed. An inner scope sees what outer ones know. */
export class Scope {
  readonly lines: string[] = [];
  private readonly known = new Map<string, string>();

  constructor(private readonly outer?: Scope) {}

  find(key: string): string | undefined {
    return this.known.get(key) ?? this.outer?.find(key);
  }

  set(key: string, name: string): void {
    this.known.set(key, name);
  }
}

/** Writes the text of elements, each where it is needed. */
export interface ElementWriter {
  /** The value's element at coordinates of its shape, as a WGSL expression. */
  at(scope: Scope, value: StoredValue, coordinates: readonly Index[]): string;
  /** Writes a statement that computes an expression, and returns the name of the result. */
  define(scope: Scope, expression: string, type: string): string;
  newName(prefix: string): string;
}
