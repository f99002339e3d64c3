/** Pieces that several published schemas share. */
import { z } from 'zod';

export const count = z.int().nonnegative();

/** Seconds of virtual time. */
export const seconds = z.number().nonnegative();

export function list<T extends z.ZodType>(item: T): z.ZodReadonly<z.ZodArray<T>> {
  return z.array(item).readonly();
}
