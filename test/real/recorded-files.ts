/**
 * A node's files as a list of changes to come: what the file operations of the cases (test/truth) do
 * to the twin's files is recorded, and then done to real ones in the same order.
 */
import type { ActedFiles } from '../truth/file-actions.ts';
import type { Answer } from './real-node.ts';

export class RecordedFiles implements ActedFiles {
  private readonly contents = new Map<string, string>();
  private requests: Answer[] = [];

  /** What was recorded since it was taken last. */
  taken(): readonly Answer[] {
    const { requests } = this;
    this.requests = [];
    return requests;
  }

  read(path: string): string | undefined {
    return this.contents.get(path);
  }

  list(path: string): readonly string[] {
    const below = `${path}/`;
    return [...this.contents.keys()]
      .filter((file) => file.startsWith(below))
      .map((file) => file.slice(below.length));
  }

  write(path: string, content: string, options: { readonly mode?: number } = {}): void {
    this.contents.set(path, content);
    this.requests.push({ do: 'write', path, content, ...options });
  }

  rename(path: string, to: string): void {
    const content = this.contents.get(path);
    if (content !== undefined) this.contents.set(to, content);
    this.contents.delete(path);
    this.requests.push({ do: 'rename', path, to });
  }

  remove(path: string): void {
    this.contents.delete(path);
    this.requests.push({ do: 'remove', path });
  }

  mkdir(path: string): void {
    this.requests.push({ do: 'mkdir', path });
  }

  link(path: string, to: string): void {
    this.requests.push({ do: 'link', path, to });
  }

  symlink(path: string, to: string): void {
    this.requests.push({ do: 'symlink', path, to });
  }

  chmod(path: string, mode: number): void {
    this.requests.push({ do: 'chmod', path, mode });
  }

  touch(path: string): void {
    this.requests.push({ do: 'touch', path });
  }
}
