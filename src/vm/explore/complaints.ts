/**
 * Lines of a kernel's log that say that something is wrong with the kernel itself, whatever was done to its hardware.
 * Source: linux lib/bug.c (`WARNING:`, `kernel BUG at`), arch/x86/kernel/dumpstack.c (`Oops:`), arch/x86/mm/fault.c
 * (`BUG:`), kernel/hung_task.c (`INFO: task ... blocked for more than`), kernel/rcu/tree_stall.h, lib/list_debug.c,
 * lib/refcount.c, net/core/dev.c, netdev_wait_allrefs_any() (`unregister_netdevice: waiting for`).
 */
const PATTERNS: readonly RegExp[] = [
  /\bBUG\b/,
  /\bOops:/,
  /^WARNING:/,
  /^INFO: task .* blocked for more than/,
  /^rcu: INFO: .* stall/,
  /^list_(add|del) corruption/,
  /^refcount_t: /,
  /^general protection fault/,
  /^unregister_netdevice: waiting for /,
  /^Kernel panic/,
];

export const isComplaint = (text: string): boolean => PATTERNS.some((pattern) => pattern.test(text));
