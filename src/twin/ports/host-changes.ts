/** What somebody did on a node is where chains of causes begin; told once per directory on end. */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';

export type FileChange = 'file-written' | 'file-removed' | 'file-renamed';

const RULES = 'rules-changed';

const known = new WeakMap<Kernel, HostChanges>();

/** One for a twin, whichever way a client comes: what was told is not told again. */
export function hostChangesOf(kernel: Kernel): HostChanges {
  const found = known.get(kernel) ?? new HostChanges(kernel);
  known.set(kernel, found);
  return found;
}

class HostChanges {
  private readonly kernel: Kernel;
  private readonly last = new Map<string, { readonly key: string; readonly id: OccurrenceId }>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  file(node: string, what: FileChange, path: string, action: () => void): void {
    const key = `${what} ${path.slice(0, path.lastIndexOf('/'))}`;
    const before = this.last.get(node);
    const id = before?.key === key ? before.id : this.tell(node, what, path);
    this.last.set(node, { key, id });
    this.kernel.because([id], action);
  }

  link(node: string, link: string, action: () => void): void {
    this.kernel.because([this.tell(node, 'link-removed', link)], action);
  }

  /** Rules of packet filters; many commands in a row are one change. */
  rules(node: string, command: string, action: () => void): void {
    const before = this.last.get(node);
    const id = before?.key === RULES ? before.id : this.tell(node, RULES, command);
    this.last.set(node, { key: RULES, id });
    this.kernel.because([id], action);
  }

  private tell(
    node: string,
    what: FileChange | 'link-removed' | typeof RULES,
    path: string,
  ): OccurrenceId {
    const message = `a client changed ${node}: ${what.replace('-', ' ')}, ${path}`;
    return this.kernel.because(this.kernel.causes, () =>
      this.kernel.occur(`client.${what}`, { node, message }),
    );
  }
}
