/** YAML or JSON that stands as text inside an object: the configs in kube-system's ConfigMaps. */
import { parseYaml } from '../text/yaml-text.ts';

/** Text inside an object that another program wrote: what cannot be read there tells nothing. */
export function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return parseYaml({ file: '', text, placeOf: () => ({ line: 1, column: 1 }) })?.value;
  } catch {
    return undefined;
  }
}
