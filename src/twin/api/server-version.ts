/** The version that the twin's API server tells of itself. */
import type { ServerVersion } from '../../ports/index.ts';
import type { World } from '../world.ts';

export function serverVersion({ versions }: Pick<World, 'versions'>): ServerVersion {
  const [major = '', minor = ''] = versions.kubernetes.split('.');
  return { major, minor, gitVersion: `v${versions.kubernetes}` };
}
