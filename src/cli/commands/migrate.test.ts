/**
 * `migrate` against a twin behind its real API: objects, lease, record and backups go over HTTPS
 * through the adapter; hosts, Helm and probes are the twin's own. Time is the twin's.
 */
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tinyCluster, TWO_WEBS } from '../../../test/support/small-cluster.ts';
import { contentHash } from '../../base/canonical-json.ts';
import { openKubernetes } from '../../drivers/kubernetes/open.ts';
import { guarded } from '../../engine/run/guard-ports.ts';
import { readStatus } from '../../engine/run/status.ts';
import { readInput } from '../../intake/read-input.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { Plan } from '../../model/plan.ts';
import { runResult, status } from '../../model/schema/status.ts';
import type { StatusDocument } from '../../model/status.ts';
import type { Ports } from '../../ports/index.ts';
import { createTwinPorts } from '../../twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../twin/scenario/build-world.ts';
import { type ServedTwin, serveTwin } from '../../twin/wire/serve-twin.ts';
import type { CliContext, CliProcess } from '../context.ts';
import { reportFailure } from '../failure.ts';
import type { MigrateFlags } from '../flags.ts';
import type { OpenCluster } from '../migration/real-ports.ts';
import { systemClock } from '../migration/system-clock.ts';
import { planFor } from '../rehearsal-session.ts';
import { migrateOn } from './migrate.ts';

/** Virtual seconds per second. */
const SPEED = 300;

let directory = '';
let world: TwinWorld;
let twin: ServedTwin;
let input: ClusterInput;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'regauge-migrate-'));
  input = tinyCluster({ workloads: [TWO_WEBS] });
  const now = Date.now();
  ({ world } = buildWorld(input, { seed: 1, epochMs: now }));
  twin = await serveTwin({
    world,
    clusterName: 'tiny',
    speed: SPEED,
    host: '127.0.0.1',
    port: 0,
    now,
    onFailure: (error) => {
      throw error;
    },
  });
  writeFileSync(join(directory, 'kubeconfig'), twin.kubeconfig);
});

afterEach(async () => {
  await twin.close();
  rmSync(directory, { recursive: true, force: true });
});

function planned(): Plan {
  const told = readInput([], {});
  return planFor({ ...input, helmValues: told.helmValues }, { chartVersion: '1.18.3' }).plan;
}

