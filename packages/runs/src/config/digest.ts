/** SHA-256 digests in configurations and messages. */
import { z } from 'zod';

/** The whole, as hexadecimal digits. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256, 64 hexadecimal digits.');

/** How much of a digest a message shows. */
const SHOWN = 16;

/** The beginning of a digest, for messages. */
export function shortDigest(digest: string | undefined): string {
  return digest === undefined ? 'none' : `${digest.slice(0, SHOWN)}…`;
}
