/** `regauge twin serve`: a practice cluster that answers kubectl, helm and talosctl; touches nothing. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { RegaugeError } from '../../base/errors.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import { plural, showSeconds } from '../../report/duration.ts';
import { buildWorld, type TwinWorld } from '../../twin/scenario/build-world.ts';
import { expandCluster } from '../../twin/scenario/expand-cluster.ts';
import { readClusterSpec } from '../../twin/scenario/read-spec.ts';
import { type ServedTwin, serveTwin } from '../../twin/wire/serve-twin.ts';
import type { ServedTalos } from '../../twin/wire/talos/serve-talos.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import type { TwinServeFlags } from '../flags.ts';
import { incidentInput } from '../incident/incident-data.ts';
import { addressToListenOn } from '../listen-address.ts';
import { writeDocument } from '../output-format.ts';
import { readCluster } from '../input/read-cluster.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { writeWhole } from '../write-whole.ts';

const DEFAULT_OUT = 'regauge-twin';
const REPAINT_MS = 500;
/** Only its owner may read a key. */
const OWNER_ONLY = 0o600;

interface Served {
  readonly name: string;
  readonly flags: TwinServeFlags;
  readonly world: TwinWorld;
  readonly twin: ServedTwin;
  readonly talos: ServedTalos | undefined;
  readonly kubeconfig: string;
  readonly talosconfig: string | undefined;
}

export async function run(this: CliContext, flags: TwinServeFlags): Promise<void> {
  this.process.onLongRun?.();
  const address = addressToListenOn(flags.listen, flags.iKnowOthersCanReachIt);
  const chosen = await chosenCluster(flags);
  const now = Date.now();
  const { world } = buildWorld(chosen.input, { seed: flags.seed ?? 1, epochMs: now });
  const failures: unknown[] = [];
  const stopping = new AbortController();
  const twin = await serveTwin({
    world,
    clusterName: chosen.name,
    speed: flags.speed,
    ...address,
    now,
    onFailure: (error) => {
      failures.push(error);
      stopping.abort();
    },
  });
  const talos = await talosOf(world, twin, now);
  try {
    const files = writeConfigs(flags.out ?? DEFAULT_OUT, twin, talos);
    const served: Served = { name: chosen.name, flags, world, twin, talos, ...files };
    announce(this, served);
    await untilStopped(this, served, stopping);
  } finally {
    await talos?.close();
    await twin.close();
  }
  if (failures.length > 0) throw failures[0];
  this.process.exitCode = EXIT.clean;
}

interface Chosen {
  readonly name: string;
  readonly input: ClusterInput;
}

async function chosenCluster({ cluster }: TwinServeFlags): Promise<Chosen> {
  if (cluster === undefined) return { name: 'post-mortem', input: incidentInput() };
  const spec = specIn(cluster);
  if (spec !== undefined) return { name: spec.name, input: expandCluster(spec) };
  const { input } = await readCluster({ paths: [cluster] });
  return { name: 'twin', input };
}

/** A cluster told in a few lines; undefined for anything else. */
function specIn(path: string): ReturnType<typeof readClusterSpec> | undefined {
  if (!/\.ya?ml$/.test(path)) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Whoever reads it next says why it cannot be read.
    return undefined;
  }
  return /^kind: ClusterSpec\s*$/m.test(text) ? readClusterSpec(text, path) : undefined;
}

/** The machines' own API, where they have one. */
async function talosOf(
  world: TwinWorld,
  { pace }: ServedTwin,
  now: number,
): Promise<ServedTalos | undefined> {
  const hasTalos = [...world.nodes.values()].some(
    ({ machine, role }) => machine.talos !== undefined && role === 'control-plane',
  );
  if (!hasTalos) return undefined;
  // Loaded only where it is served: it brings gRPC along.
  const { serveTalos } = await import('../../twin/wire/talos/serve-talos.ts');
  try {
    return await serveTalos({ world, time: pace, now });
  } catch (error) {
    if (!(error instanceof RegaugeError)) throw error;
    // Another twin has Talos's own port: any other will do, the talosconfig tells it.
    return serveTalos({ world, time: pace, now, port: 0 });
  }
}

