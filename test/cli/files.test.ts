import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shippedScenarios, version } from '../../src/cli/package-files.ts';
import { readBytes, readText } from '../../src/cli/read-file.ts';
import { reproduction } from '../../src/cli/reproduction.ts';
import { checkFreeDirectory, checkOutputs, checkWritable, writeFile, writeTree } from '../../src/cli/write-file.ts';
import { emptyFolder } from '../support/command.ts';

describe('reading', () => {
  test('what is no file, or no text, is said with its name', () => {
    const folder = emptyFolder();
    const binary = join(folder, 'binary');
    writeFileSync(binary, Uint8Array.from([0x0a, 0x0a, 0, 1]));
    const latin = join(folder, 'latin');
    writeFileSync(latin, Uint8Array.from([0xe4, 0x0a]));
    expect(() => readText(folder)).toThrow(`${folder}: is a directory`);
    expect(() => readText(join(folder, 'none'))).toThrow('none: there is no such file');
    expect(() => readText(binary)).toThrow(`${binary}:3: is no text file`);
    expect(() => readText(latin)).toThrow(`${latin}:1: is no text file`);
    expect(() => readBytes('')).toThrow('an empty text is no file name');
    expect([...readBytes(latin)]).toEqual([0xe4, 0x0a]);
  });
});

describe('writing', () => {
  test('a file is whole, and nothing else is left', () => {
    const folder = emptyFolder();
    writeFile(join(folder, 'a'), 'one');
    writeFile(join(folder, 'a'), 'two');
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  test('a link stays a link: what it leads to is written', () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'real'), 'one');
    symlinkSync('real', join(folder, 'link'));
    writeFile(join(folder, 'link'), 'two');
    expect([readlinkSync(join(folder, 'link')), readFileSync(join(folder, 'real'), 'utf8')]).toEqual(['real', 'two']);
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
    expect(() => checkOutputs({ '--trace': join(folder, 'link') }, [join(folder, 'real')])).toThrow('command reads');
  });

  test('where nothing can be written nothing is left', () => {
    const folder = emptyFolder();
    mkdirSync(join(folder, 'full'));
    writeFileSync(join(folder, 'full', 'x'), '');
    expect(() => writeFile(join(folder, 'full'), 'one')).toThrow(/^cannot write .*full: is a directory$/);
    expect(readdirSync(folder)).toEqual(['full']);
    expect(() => checkWritable(join(folder, 'none', 'a'))).toThrow('there is no such file');
    expect(() => checkWritable('')).toThrow('an empty text is no file name');
  });

  test('a tree of files, links and directories, into an empty directory or a new one', () => {
    const folder = emptyFolder();
    const nodes = [
      { path: '/class/net/eth0', kind: 'link', target: '../../devices/eth0' },
      { path: '/devices/eth0/flags', kind: 'file', text: '0x1003\n' },
      { path: '/bus/pci', kind: 'directory' },
    ] as const;
    mkdirSync(join(folder, 'empty'));
    for (const name of ['empty', 'new']) {
      checkFreeDirectory(join(folder, name));
      writeTree(join(folder, name), nodes);
      expect(readlinkSync(join(folder, name, 'class/net/eth0'))).toBe('../../devices/eth0');
      expect(readFileSync(join(folder, name, 'class/net/eth0/flags'), 'utf8')).toBe('0x1003\n');
      expect(existsSync(join(folder, name, 'bus/pci'))).toBe(true);
    }
    expect(() => checkFreeDirectory(join(folder, 'new'))).toThrow('is there already, and not empty');
    expect(() => checkFreeDirectory(join(folder, 'new/devices/eth0/flags'))).toThrow('is no directory');
    expect(readdirSync(folder).sort()).toEqual(['empty', 'new']);
  });
});

test('the package knows its version and its scenarios', () => {
  expect(version()).toMatch(/^\d+\.\d+\.\d+/);
  expect(shippedScenarios().map(({ name }) => name)).toContain('vf-plug-join');
});

test('the command that reproduces a run survives a shell', () => {
  expect(reproduction(['run', 'my file.yaml', '--guest', "it's", '--at', 'uevent.add:nic1.vf#2'])).toBe(
    "netvsim run 'my file.yaml' --guest 'it'\\''s' --at 'uevent.add:nic1.vf#2'",
  );
  const odd = "a\u001b[31m\n'b\\c\u0085.yaml";
  expect(reproduction(['run', odd])).toBe("netvsim run $'a\\x1b[31m\\x0a\\'b\\\\c\\xc2\\x85.yaml'");
});
