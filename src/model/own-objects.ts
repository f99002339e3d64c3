/**
 * What regauge's own objects in a cluster are called, so that every part, and a later run, knows them.
 */
export const OWN_NAMESPACE = 'regauge-system';

export const OWN_NAMESPACE_ADDRESS = {
  apiVersion: 'v1',
  kind: 'Namespace',
  name: OWN_NAMESPACE,
} as const;

/** ConfigMaps that controllers put into every namespace. */
export const IN_EVERY_NAMESPACE: ReadonlySet<string> = new Set([
  'kube-root-ca.crt',
  'istio-ca-root-cert',
]);

/** Host networking and paths of the host need it under Pod Security admission. */
export const PRIVILEGED_NAMESPACE_LABELS: Readonly<Record<string, string>> = {
  'pod-security.kubernetes.io/enforce': 'privileged',
};

/** On every object that regauge makes: `app.kubernetes.io/managed-by: regauge`. */
export const OWN_LABELS: Readonly<Record<string, string>> = {
  'app.kubernetes.io/managed-by': 'regauge',
};

export const OWN_NAMESPACE_LABELS: Readonly<Record<string, string>> = {
  ...OWN_LABELS,
  ...PRIVILEGED_NAMESPACE_LABELS,
};

/** What an object is for: `host-access`. */
export const ROLE_LABEL = 'regauge.dev/role';

/** The run that made it: another run's object is a leftover, or somebody else's at work. */
export const RUN_LABEL = 'regauge.dev/run';

/** On the namespace, where whoever needed it for a while has made it: only they take it away. */
export const MADE_BY = 'regauge.dev/made-by';
