/** `regauge status`: how a migration stands, from the API alone: its record, and every node's network. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { readRecord, type RunRecord } from '../../engine/run/run-record.ts';
import { type NodeStatus, nodeStatuses, type StatusDocument } from '../../engine/run/status.ts';
import { plural } from '../../report/duration.ts';
import { type CliContext, wantsColour } from '../context.ts';
import type { StatusFlags } from '../flags.ts';
import { withCluster } from '../open-cluster.ts';
import { writeDocument } from '../output-format.ts';

export async function run(this: CliContext, flags: StatusFlags): Promise<void> {
  const document = await withCluster(this, flags, async (cluster): Promise<StatusDocument> => {
    const record = await readRecord(cluster);
    const nodes = await nodeStatuses(cluster, record);
    return {
      apiVersion: 'regauge.dev/v1',
      kind: 'Status',
      ...(record === undefined ? {} : { migration: migrationOf(record) }),
      nodes,
    };
  });
  if (flags.output !== 'text') {
    writeDocument(this, flags.output, document);
    return;
  }
  const colours = pico.createColors(wantsColour(this));
  this.process.stdout.write(`${statusText(document, colours)}\n`);
}

function migrationOf(record: RunRecord): NonNullable<StatusDocument['migration']> {
  const { planId, phase, startedAt, updatedAt, state, steps, done, total, holder, message } =
    record;
  return {
    planId,
    phase: phase ?? 'prepare',
    startedAt,
    ...(steps[0] === undefined ? {} : { step: steps[0] }),
    updatedAt,
    state,
    done,
    total,
    holder,
    ...(record.auditLog === undefined ? {} : { auditLog: record.auditLog }),
    ...(message === undefined ? {} : { message }),
  };
}

function statusText({ migration, nodes }: StatusDocument, colours: Colors): string {
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
          ...(migration.auditLog === undefined ? [] : [`Audit log: ${migration.auditLog}`]),
        ];
  const width = Math.max(4, ...nodes.map(({ name }) => name.length));
  return [
    ...head,
    '',
    colours.dim(`${'Node'.padEnd(width)}  Network  Pods old/new/host`),
    ...nodes.map((node) => nodeLine(node, width, colours)),
    '',
    plural(nodes.length, 'node'),
  ].join('\n');
}

function nodeLine(
  { name, owner, pods, ready, cordoned }: NodeStatus,
  width: number,
  colours: Colors,
): string {
  const marks = [
    ...(ready ? [] : [colours.red('not Ready')]),
    ...(cordoned === undefined ? [] : [`cordoned by ${cordoned}`]),
    ...(pods.stuck > 0 ? [colours.red(`${pods.stuck} stuck`)] : []),
  ];
  return `${name.padEnd(width)}  ${owner.padEnd(7)}  ${pods.old}/${pods.new}/${pods.host}  ${marks.join(', ')}`.trimEnd();
}
