/**
 * The mounts of one node as one tree of names: which mount holds a path, what is there, and the
 * changes below. Overlays keep their changes where the mount table says, so that what an unmounted
 * overlay held is still on its disk (knowledge 4.1: it re-appears on a rollback).
 */
import { RegaugeError } from '../../base/errors.ts';
import { present } from '../../base/assert.ts';
import {
  type DirectoryInode,
  type FileInode,
  type Inode,
  type LinkInode,
  baseOf,
  directory,
  makePath,
  parentOf,
  partsOf,
} from './inode.ts';
import type { MountRow } from './mount-tables.ts';

/** A place in the tree; an overlay's directory has up to two layers. */
export type Found =
  | { readonly kind: 'file'; readonly inode: FileInode }
  | { readonly kind: 'symlink'; readonly inode: LinkInode }
  | {
      readonly kind: 'directory';
      readonly upper: DirectoryInode | undefined;
      readonly lower: DirectoryInode | undefined;
    };

export type Resolved =
  | { readonly ok: true; readonly path: string; readonly found: Found | undefined }
  | { readonly ok: false; readonly reason: string };

interface Mount {
  readonly row: MountRow;
  /** What is written here goes below; the image's own root for kind `image`. */
  readonly root: DirectoryInode;
  readonly lower: DirectoryInode | undefined;
}

const LINKS_MAX = 40;
const NO_FILE = 'no such file or directory';

export class MountedTree {
  private mounts: readonly Mount[] = [];
  /** Last parts of the mounts' paths: any other name is no mount. */
  private readonly mountNames: ReadonlySet<string>;

  constructor(rows: readonly MountRow[], image: DirectoryInode, keep?: MountedTree) {
    const plain = rows.filter((row) => row.upper === undefined);
    const made: Mount[] = plain.map((row) => ({
      row,
      root: row.kind === 'image' ? image : (keep?.rootOf(row) ?? directory()),
      lower: undefined,
    }));
    this.mounts = made;
    const disk = made.find(({ row }) => row.kind === 'disk');
    if (disk !== undefined) for (const { path } of rows) makePath(disk.root, path);
    for (const row of rows) {
      if (row.upper === undefined) continue;
      const below = present(
        made.find((mount) => covers(mount.row, row.upper ?? '')),
        'disk of overlay',
      );
      const root = makePath(below.root, row.upper.slice(below.row.path.length));
      made.push({ row, root, lower: directoryAt(image, row.path) });
    }
    this.mounts = made.sort((left, right) => right.row.path.length - left.row.path.length);
    this.mountNames = new Set(made.map(({ row }) => baseOf(row.path)));
  }

  rowOf(path: string): MountRow {
    return this.mountOf(path).row;
  }

  rows(): readonly MountRow[] {
    return this.mounts.map((mount) => mount.row);
  }

  /** The root of a mount that keeps its content when the mounts are made anew. */
  rootOf(row: MountRow): DirectoryInode | undefined {
    return this.mounts.find((mount) => mount.row.path === row.path && mount.row.kind === row.kind)
      ?.root;
  }

  /** Whether the path is in the image's layer of an overlay, unchanged. */
  isPristine(path: string): boolean {
    const mount = this.mountOf(path);
    if (mount.row.kind === 'image') return true;
    if (mount.lower === undefined) return false;
    const upper = leafAt(mount.root, path.slice(mount.row.path.length));
    return upper === undefined && this.at(path) !== undefined;
  }

  resolve(path: string, followLast = true): Resolved {
    let rest = partsOf(path);
    let next = 0;
    let at = '';
    let links = 0;
    let found: Found | undefined = this.at('/');
    while (next < rest.length) {
      const name = rest[next] ?? '';
      next += 1;
      if (name === '..') {
        at = at === '' ? '' : parentOf(at) === '/' ? '' : parentOf(at);
        found = this.at(at === '' ? '/' : at);
        continue;
      }
      if (found?.kind === 'file') return { ok: false, reason: 'not a directory' };
      const place = `${at}/${name}`;
      const here = found?.kind === 'directory' ? this.step(found, name, place) : this.at(place);
      if (here === undefined) {
        return next < rest.length
          ? { ok: false, reason: NO_FILE }
          : { ok: true, path: place, found: undefined };
      }
      if (here.kind === 'symlink' && (next < rest.length || followLast)) {
        links += 1;
        if (links > LINKS_MAX) return { ok: false, reason: 'too many levels of symbolic links' };
        rest = [...partsOf(here.inode.target), ...rest.slice(next)];
        next = 0;
        if (here.inode.target.startsWith('/')) at = '';
        found = this.at(at === '' ? '/' : at);
        continue;
      }
      at = place;
      found = here;
    }
    return { ok: true, path: at === '' ? '/' : at, found };
  }

