import { defineConfig } from 'vitest/config';
import real from './vitest.real.config.ts';

/** The part of the tests with real programs that ends within minutes: for every change, where the whole is for some. */
const include = ['udev', 'cloud-init', 'scenario', 'real-machine', 'boot-scenario', 'determinism', 'compare'].map(
  (name) => `test/real/${name}.test.ts`,
);

export default defineConfig({ test: { ...real.test, include } });
