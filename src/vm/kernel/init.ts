/**
 * User mode of the guest: busybox's init with a shell on ttyS0, the console, and an agent on ttyS1, where netvsim's own
 * commands go. Kernel messages go to the console alone, and the two have a session each: what hangs on one line does not
 * stop the other. No module is loaded.
 */
import type { CpioEntry } from './cpio.ts';

/** All by one `mount -a`: to start a program costs two million emulated instructions. */
const MOUNTS = `proc /proc proc defaults 0 0
sys /sys sysfs defaults 0 0
tracefs /sys/kernel/tracing tracefs defaults 0 0
dev /dev devtmpfs defaults 0 0
run /run tmpfs defaults 0 0
tmp /tmp tmpfs defaults 0 0
`;

/** Runs once, before the shells. The nodes of the serial lines come with devtmpfs; `ip netns` wants /run. */
const START = `#!/bin/sh
/bin/busybox mount -a
/bin/busybox --install -s /bin 2>/dev/null
echo netvsim >/proc/sys/kernel/hostname
`;

/** What is called `ip` here is iproute2's: busybox has one too, and --install leaves what is there. */
const INITTAB = `::sysinit:/etc/start
ttyS0::respawn:-/bin/sh
ttyS1::respawn:/etc/agent
`;

const PROFILE = `export PATH=/bin
export PS1='netvsim:\\w# '
`;

/** Between two answers of the agent: ASCII's own "record separator", which no program here prints. */
export const RECORD_SEPARATOR = '\u001e';

/**
 * The other end of {@link ./agent-line.ts}: a line is a number and a command; the answer is what the command prints, and
 * then the separator, the number and the exit code. Each command has a subshell of its own: a syntax error ends no more
 * than that. Ctrl-C ends the command and not the agent.
 */
const AGENT = `#!/bin/sh
export PATH=/bin
stty -echo -opost -ixon -icrnl -iexten isig
trap : INT
printf '\\036ready\\n'
while IFS= read -r line; do
  (trap - INT; eval "\${line#* }") </dev/null 2>&1
  printf '\\036%s %s\\n' "\${line%% *}" $?
done
`;

const script = (path: string, text: string, mode = 0o755): CpioEntry => {
  return { path, kind: 'file', mode, bytes: Buffer.from(text) };
};

/**
 * What stands in the initrd before any package: folders, init and its files, and the one device node that the kernel
 * opens itself (init/main.c, console_on_rootfs; its numbers: Documentation/admin-guide/devices.txt).
 */
export function initEntries(): readonly CpioEntry[] {
  const folders = ['bin', 'dev', 'etc', 'lib', 'proc', 'root', 'run', 'sys', 'tmp'];
  return [
    ...folders.map((path): CpioEntry => ({ path, kind: 'directory' })),
    { path: 'dev/console', kind: 'character-device', mode: 0o600, major: 5, minor: 1 },
    { path: 'init', kind: 'link', target: 'bin/busybox' },
    { path: 'bin/sh', kind: 'link', target: 'busybox' },
    { path: 'sbin', kind: 'link', target: 'bin' },
    script('etc/start', START),
    script('etc/agent', AGENT),
    script('etc/fstab', MOUNTS, 0o644),
    script('etc/inittab', INITTAB, 0o644),
    script('etc/profile', PROFILE, 0o644),
  ];
}
