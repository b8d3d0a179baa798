/**
 * Real programs in namespaces of their own: a tree of ours lies over /sys, /run is empty, and there is no network.
 * Only a copy is mounted, so nothing on the machine that runs the tests changes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const UNSHARE = 'unshare';

/** A program that is wanted, how to find out that it is there, and the Debian package that has it. */
const WANTED = {
  udev: ['udevadm', '--version'],
  'cloud-init': ['/usr/bin/python3', '-c', 'import cloudinit.net'],
  'util-linux': [UNSHARE, '--version'],
  apt: ['apt-get', '--version'],
  dpkg: ['dpkg-deb', '--version'],
  'xz-utils': ['xz', '--version'],
  'debian-archive-keyring': ['test', '-e', '/usr/share/keyrings/debian-archive-keyring.gpg'],
} as const;

/** Fails with the name of the package when a program is missing. */
export function need(...packages: readonly (keyof typeof WANTED)[]): void {
  for (const name of packages) {
    const [program, ...args] = WANTED[name];
    const found = spawnSync(program, args, { encoding: 'utf8' });
    if (found.status !== 0) throw new Error(`this test needs the Debian package ${name}: apt-get install ${name}`);
  }
}

/** $0 is the folder to work in, $1 the tree. tmpfs lists a folder in an order of its own: programs tell which. */
const SET_UP = `
set -eu
work=$0; tree=$1; shift
mount -t tmpfs none "$work"
mkdir "$work/sys" "$work/run"
cp -a "$tree/." "$work/sys"
mkdir -p "$work/run/udev/rules.d"
[ ! -e "$tree.rules" ] || cp "$tree.rules" "$work/run/udev/rules.d/10-azure-unmanaged-sriov.rules"
mount --bind "$work/sys" /sys
mount --bind "$work/run" /run
exec "$@"
`;

export interface InNamespace {
  /** A folder that is shown as /sys. */
  readonly tree: string;
  /** The text of a udev rules file. */
  readonly rules?: string;
  readonly input?: string;
}

/** What the program wrote to standard output; fails when it fails. */
export function runWithSys(command: readonly string[], { tree, rules, input = '' }: InNamespace): string {
  const work = mkdtempSync(join(tmpdir(), 'netvsim-real-'));
  if (rules !== undefined) writeFileSync(`${tree}.rules`, rules);
  try {
    // Anybody may do this in a user namespace of his own; --uts because cloud-init names hosts.
    const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const own = ['--mount', '--net', '--uts', '--propagation', 'private'];
    const ran = spawnSync(UNSHARE, [...asRoot, ...own, 'bash', '-c', SET_UP, work, tree, ...command], {
      encoding: 'utf8',
      input,
      // libudev refuses a /sys that is no sysfs (systemd docs/ENVIRONMENT.md); the kernel's options are cloud-init's.
      env: { ...process.env, SYSTEMD_DEVICE_VERIFY_SYSFS: '0', DEBUG_PROC_CMDLINE: 'quiet', LC_ALL: 'C.UTF-8' },
    });
    if (ran.status !== 0) throw new Error(`${command.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
    return ran.stdout;
  } finally {
    rmSync(work, { recursive: true });
  }
}
