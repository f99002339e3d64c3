/**
 * A Talos machine as talosctl prints it: the active config, the directories of the CNI, Flannel's state,
 * host DNS and KubePrism. What the role may not read is a gap, and the rest goes on.
 */
import { stringify } from 'yaml';
import { RegaugeError } from '../../base/errors.ts';
import {
  FLANNEL_STATE,
  HOST_LOCAL_STATE,
  isConfName,
  nodePaths,
} from '../../knowledge/node-paths.ts';
import {
  HOST_DNS_CONFIG,
  KUBE_PRISM_STATUS,
  type ResourceKind,
} from '../../knowledge/talos-resources.ts';
import type {
  ContentsGap,
  NodeContents,
  NodeContentsPort,
  NodeFile,
  NodePlace,
  PrintedDirectory,
} from '../../ports/node-contents.ts';
import { activeConfig } from './configuration.ts';
import { etcdMembers } from './etcd.ts';
import { type FileEntry, listDirectory, readFile } from './files.ts';
import { talosVersion } from './machine-calls.ts';
import { NodeDirectory } from './node-directory.ts';
import { listResources } from './state.ts';
import type { TalosChannel } from './talos-channel.ts';

/** A conf is small; what is larger is none. */
const CONFS_MAX = 50;

/** `nodes`: of the talosconfig, for a cluster without discovery. */
export function talosNodeContents(
  channel: TalosChannel,
  nodes: readonly string[] = [],
): NodeContentsPort {
  let answers: Promise<unknown> | undefined;
  return {
    of: async (node) => {
      // Where no endpoint answers, or none knows us, every node would take its whole deadline to say so.
      answers ??= talosVersion(channel, undefined);
      await answers;
      return new Reading(channel, node, nodes).all();
    },
    etcd: () => etcdMembers(channel, undefined),
  };
}

class Reading {
  private readonly channel: TalosChannel;
  private readonly node: NodePlace;
  private readonly nodes: readonly string[];
  private readonly listings: PrintedDirectory[] = [];
  private readonly files: NodeFile[] = [];
  private readonly resources: string[] = [];
  private readonly gaps: ContentsGap[] = [];

  constructor(channel: TalosChannel, node: NodePlace, nodes: readonly string[]) {
    this.channel = channel;
    this.node = node;
    this.nodes = nodes;
  }

  async all(): Promise<NodeContents> {
    const { channel } = this;
    const address = await this.address();
    // One call tells whether the machine answers at all: its silence is one gap, not ten.
    const found = await this.part('the machine', `talosctl -n <node> version`, () =>
      talosVersion(channel, address),
    );
    if (found === undefined) return this.contents();
    const machineConfig = await this.part(
      'the machine config',
      'talosctl -n <node> get machineconfig v1alpha1 -o yaml',
      () => activeConfig(channel, address),
    );
    const { confDirectories, binDirectories } = nodePaths('talos');
    for (const directory of confDirectories) await this.confs(address, directory);
    for (const directory of binDirectories) await this.list(address, directory);
    // An address file for each pod that host-local has given one, by network.
    const networks = await this.list(address, HOST_LOCAL_STATE, { isKept: false });
    for (const { kind, name } of networks ?? []) {
      if (kind === 'directory') await this.list(address, `${HOST_LOCAL_STATE}/${name}`);
    }
    const state = await this.part(
      'Flannel’s state',
      `talosctl -n <node> read ${FLANNEL_STATE}`,
      () => readFile(channel, address, FLANNEL_STATE),
    );
    if (state !== undefined) this.files.push({ path: FLANNEL_STATE, text: state });
    for (const kind of [HOST_DNS_CONFIG, KUBE_PRISM_STATUS]) await this.resource(address, kind);
    return this.contents(machineConfig, found.version);
  }

  private contents(machineConfig?: string, system?: string): NodeContents {
    const { listings, files, resources, gaps } = this;
    return {
      listings,
      files,
      resources,
      gaps,
      ...(machineConfig === undefined ? {} : { machineConfig }),
      ...(system === undefined ? {} : { system }),
    };
  }

  /** The address that Kubernetes has, unless endpoints know the machine by its name only. */
  private async address(): Promise<string> {
    const { name, address } = this.node;
    if (address !== '') return address;
    return new NodeDirectory(this.channel, { nodes: this.nodes }).addressOf(name);
  }

  private async confs(address: string, directory: string): Promise<void> {
    const entries = await this.list(address, directory);
    const names = (entries ?? [])
      .filter(({ kind, name }) => kind === 'file' && isConfName(name))
      .map(({ name }) => name);
    for (const name of names.slice(0, CONFS_MAX)) {
      const path = `${directory}/${name}`;
      const text = await this.part('the CNI confs', `talosctl -n <node> read ${path}`, () =>
        readFile(this.channel, address, path),
      );
      if (text !== undefined) this.files.push({ path, text });
    }
  }

  private async list(
    address: string,
    directory: string,
    { isKept = true }: { readonly isKept?: boolean } = {},
  ): Promise<readonly FileEntry[] | undefined> {
    const entries = await this.part(
      `the listing of ${directory}`,
      `talosctl -n <node> ls -l ${directory}`,
      () => listDirectory(this.channel, address, directory),
    );
    if (entries === undefined || !isKept) return entries;
    const text = printed(address, entries);
    const command = `talosctl -n ${address} ls -l ${directory}`;
    this.listings.push({ directory, text, command });
    return entries;
  }

  private async resource(address: string, kind: ResourceKind): Promise<void> {
    const found = await this.part(
      'host DNS and KubePrism',
      `talosctl -n <node> get ${kind.type.toLowerCase()} -o yaml`,
      () => listResources(this.channel, address, kind),
      // A Talos of before it has no such type.
      /is not supported|not registered/,
    );
    for (const { id, type, version, phase, spec } of found ?? []) {
      const metadata = { namespace: kind.namespace, type, id, version, phase };
      this.resources.push(stringify({ node: address, metadata, spec: spec() }));
    }
  }

  /** Undefined where it is not there, and where it could not be read, which is noted. */
  private async part<T>(
    what: string,
    command: string,
    read: () => Promise<T>,
    absent?: RegExp,
  ): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof RegaugeError) || error.code === 'interrupted') throw error;
      if (absent?.test(error.message) === true) return undefined;
      this.gaps.push({ what, why: reasonOf(error), command });
      return undefined;
    }
  }
}

/** Without the place, so that what many nodes share is one reason. */
function reasonOf({ message, hint }: RegaugeError): string {
  const why = message.replace(/^cannot .*?: /, '');
  return hint === undefined ? why : `${why} (${hint})`;
}

const LETTERS = { file: '-', directory: 'd', symlink: 'L' } as const;

/** The table of `talosctl ls -l` (talos:cmd/talosctl/cmd/talos/list.go); times are not kept. */
function printed(node: string, entries: readonly FileEntry[]): string {
  const rows = entries.map(({ name, kind, size, mode, target }) => [
    node,
    `${LETTERS[kind]}${rights(mode)}`,
    '0',
    '0',
    `${size}`,
    target === undefined ? name : `${name} -> ${target}`,
  ]);
  const all = [['NODE', 'MODE', 'UID', 'GID', 'SIZE(B)', 'NAME'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...all.map((row) => (row[column] ?? '').length)),
  );
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function rights(mode: number): string {
  const bits = mode.toString(2).padStart(9, '0').slice(-9);
  return bits.replaceAll(/./g, (bit, at: number) => (bit === '1' ? 'rwx'.charAt(at % 3) : '-'));
}
