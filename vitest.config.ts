import { configDefaults, defineConfig } from 'vitest/config';

/** What runs anywhere: no root, no network, no programs besides node. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/real/**', 'test/bench/**'],
    coverage: { include: ['src/**', 'devices/**'] },
  },
});
