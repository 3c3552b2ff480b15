/**
 * What a parameter is for, said so that it is recognised in a network of another configuration: paths count embedders and
 * blocks, and rows of a first layer or of a table follow one another, so that the same path may mean two things. Each kind of
 * network says it of its own parameters; what it says nothing of is known by its path.
 */

/** A run of rows (entries along one axis) of a parameter that belong together. */
export interface RowGroup {
  /** Such as `t`, `class 3` or `patches`. */
  readonly name: string;
  readonly size: number;
}

/** What is said of one parameter. */
export interface ParameterRole {
  /** What it is known by in every configuration; its path by default. */
  readonly name?: string;
  /** The groups of its rows, where they are more than one. */
  readonly rows?: readonly RowGroup[];
  /** The axis along which rows are counted; the first by default. */
  readonly axis?: number;
  /**
   * What it begins as where there is none to take, and what its rows begin as: as a new network does (default), or zero, where
   * the network is then the same function as before.
   */
  readonly otherwise?: 'initial' | 'zero';
  /** The name of the parameter that is copied where there is none to take. */
  readonly like?: string;
}

/** The role of each parameter of a network, by its path; undefined where the path says it all. */
export type ParameterRoles = (path: string) => ParameterRole | undefined;

/** What is known of the parameters besides their network's configuration. */
export interface RoleFacts {
  /** What the classes are called, in their order; known by their numbers unless both sides say it. */
  readonly classNames?: readonly string[] | undefined;
}

/** The rows of a class table: one for each class, and the null class. */
export function classRows(classCount: number, { classNames }: RoleFacts): readonly RowGroup[] {
  const names = Array.from({ length: classCount }, (_, label) => `class ${classNames?.[label] ?? label}`);
  return [...names, 'no class'].map((name) => ({ name, size: 1 }));
}
