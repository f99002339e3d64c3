/** The files a command works on: those that were given, and the cluster itself where it is asked for. */
import type { FilesRead } from '../../drivers/files/read-files.ts';
import type { CliContext } from '../context.ts';
import type { LiveFlags } from '../flags.ts';

/** Nothing without `--live`; then as a snapshot would hold it. */
export async function liveFiles(context: CliContext, flags: LiveFlags): Promise<FilesRead> {
  if (!flags.live) return { files: [], skipped: [] };
  // A bundle of its own: files alone need no client of the Kubernetes API.
  const { readLive } = await import('./live-cluster.ts');
  return readLive(context, flags);
}

export function together(given: FilesRead, live: FilesRead | undefined): FilesRead {
  if (live === undefined) return given;
  return { files: [...given.files, ...live.files], skipped: [...given.skipped, ...live.skipped] };
}
