import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // The same as esbuild's text loader in scripts/build.mjs.
      name: 'text-modules',
      load(id) {
        if (!/\.(md|yaml)$/.test(id)) return;
        return `export default ${JSON.stringify(readFileSync(id, 'utf8'))};`;
      },
    },
  ],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/real/**', 'node_modules/**'],
    isolate: false,
    pool: 'threads',
    testTimeout: 60_000,
  },
});
