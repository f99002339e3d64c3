/** Where regauge keeps what is of this machine: the user's state directory (XDG base directories). */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Plan } from '../../model/plan.ts';
import type { CliContext } from '../context.ts';

/** `~/.local/state/regauge/<cluster>/<plan>`. */
export function stateDirectory({ process }: CliContext, { cluster, id }: Plan): string {
  const { XDG_STATE_HOME: state, HOME: home } = process.env;
  // As the specification wants it: a path that is not absolute does not count.
  const base =
    state !== undefined && isAbsolute(state) ? state : join(home ?? homedir(), '.local', 'state');
  return join(
    base,
    'regauge',
    fileName(cluster.uid === 'unknown' ? cluster.name : cluster.uid),
    id,
  );
}

/** Names come from a cluster, and none leads out of the directory. */
export function fileName(text: string): string {
  const safe = text.replaceAll(/[^\w.-]+/g, '_').replace(/^\.+/, '_');
  return safe === '' ? '_' : safe.slice(0, 200);
}
