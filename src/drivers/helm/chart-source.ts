/**
 * Where the chart comes from, as Helm's arguments: a repository, a reference, or a folder or archive
 * on this machine, which may be of another version than the one asked for.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { RegaugeError } from '../../base/errors.ts';
import { isSecretKey } from '../../base/redaction.ts';

/** Has every release; the registry at quay.io has the later ones only. */
const DEFAULT_CHART = 'https://helm.cilium.io/';

export interface ChartSource {
  readonly args: readonly string[];
  /** No version can be asked for there (a file, a digest): whether it is the right one is to be seen. */
  readonly unversioned?: string;
}

export function chartSource(
  setting: string | undefined,
  chart: string,
  version: string,
): ChartSource {
  const source = (setting ?? DEFAULT_CHART).replaceAll('{version}', version);
  if (/^[a-z]+:\/\//.test(source)) return remote(source, chart, version);
  const local = path.resolve(source);
  if (existsSync(local)) return { args: [local], unversioned: local };
  // As Helm: what does not begin like a path may be a chart of one of the user's repositories.
  if (/^[\w-]+\/[\w-]+$/.test(source)) return { args: [source, '--version', version] };
  throw new RegaugeError('bad-input', `the chart ${source} does not exist`, { hint: HINT });
}

const HINT =
  'Name it with --chart: a repository (https://…), a reference (oci://… or repository/cilium), or a folder or archive of this machine; {version} stands for the version.';

function remote(source: string, chart: string, version: string): ChartSource {
  const url = parsed(source);
  if (holdsCredentials(url)) {
    throw new RegaugeError(
      'bad-input',
      `the address of the chart at ${url.host} holds credentials`,
      {
        hint: 'Others on this machine could read them. Log in with helm registry login or helm repo add --username, and name the chart as repository/cilium.',
      },
    );
  }
  const isOne =
    url.protocol === 'oci:' ? source.includes('@sha256:') : url.pathname.endsWith('.tgz');
  if (isOne) return { args: [source], unversioned: source };
  if (url.protocol === 'oci:') return { args: [source, '--version', version] };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new RegaugeError('bad-input', `no chart can be had from ${source}`, { hint: HINT });
  }
  return { args: [chart, '--repo', source, '--version', version] };
}

function holdsCredentials({ username, password, searchParams }: URL): boolean {
  const keys = [...searchParams.keys()];
  return (
    username !== '' ||
    password !== '' ||
    keys.some((key) => isSecretKey(key) || /sig(nature)?$/i.test(key))
  );
}

function parsed(source: string): URL {
  try {
    return new URL(source);
  } catch {
    throw new RegaugeError('bad-input', `no chart can be had from ${source}`, { hint: HINT });
  }
}
