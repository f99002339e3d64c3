/** A directory whose content another part keeps in a form of its own. */
export interface StateDirectory {
  /** Path below the mount point, without a leading slash; empty for itself. */
  list(path: string): readonly string[] | undefined;
  read(path: string): string | undefined;
  write(path: string, content: string): void;
  remove(path: string): void;
  clear(): void;
}
