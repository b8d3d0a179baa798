import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder, netvsim, netvsimWithoutPrivileges } from '../support/command.ts';

const GOOD = readFileSync(join(import.meta.dirname, '../../fixtures/scenarios/vf-seen-before-join.yaml'), 'utf8');
const changed = (from: string | RegExp, to: string): string => {
  expect(GOOD).toMatch(from);
  return GOOD.replace(from, to);
};

/** A folder with a good scenario, and what else a case needs. */
function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = emptyFolder();
  for (const [name, content] of Object.entries({ 'good.yaml': GOOD, ...files }))
    writeFileSync(join(folder, name), content);
  mkdirSync(join(folder, 'dir'));
  return folder;
}

/** Ends with 2 and says so in lines a person can use; writes nothing. */
function refuses(
  args: readonly string[],
  message: RegExp,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): void {
  const folder = folderWith(files);
  const before = readdirSync(folder, { recursive: true });
  const { exit, out, err } = netvsim(args, folder);
  expect(err).toMatch(message);
  expect(exit).toBe(2);
  expect(err).not.toMatch(/^ +at |netvsim bug/m);
  expect(out).toBe('');
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
}

describe('a scenario file that is none', () => {
  test.each([
    ['missing', 'none.yaml', undefined, /^none\.yaml: there is no such file$/m],
    ['a directory', 'dir', undefined, /^dir: is a directory$/m],
    ['empty', 'x.yaml', '', /^x\.yaml:1: is no scenario/],
    ['binary garbage', 'x.yaml', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), /^x\.yaml:1: is no text file$/m],
    ['not UTF-8', 'x.yaml', Uint8Array.from([0xff, 0xfe, 0x41]), /^x\.yaml:1: is no text file$/m],
    ['wrong YAML', 'x.yaml', 'name: [a\nabout: b\n', /^x\.yaml:2: is no YAML: /],
    ['a list', 'x.yaml', '- a\n', /^x\.yaml:1: is no scenario/],
  ])('%s', (_what, file, content, message) => {
    refuses(
      ['run', file, '--trace', 'out', '--junit', 'out.xml', '--record', 'order'],
      message,
      content === undefined ? {} : { [file]: content },
    );
  });

  test.each([
    ['unknown key', changed('user:', 'usr:'), /^x\.yaml:8: a scenario has no "usr"; nearest: user$/m],
    [
      'unknown step',
      changed('host plug vf', 'host plgu vf'),
      /^x\.yaml:12: no step reads "host plgu vf of nic1"; nearest: host plug vf of <nic>/m,
    ],
    [
      'impossible MAC',
      changed('00:0d:3a:12:34:56', '00:0d:3a:12:34'),
      /^x\.yaml:7: nics\.nic1\.mac: "00:0d:3a:12:34" is no MAC address/m,
    ],
    ['unknown guest', changed('user:', 'guest: linux-7\nuser:'), /^x\.yaml:8: no guest is called "linux-7"/m],
    ['unknown device', changed('vf: mlx5', 'vf: mlx9'), /^x\.yaml:7: no VF model is called "mlx9"; nearest: mlx5$/m],
    [
      'duplicate NIC',
      changed('user:', '  nic1: { mac: "00:0d:3a:12:34:57" }\nuser:'),
      /^x\.yaml:8: the same key stands twice/m,
    ],
    [
      'duplicate MAC',
      changed('user:', '  nic2: { mac: "00:0d:3a:12:34:56" }\nuser:'),
      /^x\.yaml:8: nic2 has the MAC of nic1$/m,
    ],
    ['empty value', changed(/^name: .*$/m, 'name:'), /^x\.yaml:1: name is empty$/m],
    ['no steps', changed(/steps: [\s\S]*always/, 'always'), /^x\.yaml:1: steps is missing$/m],
  ])('%s', (_what, text, message) => {
    refuses(['run', 'x.yaml'], message, { 'x.yaml': text });
  });

  test('several things at once', () => {
    const text = changed('vf: mlx5', 'vf: mlx9')
      .replace('[udev, manager]', '[udevd, manager]')
      .replace('plug vf', 'plgu vf');
    refuses(['run', 'x.yaml'], /x\.yaml:7: .*\nx\.yaml:8: .*\nx\.yaml:12: /, { 'x.yaml': text });
  });

  test.skipIf(process.platform === 'win32')('a pipe that nobody writes to, and a device, are not read', () => {
    const folder = folderWith({});
    expect(spawnSync('bash', ['-c', 'mkfifo pipe'], { cwd: folder }).status).toBe(0);
    for (const args of [
      ['run', 'pipe'],
      ['check', 'pipe'],
      ['trace', 'pipe'],
      ['run', 'good.yaml', '--schedule', 'pipe'],
    ])
      expect(netvsim(args, folder)).toMatchObject({ exit: 2, err: 'pipe: is a pipe, not a file\n' });
    expect(netvsim(['run', '/dev/zero'])).toMatchObject({ exit: 2, err: '/dev/zero: is a device, not a file\n' });
    expect(netvsim(['run', 'good.yaml', '--junit', 'pipe'], folder)).toMatchObject({
      exit: 2,
      err: 'cannot write pipe: is no file\n',
    });
    expect(lstatSync(join(folder, 'pipe')).isFIFO()).toBe(true);
  });

  test('unreadable', () => {
    const folder = folderWith({ 'x.yaml': GOOD });
    chmodSync(join(folder, 'x.yaml'), 0);
    expect(netvsimWithoutPrivileges(['run', 'x.yaml'], folder)).toMatchObject({
      exit: 2,
      err: 'x.yaml: permission denied\n',
    });
  });

  test('check says it of each file, and what is good too', () => {
    const folder = folderWith({ 'x.yaml': changed('vf: mlx5', 'vf: mlx9'), 'y.yaml': '' });
    const { exit, out, err } = netvsim(['check', 'x.yaml', 'good.yaml', 'y.yaml', 'none'], folder);
    expect(exit).toBe(2);
    expect(out).toBe('good.yaml: good (4 steps)\n');
    expect(err).toMatch(/^x\.yaml:7: .*\ny\.yaml:1: .*\nnone: there is no such file, .*\n$/);
  });
});

