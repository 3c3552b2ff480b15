/** Scope: a block of a kernel's text. NotFusable: there is no such text. */

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
