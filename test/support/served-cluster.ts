/**
 * A cluster behind `twin serve`'s API, and regauge's commands at it. Objects, hosts, lease, record and
 * backups go over HTTPS through the adapters, hosts by pods that run programs on their nodes; Helm and the
 * probes are the twin's own, since the real ones are other programs. Time is the twin's.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runApp } from '../../src/cli/app.ts';
import { migrateOn } from '../../src/cli/commands/migrate.ts';
import { rollbackOn } from '../../src/cli/commands/rollback.ts';
import type { CliContext, CliProcess } from '../../src/cli/context.ts';
import { reportFailure } from '../../src/cli/failure.ts';
import type { OpenCluster } from '../../src/cli/migration/real-ports.ts';
import { systemClock } from '../../src/cli/migration/system-clock.ts';
import { openNodeHost } from '../../src/drivers/host-access/open-node-host.ts';
import { openKubernetes } from '../../src/drivers/kubernetes/open.ts';
import { guarded } from '../../src/engine/run/guard-ports.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { Distribution } from '../../src/model/facts.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { type ServedTwin, serveTwin } from '../../src/twin/wire/serve-twin.ts';

/** Virtual seconds per second. */
const SPEED = 300;
const REQUESTS_PER_SECOND = 10_000;

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

type Told = (event: Readonly<Record<string, unknown>>) => void;

export class ServedCluster {
  readonly directory: string;
  readonly world: TwinWorld;
  private readonly twin: ServedTwin;
  private machines = 0;

  private constructor(directory: string, world: TwinWorld, twin: ServedTwin) {
    this.directory = directory;
    this.world = world;
    this.twin = twin;
  }

  static async of(input: ClusterInput): Promise<ServedCluster> {
    const now = Date.now();
    const { world } = buildWorld(input, { seed: 1, epochMs: now });
    const twin = await serveTwin({
      world,
      clusterName: 'twin',
      speed: SPEED,
      host: '127.0.0.1',
      port: 0,
      now,
      onFailure: (error) => {
        throw error;
      },
    });
    const directory = mkdtempSync(join(tmpdir(), 'regauge-served-'));
    writeFileSync(join(directory, 'kubeconfig'), twin.kubeconfig, { mode: 0o600 });
    return new ServedCluster(directory, world, twin);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async close(): Promise<void> {
    await this.twin.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Any command, as it is typed. */
  async regauge(...args: readonly string[]): Promise<Ran> {
    const { process, printed } = this.machine();
    return { status: await runApp(args, process), ...printed };
  }

  /** Each from a machine of its own, which has no file of the others. */
  migrate(paths: readonly string[], onEvent?: Told): Promise<Ran> {
    return this.change(onEvent, (context) =>
      migrateOn(context, { ...FLAGS, resume: paths.length === 0 }, paths, this.open),
    );
  }

  rollback(): Promise<Ran> {
    return this.change(undefined, (context) => rollbackOn(context, FLAGS, [], this.open));
  }

  private async change(
    onEvent: Told | undefined,
    command: (context: CliContext) => Promise<void>,
  ): Promise<Ran> {
    const { process, printed } = this.machine(onEvent);
    const context: CliContext = { process };
    try {
      await command(context);
    } catch (error) {
      process.exitCode = await reportFailure(context, FLAGS.output, error);
    }
    return { status: Number(process.exitCode ?? 0), ...printed };
  }

  private machine(onEvent?: Told) {
    this.machines += 1;
    const printed = { out: '', err: '' };
    const process: CliProcess = {
      stdout: {
        write: (text) => {
          printed.out += text;
          onEvent?.(JSON.parse(text) as Readonly<Record<string, unknown>>);
        },
      },
      stderr: { write: (text) => void (printed.err += text) },
      stdin: nothing(),
      env: {
        KUBECONFIG: this.path('kubeconfig'),
        XDG_STATE_HOME: this.path(`machine-${this.machines}`),
      },
    };
    return { process, printed };
  }

  private readonly open: OpenCluster = async (context) => {
    const { env: environment } = context.process;
    const options = { environment, requestsPerSecond: REQUESTS_PER_SECOND };
    const kubernetes = await openKubernetes(options);
    const leaseKubernetes = await openKubernetes(options);
    const { clock, helm, prober } = createTwinPorts(this.world);
    return {
      kubernetes,
      describe: kubernetes.describe,
      portsFor: (plan) => {
        const host = openNodeHost({
          kubernetes,
          // What the planner plans for, it writes by its name.
          distribution: plan.platform.distribution as Distribution,
          hostAccess: { run: plan.id, mayCreatePods: true, isExclusive: true },
        });
        return Promise.resolve({
          ports: {
            kubernetes,
            nodeHost: host.nodeHost,
            clock: this.waking(clock),
            helm: this.waking(helm),
            prober: this.waking(prober),
          },
          leaseKubernetes,
          leaseClock: systemClock({ keepsAlive: false }),
          preflight: () => Promise.resolve(),
          close: async () => {
            await host.close();
            await leaseKubernetes.close();
          },
        });
      },
      close: () => kubernetes.close(),
    };
  };

  /** A port of the twin's own, used from outside of its time: whoever asks wakes it. */
  private waking<T extends object>(port: T): T {
    return guarded(port, (_method, call) => {
      this.twin.pace.catchUp();
      const answer = call();
      this.twin.pace.schedule();
      return answer;
    });
  }
}

const FLAGS = {
  yes: true,
  resume: false,
  takeOver: false,
  auditRequired: false,
  output: 'ndjson',
} as const;

async function* nothing(): AsyncGenerator<Uint8Array> {
  // Nothing is typed.
}
