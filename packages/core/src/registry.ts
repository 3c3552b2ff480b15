/**
 * The things of one kind by name: networks, objectives, optimizers, metrics, data sets, backends. An entry says everything that
 * others must know of its thing, so that a new one is one entry. Who writes one writes down what cannot be derived: the registry
 * checks it, and completes it. Entries may come at run time: whoever lists a registry, or makes a schema of it, does so when it is
 * needed and not when a module is loaded.
 */
import { describeValue } from './describe-value.js';
import { ArgumentError } from './errors.js';
import { didYouMean } from './nearest-name.js';
import { quoted } from './printable.js';

export interface Named {
  readonly name: string;
}

export interface RegistryOptions<Definition, Entry> {
  /** What to do where a name is none of them, after the list of names. */
  readonly advice?: string;
  /**
   * Makes an entry of what was written, checked and with all that can be derived. By default what is written is an entry.
   *
   * @param place how many entries there are before it
   * @throws {ArgumentError} when it is none
   */
  complete?(definition: Definition, place: number): Entry;
}

export class Registry<Definition extends Named, Entry extends Named = Definition> implements Iterable<Entry> {
  readonly #entries = new Map<string, { readonly definition: Definition; readonly entry: Entry }>();
  readonly #complete: NonNullable<RegistryOptions<Definition, Entry>['complete']>;
  readonly #builtIn: ReadonlySet<string>;
  readonly advice: string | undefined;

  /** @param what is registered, for messages, such as `metric` */
  constructor(
    readonly what: string,
    definitions: Iterable<Definition> = [],
    { advice, complete = (entry) => entry as Definition & Entry }: RegistryOptions<Definition, Entry> = {},
  ) {
    this.advice = advice;
    this.#complete = complete;
    for (const definition of definitions) this.register(definition);
    this.#builtIn = new Set(this.#entries.keys());
  }

  /** Whether there is an entry of that name which it was not made with: one that came at run time. */
  isAdded(name: string): boolean {
    return this.#entries.has(name) && !this.#builtIn.has(name);
  }

  /** Adds an entry, after those there are. @throws {ArgumentError} when its name is taken, or is none, or it is no entry */
  register(definition: Definition): Entry {
    const entry = this.check(definition);
    this.#entries.set(entry.name, { definition, entry });
    return entry;
  }

  /** The entry that would be registered. @throws {ArgumentError} as `register` */
  check(definition: Definition): Entry {
    if (typeof definition !== 'object' || definition === null) {
      throw new ArgumentError(`A ${this.what} is an object with a name, got ${describeValue(definition)}.`);
    }
    const { name } = definition;
    if (typeof name !== 'string' || name === '') {
      throw new ArgumentError(`A ${this.what} is registered by a name, got ${describeValue(name)}.`);
    }
    if (this.#entries.has(name)) {
      throw new ArgumentError(`There is a ${this.what} ${quoted(name)} already; give this one another name.`);
    }
    return this.#complete(definition, this.#entries.size);
  }

  /** Whether an entry was made of this very definition. */
  holds(definition: Definition): boolean {
    return this.#entries.get(definition.name)?.definition === definition;
  }

  /** The entry of that name; undefined where there is none. */
  find(name: unknown): Entry | undefined {
    return typeof name === 'string' ? this.#entries.get(name)?.entry : undefined;
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
    return [...this.#entries.values()].map(({ entry }) => entry).values();
  }
}
