/**
 * `hubble observe` in an agent's container, for the flows of its node that policies would have dropped.
 * Nobody's traffic is played on the twin but what its programs ask for, and that pods ask for names:
 * each that a policy selects does so when somebody looks, as it would have all the time.
 */
import type { ExecResult } from '../../../ports/index.ts';
import { fabricOf } from '../../network/fabric.ts';
import { networkOf } from '../../network/kernel-network.ts';
import type { AuditedEnd, AuditedFlow } from '../../network/policy-audit.ts';
import type { World } from '../../world.ts';
import type { ExecContext } from './exec-context.ts';

const LAST = 20;

export function hubble(args: readonly string[], context: ExecContext): ExecResult {
  const { world, node } = context;
  const [verb] = args;
  if (verb !== 'observe') return failure(`unknown command "${verb ?? ''}" for "hubble"`);
  if (!isServed(context))
    return failure(
      "failed to connect to 'unix:///var/run/cilium/hubble.sock': dial unix /var/run/cilium/hubble.sock: connect: no such file or directory",
    );
  const verdict = optionOf(args, '--verdict');
  if (verdict !== undefined && verdict !== 'AUDIT') return { exitCode: 0, stdout: '', stderr: '' };
  askForNames(world);
  const { audit } = fabricOf(world).policies;
  const flows = audit.on(node.name, sinceOf(args, world));
  const shown = flows.slice(-Number(optionOf(args, '--last') ?? LAST));
  const lines = shown.map((flow) => `${JSON.stringify(flowOf(flow, world, node.name))}\n`);
  return { exitCode: 0, stdout: lines.join(''), stderr: '' };
}

/** By what the agent has read as it started; one that ran before the twin did has read what is there. */
function isServed({ world, node, pod }: ExecContext): boolean {
  const { namespace, uid = '' } = pod.metadata;
  const read = networkOf(node).scratch.get(uid);
  const config = read ?? world.store.get('ConfigMap', namespace, 'cilium-config')?.data;
  return config?.['enable-hubble'] === 'true';
}

const asked = new WeakMap<World, number>();

/** Once for whoever looks at this moment. */
function askForNames(world: World): void {
  const now = world.kernel.now();
  const { policies } = fabricOf(world);
  if (policies.isEmpty || asked.get(world) === now) return;
  asked.set(world, now);
  for (const pod of world.store.list('Pod')) {
    const { hostNetwork, dnsPolicy } = pod.spec;
    if (hostNetwork === true || dnsPolicy === 'Default' || pod.status.podIP === undefined) continue;
    world.fabric.reach({ kind: 'pod', pod }, { kind: 'dns', question: 'internal' });
  }
}

function sinceOf(args: readonly string[], { kernel }: World): number {
  const [, amount, unit] = /^(\d+)(s|m|h)$/.exec(optionOf(args, '--since') ?? '') ?? [];
  if (amount === undefined) return 0;
  return kernel.now() - Number(amount) * (unit === 'h' ? 3_600_000 : unit === 'm' ? 60_000 : 1_000);
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const index = args.indexOf(name);
  return index < 0 ? undefined : args[index + 1];
}

/** With the names of the .proto (`-o jsonpb`). */
function flowOf({ at, direction, source, destination }: AuditedFlow, world: World, node: string) {
  const time = new Date(world.kernel.epochMs + at).toISOString();
  return {
    flow: {
      time,
      verdict: 'AUDIT',
      source: endOf(source),
      destination: endOf(destination),
      Type: 'L3_L4',
      node_name: node,
      event_type: { type: 5 },
      traffic_direction: direction.toUpperCase(),
    },
    node_name: node,
    time,
  };
}

function endOf(end: AuditedEnd) {
  return end.kind === 'pod'
    ? { namespace: end.namespace, pod_name: end.name }
    : { labels: [`reserved:${end.kind}`] };
}

function failure(message: string): ExecResult {
  return { exitCode: 1, stdout: '', stderr: `${message}\n` };
}