describe('a command line that is wrong', () => {
  test.each([
    ['no such command', ['rnu'], /unknown command 'rnu'\n.*Did you mean run/s],
    ['no such flag', ['run', 'good.yaml', '--gest', 'x'], /unknown option '--gest'\n.*Did you mean --guest/s],
    ['no file', ['run'], /missing required argument 'file'/],
    ['too many files', ['run', 'good.yaml', 'good.yaml'], /too many arguments/],
    [
      'no such guest',
      ['run', 'good.yaml', '--guest', 'linux-6.22'],
      /good\.yaml: --guest: no guest is called "linux-6\.22"; nearest: linux-6\.12/,
    ],
    ['an empty guest', ['run', 'good.yaml', '--guest', ''], /--guest: no guest is called ""/],
    ['no such transport', ['run', 'good.yaml', '--transport', 'byte'], /nearest: bytes/],
    ['no such level', ['run', 'good.yaml', '--log-level', 'loud'], /--log-level.*there is /],
    ['no schedule', ['run', 'good.yaml', '--schedule', 'none'], /^none: there is no such file$/m],
    [
      '/sys of a guest that has none',
      ['sysfs', 'vf-plug-join', '--guest', 'freebsd-14', '--at', 'ifnet.state:nic1.vf', '--out', 'tree'],
      /^vf-plug-join: freebsd-14 has no \/sys: only Linux has$/m,
    ],
    [
      'a schedule that is none',
      ['run', 'good.yaml', '--schedule', 'good.yaml'],
      /^good\.yaml: is no netvsim schedule$/m,
    ],
    [
      'an output where there is no folder',
      ['run', 'good.yaml', '--trace', 'none/x'],
      /^cannot write none\/x: none: there is no such file$/m,
    ],
    [
      'an output below a file',
      ['run', 'good.yaml', '--trace', 'good.yaml/x'],
      /^cannot write good\.yaml\/x: good\.yaml: is no directory$/m,
    ],
    ['an output onto a directory', ['run', 'good.yaml', '--junit', 'dir'], /^cannot write dir: is a directory$/m],
    ['an output onto its input', ['run', 'good.yaml', '--trace', './good.yaml'], /is what this command reads$/m],
    [
      'two outputs into one file',
      ['run', 'good.yaml', '--trace', 'x', '--junit', 'dir/../x'],
      /^--trace x: is what --junit writes$/m,
    ],
    [
      'a moment that is none',
      ['sysfs', 'good.yaml', '--at', 'uevent#0', '--out', 'x'],
      /is no moment such as uevent\.add/,
    ],
    ['an output without a name', ['run', 'good.yaml', '--junit', ''], /an empty text is no file name/],
    ['no such list', ['list', 'verb'], /no list is called "verb"; nearest: verbs/],
    ['check without a file', ['check'], /check needs a file/],
    ['no such drill', ['drill', 'firmware-updat'], /unknown command 'firmware-updat'\n.*Did you mean firmware-update/s],
    ['no such order', ['drill', 'firmware-update', '--order', 'suprise'], /nearest: surprise/],
    ['no such family', ['drill', 'firmware-update', '--vf', 'mlx9'], /nearest: mlx5/],
    ['no duration', ['drill', 'firmware-update', '--gap', '1 minute'], /is no span of time/],
    ['no NICs', ['drill', 'firmware-update', '--nics', '0'], /whole number from 1 to 64/],
    ['a negative budget', ['drill', 'firmware-update', '--max-loss=-1'], /whole number of 0 or more/],
    ['a trace that is none', ['trace', 'good.yaml'], /^good\.yaml: is no netvsim trace$/m],
    ['a trace that is a directory', ['trace', 'dir'], /^dir: is a directory$/m],
    ['trace without a file', ['trace'], /trace needs a file/],
    ['diff of one', ['trace', 'diff', 'good.yaml'], /missing required argument 'b'/],
    ['sysfs without a moment', ['sysfs', 'good.yaml', '--out', 'x'], /required option '--at <event>'/],
    [
      'sysfs at no event',
      ['sysfs', 'good.yaml', '--at', 'uevnt.add', '--out', 'x'],
      /--at: no event is called "uevnt"; nearest: uevent/,
    ],
    [
      'sysfs into a full folder',
      ['sysfs', 'good.yaml', '--at', 'uevent.add', '--out', '.'],
      /is there already, and not empty/,
    ],
    [
      'sysfs into a file',
      ['sysfs', 'good.yaml', '--at', 'uevent.add', '--out', 'good.yaml'],
      /good\.yaml: a part of the path is no directory/,
    ],
  ])('%s', (_what, args, message) => {
    refuses(args, message);
  });

  test('nothing at all shows the help', () => {
    const { exit, err } = netvsim([]);
    expect(exit).toBe(2);
    expect(err).toContain('Usage: netvsim');
  });
});
