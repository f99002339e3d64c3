/**
 * Directory events in inotify's terms, as fsnotify names them. A watch is on the directory that was
 * there when it began: it ends with it and does not come back with a new one (truth:W18, W19, W23).
 */
export type DirectoryEventKind = 'CREATE' | 'WRITE' | 'RENAME' | 'REMOVE' | 'CHMOD';

export interface DirectoryEvent {
  readonly kind: DirectoryEventKind;
  /** Base name of the entry; empty when the event is about the directory itself. */
  readonly name: string;
}

export type DirectoryListener = (event: DirectoryEvent) => void;

export class DirectoryWatches {
  private readonly listeners = new Map<string, Set<DirectoryListener>>();

  /** Watches a directory by its path without links. */
  add(path: string, listener: DirectoryListener): () => void {
    const found = this.listeners.get(path) ?? new Set<DirectoryListener>();
    this.listeners.set(path, found);
    found.add(listener);
    return () => found.delete(listener);
  }

  emit(path: string, kind: DirectoryEventKind, name: string): void {
    const found = this.listeners.get(path);
    if (found === undefined) return;
    found.forEach((listener) => listener({ kind, name }));
  }

  /** The directory itself is gone or elsewhere: a last event, and no more. */
  end(path: string, kind: 'REMOVE' | 'RENAME'): void {
    this.emit(path, kind, '');
    this.listeners.delete(path);
  }

  clear(): void {
    this.listeners.clear();
  }
}
