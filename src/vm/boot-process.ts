/**
 * Boots in a process of its own: neither a collected garbage nor an ended worker thread gives back what the emulator took,
 * and a second machine takes the place of the one that was booted.
 */
import { fork } from 'node:child_process';
import { assert } from '../base/assert.ts';
import { err, type Result } from '../base/result.ts';
import type { Nanoseconds } from '../base/time.ts';
import type { Catalogue } from '../host/plan.ts';
import { ABORTED, type BootFailure, type BootOptions, type BootWatch, toSnapshot } from './boot.ts';

type Told = { readonly now: Nanoseconds } | { readonly result: Result<Uint8Array, BootFailure> };

/** @param file the one that calls {@link serveBoot}. */
export function bootInProcess(
  file: URL,
  options: BootOptions,
  { tell, signal }: BootWatch = {},
): Promise<Result<Uint8Array, BootFailure>> {
  return new Promise((resolve) => {
    const child = fork(file, { serialization: 'advanced' });
    const stop = (): void => void child.kill('SIGKILL');
    let result: Result<Uint8Array, BootFailure> | undefined;
    signal?.addEventListener('abort', stop, { once: true });
    child.on('message', (told: Told) => {
      if ('now' in told) tell?.(told.now);
      else result = told.result;
    });
    child.on('exit', (code, by) => {
      signal?.removeEventListener('abort', stop);
      const died = `the process that boots the guest has died (${by ?? code})`;
      const failure: BootFailure = signal?.aborted === true ? ABORTED : { whose: 'guest', text: died, tail: [] };
      resolve(result ?? err(failure));
    });
    const { images, memoryMb, forStage } = options;
    child.send({ images, memoryMb, ...(forStage === undefined ? {} : { forStage }) } satisfies BootOptions);
  });
}

/** What the process does, which ends with the one that has started it. */
export function serveBoot(catalogue: Catalogue): void {
  const say = (told: Told, said?: () => void): void => {
    assert(process.send !== undefined, 'serveBoot is for a process that was forked');
    process.send(told, undefined, undefined, said);
  };
  process.once('message', async (options: BootOptions) => {
    const result = await toSnapshot(catalogue, options, { tell: (now) => say({ now }) });
    say({ result }, () => process.disconnect());
  });
  process.on('disconnect', () => process.exit());
}
