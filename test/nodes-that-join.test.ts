/**
 * Goal: a node that joins in the middle of a run, whenever that is, ends on the new network with the others,
 * and no run, later run or way back forgets it. Method: a twin on which a machine like a worker boots at a
 * step; what comes of it is the cluster's own doing.
 */
import { describe, expect, it } from 'vitest';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { clusterBackups } from '../src/engine/backups.ts';
import { beginningOf, migrate } from '../src/engine/run/migration.ts';
import { reachedSteps } from '../src/engine/run/reached-steps.ts';
import { RunControl } from '../src/engine/run/run-control.ts';
import { readRecord } from '../src/engine/run/run-record.ts';
import { undoRun } from '../src/engine/undo-run.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { RunEvent } from '../src/model/run-event.ts';
import { planWith } from '../src/planner/joined-nodes.ts';
import type { ClusterInput } from '../src/model/cluster-input.ts';
import type { Plan } from '../src/model/plan.ts';
import { rollbackPlan } from '../src/planner/rollback-plan.ts';
import type { Ports } from '../src/ports/index.ts';
import { powerControlOf } from '../src/twin/machine/power-control.ts';
import { createObserver } from '../src/twin/observer/create-observer.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { createProber } from '../src/twin/ports/prober.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { rke2 } from './support/rke2.ts';
import { smallCluster } from './support/small-cluster.ts';
import { k3s, kubeadm, read, type Snapshot } from './support/snapshots.ts';

const TARGET = 'kubeProxyReplacement: true\nk8sServiceHost: localhost\nk8sServicePort: 7445\n';
const input = {
  ...smallCluster({ machine: { kubePrism: true }, workloads: [...workloads()] }),
  helmValues: readInput([{ path: 'target.yaml', text: TARGET }], {}).helmValues,
};
const { plan } = planFor(input);
const JOINED = 't-w3';

/** A set that also comes to a node that joins, so that it has pods of the pod network. */
function workloads() {
  return [
    { kind: 'Deployment', namespace: 'apps', name: 'web', image: 'web:1', replicas: 3 },
    { kind: 'DaemonSet', namespace: 'apps', name: 'logs', image: 'logs:1' },
  ] as const;
}

interface Story {
  /** When the machine is switched on; it is a node a bit more than a minute later. */
  readonly at: string;
  readonly strike?: (world: TwinWorld) => void;
  /** Ends the first executor at this event, as its power would. */
  readonly killAt?: (event: RunEvent) => boolean;
  readonly of?: { readonly input: ClusterInput; readonly plan: Plan };
}

class Lab {
  readonly world: TwinWorld;
  readonly ports: Ports;
  readonly events: RunEvent[] = [];
  readonly observer: ReturnType<typeof createObserver>;
  private readonly story: Story;
  private readonly plan: Plan;
  private isStruck = false;
  private kills: number;

  constructor(story: Story) {
    const { of = { input, plan } } = story;
    this.story = story;
    this.plan = of.plan;
    this.kills = story.killAt === undefined ? 0 : 1;
    this.world = buildWorld(of.input, { seed: 1 }).world;
    const prober = createProber(this.world);
    this.observer = createObserver(this.world, prober);
    this.ports = { ...createTwinPorts(this.world), prober };
  }

  /** To the end, by a second executor that knows nothing but the cluster where the first one was ended. */
  async play() {
    const { world, ports } = this;
    const result = await world.kernel.drive(async () => {
      const first = await this.execute(this.plan, 'first');
      const again = first.outcome === 'halted';
      const last = again ? await this.execute(await this.kept(), 'second') : first;
      await ports.clock.sleep(120_000);
      return last;
    });
    return { result, world, events: this.events, report: this.observer.finish() };
  }

  async kept(): Promise<Plan> {
    return (await beginningOf(this.ports.kubernetes, undefined)).plan;
  }

  execute(whole: Plan, holder: string) {
    const { world, ports } = this;
    const control = new RunControl();
    return migrate({
      plan: whole,
      ports,
      wallTime: () => world.kernel.epochMs + world.kernel.now(),
      holder,
      control,
      audit: { append: () => Promise.resolve() },
      onEvent: (event) => this.heard(event, control),
    });
  }

