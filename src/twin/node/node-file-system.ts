/**
 * A node's files: mounts by distribution and version, who wrote or removed what, events for those who
 * watch, and what a reboot, an upgrade or a wiped EPHEMERAL leaves (knowledge:
 * talos-and-cni-selection.md 4.1). Nothing here knows what a file means.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import { CONSTANTS, type Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { FileStat, NodeFiles } from '../world.ts';
import { Absences } from './absences.ts';
import { type DirectoryListener, DirectoryWatches } from './directory-watch.ts';
import { NO_CAUSES, baseOf, directory, file, filesBelow, joined, link, parentOf } from './inode.ts';
import { statOf, statOfState } from './file-stat.ts';
import { imageOf, type ImageOptions } from './image.ts';
import { MountedTree, type Found } from './mounted-tree.ts';
import { type MountRow, mountsOf, upgradeKeepsEphemeral } from './mount-tables.ts';
import { looksExecutable } from './plugin-binary.ts';
import type { StateDirectory } from './state-directory.ts';

export type LossEvent = 'reboot' | 'upgrade' | 'ephemeral-wipe';

export interface NodeFileSystemOptions extends ImageOptions {
  readonly kernel: Kernel;
  readonly node: string;
  readonly constants?: Pick<Constants, 'fileWatchMs'>;
}

export type ReadResult =
  | { readonly ok: true; readonly text: string }
  /** As the operating system says it: `open /x: no such file or directory`. */
  | { readonly ok: false; readonly error: string };

export interface Entry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink';
}

/** Paths that the record of a loss names. */
const NAMED_MAX = 4;

export class NodeFileSystem implements NodeFiles {
  /** Grows with every change, so that who remembers what it read can tell. */
  epoch = 0;
  readonly node: string;
  private readonly kernel: Kernel;
  private readonly watchMs: number;
  private readonly watches = new DirectoryWatches();
  private readonly absences = new Absences();
  private installed: ImageOptions;
  private tree: MountedTree;
  private state: { readonly path: string; readonly directory: StateDirectory } | undefined;

  constructor(options: NodeFileSystemOptions) {
    this.kernel = options.kernel;
    this.watchMs = options.constants?.fileWatchMs ?? CONSTANTS.fileWatchMs.value;
    this.node = options.node;
    this.installed = options;
    this.tree = new MountedTree(mountsOf(options.distribution, options.version), imageOf(options));
    this.makeFixtures();
  }

  // ---------------------------------------------------------------- reading

  read(path: string): string | undefined {
    const result = this.readFile(path);
    return result.ok ? result.text : undefined;
  }

  readFile(path: string): ReadResult {
    const inState = this.inState(path);
    if (inState !== undefined) {
      const text = inState.directory.read(inState.path);
      return text === undefined ? refused('open', path) : { ok: true, text };
    }
    const resolved = this.tree.resolve(path);
    if (!resolved.ok) return { ok: false, error: `open ${path}: ${resolved.reason}` };
    if (resolved.found === undefined) return refused('open', path);
    if (resolved.found.kind !== 'file') return { ok: false, error: `read ${path}: is a directory` };
    return { ok: true, text: resolved.found.inode.content };
  }

  exists(path: string): boolean {
    const inState = this.inState(path);
    if (inState !== undefined) {
      const { directory: state } = inState;
      return state.read(inState.path) !== undefined || state.list(inState.path) !== undefined;
    }
    return this.find(path) !== undefined;
  }

  /** Permission bits of what the path leads to; undefined when there is nothing. */
  modeOf(path: string): number | undefined {
    const found = this.find(path);
    if (found?.kind === 'file') return found.inode.mode;
    return found?.kind === 'directory' ? (found.upper ?? found.lower)?.mode : undefined;
  }

  stat(path: string): FileStat | undefined {
    const inState = this.inState(path);
    if (inState !== undefined) return statOfState(inState.directory, inState.path);
    const resolved = this.tree.resolve(path, false);
    return resolved.ok && resolved.found !== undefined ? statOf(resolved.found) : undefined;
  }

  isFile(path: string): boolean {
    return this.find(path)?.kind === 'file';
  }

  isDirectory(path: string): boolean {
    return this.find(path)?.kind === 'directory';
  }

  list(path: string): readonly string[] | undefined {
    const inState = this.inState(path);
    if (inState !== undefined) return inState.directory.list(inState.path);
    const resolved = this.tree.resolve(path);
    if (!resolved.ok || resolved.found?.kind !== 'directory') return undefined;
    return this.tree.names(resolved.found, resolved.path);
  }

  /** Entries as `readdir` shows them: a link is a link, whatever it leads to. */
  entries(path: string): readonly Entry[] | undefined {
    const resolved = this.tree.resolve(path);
    if (!resolved.ok || resolved.found?.kind !== 'directory') return undefined;
    const at = resolved.path === '/' ? '' : resolved.path;
    return this.tree.names(resolved.found, resolved.path).map((name) => ({
      name,
      kind: this.tree.at(`${at}/${name}`)?.kind ?? 'directory',
    }));
  }

