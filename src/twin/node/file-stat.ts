/** What `lstat` says of a place in a node's tree. */
import type { FileStat } from '../world.ts';
import type { Found } from './mounted-tree.ts';

export function statOf(found: Found): FileStat {
  if (found.kind === 'directory') {
    return { kind: 'directory', mode: (found.upper ?? found.lower)?.mode ?? 0o755, size: 0 };
  }
  if (found.kind === 'file') {
    const { content, mode } = found.inode;
    return { kind: 'file', mode, size: Buffer.byteLength(content) };
  }
  const { target } = found.inode;
  return { kind: 'symlink', mode: 0o777, size: Buffer.byteLength(target), target };
}

/** Of what another part keeps in a form of its own. */
export function statOfState(
  state: { read(path: string): string | undefined; list(path: string): unknown },
  path: string,
): FileStat | undefined {
  const text = state.read(path);
  if (text !== undefined) return { kind: 'file', mode: 0o644, size: Buffer.byteLength(text) };
  return state.list(path) === undefined ? undefined : { kind: 'directory', mode: 0o755, size: 0 };
}
