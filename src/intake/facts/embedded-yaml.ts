/** YAML or JSON that stands as text inside an object: the configs in kube-system's ConfigMaps. */
import { parseYaml } from '../text/yaml-text.ts';

/** Text inside an object that another program wrote: what cannot be read there tells nothing. */
export function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  return parsedJson(text) ?? parsedYaml(text);
}

/** Flannel's config and most others are JSON, which takes a fraction of the time to read. */
function parsedJson(text: string): unknown {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parsedYaml(text: string): unknown {
  try {
    return parseYaml({ file: '', text, placeOf: () => ({ line: 1, column: 1 }) })?.value;
  } catch {
    return undefined;
  }
}
