/** What an import of a page (.md) or of a scenario (.yaml) is: the one rule for build and tests. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** JavaScript of the module, or undefined for any other file. */
export function bundledModule(path) {
  if (path.endsWith('.md')) return `export default ${JSON.stringify(readFileSync(path, 'utf8'))};`;
  if (path.endsWith('.yaml'))
    return `export default ${JSON.stringify(parse(readFileSync(path, 'utf8')))};`;
  return undefined;
}
