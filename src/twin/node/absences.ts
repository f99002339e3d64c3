/** What is not there, and because of what: removed files, for as long as anybody may ask. */
import type { OccurrenceId } from '../../model/occurrence.ts';
import { NO_CAUSES, baseOf, parentOf } from './inode.ts';

/** Names that are remembered; the oldest is forgotten first. */
const REMEMBERED_MAX = 64;

export class Absences {
  private readonly causes = new Map<string, readonly OccurrenceId[]>();

  of(path: string): readonly OccurrenceId[] {
    return this.causes.get(path) ?? NO_CAUSES;
  }

  /** Causes of all that is missing from a directory, of the names that are wanted. */
  within(directory: string, wanted: (name: string) => boolean): readonly OccurrenceId[] {
    const causes = new Set<OccurrenceId>();
    for (const [path, because] of this.causes) {
      if (parentOf(path) !== directory || !wanted(baseOf(path))) continue;
      for (const id of because) causes.add(id);
    }
    return [...causes];
  }

  add(path: string, because: readonly OccurrenceId[]): void {
    this.causes.delete(path);
    if (because.length === 0) return;
    this.causes.set(path, because);
    if (this.causes.size <= REMEMBERED_MAX) return;
    const [oldest] = this.causes.keys();
    if (oldest !== undefined) this.causes.delete(oldest);
  }

  /** The path is there again. */
  drop(path: string): void {
    this.causes.delete(path);
  }
}