function planFile(plan: Plan): string {
  const path = join(directory, 'plan.json');
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

const open: OpenCluster = async (context) => {
  const options = { environment: context.process.env, requestsPerSecond: 10_000 };
  const kubernetes = await openKubernetes(options);
  const leaseKubernetes = await openKubernetes(options);
  return {
    kubernetes,
    describe: kubernetes.describe,
    portsFor: () =>
      Promise.resolve({
        ports: { ...wakingPorts(), kubernetes },
        leaseKubernetes,
        leaseClock: systemClock({ keepsAlive: false }),
        preflight: () => Promise.resolve(),
        close: () => leaseKubernetes.close(),
      }),
    close: () => kubernetes.close(),
  };
};

/** The twin's own ports, used from outside of its time: whoever asks wakes it. */
function wakingPorts(): Ports {
  const ports = createTwinPorts(world);
  return {
    clock: waking(ports.clock),
    kubernetes: ports.kubernetes,
    nodeHost: waking(ports.nodeHost),
    helm: waking(ports.helm),
    prober: waking(ports.prober),
  };
}

function waking<T extends object>(port: T): T {
  return guarded(port, (_method, call) => {
    twin.pace.catchUp();
    const answer = call();
    twin.pace.schedule();
    return answer;
  });
}

function cordonedNodes(): readonly string[] {
  return world.store
    .list('Node')
    .filter(({ spec }) => spec.unschedulable === true)
    .map(({ metadata }) => metadata.name);
}

/** As `regauge status -o json` prints it. */
async function statusNow(): Promise<StatusDocument> {
  const environment = { KUBECONFIG: join(directory, 'kubeconfig') };
  const kubernetes = await openKubernetes({ environment, requestsPerSecond: 10_000 });
  const document = await readStatus(
    { kubernetes, nodeHost: wakingPorts().nodeHost },
    world.kernel.epochMs + world.kernel.now(),
  );
  await kubernetes.close();
  return status.parse(document);
}

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function migrate(
  flags: Partial<MigrateFlags>,
  paths: readonly string[],
  onEvent: (event: Readonly<Record<string, unknown>>) => void = () => undefined,
): Promise<Ran> {
  let out = '';
  let err = '';
  const process: CliProcess = {
    stdout: {
      write: (text) => {
        out += text;
        if (all.output === 'ndjson') onEvent(JSON.parse(text) as Readonly<Record<string, unknown>>);
      },
    },
    stderr: { write: (text) => void (err += text) },
    stdin: nothing(),
    env: { KUBECONFIG: join(directory, 'kubeconfig'), XDG_STATE_HOME: join(directory, 'state') },
  };
  const context: CliContext = { process };
  const all: MigrateFlags = {
    yes: true,
    resume: false,
    takeOver: false,
    auditRequired: false,
    output: 'ndjson',
    ...flags,
  };
  try {
    await migrateOn(context, all, paths, open);
  } catch (error) {
    process.exitCode = await reportFailure(context, all.output, error);
  }
  return { status: Number(process.exitCode ?? 0), out, err };
}

/** Takes an audit log. */
async function receiverOf(): Promise<{
  readonly url: string;
  lines(): readonly string[];
  close(): Promise<void>;
}> {
  let text = '';
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => response.writeHead(204).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens has a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/regauge`,
    lines: () => text.trimEnd().split('\n'),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // Nothing is typed.
}

describe('regauge migrate', () => {
  it('changes nothing where the audit log must be taken and nobody takes it', async () => {
    const away = await receiverOf();
    await away.close();
    const flags = { audit: away.url, auditRequired: true };
    const { status, err } = await migrate(flags, [planFile(planned())]);
    expect(status).toBe(3);
    expect(err).toContain(`the audit log is not taken by ${away.url}`);
    expect(err).toContain('Nothing was changed.');
    expect(
      world.store.list('Lease').filter(({ metadata }) => metadata.namespace === 'regauge-system'),
    ).toEqual([]);
  });

  it('moves a served twin to Cilium, tells it as events, and writes down every change', async () => {
    const plan = planned();
    const receiver = await receiverOf();
    const { status, out, err } = await migrate({ audit: receiver.url }, [planFile(plan)]);
    await receiver.close();
    expect(err).toContain('every step is done');
    expect(status).toBe(0);
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.at(-1)?.type).toBe('done');
    const pods = world.store
      .list('Pod')
      .filter(({ spec, metadata }) => spec.hostNetwork !== true && metadata.namespace === 'a');
    expect(pods.every(({ status: { podIP } }) => podIP?.startsWith('10.244.') === false)).toBe(
      true,
    );
    const log = join(directory, 'state', 'regauge', plan.cluster.uid, plan.id, 'audit.ndjson');
    expect(statSync(log).mode & 0o777).toBe(0o600);
    const [begin = '', ...sent] = receiver.lines();
    expect(begin).toContain(plan.id);
    expect(sent.join('\n')).toBe(readFileSync(log, 'utf8').trim());
    const entries = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const intents = entries.filter(({ type }) => type === 'intent');
    expect(intents.length).toBeGreaterThan(20);
    expect(entries.filter(({ type }) => type === 'outcome')).toHaveLength(intents.length);
  });

  it('pauses when it is asked to, refuses a second one meanwhile, and is gone on with from elsewhere', async () => {
    const plan = planned();
    const path = planFile(plan);
    const moving = new EventEmitter();
    const first = migrate({}, [path], (event) => {
      if (event['type'] === 'step' && event['phase'] === 'install-secondary') moving.emit('begun');
    });
    await once(moving, 'begun');
    // The first has a while to go yet.
    twin.pace.setSpeed(1);
    const second = await migrate({}, [path]);
    expect(second.status).toBe(1);
    expect(second.err).toMatch(/another regauge works on this cluster: .* is held by /);
    twin.pace.setSpeed(SPEED);
    process.emit('SIGINT');
    const paused = await first;
    expect(paused.status).toBe(130);
    expect(paused.err).toContain('Paused at a safe point');
    expect(paused.err).toContain('regauge migrate --resume');
    rmSync(path);
    rmSync(join(directory, 'state'), { recursive: true });
    const rest = await migrate({ resume: true, output: 'json' }, []);
    expect(rest.status).toBe(0);
    expect(runResult.parse(JSON.parse(rest.out))).toMatchObject({
      outcome: 'done',
      planId: plan.id,
    });
    const document = await statusNow();
    expect(document.migration).toMatchObject({ state: 'done', planId: plan.id });
    expect(document.nodes.map(({ activeConf }) => activeConf)).toEqual(
      document.nodes.map(() => '05-cilium.conflist'),
    );
    expect(document.nodes.filter(({ pods }) => pods.old > 0)).toEqual([]);
    expect(rest.err).toContain('Under way since');
    expect(cordonedNodes()).toEqual([]);
  });

  it('refuses a plan whose cluster is not as it was, and says what changed, before it writes anything', async () => {
    const path = planFile(planned());
    world.store.update('Node', undefined, 't-wrk-01', (node) => ({
      ...node,
      status: { ...node.status, addresses: [{ type: 'InternalIP', address: '10.0.0.99' }] },
    }));
    const { status, err } = await migrate({}, [path]);
    expect(status).toBe(1);
    expect(err).toMatch(/changed since: nodes \(t-wrk-01 had 10\.0\.0\.\d+ and has 10\.0\.0\.99\)/);
    expect(err).toContain('regauge plan --live');
    expect(world.store.get('Namespace', undefined, 'regauge-system')).toBeUndefined();
  });

  it('refuses a plan of another cluster, whatever drift is accepted', async () => {
    const { hash: _hash, id: _id, ...body } = planned();
    const other = { ...body, cluster: { uid: 'another', name: 'elsewhere' } };
    const path = planFile({ ...other, hash: contentHash(other), id: 'plan-other' });
    const { status, err } = await migrate({ acceptDrift: 'cluster,nodes' }, [path]);
    expect(status).toBe(1);
    expect(err).toContain('the plan is for cluster elsewhere (another)');
  });

  it('changes nothing unasked where there is no terminal to ask on', async () => {
    const { status, err } = await migrate({ yes: false, output: 'text' }, [planFile(planned())]);
    expect(status).toBe(2);
    expect(err).toContain('--yes');
  });

  it('has nothing to go on with on a cluster where nothing was begun', async () => {
    const { status, err } = await migrate({ resume: true, output: 'text' }, []);
    expect(status).toBe(1);
    expect(err).toContain('no migration was begun');
  });
});
