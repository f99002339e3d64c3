/** What an import of a page (.md), of a scenario (.yaml) or of a program for other machines (.script) is: the one rule for build and tests. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { parse } from 'yaml';

/** JavaScript of the module, or undefined for any other file. */
export function bundledModule(path) {
  if (path.endsWith('.md')) return `export default ${JSON.stringify(readFileSync(path, 'utf8'))};`;
  if (path.endsWith('.yaml'))
    return `export default ${JSON.stringify(parse(readFileSync(path, 'utf8')))};`;
  if (path.endsWith('.script')) return `export default ${JSON.stringify(bundledProgram(path))};`;
  return undefined;
}

/** The file names the program's first module, beside it; the text is the whole program in one. */
export function bundledProgram(path) {
  const { outputFiles } = buildSync({
    entryPoints: [join(dirname(path), readFileSync(path, 'utf8').trim())],
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    charset: 'ascii',
    logLevel: 'error',
  });
  return outputFiles[0].text;
}
