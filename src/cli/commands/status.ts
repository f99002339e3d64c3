/** `regauge status`: how a migration stands: its record, and every node's network. Changes nothing. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { RegaugeError } from '../../base/errors.ts';
import { talosNodeHost } from '../../drivers/talos/node-host.ts';
import { readStatus } from '../../engine/run/status.ts';
import type { NodeStatus, StatusDocument } from '../../model/status.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import { plural } from '../../report/duration.ts';
import { type CliContext, wantsColour } from '../context.ts';
import type { StatusFlags } from '../flags.ts';
import { withCluster } from '../open-cluster.ts';
import { asksForTalos, openTalos } from '../open-talos.ts';
import { writeDocument } from '../output-format.ts';

export async function run(this: CliContext, flags: StatusFlags): Promise<void> {
  const document = await withCluster(this, flags, (cluster) => statusOf(this, flags, cluster));
  if (flags.output !== 'text') {
    writeDocument(this, flags.output, document);
    return;
  }
  const colours = pico.createColors(wantsColour(this));
  this.process.stdout.write(`${statusText(document, colours)}\n`);
}

async function statusOf(
  context: CliContext,
  flags: StatusFlags,
  kubernetes: KubernetesPort,
): Promise<StatusDocument> {
  const talos = talosOf(context, flags);
  try {
    return await readStatus(
      {
        kubernetes,
        ...(talos === undefined ? {} : { nodeHost: talosNodeHost(talos, undefined) }),
      },
      Date.now(),
    );
  } finally {
    talos?.close();
  }
}

/** Without a talosconfig, conf directories are not told; one that was named has to work. */
function talosOf(
  context: CliContext,
  flags: StatusFlags,
): ReturnType<typeof openTalos> | undefined {
  try {
    return openTalos(context, flags);
  } catch (error) {
    if (!(error instanceof RegaugeError) || asksForTalos(flags)) throw error;
    return undefined;
  }
}

function statusText(document: StatusDocument, colours: Colors): string {
  const { migration, nodes } = document;
  const head =
    migration === undefined
      ? ['No migration was begun on this cluster.']
      : [
          colours.bold(
            `${migration.planId}: ${migration.state}, ${migration.done} of ${migration.total} steps, ${migration.phase}`,
          ),
          `Begun ${migration.startedAt}; last heard of ${migration.updatedAt} from ${migration.holder}`,
          ...(migration.step === undefined ? [] : [`At ${migration.step}`]),
          ...(migration.message === undefined ? [] : [colours.yellow(migration.message)]),
          ...(migration.joined === undefined
            ? []
            : [`Joined meanwhile, and moved with the others: ${migration.joined.join(', ')}`]),
          ...(migration.auditLog === undefined ? [] : [`Audit log: ${migration.auditLog}`]),
        ];
  const width = Math.max(4, ...nodes.map(({ name }) => name.length));
  return [
    ...head,
    '',
    colours.dim(`${'Node'.padEnd(width)}  Network  Pods old/new/host  New pods get`),
    ...nodes.map((node) => nodeLine(node, width, colours)),
    '',
    plural(nodes.length, 'node'),
    ...surroundingsText(document, colours),
  ].join('\n');
}

function surroundingsText(
  { probes, volumes, events }: StatusDocument,
  colours: Colors,
): readonly string[] {
  return [
    '',
    probes === null
      ? 'Probes: not read'
      : probes.agents === 0
        ? 'Probes: none run now'
        : `Probes: ${probes.ready} of ${plural(probes.agents, 'agent')} ready`,
    ...volumesText(volumes, colours),
    ...(events === null
      ? ['Warnings: not read']
      : events.length === 0
        ? ['Warnings: none in the last 15 minutes']
        : [
            'Warnings of the last 15 minutes:',
            ...events.map(
              ({ reason, count, subject, message }) =>
                `  ${colours.yellow(reason)} (${count}): ${subject}: ${message}`,
            ),
          ]),
  ];
}

function volumesText(volumes: StatusDocument['volumes'], colours: Colors): readonly string[] {
  if (volumes === null) return ['Volumes: not read'];
  const { attached, waiting, unhealthy } = volumes;
  return [
    `Volumes: ${attached} attached, ${waiting.length} waiting, ${unhealthy.length} not healthy`,
    ...waiting.map(({ name, node, message = 'not attached yet' }) =>
      colours.yellow(`  ${name} on ${node}: ${message}`),
    ),
    ...unhealthy.map(({ name, robustness }) => colours.red(`  ${name}: ${robustness}`)),
  ];
}

function nodeLine(node: NodeStatus, width: number, colours: Colors): string {
  const { name, owner, pods, ready, cordoned, activeConf, confs } = node;
  const marks = [
    ...(ready ? [] : [colours.red('not Ready')]),
    ...(cordoned === undefined ? [] : [`cordoned by ${cordoned}`]),
    ...(pods.stuck > 0 ? [colours.red(`${pods.stuck} stuck`)] : []),
  ];
  const counts = `${pods.old}/${pods.new}/${pods.host}`.padEnd('Pods old/new/host'.length);
  const conf = activeConf ?? (confs === null ? 'not read' : 'nothing');
  return `${name.padEnd(width)}  ${owner.padEnd(7)}  ${counts}  ${conf.padEnd(22)}  ${marks.join(', ')}`.trimEnd();
}