  private heard(event: RunEvent, control: RunControl): void {
    this.events.push(event);
    const { at, strike = joins, killAt } = this.story;
    const isThere = event.type === 'step' && event.step === at && event.state === 'started';
    if (isThere && !this.isStruck) {
      this.isStruck = true;
      strike(this.world);
    }
    if (this.kills === 0 || killAt?.(event) !== true) return;
    this.kills -= 1;
    control.stop('killed');
  }
}

function play(story: Story) {
  return new Lab(story).play();
}

function joins(world: TwinWorld): void {
  const worker = [...world.nodes.values()].findLast(({ role }) => role === 'worker');
  world.join(worker?.name ?? '');
}

function saysItJoined(event: RunEvent): boolean {
  return event.type === 'health' && event.message.startsWith(`${JOINED} has joined`);
}

function violations({ invariants }: ReturnType<ReturnType<typeof createObserver>['finish']>) {
  return invariants.flatMap(({ name, firstViolation }) =>
    firstViolation === undefined ? [] : [`${name}: ${firstViolation.message}`],
  );
}

/** What is on the node, as far as the two networks go. */
function stateOf(world: TwinWorld, name: string) {
  const node = world.store.get('Node', undefined, name);
  const { labels = {}, annotations = {} } = node?.metadata ?? {};
  const marks = [...Object.keys(labels), ...Object.keys(annotations)];
  return {
    confs: world.nodes.get(name)?.files.list('/etc/cni/net.d'),
    links: world.nodes
      .get(name)
      ?.network.links()
      .filter((link) => /flannel|cni0/.test(link)),
    marks: marks.filter((mark) => /regauge|migration|flannel/.test(mark)),
    isOpen: node?.spec.unschedulable !== true,
    networks: [
      ...new Set(
        world.store
          .podsOn(name)
          .filter(({ spec }) => spec.hostNetwork !== true)
          .map(({ status }) => (status.podIP ?? 'none').split('.').slice(0, 2).join('.')),
      ),
    ],
  };
}

const MIGRATED = {
  confs: ['05-cilium.conflist'],
  links: [],
  marks: [],
  isOpen: true,
  networks: [(plan.to.podCidrs[0] ?? '').split('.').slice(0, 2).join('.')],
};

const MOMENTS: readonly (readonly [string, string])[] = [
  ['while things are prepared', 'prepare/back-up'],
  ['while Cilium is installed', 'install-secondary/install-cilium'],
  ['in the middle of the moving', 'move-nodes/t-w2/restart-pods'],
  ['as the last node moves', 'move-nodes/t-cp3/label'],
  ['as Cilium is put in charge', 'finalise/values'],
  ['between that and the removal of Flannel', 'replace-kube-proxy/node-config'],
  ['in the middle of kube-proxy’s replacement', 'replace-kube-proxy/t-w2/replace'],
  ['as Flannel is removed', 'remove-old-cni/talos-cni-none'],
  ['in the clean-up', 'clean-up/files-and-links'],
];

describe('a node that joins', () => {
  it.each(MOMENTS)('%s ends on the new network, and the run with it', async (_when, at) => {
    expect(plan.steps.map(({ id }) => id)).toContain(at);
    const { result, world, report } = await play({ at });
    expect(result.failed).toBeUndefined();
    expect(result.outcome).toBe('done');
    expect(stateOf(world, JOINED)).toEqual(MIGRATED);
    expect(violations(report)).toEqual([]);
    expect(report.summary.podsStuck).toBe(0);
  });
});