function writeConfigs(
  directory: string,
  twin: ServedTwin,
  talos: ServedTalos | undefined,
): { readonly kubeconfig: string; readonly talosconfig: string | undefined } {
  const kubeconfig = resolve(join(directory, 'kubeconfig'));
  const talosconfig = talos === undefined ? undefined : resolve(join(directory, 'talosconfig'));
  try {
    writeWhole([
      ...(talos === undefined || talosconfig === undefined
        ? []
        : [{ path: talosconfig, text: talos.talosconfig, mode: OWNER_ONLY }]),
      { path: kubeconfig, text: twin.kubeconfig, mode: OWNER_ONLY },
    ]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RegaugeError('refused', `the kubeconfig could not be written: ${why}`, {
      hint: 'Name another directory with --out.',
      cause: error,
    });
  }
  return { kubeconfig, talosconfig };
}

function announce(context: CliContext, served: Served): void {
  const { flags, name, twin, talos, world, kubeconfig, talosconfig } = served;
  if (flags.output !== 'text') {
    writeDocument(context, flags.output, {
      apiVersion: 'regauge.dev/v1',
      kind: 'ServedTwin',
      cluster: name,
      kubernetes: { url: twin.url, version: world.versions.kubernetes, kubeconfig },
      talos:
        talos === undefined
          ? null
          : { endpoints: Object.fromEntries(talos.endpoints), talosconfig: talosconfig ?? null },
      speed: flags.speed,
      seed: flags.seed ?? 1,
    });
    return;
  }
  const colours = pico.createColors(wantsColour(context));
  context.process.stdout.write(`${welcome(served, textWidth(context), colours)}\n`);
}

function welcome(served: Served, width: number, colours: Colors): string {
  const { name, flags, twin, talos, world, kubeconfig, talosconfig } = served;
  const { kubernetes, distribution, distributionVersion } = world.versions;
  const pods = world.store.list('Pod').length;
  const node = talos === undefined ? undefined : [...talos.endpoints.keys()].at(-1);
  const speed = flags.speed === 'max' ? 'as fast as it can' : `at speed ${flags.speed}`;
  return [
    '',
    colours.bold(`A twin of ${name}: ${plural(world.nodes.size, 'node')}, ${plural(pods, 'pod')}`),
    colours.dim(
      `Kubernetes ${kubernetes} on ${distribution} ${distributionVersion}; ${speed}. Nothing real is touched.`,
    ),
    '',
    `Kubernetes  ${twin.url}`,
    ...(talos === undefined
      ? []
      : [`Talos       ${[...talos.endpoints.values()].slice(0, 3).join(' ')}`]),
    '',
    'In another terminal:',
    '',
    `  export KUBECONFIG=${kubeconfig}`,
    ...(talosconfig === undefined ? [] : [`  export TALOSCONFIG=${talosconfig}`]),
    '',
    '  kubectl get pods -A -o wide',
    `  kubectl drain ${[...world.nodes.keys()].at(-1) ?? '<node>'} --ignore-daemonsets --delete-emptydir-data`,
    node === undefined
      ? '  helm list -A'
      : `  talosctl -n ${world.nodes.get(node)?.address ?? node} ls /etc/cni/net.d`,
    '',
    '  regauge plan --live --target values.yaml --out plan',
    '  regauge migrate plan/plan.json',
    '',
    ...wrapText(
      'There is no RBAC: whoever has the kubeconfig may do everything. Ctrl-C ends it, and all of it is gone.',
      width,
    ),
    '',
  ].join('\n');
}

/** Until somebody ends it; meanwhile a terminal shows how far virtual time is. */
function untilStopped(
  { process: streams }: CliContext,
  { world }: Served,
  stopping: AbortController,
): Promise<void> {
  const isTerminal = streams.stderr.isTTY === true;
  const paint = (): void => {
    if (isTerminal) streams.stderr.write(`\r\u001B[K${showSeconds(world.kernel.now() / 1000)}`);
  };
  const timer = setInterval(paint, REPAINT_MS);
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return new Promise((done) => {
    stopping.signal.addEventListener('abort', () => {
      clearInterval(timer);
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
      if (isTerminal) streams.stderr.write('\n');
      done();
    });
  });
}
