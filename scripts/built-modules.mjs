/**
 * Modules named `*.built.ts` are run by the build: each of their functions takes nothing and returns
 * plain data, and what is built reads the data from a file. Tests run the functions themselves.
 */
import { createRequire } from 'node:module';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);

/** What the module's functions return, as JSON in ASCII, by function. */
export async function builtData(path, plugins) {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    format: 'cjs',
    platform: 'node',
    write: false,
    plugins,
  });
  const module = { exports: {} };
  new Function('module', 'exports', 'require', outputFiles[0].text)(
    module,
    module.exports,
    require,
  );
  return new Map(
    Object.entries(module.exports).map(([name, make]) => [name, toAscii(JSON.stringify(make()))]),
  );
}

/** What is built is read as Latin 1, which is read fastest. */
export function toAscii(text) {
  return text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
