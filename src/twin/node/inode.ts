/**
 * What a mount of a node's file system holds. File contents are strings shared between nodes; a
 * directory made of nothing costs one map.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';

export interface FileInode {
  readonly kind: 'file';
  content: string;
  mode: number;
  /** What wrote it. */
  causes: readonly OccurrenceId[];
}

export interface LinkInode {
  readonly kind: 'symlink';
  readonly target: string;
  readonly causes: readonly OccurrenceId[];
}

export interface DirectoryInode {
  readonly kind: 'directory';
  readonly entries: Map<string, Inode>;
  mode: number;
}

/** In the upper layer of an overlay: the name is gone although the lower layer has it. */
export interface WhiteoutInode {
  readonly kind: 'whiteout';
}

export type Inode = FileInode | LinkInode | DirectoryInode | WhiteoutInode;

export const NO_CAUSES: readonly OccurrenceId[] = [];

export function directory(mode = 0o755): DirectoryInode {
  return { kind: 'directory', entries: new Map(), mode };
}

export function file(
  content: string,
  mode: number,
  causes: readonly OccurrenceId[] = NO_CAUSES,
): FileInode {
  return { kind: 'file', content, mode, causes };
}

export function link(target: string, causes: readonly OccurrenceId[] = NO_CAUSES): LinkInode {
  return { kind: 'symlink', target, causes };
}

/** Makes the directories of a path below a root that nothing shares yet. */
export function makePath(root: DirectoryInode, path: string, mode = 0o755): DirectoryInode {
  let at = root;
  for (const name of partsOf(path)) {
    const next = at.entries.get(name);
    if (next?.kind === 'directory') {
      at = next;
      continue;
    }
    const made = directory(mode);
    at.entries.set(name, made);
    at = made;
  }
  return at;
}

/** Paths of the files and links below a directory. */
export function filesBelow(root: DirectoryInode, path: string): readonly string[] {
  const found: string[] = [];
  for (const [name, inode] of root.entries) {
    const full = path === '/' ? `/${name}` : `${path}/${name}`;
    if (inode.kind === 'directory') found.push(...filesBelow(inode, full));
    else if (inode.kind !== 'whiteout') found.push(full);
  }
  return found;
}

export function partsOf(path: string): string[] {
  const parts: string[] = [];
  let start = 0;
  while (start < path.length) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    const part = path.slice(start, end);
    if (part !== '' && part !== '.') parts.push(part);
    start = end + 1;
  }
  return parts;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Both, each once. */
export function joined(
  first: readonly OccurrenceId[],
  second: readonly OccurrenceId[],
): readonly OccurrenceId[] {
  if (second.length === 0) return first;
  return first.length === 0 ? second : [...new Set([...first, ...second])];
}
