/**
 * Who tells a snapshot what the machines hold: the Talos API where the nodes run Talos and a talosconfig
 * is found, else pods that have their paths mounted. What is missing for it is said, and the rest goes on;
 * what the user named and does not work is an error.
 */
import { randomBytes } from 'node:crypto';
import { RegaugeError } from '../../base/errors.ts';
import { openHostContents } from '../../drivers/host-access/node-contents.ts';
import { talosNodeContents } from '../../drivers/talos/node-contents.ts';
import type { TalosChannel } from '../../drivers/talos/talos-channel.ts';
import type { SnapshotNodes } from '../../engine/snapshot/request.ts';
import { distributionOfNode } from '../../knowledge/distributions.ts';
import type { Distribution } from '../../model/facts.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { NotRead } from '../../model/snapshot.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import type { NodeContents } from '../../ports/node-contents.ts';
import type { CliContext } from '../context.ts';
import type { NodeFlags, TalosFlags } from '../flags.ts';
import { asksForTalos, listIn, openTalos } from '../open-talos.ts';

export async function withNodes<T>(
  context: CliContext,
  flags: NodeFlags,
  kubernetes: KubernetesPort,
  work: (nodes: SnapshotNodes) => Promise<T>,
): Promise<T> {
  const { distribution, count } = await nodesOf(kubernetes);
  const only = listIn(flags.nodes);
  const chosen = only === undefined ? {} : { only };
  const opened =
    distribution === 'talos' ? talosOf(context, flags) : { notRead: [], channel: undefined };
  const { channel, notRead } = opened;
  if (channel !== undefined) {
    try {
      return await work({ ...chosen, contents: talosNodeContents(channel) });
    } finally {
      channel.close();
    }
  }
  const { hostAccess = false, hostAccessImage, registryMirror } = flags;
  // Each node costs the API server some commands, of which it is asked twenty a second.
  if (only === undefined && !hostAccess && count > UNASKED_MAX) {
    const contents = { of: () => Promise.resolve(NOTHING) };
    return work({ contents, only: [], notRead: [...notRead, tooMany(count)] });
  }
  const { contents, close } = openHostContents({
    kubernetes,
    distribution,
    mayCreatePods: hostAccess,
    run: `snapshot-${randomBytes(4).toString('hex')}`,
    ...(hostAccessImage === undefined ? {} : { image: hostAccessImage }),
    ...(registryMirror === undefined ? {} : { registryMirror }),
  });
  try {
    return await work({ ...chosen, contents, notRead });
  } finally {
    await close();
  }
}

/** Read through mounts without being asked to. */
const UNASKED_MAX = 100;
const NOTHING: NodeContents = { listings: [], files: [], resources: [], gaps: [] };

function tooMany(count: number): NotRead {
  return {
    what: 'the files of the nodes',
    why: `there are ${count} nodes, and each would cost the API server several commands`,
    command: 'regauge snapshot --nodes <node>,<node>, or --host-access for all',
  };
}

/** Of the first node; a node without a mark is one that kubeadm's paths hold for. */
async function nodesOf(
  kubernetes: KubernetesPort,
): Promise<{ readonly distribution: Distribution; readonly count: number }> {
  const pages = kubernetes.pages<NodeObject>('v1', 'Node', { limit: 1 });
  for await (const { items, remaining = 0 } of pages) {
    const [node] = items;
    const distribution = node === undefined ? undefined : distributionOfNode(node);
    return { distribution: distribution ?? 'kubeadm', count: items.length + remaining };
  }
  return { distribution: 'kubeadm', count: 0 };
}

function talosOf(
  context: CliContext,
  flags: TalosFlags,
): { readonly channel: TalosChannel | undefined; readonly notRead: readonly NotRead[] } {
  try {
    return { channel: openTalos(context, flags), notRead: [] };
  } catch (error) {
    if (!(error instanceof RegaugeError) || asksForTalos(flags)) throw error;
    const { message, hint } = error;
    const gap: NotRead = {
      what: 'the machine configs of the nodes',
      why: hint === undefined ? message : `${message} (${hint})`,
      command: 'regauge snapshot --talosconfig <file>',
    };
    return { channel: undefined, notRead: [gap] };
  }
}
