/** A live cluster as the files a snapshot of it would be; nothing is written. */
import type { FilesRead, TextFile } from '../../drivers/files/read-files.ts';
import type { SnapshotSink } from '../../engine/snapshot/request.ts';
import { takeSnapshot } from '../../engine/snapshot/take-snapshot.ts';
import type { CliContext } from '../context.ts';
import type { LiveFlags } from '../flags.ts';
import { withCluster } from '../open-cluster.ts';
import { withNodes } from '../snapshot/snapshot-nodes.ts';

export function readLive(context: CliContext, flags: LiveFlags): Promise<FilesRead> {
  return withCluster(context, flags, async (cluster, signal) => {
    const { context: name, server } = cluster.describe;
    context.process.stderr.write(`Reading ${name} (${server})\n`);
    const files = new Map<string, TextFile>();
    const { notRead } = await withNodes(context, flags, cluster, (nodes) =>
      takeSnapshot({
        kubernetes: cluster,
        sink: memorySink(name, files),
        takenAt: new Date().toISOString(),
        server,
        nodes,
        signal,
      }),
    );
    return {
      files: [...files.values()].toSorted((left, right) => (left.path < right.path ? -1 : 1)),
      skipped: notRead.map(({ what, why, command }) => ({
        path: `${name}: ${what}`,
        reason: `${why} (${command})`,
      })),
    };
  });
}

function memorySink(cluster: string, files: Map<string, TextFile>): SnapshotSink {
  return {
    begin: (name) => {
      const pieces: Uint8Array[] = [];
      return Promise.resolve({
        write: (text) => {
          pieces.push(Uint8Array.from(text));
          return Promise.resolve();
        },
        finish: () => {
          files.set(name, {
            path: `${cluster}/${name}`,
            text: Buffer.concat(pieces).toString('utf8'),
            named: false,
          });
          return Promise.resolve();
        },
        abandon: () => Promise.resolve(),
      });
    },
    discard: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
    manifest: () => Promise.resolve(),
  };
}