  causesOf(path: string): readonly OccurrenceId[] {
    const resolved = this.tree.resolve(path);
    if (!resolved.ok || resolved.found === undefined) {
      return this.absences.of(resolved.ok ? resolved.path : path);
    }
    return resolved.found.kind === 'directory' ? NO_CAUSES : resolved.found.inode.causes;
  }

  /** Why names are missing from a directory: what removed them. */
  absencesIn(path: string, wanted: (name: string) => boolean): readonly OccurrenceId[] {
    return this.absences.within(path, wanted);
  }

  // ---------------------------------------------------------------- changing

  write(path: string, content: string, options: { readonly mode?: number } = {}): void {
    const inState = this.inState(path);
    if (inState !== undefined) {
      inState.directory.write(inState.path, content);
      return;
    }
    const place = this.place(path);
    const { causes } = this.kernel;
    const there = this.tree.at(place);
    const isNew = there?.kind !== 'file';
    const mode =
      options.mode ??
      (isNew ? (looksExecutable(place, content) ? 0o755 : 0o644) : there.inode.mode);
    if (isNew || this.tree.isPristine(place)) this.tree.put(place, file(content, mode, causes));
    else Object.assign(there.inode, { content, mode, causes });
    this.changed(place);
    if (isNew) this.tell(place, 'CREATE');
    if (!isNew || content !== '') this.tell(place, 'WRITE');
  }

  symlink(path: string, target: string): void {
    const place = this.place(path, false);
    this.tree.put(place, link(target, this.kernel.causes));
    this.changed(place);
    this.tell(place, 'CREATE');
  }

  /** A hard link: another name of the same file. */
  link(from: string, to: string): void {
    const found = this.find(from);
    if (found?.kind !== 'file') return;
    const place = this.place(to, false);
    this.tree.put(place, found.inode);
    this.changed(place);
    this.tell(place, 'CREATE');
  }

  mkdir(path: string, mode = 0o755): void {
    const place = this.place(path);
    if (this.tree.at(place) !== undefined) return;
    this.tree.put(place, directory(mode));
    this.changed(place);
    this.tell(place, 'CREATE');
  }

  chmod(path: string, mode: number): void {
    const found = this.find(path);
    if (found?.kind !== 'file') return;
    const place = this.place(path);
    if (this.tree.isPristine(place)) {
      this.tree.put(place, file(found.inode.content, mode, this.kernel.causes));
    } else found.inode.mode = mode;
    this.changed(place);
    this.tell(place, 'CHMOD');
  }

  /** `touch` of a file that is there: its times change, and nobody's mind. */
  touch(path: string): void {
    if (this.find(path)?.kind === 'file') this.tell(this.place(path), 'CHMOD');
  }

  remove(path: string): void {
    const inState = this.inState(path);
    if (inState !== undefined) {
      inState.directory.remove(inState.path);
      return;
    }
    const place = this.place(path, false);
    const found = this.tree.at(place);
    if (found === undefined) return;
    if (found.kind === 'directory') {
      for (const name of this.tree.names(found, place)) this.remove(`${place}/${name}`);
      this.watches.end(place, 'REMOVE');
    }
    this.tree.take(place);
    this.changed(place);
    this.absences.add(place, this.kernel.causes);
    this.tell(place, 'REMOVE');
  }

  rename(from: string, to: string): void {
    const source = this.place(from, false);
    const target = this.place(to, false);
    const found = this.tree.at(source);
    if (found === undefined) return;
    const { causes } = this.kernel;
    if (found.kind === 'directory') {
      const moved = this.tree.copyOf(found, source);
      this.tree.take(source);
      this.tree.put(target, moved);
      this.watches.end(source, 'RENAME');
    } else {
      this.tree.take(source);
      this.tree.put(
        target,
        found.kind === 'file'
          ? file(found.inode.content, found.inode.mode, joined(found.inode.causes, causes))
          : link(found.inode.target, causes),
      );
    }
    this.changed(target);
    this.absences.add(source, causes);
    this.tell(source, 'RENAME');
    this.tell(target, 'CREATE');
  }

  // ---------------------------------------------------------------- watching

  /** Events of the directory that the path leads to now; undefined when there is none. */
  watchEvents(path: string, listener: DirectoryListener): (() => void) | undefined {
    const resolved = this.tree.resolve(path);
    if (!resolved.ok || resolved.found?.kind !== 'directory') return undefined;
    return this.watches.add(resolved.path, listener);
  }

  watch(path: string, listener: (name: string) => void): () => void {
    let ended = false;
    const stop = this.watchEvents(path, ({ kind, name }) => {
      if (kind === 'CHMOD') return;
      this.kernel.after(this.watchMs, () => {
        if (!ended) listener(name);
      });
    });
    return () => {
      ended = true;
      stop?.();
    };
  }

