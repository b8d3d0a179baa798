/** What README and `--help` show of the real kernel, run as it stands there. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, MAIN } from '../support/command.ts';
import { blocks, commandsBelow, examplesOf, needsKernel, ROOT, readExample, sessions } from '../support/examples.ts';

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

/** What differs from one kernel or session to another: times, numbers of versions, and how many frames there were. */
const withoutFigures = (line: string): string =>
  line
    .replaceAll(/\d+\.\d+\.\d+-\d+-686/g, 'RELEASE')
    .replaceAll(/\d+\.\d{3,}/g, 'TIME')
    .replace(/( +\d+){2}$/, ' FRAMES')
    .replaceAll(/\s+/g, ' ')
    .trim();

test("the README's session is what one sees", () => {
  const [session = ''] = blocks('text').filter((block) => block.startsWith('$ netvsim boot\n'));
  const [head = '', ...lines] = session.split(/(?<=quit\.)[^\n]*\n\n|\n/).slice(1);
  expect(head).toMatch(/^Linux \S+ on netvsim's host/);
  const typed = lines.flatMap((line) => {
    const [, who, what = ''] = /^netvsim(:\S+#|>) ?(.*)$/.exec(line) ?? [];
    if (who === undefined || what === '' || what === '^]') return [];
    // What the host was told has its time to happen, as it has while somebody reads.
    return who === '>' ? [`\u001d${what}`, 'sleep 2'] : [what];
  });
  const input = typed
    .filter((line) => line !== '\u001dquit')
    .map((line) => `${line}\n`)
    .join('');
  const { stdout } = spawnSync(process.execPath, [MAIN, 'boot'], { encoding: 'utf8', input });
  const seen = stdout.split('\n').map(withoutFigures);
  const shown = lines.filter((line) => line !== '' && !/^netvsim|^Ctrl-\]/.test(line)).map(withoutFigures);
  expect(shown.length).toBeGreaterThan(10);
  let from = 0;
  for (const line of shown) {
    const at = seen.findIndex((one, i) => i >= from && one.endsWith(line));
    expect(at === -1 ? stdout : line).toBe(line);
    from = at + 1;
  }
});
