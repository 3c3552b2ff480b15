/** Numbers that many fields are. */
import { z } from 'zod';

/** A whole number from 1. */
export const count = z.int().positive();
/** From 0 to 1. */
export const share = z.number().min(0).max(1);
