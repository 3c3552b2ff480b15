/**
 * Index expressions: where an element is read, as a sum of multiples of atoms (a coordinate, a quotient, a remainder)
 * over known ranges. Views of views compose and simplify here, when the kernel is written: reading a reshaped,
 * transposed slice costs a few integer operations on the device, and what undoes itself costs nothing.
 *
 * Division here is floor division, and a remainder is never negative. WGSL's `/` and `%` truncate, which is the same
 * for dividends that are not negative: a dividend whose range begins below zero, as after a reversal, is moved up by a
 * multiple of the divisor before it is divided, so that every atom is a natural number.
 */

/** A natural number that the device computes, with the range that it is known to lie in: from 0 on. */
interface Atom {
  readonly wgsl: string;
  /** Inclusive. */
  readonly max: number;
  /** The quotient or remainder that the atom is, if it is one. */
  readonly of?: { readonly kind: 'div' | 'mod'; readonly dividend: Index; readonly divisor: number };
}

interface Term {
  readonly atom: Atom;
  readonly factor: number;
}

export class Index {
  private constructor(
    readonly constant: number,
    /** By the atom's text. */
    private readonly terms: ReadonlyMap<string, Term>,
  ) {}

  static number(value: number): Index {
    return new Index(value, new Map());
  }

  /** A variable of the kernel, from 0 to `size − 1`. */
  static variable(wgsl: string, size: number): Index {
    return size === 1 ? Index.number(0) : Index.ofAtom({ wgsl, max: size - 1 });
  }

  private static ofAtom(atom: Atom): Index {
    return new Index(0, new Map([[atom.wgsl, { atom, factor: 1 }]]));
  }

  /** Least and greatest value. */
  get bounds(): readonly [number, number] {
    let [low, high] = [this.constant, this.constant];
    for (const { atom, factor } of this.terms.values()) {
      if (factor > 0) high += factor * atom.max;
      else low += factor * atom.max;
    }
    return [low, high];
  }

  plus(other: Index): Index {
    if (other.isZero) return this;
    if (this.isZero) return other;
    const terms = new Map(this.terms);
    for (const [key, { atom, factor }] of other.terms) {
      const sum = (terms.get(key)?.factor ?? 0) + factor;
      if (sum === 0) terms.delete(key);
      else terms.set(key, { atom, factor: sum });
    }
    return new Index(this.constant + other.constant, terms).recombined();
  }

  times(factor: number): Index {
    if (factor === 0) return Index.number(0);
    if (factor === 1) return this;
    const terms = [...this.terms].map(
      ([key, term]) => [key, { ...term, factor: term.factor * factor }] as const,
    );
    return new Index(this.constant * factor, new Map(terms));
  }

  private get isZero(): boolean {
    return this.constant === 0 && this.terms.size === 0;
  }

  /** ⌊this / n⌋, for n > 0. */
  div(n: number): Index {
    const known = this.quotients?.get(n);
    if (known !== undefined) return known;
    const quotient = n === 1 ? this : this.divided(n);
    (this.quotients ??= new Map()).set(n, quotient);
    return quotient;
  }

  /** By divisor: the same is asked for wherever a quotient and a remainder may recombine. */
  private quotients: Map<number, Index> | undefined;

  private divided(n: number): Index {
    const [whole, rest] = this.split(n);
    if (rest.isWithin(n)) return whole;
    const quotient = rest.byCommonFactor(n, (_, part, factor) => part.div(n / factor));
    if (quotient !== undefined) return whole.plus(quotient);
    const lift = rest.multiplesBelowZero(n);
    return whole.plus(Index.number(-lift)).plus(rest.plus(Index.number(lift * n)).atom('div', n));
  }

  /** this − n·⌊this / n⌋: from 0 to n − 1, for n > 0. */
  mod(n: number): Index {
    const [, rest] = this.split(n);
    if (rest.isWithin(n)) return rest;
    const remainder = rest.byCommonFactor(n, (shared, part, factor) =>
      part
        .mod(n / factor)
        .times(factor)
        .plus(shared),
    );
    if (remainder !== undefined) return remainder;
    return rest.plus(Index.number(rest.multiplesBelowZero(n) * n)).atom('mod', n);
  }

  /** How many times n must be added, at least, for no value to be negative. */
  private multiplesBelowZero(n: number): number {
    return Math.max(0, Math.ceil(-this.bounds[0] / n));
  }