  // ---------------------------------------------------------------- what lasts

  /** Puts another part's state at a path of a disk; it is lost when the disk is. */
  mountState(path: string, state: StateDirectory): void {
    this.state = { path, directory: state };
  }

  survives(path: string, event: LossEvent): boolean {
    const resolved = this.tree.resolve(path);
    const place = resolved.ok ? resolved.path : path;
    const row = this.tree.rowOf(place);
    if (row.kind === 'overlay' && this.tree.isPristine(place)) return true;
    return !this.loses(row, event, false);
  }

  /** `preserve` is what Talos ≤ 1.7 needs to keep EPHEMERAL on an upgrade; without it, it is wiped. */
  lose(event: LossEvent, options: { readonly preserve?: boolean } = {}): void {
    const gone = this.tree
      .rows()
      .filter(
        (row) => row.upper === undefined && this.loses(row, event, options.preserve === true),
      );
    const lost = gone.flatMap((row) => {
      const root = this.tree.rootOf(row);
      return root === undefined ? [] : filesBelow(root, row.path);
    });
    const stateLost = this.state !== undefined && gone.includes(this.tree.rowOf(this.state.path));
    const causes = this.record(event, lost);
    for (const row of gone) this.tree.rootOf(row)?.entries.clear();
    if (stateLost) this.state?.directory.clear();
    for (const path of lost) this.absences.add(path, causes);
    this.watches.clear();
    this.tree = new MountedTree(this.tree.rows(), imageOf(this.installed), this.tree);
    this.makeFixtures();
    this.epoch += 1;
  }

  /** Another version is installed: its image and its mounts, from this boot on. */
  reimage(options: ImageOptions): void {
    this.installed = options;
    this.tree = new MountedTree(
      mountsOf(options.distribution, options.version),
      imageOf(options),
      this.tree,
    );
    this.makeFixtures();
    this.epoch += 1;
  }

  // ---------------------------------------------------------------- inside

  private loses(row: MountRow, event: LossEvent, preserve: boolean): boolean {
    if (row.kind === 'tmpfs') return true;
    if (row.kind !== 'ephemeral' && row.kind !== 'overlay') return false;
    if (event === 'ephemeral-wipe') return true;
    const { distribution, version } = this.installed;
    return event === 'upgrade' && !upgradeKeepsEphemeral(distribution, version, preserve);
  }

  /** One occurrence for all files that go, if any do. */
  private record(event: LossEvent, lost: readonly string[]): readonly OccurrenceId[] {
    const { kernel } = this;
    if (lost.length === 0) return kernel.causes;
    const named = lost.slice(0, NAMED_MAX).join(', ');
    const more = lost.length > NAMED_MAX ? ` and ${lost.length - NAMED_MAX} more` : '';
    // Kept apart from what the caller does next, which is not because of the lost files.
    return kernel.because(kernel.causes, () => [
      kernel.occur('node.files-lost', {
        node: this.node,
        message: `${event} left no ${named}${more}`,
      }),
    ]);
  }

  /** Names that the system makes at every boot. */
  private makeFixtures(): void {
    if (this.tree.at('/var/run') === undefined) this.tree.put('/var/run', link('/run'));
    if (this.tree.at('/dev/null') === undefined) this.tree.put('/dev/null', file('', 0o666));
    if (
      this.tree.at('/etc/cni/net.d') === undefined &&
      this.tree.rowOf('/etc/cni').kind === 'tmpfs'
    ) {
      this.tree.put('/etc/cni/net.d', directory());
    }
  }

  private find(path: string): Found | undefined {
    const resolved = this.tree.resolve(path);
    return resolved.ok ? resolved.found : undefined;
  }

  /** Where a change of the path lands: links on the way followed, missing directories to be made. */
  private place(path: string, followLast = true): string {
    const resolved = this.tree.resolve(path, followLast);
    if (resolved.ok) return resolved.path;
    const parent = this.place(parentOf(path));
    return parent === '/' ? `/${baseOf(path)}` : `${parent}/${baseOf(path)}`;
  }

  private inState(path: string): { directory: StateDirectory; path: string } | undefined {
    const { state } = this;
    if (state === undefined || !path.startsWith(state.path)) return undefined;
    if (path.length > state.path.length && path[state.path.length] !== '/') return undefined;
    return { directory: state.directory, path: path.slice(state.path.length + 1) };
  }

  private changed(place: string): void {
    this.epoch += 1;
    this.absences.drop(place);
  }

  private tell(place: string, kind: Parameters<DirectoryWatches['emit']>[1]): void {
    this.watches.emit(parentOf(place), kind, baseOf(place));
  }
}

function refused(verb: 'open', path: string): ReadResult {
  return { ok: false, error: `${verb} ${path}: no such file or directory` };
}
