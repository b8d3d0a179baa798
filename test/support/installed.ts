/** A cache folder with what `netvsim kernel install` makes, out of packages that are made up. */
import { installKernel } from '../../src/vm/kernel/install.ts';
import { folderOf, packageFiles, RELEASE } from '../vm/kernel/files.ts';
import { emptyFolder } from './command.ts';

export const PACKAGE = {
  name: `linux-image-${RELEASE}`,
  version: '6.1.176-1',
  architecture: 'i386',
  sha256: 'ab'.repeat(32),
};

/** `changes`: files of the packages that are others, see {@link packageFiles}. */
export async function madeUpKernel(changes: Parameters<typeof packageFiles>[0] = {}): Promise<string> {
  const cache = emptyFolder();
  const root = folderOf(packageFiles(changes));
  const source = async () => ({ ok: true, value: { root, packages: [PACKAGE], warnings: [] } }) as const;
  await installKernel(cache, source, () => undefined, new AbortController().signal);
  return cache;
}
