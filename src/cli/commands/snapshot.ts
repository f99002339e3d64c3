/** `regauge snapshot`: a cluster as files, redacted, with a manifest of what could not be read. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import type { SnapshotProgress } from '../../engine/snapshot/request.ts';
import { takeSnapshot } from '../../engine/snapshot/take-snapshot.ts';
import type { SnapshotManifest } from '../../model/snapshot.ts';
import { plural } from '../../report/duration.ts';
import { type CliContext, textWidth, wantsColour } from '../context.ts';
import type { SnapshotFlags } from '../flags.ts';
import { withCluster } from '../open-cluster.ts';
import { writeDocument } from '../output-format.ts';
import { earlierSnapshot, snapshotDirectory } from '../snapshot/snapshot-directory.ts';
import { withNodes } from '../snapshot/snapshot-nodes.ts';
import { packSnapshot } from '../snapshot/snapshot-tar.ts';
import { wrapText } from '../terminal/wrap-text.ts';

export async function run(this: CliContext, flags: SnapshotFlags): Promise<void> {
  const colours = pico.createColors(wantsColour(this));
  const earlier = earlierSnapshot(flags.out);
  const manifest = await withCluster(this, flags, (cluster, signal) => {
    this.process.stderr.write(`Reading ${cluster.describe.context} (${cluster.describe.server})\n`);
    return withNodes(this, flags, cluster, (nodes) =>
      takeSnapshot({
        kubernetes: cluster,
        sink: snapshotDirectory(flags.out),
        takenAt: new Date().toISOString(),
        server: cluster.describe.server,
        nodes,
        ...(earlier === undefined ? {} : { earlier }),
        onProgress: progressOn(this, colours),
        signal,
      }),
    );
  });
  const path = flags.asTar ? await packSnapshot(flags.out) : flags.out;
  if (flags.output !== 'text') writeDocument(this, flags.output, manifest);
  else this.process.stdout.write(summary(manifest, path, textWidth(this), colours));
}

/** Pages on a terminal, on one line; kinds as they end, elsewhere. */
function progressOn(
  { process }: CliContext,
  colours: Colors,
): (progress: SnapshotProgress) => void {
  const isTerminal = process.stderr.isTTY === true;
  return ({ kind, objects, state }) => {
    if (state === 'reading' && !isTerminal) return;
    const words = {
      reading: 'reading',
      done: 'read',
      kept: 'kept from before',
      failed: 'not read',
    };
    const line = `${kind}: ${objects} ${words[state]}`;
    const shown = state === 'failed' ? colours.yellow(line) : line;
    process.stderr.write(
      isTerminal ? `\r\u001B[K${shown}${state === 'reading' ? '' : '\n'}` : `${shown}\n`,
    );
  };
}

function summary(
  { cluster, files, nodes = [], helm = [], notRead }: SnapshotManifest,
  path: string,
  width: number,
  colours: Colors,
): string {
  const objects = files.reduce((sum, file) => sum + file.objects, 0);
  const gaps = notRead.flatMap(({ what, why, command }) =>
    wrapText(`${what}: ${why}. To read it: ${command}`, width - 4).map(
      (line, index) => `  ${index === 0 ? '-' : ' '} ${line}`,
    ),
  );
  const machines = nodes.filter((node) => node.files.length > 0);
  const held = machines.reduce((sum, node) => sum + node.files.length, 0);
  const ofNodes =
    machines.length === 0
      ? 'no files of nodes'
      : `${plural(held, 'file')} of ${plural(machines.length, 'node')}`;
  const releases = helm.length === 0 ? '' : `, ${plural(helm.length, 'Helm release')}`;
  const lines = [
    '',
    `${colours.bold(path)}: ${plural(objects, 'object')} of Kubernetes ${cluster.kubernetes}, ${ofNodes}${releases}`,
    ...(gaps.length === 0 ? [] : ['', colours.bold('Not read'), ...gaps]),
    '',
    ...wrapText(`Next: regauge check ${path}, then regauge rehearse ${path}`, width),
    '',
  ];
  return lines.join('\n');
}
