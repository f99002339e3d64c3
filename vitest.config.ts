import { defineConfig } from 'vitest/config';
import { bundledModule } from './scripts/bundled-files.mjs';

export default defineConfig({
  plugins: [{ name: 'bundled-files', load: (id) => bundledModule(id) }],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/real/**', 'node_modules/**'],
    isolate: false,
    pool: 'threads',
    testTimeout: 300_000,
  },
});