  /** `[q, r]` with this = n·q + r, where r keeps the terms that n does not divide. */
  private split(n: number): [Index, Index] {
    const whole = new Map<string, Term>();
    const rest = new Map<string, Term>();
    for (const [key, term] of this.terms) {
      if (term.factor % n === 0) whole.set(key, { ...term, factor: term.factor / n });
      else rest.set(key, term);
    }
    const quotient = Math.floor(this.constant / n);
    return [new Index(quotient, whole), new Index(this.constant - quotient * n, rest)];
  }

  private isWithin(n: number): boolean {
    const [low, high] = this.bounds;
    return low >= 0 && high < n;
  }

  /** With this = f·part + shared, where f divides n and 0 ≤ shared < f: `use(shared, part, f)`. */
  private byCommonFactor(
    n: number,
    use: (shared: Index, part: Index, f: number) => Index,
  ): Index | undefined {
    const factors = [...this.terms.values()].map(({ factor }) => gcd(Math.abs(factor), n));
    for (const factor of [...new Set(factors)].sort((a, b) => b - a)) {
      if (factor === 1) continue;
      const [part, shared] = this.split(factor);
      if (shared.isWithin(factor)) return use(shared, part, factor);
    }
    return undefined;
  }

  /** The quotient or remainder of a number that is not negative. */
  private atom(kind: 'div' | 'mod', divisor: number): Index {
    const [only] = this.terms.values();
    const inner =
      this.terms.size === 1 && this.constant === 0 && only?.factor === 1 ? only.atom.of : undefined;
    // ⌊⌊x / m⌋ / n⌋ = ⌊x / mn⌋, and (x mod m) mod n = x mod n where n divides m.
    if (kind === 'div' && inner?.kind === 'div') return inner.dividend.div(inner.divisor * divisor);
    if (kind === 'mod' && inner?.kind === 'mod' && inner.divisor % divisor === 0)
      return inner.dividend.mod(divisor);
    const max = kind === 'div' ? Math.floor(this.bounds[1] / divisor) : divisor - 1;
    const wgsl = `(${this.toWgsl()} ${kind === 'div' ? '/' : '%'} ${divisor})`;
    return Index.ofAtom({ wgsl, max, of: { kind, dividend: this, divisor } });
  }

  /** c·(x mod n) + c·n·⌊x / n⌋ is c·x. */
  private recombined(): Index {
    for (const [key, { atom, factor }] of this.terms) {
      if (atom.of?.kind !== 'mod') continue;
      const { dividend, divisor } = atom.of;
      const quotient = dividend.div(divisor);
      const [first, second] = quotient.terms;
      if (quotient.constant !== 0 || first === undefined || second !== undefined) continue;
      const [quotientKey, { factor: quotientFactor }] = first;
      if (this.terms.get(quotientKey)?.factor !== factor * divisor * quotientFactor) continue;
      const terms = new Map(this.terms);
      terms.delete(key);
      terms.delete(quotientKey);
      return new Index(this.constant, terms).plus(dividend.times(factor));
    }
    return this;
  }

  /** The variables of the kernel that it depends on. */
  variables(): string[] {
    return [...this.terms.values()].flatMap(({ atom }) =>
      atom.of === undefined ? [atom.wgsl] : atom.of.dividend.variables(),
    );
  }

  toWgsl(): string {
    return (this.text ??= this.written());
  }

  private text: string | undefined;

  private written(): string {
    const parts = [...this.terms.values()]
      .map(({ atom, factor }) => (factor === 1 ? atom.wgsl : `${factor} * ${atom.wgsl}`))
      .sort();
    if (this.constant !== 0 || parts.length === 0) parts.push(String(this.constant));
    return parts.length === 1 ? parts[0]! : `(${parts.join(' + ')})`;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** The place of coordinates in row-major order. */
export function linear(coordinates: readonly Index[], shape: readonly number[]): Index {
  let result = Index.number(0);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result = result.plus(coordinates[axis]!.times(stride));
    stride *= shape[axis]!;
  }
  return result;
}

/** The coordinates of a place in row-major order. */
export function coordinatesOf(place: Index, shape: readonly number[]): Index[] {
  const result = new Array<Index>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const quotient = place.div(stride);
    result[axis] = shape[axis] === 1 ? Index.number(0) : quotient.mod(shape[axis]!);
    stride *= shape[axis]!;
  }
  return result;
}
