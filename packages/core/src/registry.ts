/**
 * The things of one kind by name: networks, objectives, optimizers, metrics, data sets, backends. An entry says everything that
 * others must know of its thing, so that a new one is one entry. Entries may come at run time: whoever lists a registry, or
 * makes a schema of it, does so when it is needed and not when a module is loaded.
 */
import { describeValue } from './describe-value.js';
import { ArgumentError } from './errors.js';
import { didYouMean } from './nearest-name.js';
import { quoted } from './printable.js';

export class Registry<Entry extends { readonly name: string }> implements Iterable<Entry> {
  readonly #entries = new Map<string, Entry>();
  readonly #builtIn: ReadonlySet<string>;

  /**
   * @param what is registered, for messages, such as `metric`
   * @param advice what to do where a name is none of them, after the list of names
   */
  constructor(
    readonly what: string,
    entries: Iterable<Entry> = [],
    readonly advice?: string,
  ) {
    for (const entry of entries) this.register(entry);
    this.#builtIn = new Set(this.#entries.keys());
  }

  /** Whether there is an entry of that name which it was not made with: one that came at run time. */
  isAdded(name: string): boolean {
    return this.#entries.has(name) && !this.#builtIn.has(name);
  }

  /** Adds an entry, after those there are. @throws {ArgumentError} when its name is taken, or is none */
  register(entry: Entry): void {
    const { name } = entry;
    if (typeof name !== 'string' || name === '') {
      throw new ArgumentError(`A ${this.what} is registered by a name, got ${describeValue(name)}.`);
    }
    if (this.#entries.has(name)) {
      throw new ArgumentError(`There is a ${this.what} ${quoted(name)} already; give this one another name.`);
    }
    this.#entries.set(name, entry);
  }

  /** The entry of that name; undefined where there is none. */
  find(name: unknown): Entry | undefined {
    return typeof name === 'string' ? this.#entries.get(name) : undefined;
  }

  /** @throws {ArgumentError} when there is none of that name, with the one that was probably meant and all that there are */
  get(name: unknown): Entry {
    const entry = this.find(name);
    if (entry !== undefined) return entry;
    const hint = typeof name === 'string' ? didYouMean(name, this.names) : '';
    const known = this.names.length === 0 ? 'None is known' : `Known are ${this.names.join(', ')}`;
    const advice = this.advice === undefined ? '' : `; ${this.advice}`;
    throw new ArgumentError(`There is no ${this.what} ${describeValue(name)}.${hint} ${known}${advice}.`);
  }

  /** In the order in which they were registered. */
  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  [Symbol.iterator](): Iterator<Entry> {
    return this.#entries.values();
  }
}