  /** What is in a directory under a name: another mount's root, or an entry of its layers. */
  private step(
    { upper, lower }: Found & { readonly kind: 'directory' },
    name: string,
    place: string,
  ): Found | undefined {
    if (this.mountNames.has(name)) {
      const mount = this.mounts.find(({ row }) => row.path === place);
      if (mount !== undefined) return { kind: 'directory', upper: mount.root, lower: mount.lower };
    }
    const above = upper?.entries.get(name);
    if (above?.kind === 'whiteout') return undefined;
    const below = lower?.entries.get(name);
    const leaf = above ?? below;
    if (leaf === undefined || leaf.kind === 'whiteout') return undefined;
    if (leaf.kind !== 'directory') return leafFound(leaf);
    return {
      kind: 'directory',
      upper: above?.kind === 'directory' ? above : undefined,
      lower: below?.kind === 'directory' ? below : undefined,
    };
  }

  /** What is at a path that has no links in it. */
  at(path: string): Found | undefined {
    const mount = this.mountOf(path);
    let upper: DirectoryInode | undefined = mount.root;
    let lower: DirectoryInode | undefined = mount.lower;
    let start = mount.row.path.length;
    while (start < path.length) {
      const slash = path.indexOf('/', start);
      const end = slash < 0 ? path.length : slash;
      const name = path.slice(start, end);
      start = end + 1;
      if (name === '' || name === '.') continue;
      const above: Inode | undefined = upper?.entries.get(name);
      if (above?.kind === 'whiteout') return undefined;
      const below: Inode | undefined = lower?.entries.get(name);
      const leaf = above ?? below;
      if (leaf === undefined || leaf.kind === 'whiteout') return undefined;
      if (leaf.kind !== 'directory') return isLast(path, start) ? leafFound(leaf) : undefined;
      upper = above?.kind === 'directory' ? above : undefined;
      lower = below?.kind === 'directory' ? below : undefined;
    }
    return { kind: 'directory', upper, lower };
  }

  names(found: Found & { readonly kind: 'directory' }, path: string): readonly string[] {
    const names = new Set(found.lower?.entries.keys());
    for (const [name, inode] of found.upper?.entries ?? []) {
      if (inode.kind === 'whiteout') names.delete(name);
      else names.add(name);
    }
    const prefix = path === '/' ? '/' : `${path}/`;
    for (const { row } of this.mounts) {
      if (!row.path.startsWith(prefix) || row.path === '/') continue;
      const rest = row.path.slice(prefix.length);
      if (rest !== '' && !rest.includes('/')) names.add(rest);
    }
    return [...names];
  }

  /** A directory with all below it as one layer, to be put elsewhere. */
  copyOf(found: Found & { readonly kind: 'directory' }, path: string): DirectoryInode {
    const copy = directory((found.upper ?? found.lower)?.mode);
    for (const name of this.names(found, path)) {
      const inner = this.at(`${path}/${name}`);
      if (inner === undefined) continue;
      const made = inner.kind === 'directory' ? this.copyOf(inner, `${path}/${name}`) : inner.inode;
      copy.entries.set(name, made);
    }
    return copy;
  }

  /** Puts an inode at a path without links; makes directories on the way. */
  put(path: string, inode: Inode): void {
    this.writable(parentOf(path)).entries.set(baseOf(path), inode);
  }

  /** Takes away what is at a path without links. */
  take(path: string): void {
    const parent = this.writable(parentOf(path));
    const name = baseOf(path);
    parent.entries.delete(name);
    const below = this.at(path);
    if (below !== undefined) parent.entries.set(name, { kind: 'whiteout' });
  }

  /** The changeable layer of a directory. */
  private writable(path: string): DirectoryInode {
    const mount = this.mountOf(path);
    if (mount.row.kind === 'image') {
      throw new RegaugeError('refused', `open ${path}: read-only file system`);
    }
    return makePath(mount.root, path.slice(mount.row.path.length));
  }

  private mountOf(path: string): Mount {
    for (const mount of this.mounts) if (covers(mount.row, path)) return mount;
    return present<Mount>(undefined, `mount of ${path}`);
  }
}

function covers({ path: mounted }: MountRow, path: string): boolean {
  if (mounted === '/') return true;
  if (!path.startsWith(mounted)) return false;
  return path.length === mounted.length || path.charCodeAt(mounted.length) === SLASH;
}

const SLASH = 0x2f;

/** Whether nothing but slashes and dots follows. */
function isLast(path: string, start: number): boolean {
  return start >= path.length || partsOf(path.slice(start)).length === 0;
}

function leafFound(leaf: FileInode | LinkInode): Found {
  return leaf.kind === 'file' ? { kind: 'file', inode: leaf } : { kind: 'symlink', inode: leaf };
}

function leafAt(root: DirectoryInode, path: string): Inode | undefined {
  let at: Inode | undefined = root;
  for (const name of partsOf(path)) {
    if (at?.kind !== 'directory') return undefined;
    at = at.entries.get(name);
  }
  return at;
}

function directoryAt(root: DirectoryInode, path: string): DirectoryInode | undefined {
  const found = leafAt(root, path);
  return found?.kind === 'directory' ? found : undefined;
}
