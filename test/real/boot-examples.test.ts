/** What README and `--help` show of the real kernel, run as it stands there. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, MAIN } from '../support/command.ts';
import { commandsBelow, examplesOf, needsKernel, ROOT, readExample, sessions } from '../support/examples.ts';

/** A search in the real kernel takes minutes. */
const PATIENCE_MS = 900_000;

const ofHelp = commandsBelow([]).flatMap((path) => examplesOf(path));
const examples = [...new Set([...sessions.flat(), ...ofHelp].filter(needsKernel))];

test('there are examples for a kernel', () => {
  expect(examples.length).toBeGreaterThan(4);
});

test.each(examples)(
  '%s',
  (line) => {
    const folder = emptyFolder();
    symlinkSync(join(ROOT, 'fixtures'), join(folder, 'fixtures'));
    copyFileSync(join(ROOT, 'fixtures/scenarios/vf-plug-join.yaml'), join(folder, 'my.yaml'));
    mkdirSync(join(folder, 'bin'));
    const program = join(folder, 'bin/netvsim');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(program, 0o755);
    const { command, exit } = readExample(line);
    const done = spawnSync('sh', ['-c', command.replaceAll(/(?<=\s)\/tmp(?=\/)/g, folder)], {
      cwd: folder,
      encoding: 'utf8',
      input: '',
      env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, NO_COLOR: '1' },
    });
    expect(done.stderr).not.toMatch(/^ +at |netvsim bug/m);
    expect({ exit: done.status, err: done.stderr }).toEqual({ exit, err: expect.any(String) });
  },
  PATIENCE_MS,
);
