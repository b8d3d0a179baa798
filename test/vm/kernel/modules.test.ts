import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CpioEntry } from '../../../src/vm/kernel/cpio.ts';
import { readModules } from '../../../src/vm/kernel/modules.ts';
import { folderOf, makeElf, makeModule, RELEASE } from './files.ts';

const HYPERV = {
  'kernel/drivers/hv/hv_vmbus.ko': makeModule(''),
  'kernel/drivers/net/hyperv/hv_netvsc.ko': makeModule('hv_vmbus'),
};

const taken = (files: Readonly<Record<string, string | Uint8Array>>): readonly CpioEntry[] => {
  const read = readModules(folderOf(files));
  if (!read.ok) throw new Error(read.error);
  expect(read.value.release).toBe(RELEASE);
  return read.value.entries;
};
const refused = (files: Readonly<Record<string, string | Uint8Array>>): string => {
  const read = readModules(folderOf(files));
  return read.ok ? '' : read.error.replace(/^\S*netvsim-kernel-\w+/, 'TREE');
};
const textOf = (entries: readonly CpioEntry[], path: string): string => {
  const entry = entries.find((one) => one.path === path);
  return entry?.kind === 'file' ? Buffer.from(entry.bytes).toString() : '';
};

test('the drivers that are wanted come with all that they need, however deep, and nothing else', () => {
  const entries = taken({
    ...HYPERV,
    'kernel/net/bonding/bonding.ko': makeModule('tls,crypto-x'),
    'kernel/net/tls/tls.ko': makeModule('crypto_x'),
    'kernel/crypto/crypto-x.ko': makeModule('crypto_y'),
    'kernel/crypto/crypto_y.ko': makeModule(''),
    'kernel/drivers/scsi/hv_storvsc.ko': makeModule('hv_vmbus'),
  });
  const root = `lib/modules/${RELEASE}`;
  expect(entries.filter(({ kind }) => kind === 'file').map(({ path }) => path.slice(root.length + 1))).toEqual([
    'kernel/crypto/crypto-x.ko',
    'kernel/crypto/crypto_y.ko',
    'kernel/drivers/hv/hv_vmbus.ko',
    'kernel/drivers/net/hyperv/hv_netvsc.ko',
    'kernel/net/bonding/bonding.ko',
    'kernel/net/tls/tls.ko',
    'modules.dep',
  ]);
  expect(textOf(entries, `${root}/modules.dep`)).toBe(`kernel/drivers/hv/hv_vmbus.ko:
kernel/drivers/net/hyperv/hv_netvsc.ko: kernel/drivers/hv/hv_vmbus.ko
kernel/crypto/crypto_y.ko:
kernel/crypto/crypto-x.ko: kernel/crypto/crypto_y.ko
kernel/net/tls/tls.ko: kernel/crypto/crypto-x.ko kernel/crypto/crypto_y.ko
kernel/net/bonding/bonding.ko: kernel/net/tls/tls.ko kernel/crypto/crypto-x.ko kernel/crypto/crypto_y.ko
`);
});

test('modules that need each other come to an end', () => {
  const ring = { 'a/team.ko': makeModule('veth'), 'a/veth.ko': makeModule('team') };
  expect(textOf(taken({ ...HYPERV, ...ring }), `lib/modules/${RELEASE}/modules.dep`)).toContain(
    'a/team.ko: a/veth.ko a/team.ko',
  );
});

test('what is built in is not looked for', () => {
  const entries = taken({
    'kernel/drivers/net/hyperv/hv_netvsc.ko': makeModule('hv_vmbus'),
    'modules.builtin': 'kernel/drivers/hv/hv_vmbus.ko\n',
  });
  expect(textOf(entries, `lib/modules/${RELEASE}/modules.dep`)).toBe('kernel/drivers/net/hyperv/hv_netvsc.ko:\n');
});

test('a tree without the drivers of Hyper-V is of a kernel without Hyper-V', () => {
  expect(refused({ 'kernel/net/veth.ko': makeModule('') })).toBe(
    'TREE: has no hv_vmbus: the kernel was built without CONFIG_HYPERV or CONFIG_HYPERV_NET',
  );
});

test('what cannot be used is said with its place', () => {
  const netvsc = 'kernel/drivers/net/hyperv/hv_netvsc.ko';
  expect(refused({ ...HYPERV, 'a/veth.ko': 'hello' })).toBe('TREE/a/veth.ko: is no ELF file');
  expect(refused({ ...HYPERV, 'a/veth.ko': makeElf({}) })).toMatch(/^TREE\/a\/veth\.ko: is no kernel module/);
  expect(refused({ ...HYPERV, 'a/veth.ko.xz': 'packed' })).toMatch(/^TREE\/a\/veth\.ko\.xz: is a packed module/);
  expect(refused({ ...HYPERV, 'a/bonding.ko': makeModule('tls') })).toBe('TREE: has no tls, which bonding needs');
  expect(refused({ ...HYPERV, [netvsc]: makeModule('hv_vmbus', '6.6.0') })).toBe(
    `TREE/${netvsc}: is of kernel 6.6.0, others there of ${RELEASE}`,
  );
  expect(refused({ ...HYPERV, 'a/veth.ko': makeElf({ modinfo: ['depends='] }) })).toMatch(/does not say which kernel/);
});

test('links to folders are not followed: what they lead to is no part of the tree, and may be a circle', () => {
  const tree = folderOf(HYPERV);
  const sources = folderOf({ 'drivers/hv/hv_vmbus.ko': 'no module' });
  symlinkSync(sources, join(tree, 'build'));
  for (const name of ['a', 'b', 'c']) symlinkSync('.', join(tree, name));
  const read = readModules(tree);
  expect(read.ok && read.value.entries.map(({ path }) => path).filter((path) => path.endsWith('.ko'))).toEqual(
    Object.keys(HYPERV).map((path) => `lib/modules/${RELEASE}/${path}`),
  );
});

test('a tree that is not there is said', () => {
  expect(readModules('/nonexistent/modules')).toEqual({
    ok: false,
    error: '/nonexistent/modules: cannot be read as a tree of kernel modules (ENOENT)',
  });
});
