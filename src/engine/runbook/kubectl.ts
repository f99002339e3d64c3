/** `kubectl` as a runbook says it. */
import { unreachable } from '../../base/assert.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject, NodeObject, ObjectMeta } from '../../model/kubernetes.ts';
import type { KubectlCommand } from '../../model/runbook.ts';
import type { ObjectAddress } from '../../ports/index.ts';
import { addressOf, matching } from './addresses.ts';
import type { CommandContext } from './command-context.ts';
import { drain } from './drain.ts';
import { untilGone, untilRolledOut, waitFor } from './waiting.ts';

export async function kubectl(context: CommandContext, command: KubectlCommand): Promise<void> {
  const { kubernetes } = context.ports;
  switch (command.action) {
    case 'apply':
      for (const object of command.objects) await kubernetes.apply(kubeObject(object));
      return;
    case 'delete':
      return remove(context, command);
    case 'patch':
      await kubernetes.patch(addressOf(command), command.patch);
      return;
    case 'rollout-restart':
      for (const address of await matching(context.ports, command)) await restart(context, address);
      return;
    case 'rollout-status':
      return untilRolledOut(context, addressOf(command), command.timeoutSeconds);
    case 'wait':
      return waitFor(context, await matching(context.ports, command), command);
    case 'annotate':
      await kubernetes.patch(addressOf(command), {
        metadata: { annotations: command.annotations },
      });
      return;
    case 'taint':
      return taint(context, command);
    case 'label':
      await kubernetes.patch(addressOf(command), { metadata: { labels: command.labels } });
      return;
    case 'scale':
      await kubernetes.patch(addressOf(command), { spec: { replicas: command.replicas } });
      return;
    case 'cordon':
    case 'uncordon': {
      const name = context.nodes.named(command.node);
      const unschedulable = command.action === 'cordon' ? true : null;
      await kubernetes.patch({ apiVersion: 'v1', kind: 'Node', name }, { spec: { unschedulable } });
      return;
    }
    case 'drain':
      return drain(context, command);
    default:
      unreachable(command);
  }
}

function kubeObject(raw: Readonly<Record<string, unknown>>): KubeObject {
  const { apiVersion, kind, metadata } = raw;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isMeta(metadata)) {
    throw new RegaugeError('refused', 'error: an object needs apiVersion, kind and metadata.name');
  }
  return { ...raw, apiVersion, kind, metadata };
}

function isMeta(value: unknown): value is ObjectMeta {
  return (
    value !== null && typeof value === 'object' && 'name' in value && typeof value.name === 'string'
  );
}

/** As `kubectl rollout restart`: a new annotation in the template, and the controller does the rest. */
async function restart({ ports }: CommandContext, address: ObjectAddress): Promise<void> {
  const restartedAt = `${Math.floor(ports.clock.now())}`;
  await ports.kubernetes.patch(address, {
    spec: {
      template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': restartedAt } } },
    },
  });
}

type CommandOf<A extends KubectlCommand['action']> = Extract<
  KubectlCommand,
  { readonly action: A }
>;

/** Waits until the objects are gone, as kubectl does unless told otherwise. */
async function remove(context: CommandContext, command: CommandOf<'delete'>): Promise<void> {
  const found = await matching(context.ports, command);
  for (const address of found) {
    await context.ports.kubernetes.delete(
      address,
      command.force === true ? { gracePeriodSeconds: 0 } : {},
    );
  }
  await untilGone(context, found);
}

async function taint({ ports, nodes }: CommandContext, command: CommandOf<'taint'>): Promise<void> {
  const name = nodes.named(command.node);
  const address = { apiVersion: 'v1', kind: 'Node', name };
  const node = await ports.kubernetes.get<NodeObject>(address);
  const removed = [...command.remove, ...command.add];
  const kept = (node?.spec.taints ?? []).filter(
    ({ key, effect }) =>
      !removed.some((gone) => gone.key === key && (gone.effect ?? effect) === effect),
  );
  await ports.kubernetes.patch(address, { spec: { taints: [...kept, ...command.add] } });
}
