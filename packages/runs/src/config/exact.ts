/** Settings of which a field that is not said is not there: what a schema reads may have fields that are undefined. */

/** `T` whose optional fields hold a value where they are there. */
export type Exact<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The fields that are said. */
export function exact<T extends object>(settings: T): Exact<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Exact<T>;
}
