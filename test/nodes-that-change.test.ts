/**
 * Goal: a node that leaves, or is not Ready for a while, is noticed by a run and handled: what was to be
 * done on it is void, what is done on all leaves it out, what it is needed for waits by name. Method: a
 * twin's machines, as faults strike them.
 */
import { describe, expect, it } from 'vitest';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import type { RunEvent } from '../src/model/run-event.ts';
import { powerControlOf } from '../src/twin/machine/power-control.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { smallCluster } from './support/small-cluster.ts';

const input = smallCluster();
const { plan } = planFor(input);

interface Struck {
  readonly step: string;
  readonly state?: 'started' | 'done';
  strike(world: TwinWorld): void;
}

async function run({ step, state = 'started', strike }: Struck, resumes = false) {
  const { world } = buildWorld(input, { seed: 1 });
  const ports = createTwinPorts(world);
  const events: RunEvent[] = [];
  let isStruck = false;
  const once = () =>
    world.kernel.drive(() =>
      runPlan(plan, ports, {
        gateTimeoutSeconds: 900,
        onEvent: (event) => {
          events.push(event);
          if (isStruck || event.type !== 'step') return;
          if (event.step !== step || event.state !== state) return;
          isStruck = true;
          strike(world);
        },
      }),
    );
  let result = await once();
  if (resumes && result.outcome !== 'done') result = await once();
  return { result, events, world };
}

function remove(name: string) {
  return (world: TwinWorld): void => {
    const node = world.nodes.get(name);
    if (node === undefined) throw new Error(`no ${name}`);
    powerControlOf(node.machine)?.cut();
    world.store.remove('Node', undefined, name);
  };
}

function messages(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => ('message' in event ? [event.message ?? ''] : []));
}

describe('a node that leaves', () => {
  it.each([
    ['before its turn', 'move-nodes/t-w1/restart-pods'],
    ['in the middle of its turn', 'move-nodes/t-w2/restart-agent'],
    ['while its pods move', 'move-nodes/t-w2/restart-pods'],
    ['when it has moved', 'finalise/values'],
  ])('%s is left out, and the run ends', async (_when, step) => {
    const { result, events, world } = await run({ step, strike: remove('t-w2') });
    expect(result.failed).toBeUndefined();
    expect(result.outcome).toBe('done');
    expect(messages(events)).toContain(
      't-w2 has left the cluster: what was to be done there is void',
    );
    expect(result.done).toHaveLength(plan.steps.length);
    expect(world.store.list('DaemonSet').map(({ metadata }) => metadata.name)).not.toContain(
      'kube-flannel',
    );
  });
});

describe('a node that is not Ready for a while', () => {
  it('is waited for, with a reason, and the run ends', async () => {
    const { result, events } = await run(
      {
        step: 'move-nodes/t-w1/label',
        strike: (world) => {
          const machine = world.nodes.get('t-w2')?.machine;
          if (machine === undefined) throw new Error('no t-w2');
          const power = powerControlOf(machine);
          power?.cut();
          world.kernel.after(240_000, () => power?.restore());
        },
      },
      true,
    );
    expect(result.failed).toBeUndefined();
    expect(result.outcome).toBe('done');
    expect(messages(events).join('\n')).toMatch(/t-w2 is not Ready|apps\/\w+ is not ready/);
    expect(messages(events).join('\n')).not.toMatch(/has left the cluster/);
  });
});

describe('a cluster of one node', () => {
  it('is migrated in place: the canary is alone, and every pod ends on the new network', async () => {
    const only = smallCluster({
      machine: { schedulableControlPlanes: true },
      nodes: [{ name: 'only', address: '10.0.0.11', role: 'control-plane' }],
      workloads: [
        { kind: 'Deployment', namespace: 'apps', name: 'web', image: 'web:1', replicas: 2 },
      ],
    });
    const made = planFor(only).plan;
    const { world } = buildWorld(only, { seed: 1 });
    const result = await world.kernel.drive(() => runPlan(made, createTwinPorts(world)));
    expect(result.failed).toBeUndefined();
    const addresses = world.store.list('Pod', 'apps').map(({ status }) => status.podIP ?? '');
    const [pool = ''] = made.to.podCidrs;
    const prefix = pool.split('.').slice(0, 2).join('.');
    expect(addresses).toHaveLength(2);
    expect(addresses.every((address) => address.startsWith(prefix))).toBe(true);
  });
});
