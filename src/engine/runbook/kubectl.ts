/** `kubectl` as a runbook says it. */
import { unreachable } from '../../base/assert.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject, ObjectMeta } from '../../model/kubernetes.ts';
import type { KubectlCommand } from '../../model/runbook.ts';
import type { ObjectAddress } from '../../ports/index.ts';
import { type CommandContext, PATIENCE_SECONDS } from './command-context.ts';
import { drain } from './drain.ts';
import { kindOf } from './kinds.ts';

const LOOK_MS = 1_000;

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
      await restart(context, addressOf(command));
      return;
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

function addressOf({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): ObjectAddress {
  const known = kindOf(kind);
  const place = known.clusterScoped === true ? {} : { namespace: namespace ?? 'default' };
  return { apiVersion: known.apiVersion, kind: known.kind, name, ...place };
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

type Delete = Extract<KubectlCommand, { readonly action: 'delete' }>;

/** Waits until the objects are gone, as kubectl does unless told otherwise. */
async function remove({ ports }: CommandContext, command: Delete): Promise<void> {
  const { kubernetes, clock } = ports;
  const found = await matching(ports, command);
  for (const address of found) {
    await kubernetes.delete(address, command.force === true ? { gracePeriodSeconds: 0 } : {});
  }
  const deadline = clock.now() + PATIENCE_SECONDS * 1000;
  for (const address of found) {
    while (await isThere(ports, address)) {
      if (clock.now() >= deadline)
        throw new RegaugeError(
          'timeout',
          `${address.kind} ${address.name} is there still after ${PATIENCE_SECONDS} s`,
        );
      await clock.sleep(LOOK_MS);
    }
  }
}

type Found = ObjectAddress & { readonly uid: string | undefined };

async function isThere({ kubernetes }: CommandContext['ports'], address: Found): Promise<boolean> {
  const now = await kubernetes.get(address);
  return now !== undefined && now.metadata.uid === address.uid;
}

async function matching(
  { kubernetes }: CommandContext['ports'],
  command: Delete,
): Promise<readonly Found[]> {
  const known = kindOf(command.kind);
  if (command.name !== undefined) {
    const address = addressOf({ ...command, name: command.name });
    const object = await kubernetes.get(address);
    if (object === undefined)
      throw new RegaugeError(
        'not-found',
        `Error from server (NotFound): ${command.kind} "${command.name}" not found`,
      );
    return [{ ...address, uid: object.metadata.uid }];
  }
  const place = known.clusterScoped === true ? {} : { namespace: command.namespace ?? 'default' };
  const labelSelector = selectorOf(command.selector ?? '');
  const objects = await kubernetes.list(known.apiVersion, known.kind, { ...place, labelSelector });
  return objects.map(({ metadata }) => ({
    apiVersion: known.apiVersion,
    kind: known.kind,
    name: metadata.name,
    uid: metadata.uid,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  }));
}

/** `a=b,c=d`; equality is all that runbooks were seen to use. */
function selectorOf(text: string): Readonly<Record<string, string>> {
  const pairs = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', value] = pair.split(/==?/, 2);
      if (value === undefined || key.endsWith('!'))
        throw new RegaugeError('refused', `a selector of equalities is understood, not ${pair}`);
      return [key, value];
    }),
  );
}
