/**
 * A node's CNI directories and Flannel's state on systems without an API of the machine: through mounts
 * that agents have already, and through a pod only where that is allowed.
 */
import { RegaugeError } from '../../base/errors.ts';
import {
  FLANNEL_STATE,
  HOST_LOCAL_STATE,
  isConfName,
  nodePaths,
} from '../../knowledge/node-paths.ts';
import type { Distribution } from '../../model/facts.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import type {
  ContentsGap,
  NodeContents,
  NodeContentsPort,
  NodeFile,
  PrintedDirectory,
} from '../../ports/node-contents.ts';
import { type FileAccess, hostFiles } from './host-files.ts';
import { HostPods, type HostPodsOptions } from './host-pods.ts';
import { NodeCommands } from './node-commands.ts';

export interface HostContentsOptions extends HostPodsOptions {
  readonly kubernetes: KubernetesPort;
  readonly distribution: Distribution;
  readonly mayCreatePods: boolean;
}

export interface OpenedContents {
  readonly contents: NodeContentsPort;
  close(): Promise<void>;
}

const CONFS_MAX = 50;
/** What a person would type. */
const TALOSCTL = { list: 'talosctl -n <node> ls -l', read: 'talosctl -n <node> read' };
const SSH = { list: 'ssh <node> ls -la', read: 'ssh <node> sudo cat' };

export function openHostContents(options: HostContentsOptions): OpenedContents {
  const { kubernetes, distribution, mayCreatePods } = options;
  const pods = new HostPods(options);
  const files = hostFiles(new NodeCommands({ kubernetes, pods, mayCreatePods }));
  return {
    contents: { of: ({ name }) => contentsOf(files, distribution, name) },
    close: () => pods.close(),
  };
}

async function contentsOf(
  files: FileAccess,
  distribution: Distribution,
  node: string,
): Promise<NodeContents> {
  const listings: PrintedDirectory[] = [];
  const texts: NodeFile[] = [];
  const gaps: ContentsGap[] = [];
  const part = async <T>(
    what: string,
    command: string,
    read: () => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof RegaugeError) || error.code === 'interrupted') throw error;
      const why = error.message.replace(/^cannot .*?: /, '');
      const hint = error.hint === undefined ? '' : ` (${error.hint})`;
      gaps.push({ what, why: `${why}${hint}`, command });
      return undefined;
    }
  };
  const by = distribution === 'talos' ? TALOSCTL : SSH;
  const file = async (what: string, path: string): Promise<void> => {
    const text = await part(what, `${by.read} ${path}`, () => files.read(node, path));
    if (text !== undefined) texts.push({ path, text });
  };
  const { confDirectories, binDirectories } = nodePaths(distribution);
  const networks = await part(
    'the addresses that host-local gave',
    `${by.list} ${HOST_LOCAL_STATE}`,
    () => files.list(node, HOST_LOCAL_STATE),
  );
  const states = (networks ?? []).map((name) => `${HOST_LOCAL_STATE}/${name}`);
  for (const directory of [...confDirectories, ...binDirectories, ...states]) {
    const command = `ls -la ${directory}`;
    const text = await part(`the listing of ${directory}`, `${by.list} ${directory}`, () =>
      files.listLong(node, directory),
    );
    if (text === undefined) continue;
    listings.push({ directory, command, text });
    if (!confDirectories.includes(directory)) continue;
    for (const name of confNames(text)) await file('the CNI confs', `${directory}/${name}`);
  }
  await file('Flannel’s state', FLANNEL_STATE);
  return { listings, files: texts, resources: [], gaps };
}

function confNames(listing: string): readonly string[] {
  return listing
    .split('\n')
    .flatMap((line) => (line.startsWith('-') ? [line.slice(line.lastIndexOf(' ') + 1)] : []))
    .filter(isConfName)
    .slice(0, CONFS_MAX);
}
