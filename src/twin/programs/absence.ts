/**
 * Why a file that a plugin looks for is not there. The process that should have made it ended: that is
 * then the reason, rather than the boot that emptied the directory long before.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { ProcessHost, TwinNode } from '../world.ts';

/** Leaves the file absent, with the causes that hold now as its reason. */
export function blameAbsence({ files }: TwinNode, path: string): void {
  if (files.exists(path)) return;
  files.write(path, '');
  files.remove(path);
}

/** As `blameAbsence`, with these causes and those the absence had. */
export function addBlame(
  host: { readonly world: ProcessHost['world']; readonly node: TwinNode },
  path: string,
  cause: OccurrenceId,
): void {
  const before = host.node.files.causesOf(path).filter((id) => id !== cause);
  host.world.kernel.because([cause, ...before], () => blameAbsence(host.node, path));
}