describe('whoever runs the plan', () => {
  it('tells that it joined, and as what; the cluster knows it', async () => {
    const { events, world, result } = await play({ at: 'move-nodes/t-w2/restart-pods' });
    const told = events.filter(saysItJoined);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      node: JOINED,
      message: `${JOINED} has joined the cluster: it is taken in like t-w2, and its turn comes after the others’`,
    });
    const record = await world.kernel.drive(() => readRecord(createTwinPorts(world).kubernetes));
    expect(record?.joined).toEqual([{ name: JOINED, like: 't-w2', internalIps: ['10.0.0.23'] }]);
    expect(record?.total).toBe(result.total);
    expect(result.total).toBeGreaterThan(plan.steps.length);
    expect(result.done).toHaveLength(result.total);
  });

  it.each<[string, (event: RunEvent) => boolean]>([
    ['as it is taken in', saysItJoined],
    ['right after that', (event) => isStep(event, `move-nodes/${JOINED}/label`, 'started')],
    [
      'while its agent restarts',
      (event) => isStep(event, `move-nodes/${JOINED}/restart-agent`, 'started'),
    ],
    [
      'while its pods move',
      (event) => isStep(event, `move-nodes/${JOINED}/restart-pods`, 'started'),
    ],
    ['when it is through', (event) => isStep(event, `clean-up/${JOINED}/labels`, 'done')],
  ])('is killed %s, and another does not lose it', async (_when, killAt) => {
    const { result, world, report, events } = await play({ at: 'move-nodes/t-w2/label', killAt });
    expect(result.outcome).toBe('done');
    expect(stateOf(world, JOINED)).toEqual(MIGRATED);
    expect(violations(report)).toEqual([]);
    // It is taken in once; a later run has it from the cluster.
    expect(events.filter(saysItJoined)).toHaveLength(1);
  });
});

function isStep(event: RunEvent, step: string, state: string): boolean {
  return event.type === 'step' && event.step === step && event.state === state;
}

function joinsFor(seconds: number) {
  return (world: TwinWorld): void => {
    const name = world.join('t-w2') ?? '';
    world.kernel.after(seconds * 1000, () => {
      const machine = world.nodes.get(name)?.machine;
      if (machine !== undefined) powerControlOf(machine)?.cut();
      world.store.remove('Node', undefined, name);
    });
  };
}

describe('a node that joins and does not stay', () => {
  it.each([
    ['before anybody saw it', 30, 0],
    ['right after it registered', 78, 0],
    ['when it was taken in', 150, 1],
    ['when it has moved', 450, 1],
  ])('leaves %s: nobody waits for it', async (_when, seconds, atMost) => {
    const story = { at: 'move-nodes/t-w1/label', strike: joinsFor(seconds) };
    const { result, world, events, report } = await play(story);
    expect(result.failed).toBeUndefined();
    expect(result.outcome).toBe('done');
    expect(events.filter(saysItJoined).length).toBeLessThanOrEqual(atMost);
    expect(world.store.get('Node', undefined, JOINED)).toBeUndefined();
    expect(violations(report)).toEqual([]);
  });
});

function joinsAsControlPlane(world: TwinWorld): void {
  const name = world.join('t-w2') ?? '';
  world.store.watch('Node', ({ type, object }) => {
    if (type !== 'added' || object.metadata.name !== name) return;
    world.store.update('Node', undefined, name, (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, 'node-role.kubernetes.io/control-plane': '' },
      },
    }));
  });
}

describe('a control plane that joins', () => {
  it('is not taken in: what cannot be taken back waits, and says what to do', async () => {
    const story = { at: 'move-nodes/t-w1/label', strike: joinsAsControlPlane };
    const { result } = await play(story);
    expect(result.outcome).toBe('stopped');
    expect(result.failed?.step).toBe('finalise/values');
    expect(result.failed?.message).toMatch(/t-w3 joined after the plan was made and has \d+ pods/);
  });
});

