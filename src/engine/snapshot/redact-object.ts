/** An API object as a snapshot keeps it: without secrets, and without what no rule reads. */
import { REDACTED, redactData } from '../../base/redaction.ts';
import type { KubeObject } from '../../model/kubernetes.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Values that rules and twins read; every other environment value goes. */
const READ_VARIABLES =
  /^(IP|IP6|IP_AUTODETECTION_METHOD|CALICO_\w+|FLANNELD_\w+|FELIX_\w*MTU|CNI_\w+|BIN_PATH|KUBERNETES_SERVICE_(HOST|PORT)|CILIUM_K8S_NAMESPACE)$/;

export function redactObject(object: KubeObject): KubeObject {
  const { metadata, ...body } = object;
  const {
    managedFields: _managedFields,
    annotations,
    ...rest
  } = metadata as typeof metadata & {
    readonly managedFields?: unknown; // as the API writes it; the model leaves it out
  };
  const kept = annotations === undefined ? {} : { annotations: withoutLastApplied(annotations) };
  const data = redactData(withoutVariables(body));
  return { ...(data as Omit<KubeObject, 'metadata'>), metadata: { ...rest, ...kept } }; // same keys
}

function withoutLastApplied(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const { [LAST_APPLIED]: _gone, ...rest } = annotations;
  return redactData(rest) as Record<string, string>; // strings stay strings
}

/** `env` of containers wherever they stand: pods, templates, jobs. */
function withoutVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVariables);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      key === 'env' && Array.isArray(child) ? child.map(variable) : withoutVariables(child),
    ]),
  );
}

function variable(entry: unknown): unknown {
  if (entry === null || typeof entry !== 'object' || !('value' in entry)) return entry;
  const name = 'name' in entry && typeof entry.name === 'string' ? entry.name : '';
  return READ_VARIABLES.test(name) ? redactData(entry) : { ...entry, value: REDACTED };
}
