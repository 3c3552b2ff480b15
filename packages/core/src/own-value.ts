/**
 * ownValue: what a record holds under a name that comes from outside. A plain object answers to `constructor`, `toString`
 * and `__proto__` too, which nobody put there.
 */
export function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