describe('the way back', () => {
  it.each([
    ['before it was moved', `move-nodes/${JOINED}/label`],
    ['when it has moved', 'finalise/values'],
    ['when all is done but the clean-up', 'clean-up/files-and-links'],
  ])('takes a node back that joined: %s', async (_when, until) => {
    const at = 'move-nodes/t-w1/restart-pods';
    const lab = new Lab({ at, killAt: (event) => isStep(event, until, 'started') });
    const { world, ports } = lab;
    const back = await world.kernel.drive(async () => {
      const there = await lab.execute(plan, 'first');
      expect(there.outcome).toBe('halted');
      const record = await readRecord(ports.kubernetes);
      const whole = planWith(await lab.kept(), record?.joined ?? []);
      const backups = clusterBackups(ports.kubernetes, plan.id);
      const reached = await reachedSteps(whole, ports, backups);
      const ended = await undoRun(whole, reached, ports, { backups });
      await ports.clock.sleep(120_000);
      return ended;
    });
    expect(back.failed).toBeUndefined();
    expect(back.outcome).toBe('done');
    for (const name of [JOINED, 't-w2'])
      expect(stateOf(world, name)).toMatchObject({
        confs: ['10-flannel.conflist'],
        isOpen: true,
        networks: ['10.244'],
      });
    expect(stateOf(world, JOINED).marks.filter((mark) => !/flannel/.test(mark))).toEqual([]);
  });

  it('takes in a node that joins on the way', async () => {
    const lab = new Lab({
      at: 'undo/move-nodes/t-w2/label',
      killAt: (event) => isStep(event, 'finalise/verify', 'started'),
    });
    const { world, ports } = lab;
    const back = await world.kernel.drive(async () => {
      await lab.execute(plan, 'first');
      const backups = clusterBackups(ports.kubernetes, plan.id);
      const reached = await reachedSteps(plan, ports, backups);
      const ended = await lab.execute(rollbackPlan(plan, reached), 'back');
      await ports.clock.sleep(120_000);
      return ended;
    });
    expect(back.failed).toBeUndefined();
    expect(back.outcome).toBe('done');
    expect(stateOf(world, JOINED)).toMatchObject({
      confs: ['10-flannel.conflist'],
      isOpen: true,
      networks: ['10.244'],
    });
  });
});

describe('other strategies and distributions', () => {
  it.each(['reboot', 'sandbox-restart'] as const)('%s moves it too', async (strategy) => {
    const of = { input, plan: planFor(input, { strategy }).plan };
    const { result, world, report } = await play({ at: 'move-nodes/t-w1/label', of });
    expect(result.failed).toBeUndefined();
    expect(stateOf(world, JOINED)).toEqual(MIGRATED);
    expect(violations(report)).toEqual([]);
  });

  it.each<[string, () => Snapshot, RegExp]>([
    ['kubeadm', kubeadm, /^move-nodes\/.*worker.*\/restart-pods$/],
    ['RKE2', rke2, /^move-nodes\/.*worker.*\/restart-pods$/],
    ['K3s', k3s, /^move-nodes\/.*\/restart-pods$/],
  ])('%s', async (_name, snapshot, moment) => {
    const from = read(snapshot());
    const of = { input: from, plan: planFor(from).plan };
    const at = of.plan.steps.find(({ id }) => moment.test(id))?.id ?? 'no such step';
    const before = [...buildWorld(from, { seed: 1 }).world.nodes.keys()];
    const { result, world, report } = await play({ at, of });
    expect(result.failed).toBeUndefined();
    expect(result.outcome).toBe('done');
    const name = [...world.nodes.keys()].find((each) => !before.includes(each)) ?? '';
    const worker = before.findLast((each) => world.nodes.get(each)?.role === 'worker') ?? '';
    const { networks, ...state } = stateOf(world, worker);
    expect(stateOf(world, name)).toMatchObject(state);
    expect(networks).toEqual(expect.arrayContaining(stateOf(world, name).networks));
    expect(violations(report)).toEqual([]);
  });

  it('K3s, while its directories move, waits for it to be taken away, and changes nothing', async () => {
    const from = read(k3s());
    const of = { input: from, plan: planFor(from).plan };
    const lab = new Lab({ at: 'remove-old-cni/agent-directories', of });
    const { world } = lab;
    const name = 'k3s-agt-3';
    const [first, second] = await world.kernel.drive(async () => {
      const stopped = await lab.execute(of.plan, 'first');
      const machine = world.nodes.get(name)?.machine;
      if (machine !== undefined) powerControlOf(machine)?.cut();
      world.store.remove('Node', undefined, name);
      return [stopped, await lab.execute(await lab.kept(), 'second')];
    });
    expect(first?.failed?.step).toBe('remove-old-cni/tell-service');
    expect(first?.failed?.message).toContain(`${name} joined, cannot be moved by this run`);
    expect(second?.outcome).toBe('done');
  });
});
