/** Files, directories and logs of a node, streamed. */
import { RegaugeError } from '../../base/errors.ts';
import { ContainerDriver, type Data } from '../../knowledge/talos-api/common/common.ts';
import type { FileInfo } from '../../knowledge/talos-api/machine/files.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import type { Collector, TalosChannel } from './talos-channel.ts';

export interface FileEntry {
  /** Relative to the directory that was listed. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Where a symbolic link points. */
  readonly target?: string;
}

const IDLE_MS = 15_000;
const LIST_MS = 60_000;
const READ_MS = 120_000;
/** What is read whole is configuration; what is larger is something else. */
const READ_BYTES_MAX = 64 * 1024 * 1024;
/** Go's fs.ModeSymlink. */
const SYMLINK = 0x08000000;

/** Entries of a directory; undefined when there is no such directory. */
export async function listDirectory(
  channel: TalosChannel,
  node: string,
  directory: string,
): Promise<readonly FileEntry[] | undefined> {
  const what = `list ${directory} of ${node}`;
  const call = { node, what, isRead: true, deadlineMs: LIST_MS, idleMs: IDLE_MS };
  // Depth 1 as talosctl asks for it: the directory itself and what is in it.
  const request = { root: directory, recurse: true, recursionDepth: 1 };
  const method = MachineService.method.list;
  try {
    return await channel.collect(method, request, call, () => new Entries(what));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

class Entries implements Collector<FileInfo, readonly FileEntry[] | undefined> {
  private readonly entries: FileEntry[] = [];
  private isDirectory = false;
  private readonly what: string;

  constructor(what: string) {
    this.what = what;
  }

  take(info: FileInfo): void {
    const error = info.error === '' ? (info.metadata?.error ?? '') : info.error;
    if (info.relativeName === '.') this.isDirectory = info.isDir;
    if (error !== '') {
      // An entry that was removed while it was listed is no entry.
      if (/no such file/.test(error) && info.relativeName !== '.') return;
      const code = /no such file/.test(error) ? 'not-found' : 'refused';
      throw new RegaugeError(code, `cannot ${this.what}: ${error}`);
    }
    if (info.relativeName === '.' || info.relativeName.includes('/')) return;
    this.entries.push({
      name: info.relativeName,
      kind: info.isDir ? 'directory' : (info.mode & SYMLINK) === 0 ? 'file' : 'symlink',
      size: Number(info.size),
      mode: info.mode & 0o7777,
      ...(info.link === '' ? {} : { target: info.link }),
    });
  }

  done(): readonly FileEntry[] | undefined {
    return this.isDirectory ? this.entries : undefined;
  }
}

/** Undefined when there is no such file. Needs os:admin. */
export async function readFile(
  channel: TalosChannel,
  node: string,
  path: string,
): Promise<string | undefined> {
  const what = `read ${path} of ${node}`;
  const call = { node, what, isRead: true, deadlineMs: READ_MS, idleMs: IDLE_MS };
  const method = MachineService.method.read;
  try {
    return await channel.collect(method, { path }, call, () => new Bytes(what));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Text of a stream of data, bounded. */
class Bytes implements Collector<Data, string> {
  private readonly pieces: Uint8Array[] = [];
  private size = 0;
  private readonly what: string;

  constructor(what: string) {
    this.what = what;
  }

  take(data: Data): void {
    const error = data.metadata?.error ?? '';
    if (error !== '') throw new RegaugeError('refused', `cannot ${this.what}: ${error}`);
    this.size += data.bytes.length;
    if (this.size > READ_BYTES_MAX) {
      const limit = `${READ_BYTES_MAX / 1024 / 1024} MiB`;
      throw new RegaugeError('refused', `cannot ${this.what}: it is larger than ${limit}`);
    }
    this.pieces.push(data.bytes);
  }

  done(): string {
    return Buffer.concat(this.pieces).toString('utf8');
  }
}

export interface LogSource {
  /** A service of Talos (`kubelet`, `etcd`, `dns-resolve-cache`), or `namespace/pod:container:id`. */
  readonly id: string;
  /** `k8s`: containers of pods. */
  readonly of: 'system' | 'k8s';
  /** All when absent. */
  readonly tailLines?: number;
}

export function readLogs(channel: TalosChannel, node: string, source: LogSource): Promise<string> {
  const what = `read the logs of ${source.id} of ${node}`;
  const call = { node, what, isRead: true, deadlineMs: READ_MS, idleMs: IDLE_MS };
  return channel.collect(
    MachineService.method.logs,
    logRequest(source),
    call,
    () => new Bytes(what),
  );
}

/** New lines as they come, until the caller leaves or the signal ends it. */
export async function* followLogs(
  channel: TalosChannel,
  node: string,
  source: LogSource,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const what = `follow the logs of ${source.id} of ${node}`;
  const request = { ...logRequest(source), follow: true };
  const call = { node, what, isRead: true, signal };
  for await (const data of channel.follow(MachineService.method.logs, request, call)) {
    yield data.bytes;
  }
}

function logRequest({ id, of, tailLines = -1 }: LogSource): {
  readonly namespace: string;
  readonly id: string;
  readonly driver: ContainerDriver;
  readonly tailLines: number;
} {
  return {
    namespace: of === 'k8s' ? 'k8s.io' : 'system',
    id,
    driver: of === 'k8s' ? ContainerDriver.CRI : ContainerDriver.CONTAINERD,
    tailLines,
  };
}

function isAbsent(error: unknown): boolean {
  return (
    error instanceof RegaugeError &&
    error.code === 'not-found' &&
    /no such file|not a directory/.test(error.message)
  );
}
