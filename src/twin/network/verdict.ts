/** How the fate of a packet is told. */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { PathVerdict } from '../world.ts';

export const NO_CAUSES: readonly OccurrenceId[] = [];

export function arrives(sourceSeen: string): PathVerdict {
  return { ok: true, sourceSeen, message: '', because: NO_CAUSES };
}

export function lost(
  message: string,
  because: readonly OccurrenceId[] = NO_CAUSES,
): PathVerdict & { readonly ok: false } {
  return { ok: false, sourceSeen: null, message, because };
}
