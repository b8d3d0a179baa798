import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { kernelFolder } from '../../src/vm/kernel/cache.ts';
import { emptyFolder, netvsim } from '../support/command.ts';
import { firmware, INTO_NOWHERE } from '../support/firmware.ts';
import { madeUpKernel } from '../support/installed.ts';
import { folderOf, makeBzImage, makeElf, makeModule, RELEASE } from '../vm/kernel/files.ts';

/** It says one line and ends with 2, and nothing is booted. */
function refuses(args: readonly string[], message: RegExp): void {
  const { exit, out, err } = netvsim(['boot', ...args]);
  expect(err).toMatch(message);
  expect([exit, out, err.trim().split('\n')]).toEqual([2, '', [expect.any(String)]]);
}

test('a guest with which the emulator gives up, while it boots, ends it with 1 and one line', async () => {
  const cache = await madeUpKernel({ 'usr/share/seabios/bios.bin': firmware(INTO_NOWHERE) });
  for (const args of [['--bare'], ['--cold'], ['--scenario', 'vf-plug-join']]) {
    const { exit, out, err } = netvsim(['boot', '--cache', cache, ...args]);
    expect([exit, out, err.trim()]).toEqual([
      1,
      '',
      expect.stringMatching(/^the emulated processor cannot go on: .*$/),
    ]);
  }
});

/** Linux, arch/x86/include/uapi/asm/bootparam.h. */
const XLF_KERNEL_64 = 1;

test('without a kernel it says how to get one', () => {
  const cache = emptyFolder();
  refuses(['--cache', cache], /^no kernel is installed in \S+: run 'netvsim kernel install'$/m);
  refuses(['--cache', ''], /^--cache: an empty text is no directory name$/m);
});

test('a damaged installation is not booted', async () => {
  const cache = await madeUpKernel();
  writeFileSync(join(kernelFolder(cache), 'vmlinuz'), makeBzImage({ payload: Buffer.from('!') }));
  refuses(
    ['--cache', cache],
    /vmlinuz: is damaged, its SHA-256 is not that of the manifest: run 'netvsim kernel install'$/m,
  );
  writeFileSync(join(kernelFolder(cache), 'manifest.json'), '{');
  refuses(['--cache', cache], /manifest\.json: is damaged, it is no JSON: run 'netvsim kernel install'$/m);
});

test("a kernel of the user's that cannot run here is refused", async () => {
  const cache = await madeUpKernel();
  const kernel = (name: string, bytes: Uint8Array): readonly string[] => {
    const file = join(cache, name);
    writeFileSync(file, bytes);
    return ['--cache', cache, '--kernel', file];
  };
  refuses(['--cache', cache, '--kernel', join(cache, 'none')], /none: there is no such file$/m);
  refuses(['--cache', cache, '--kernel', cache], /: cannot be read \(EISDIR\)$/m);
  refuses(kernel('text', Buffer.from('hello')), /text: is no bzImage$/m);
  refuses(kernel('amd64', makeBzImage({ xloadFlags: XLF_KERNEL_64 })), /amd64: is a 64-bit kernel .*has 32 bits$/m);
  const plain = gzipSync(makeElf({}));
  const initrd = join(cache, 'initrd');
  writeFileSync(initrd, 'x');
  refuses(
    [...kernel('bare', makeBzImage({ payload: plain })), '--initrd', initrd],
    /bare: is a kernel without Hyper-V \(CONFIG_HYPERV\)$/m,
  );
  refuses(kernel('other', makeBzImage({ release: '6.1.99' })), /other: is 6\.1\.99: give its modules as well/m);
});

test('modules that do not fit are refused', async () => {
  const cache = await madeUpKernel();
  const drivers = 'kernel/drivers';
  const others = folderOf({
    [`${drivers}/hv/hv_vmbus.ko`]: makeModule('', '6.1.99'),
    [`${drivers}/net/hyperv/hv_netvsc.ko`]: makeModule('hv_vmbus', '6.1.99'),
  });
  refuses(['--cache', cache, '--modules', others], new RegExp(`has modules of 6\\.1\\.99, and .* is ${RELEASE}$`, 'm'));
  refuses(['--cache', cache, '--modules', folderOf({ a: 'b' })], /has no hv_vmbus: the kernel was built without/m);
  refuses(['--cache', cache, '--modules', join(cache, 'none')], /cannot be read as a tree of kernel modules/m);
  refuses(['--cache', cache, '--modules', others, '--initrd', others], /^modules and an initrd are given: /m);
});

test('a snapshot that is none is refused', async () => {
  const cache = await madeUpKernel();
  const file = join(cache, 'text');
  writeFileSync(file, 'hello');
  refuses(['--cache', cache, '--snapshot', file], /text: the snapshot is damaged: it does not begin as one$/m);
  refuses(['--cache', cache, '--snapshot', join(cache, 'none')], /none: there is no such file$/m);
});

test('a scenario for its NICs is read before anything is booted', async () => {
  const cache = await madeUpKernel();
  const file = join(cache, 'my.yaml');
  writeFileSync(file, 'name: x\n');
  expect(netvsim(['boot', '--cache', cache, '--nics', file])).toMatchObject({
    exit: 2,
    out: '',
    err: expect.stringMatching(/my\.yaml:1: nics is missing\n/),
  });
  refuses(
    ['--cache', cache, '--nics', 'vf-plug-jion'],
    /vf-plug-jion: there is no such file, and no such scenario is shipped; nearest: vf-plug-join$/m,
  );
});

test('flags that are out of range or at odds are refused', () => {
  const wrong = (...args: readonly string[]): string => {
    const { exit, out, err } = netvsim(['boot', ...args]);
    expect([exit, out]).toEqual([2, '']);
    return err;
  };
  expect(wrong('--memory', '64')).toContain('It must be a whole number from 128 to 1024.');
  expect(wrong('--for', 'soon')).toContain('"soon" is no span of time');
  expect(wrong('--json')).toContain('--json is for a --scenario');
  expect(wrong('vf-plug-join')).toContain('too many arguments');
  const of = (...args: readonly string[]): string => wrong('--scenario', 'vf-plug-join', ...args);
  expect(wrong('--explore')).toContain('--explore is for a --scenario');
  expect(of('--strikes', '9')).toContain('--strikes is for --explore');
  expect(of('--explore', '--trace', 'x')).toContain('--trace is for a run, and not for --explore');
  expect(of('--explore', '--verbose')).toContain('--verbose is for a run, and not for --explore');
  expect(of('--strike', 'line 9 instruction 1', '--junit', 'x')).toContain(
    '--junit is for a run, and not for --strike',
  );
  expect(of('--strike', 'line 9 instruction 1', '--cold')).toContain('--cold is for a run, and not for --strike');
});
