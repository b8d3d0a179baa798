import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { syntheticModels, vfModels } from '../../devices/index.ts';
import { seconds } from '../../src/base/time.ts';
import { isAnswered } from '../../src/vm/agent.ts';
import { cacheFolder } from '../../src/vm/kernel/cache.ts';
import { type BootImages, readBootImages } from '../../src/vm/kernel/images.ts';
import { RealMachine, type RealPlan } from '../../src/vm/real-machine.ts';
import { formatTranscript, NIC, parseTranscript } from '../guest/linux/transcript.ts';
import { type GuestShell, record } from './registry-recorder.ts';

/**
 * The transcripts of `fixtures/kernel` in the real kernel, each in a machine that has just come up. UPDATE=1 writes what
 * was said in the place of what is there; a new transcript begins as its commands (`$ ip link add ...`, a line each).
 */
const isToBeWritten = process.env['UPDATE'] === '1';

const folder = join(import.meta.dirname, '../../fixtures/kernel');
const files = readdirSync(folder).filter((file) => file.endsWith('.txt'));
const catalogue = { vfs: vfModels, synthetics: syntheticModels };
const plan: RealPlan = { nics: [{ ...NIC, serial: 1, pciSerial: 1 }], latency: {} };
/** Of virtual time: a step waits for link-watch, which takes its time. */
const PATIENCE = { time: seconds(600) };

let images: BootImages;
let snapshot: Uint8Array;

beforeAll(async () => {
  const read = readBootImages({ cache: cacheFolder(process.env) });
  if (!read.ok) throw new Error(read.error);
  images = read.value;
  const machine = given(await RealMachine.create(plan, catalogue, images));
  shellOf(machine).run('true');
  snapshot = given(machine.save());
}, 180_000);

describe.each(files)('%s', (file) => {
  test('is what the kernel says and shows', async () => {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const script = parseTranscript(text);
    const shell = shellOf(given(await RealMachine.restore(plan, catalogue, images, snapshot)));
    const { modules } = script.header;
    const header = {
      ...(modules === undefined ? {} : { modules }),
      kernel: shell.run('uname -rv').output.trim(),
      ip: shell.run('ip -V').output.trim(),
      'recorded by': 'test/real/registry.test.ts, in v86',
    };
    const recorded = formatTranscript({ about: script.about, header, steps: record(shell, script) });
    if (isToBeWritten) writeFileSync(path, recorded);
    else expect(recorded).toBe(text);
  });
});

function shellOf(machine: RealMachine): GuestShell {
  return {
    run: (command) => {
      const outcome = given(machine.runTask('ip', machine.agent.run(command), PATIENCE));
      if (!isAnswered(outcome)) throw new Error(`${command}: ${outcome.problem}: ${outcome.output}`);
      return { output: outcome.output, exit: outcome.code };
    },
    act: (action) => given(machine.runTask('operator', machine.host.act(action), PATIENCE))?.refused,
  };
}

type Given<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function given<T>(result: Given<T>): T {
  if (!result.ok) throw new Error(`no machine: ${JSON.stringify(result.error)}`);
  return result.value;
}
