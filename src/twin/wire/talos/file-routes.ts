/** Files of a node as Talos lists, reads and copies them (v1alpha1_server.go@v1.13.9, pkg/archiver/walker.go). */
import { gzipSync } from 'node:zlib';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { packTar, type TarEntry } from 'modern-tar';
import { ListRequest_Type as Type } from '../../../knowledge/talos-api/machine/files.ts';
import { MachineService } from '../../../knowledge/talos-api/machine/machine.ts';
import type { FileStat, TwinNode } from '../../world.ts';
import { type Apid, unknown } from './apid.ts';

/** Go's fs.FileMode bits of a kind. */
const KIND_BITS = { file: 0, directory: 0x80000000, symlink: 0x08000000 } as const;
const TYPES = { file: Type.REGULAR, directory: Type.DIRECTORY, symlink: Type.SYMLINK } as const;
const PIECE_BYTES = 32 * 1024;
const LINKS_MAX = 40;

interface Visited {
  readonly path: string;
  readonly stat: FileStat;
  readonly depth: number;
}

export function addFileRoutes(apid: Apid, router: ConnectRouter): void {
  apid.stream(router, MachineService.method.list, async function* ({ node }, request) {
    const root = absolute(request.root);
    const top = statAt(node, root);
    if (top === undefined) throw unknown(`lstat ${root}: no such file or directory`);
    const start = top.kind === 'symlink' ? followed(node, root) : root;
    const depth = request.recurse
      ? request.recursionDepth === 0
        ? Infinity
        : request.recursionDepth
      : 0;
    for (const { path, stat } of walk(node, start, Math.max(1, depth))) {
      if (request.types.length > 0 && !request.types.includes(TYPES[stat.kind])) continue;
      yield {
        name: path,
        relativeName: relative(start, path, stat),
        size: BigInt(stat.size),
        mode: (KIND_BITS[stat.kind] | stat.mode) >>> 0,
        isDir: stat.kind === 'directory',
        link: stat.target ?? '',
      };
    }
  });
  apid.stream(router, MachineService.method.read, async function* ({ node }, { path }) {
    const bytes = Buffer.from(contentOf(node, path), 'utf8');
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      yield { bytes: bytes.subarray(at, at + PIECE_BYTES) };
    }
  });
  apid.stream(router, MachineService.method.copy, async function* ({ node }, { rootPath }) {
    const start = followed(node, absolute(rootPath));
    if (statAt(node, start) === undefined) {
      yield { metadata: { error: `lstat ${rootPath}: no such file or directory` } };
      return;
    }
    // A directory is its content: where it is unpacked, it is there already.
    const entries = [...walk(node, start, Infinity)]
      .filter(({ path, stat }) => path !== start || stat.kind !== 'directory')
      .map((each) => entryOf(node, start, each));
    yield { bytes: gzipSync(await packTar(entries)) };
  });
}

function contentOf(node: TwinNode, path: string): string {
  // Of the kernel, whose files are no part of the tree.
  if (path === '/proc/sys/kernel/random/boot_id') return `${node.machine.bootId}\n`;
  const content = node.files.read(path);
  if (content !== undefined) return content;
  if (node.files.list(path) !== undefined) throw unknown('path must be a regular file');
  throw new ConnectError(`stat ${path}: no such file or directory`, Code.NotFound);
}

function* walk(node: TwinNode, start: string, depthMax: number): Generator<Visited> {
  const pending: { path: string; depth: number }[] = [{ path: start, depth: 0 }];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const { path, depth } = at;
    const stat = statAt(node, path);
    if (stat === undefined) continue;
    yield { path, stat, depth };
    if (stat.kind !== 'directory' || depth >= depthMax) continue;
    const names = [...(node.files.list(path) ?? [])].toSorted().toReversed();
    for (const name of names) {
      pending.push({ path: path === '/' ? `/${name}` : `${path}/${name}`, depth: depth + 1 });
    }
  }
}

function statAt({ files }: TwinNode, path: string): FileStat | undefined {
  if (files.stat !== undefined) return files.stat(path);
  if (files.list(path) !== undefined) return { kind: 'directory', mode: 0o755, size: 0 };
  const content = files.read(path);
  return content === undefined ? undefined : { kind: 'file', mode: 0o644, size: content.length };
}

/** Where the links at the path lead. */
function followed(node: TwinNode, path: string): string {
  let at = path;
  for (let links = 0; links < LINKS_MAX; links += 1) {
    const target = statAt(node, at)?.target;
    if (target === undefined) return at;
    at = target.startsWith('/') ? target : `${at.slice(0, at.lastIndexOf('/'))}/${target}`;
  }
  return at;
}

function relative(start: string, path: string, { kind }: FileStat): string {
  if (path === start) return kind === 'directory' ? '.' : path.slice(path.lastIndexOf('/') + 1);
  return path.slice(start === '/' ? 1 : start.length + 1);
}

function absolute(root: string): string {
  const path = `/${root}`.replaceAll(/\/+/g, '/').replace(/\/$/, '');
  return path === '' ? '/' : path;
}

function entryOf(node: TwinNode, start: string, { path, stat }: Visited): TarEntry {
  const name = relative(start, path, stat);
  const { kind, mode, size, target } = stat;
  if (kind === 'symlink') {
    return { header: { name, type: 'symlink', linkname: target ?? '', mode, size: 0 } };
  }
  if (kind === 'directory')
    return { header: { name: `${name}/`, type: 'directory', mode, size: 0 } };
  const body = Buffer.from(node.files.read(path) ?? '', 'utf8');
  return { header: { name, type: 'file', mode, size }, body };
}
