/** The calls of a Kubernetes port that a small fake leaves out: each fails, and says which it is. */
import type { KubernetesPort } from '../../src/ports/index.ts';

type Unused = Pick<
  KubernetesPort,
  | 'pages'
  | 'watch'
  | 'version'
  | 'authenticationFailures'
  | 'resources'
  | 'create'
  | 'replace'
  | 'exec'
  | 'logs'
>;

export function unusedKubernetes(): Unused {
  return {
    pages: () => fail('pages'),
    watch: () => fail('watch'),
    version: () => fail('version'),
    authenticationFailures: () => fail('authenticationFailures'),
    resources: () => fail('resources'),
    create: () => fail('create'),
    replace: () => fail('replace'),
    exec: () => fail('exec'),
    logs: () => fail('logs'),
  };
}

function fail(call: string): never {
  throw new Error(`this fake has no ${call}`);
}
