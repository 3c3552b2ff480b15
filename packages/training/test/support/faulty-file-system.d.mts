/** Types of faulty-file-system.mjs. */
export type Fault = { readonly code: string; readonly at: number } | { readonly short: true };
export function arm(next: Fault | undefined): void;
export function disarm(): number;
