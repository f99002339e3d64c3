/** An object of any kind with all that the API prints of it, typed as what every object shares. */
import type { KubeObject } from '../../model/kubernetes.ts';

export function objectOf(raw: KubeObject & Readonly<Record<string, unknown>>): KubeObject {
  return raw;
}
