import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { configHasHyperV, hasHyperV } from '../../../src/vm/kernel/payload.ts';
import { makeElf } from './files.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const kernelWith = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  gzipSync(Buffer.concat([makeElf({}), ...parts.map((part) => Buffer.from(part))]));
const configured = (config: string): Buffer =>
  kernelWith('IKCFG_ST', gzipSync(config), 'IKCFG_ED', 'x86/hyperv_init:online');

describe('whether a kernel has Hyper-V', () => {
  test('its own configuration says it', () => {
    expect(hasHyperV(configured('CONFIG_PCI=y\nCONFIG_HYPERV=m\n'))).toEqual({ ok: true, value: true });
    expect(hasHyperV(configured('CONFIG_PCI=y\n# CONFIG_HYPERV is not set\n'))).toEqual({ ok: true, value: false });
  });

  test('without a configuration a text of the Hyper-V part does; the name of the hypervisor is in every guest', () => {
    expect(hasHyperV(kernelWith('Microsoft Hyper-V\0x86/hyperv_init:online\0'))).toEqual({ ok: true, value: true });
    expect(hasHyperV(kernelWith('Microsoft Hyper-V\0'))).toEqual({ ok: true, value: false });
  });

  test('a configuration that is not whole says nothing', () => {
    expect(hasHyperV(kernelWith('IKCFG_ST', 'no gzip', 'IKCFG_ED'))).toEqual({ ok: true, value: false });
  });
});

test.each([
  ['64 bits', gzipSync(makeElf({ bits: 64 })), /^is a 64-bit kernel \(its payload/],
  ['something else', gzipSync('hello'), /^has no kernel in its payload$/],
  ['a broken gzip', Buffer.from([0x1f, 0x8b, 1, 2, 3]), /^has a payload that cannot be unpacked$/],
  ['an unknown compression', Buffer.from('hello'), /^has a payload in no known compression$/],
  ['nothing', Buffer.alloc(0), /^has a payload in no known compression$/],
])('a payload with %s is refused', (_, payload, error) => {
  const checked = hasHyperV(payload);
  expect(checked.ok ? '' : checked.error).toMatch(error);
});

test('a compression that no program here undoes is named with its program', () => {
  vi.stubEnv('PATH', '/nonexistent');
  const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
  expect(hasHyperV(zstd)).toEqual({ ok: false, error: 'is packed with zstd, a program that is not on this machine' });
});

test('of a configuration only the option itself counts', () => {
  expect(configHasHyperV('CONFIG_HYPERV=y\n')).toBe(true);
  expect(configHasHyperV('CONFIG_HYPERV_NET=m\n# CONFIG_HYPERV is not set\n')).toBe(false);
});
