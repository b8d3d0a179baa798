import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What runs anywhere: no root, no network, no programs besides node. */
export default defineConfig({
  resolve: {
    // The example drivers name the package as their readers will.
    alias: [
      { find: /^netvsim$/, replacement: path('src/index.ts') },
      { find: 'netvsim/devices', replacement: path('devices/index.ts') },
      { find: 'netvsim/vitest', replacement: path('src/vitest.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'fixtures/drivers/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/real/**', 'test/bench/**'],
    // Every core: without it vitest leaves one to itself, and of two that is half.
    maxWorkers: '100%',
    // No test is about how fast it is: the limit only ends one that hangs, on the slowest machine.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    coverage: { include: ['src/**', 'devices/**'] },
  },
});
