/**
 * That everything goes on. Waits come from the hung-task look of `long-waits.ts`; a run that ends in a deadlock, with
 * somebody stuck, or in a livelock fails without any invariant (`scenario/run.ts`).
 */
import { formatDuration } from '../../base/time.ts';
import type { EventOf } from '../../trace/event.ts';
import { HUNG_AFTER } from '../long-waits.ts';
import type { Findings, Invariant, Monitor } from './invariant.ts';

/** Waits for what only the host, or nobody, can give: no task of the guest holds the object. */
const FOR_HOST: ReadonlySet<string> = new Set(['wait', 'drained', 'writeWhenFree']);

export const hostWaitsEnd: Invariant = {
  name: 'host-waits-end',
  meaning: 'No task waits for an answer of the host for 120 s or longer.',
  why:
    'Linux waits for NVSP, RNDIS and VF_ASSOCIATION without a limit, most of it under the RTNL: one answer that ' +
    'does not come stops every command that touches a network device, and often the boot. The log says "task ' +
    'blocked for more than 120 seconds", if anything.',
  covers: ['INV-L2'],
  source: 'Linux lib/Kconfig.debug, DEFAULT_HUNG_TASK_TIMEOUT (120 s); reference A.12, C.6',
  races: ['D-05', 'D-23', 'D-27', 'D-40', 'D-44'],
  start: (findings: Findings): Monitor => ({
    on: {
      'task.hung': (event) => {
        const { task, operation, object, heldBy } = event;
        if (heldBy !== '' || !FOR_HOST.has(operation)) return;
        tell(findings, event, task, `it waits and waits: ${operation} ${object}`);
      },
    },
  }),
};

/** A wait that never ends is wrong however time passes. */
function tell(findings: Findings, event: EventOf<'task.hung'>, who: string, found: string): void {
  const since = { time: event.since, step: event.sinceStep };
  if (event.forEver) findings.violated(who, found, since);
  else findings.late(who, found, since);
}

export const rtnlHeldBriefly: Invariant = {
  name: 'rtnl-held-briefly',
  meaning: 'Nobody holds the RTNL for 120 s or longer, or makes another one wait for it that long.',
  why:
    'Every command about network devices, and every program that lists them, waits for this one lock. While a ' +
    `driver holds it and waits for its host, "ip link" hangs, udev's workers are killed, and a remote machine ` +
    'cannot be reached.',
  covers: [],
  source: 'Linux lib/Kconfig.debug, DEFAULT_HUNG_TASK_TIMEOUT (120 s); reference A.12, E.5',
  races: ['D-05', 'D-29', 'D-53'],
  start: (findings: Findings): Monitor => ({
    on: {
      'rtnl.held': (event) => {
        if (event.held < HUNG_AFTER) return;
        const since = { time: event.since, step: event.sinceStep };
        findings.late(event.context, `it has held the RTNL for ${formatDuration(event.held)}`, since);
      },
      'task.hung': (event) => {
        const { task, object, heldBy } = event;
        if (object !== 'rtnl' || heldBy === '') return;
        tell(findings, event, heldBy, `it holds the RTNL, for which ${task} waits and waits`);
      },
    },
  }),
};

export const nothingUnread: Invariant = {
  name: 'nothing-unread',
  meaning: 'In the end no ring holds a packet whose reader sleeps.',
  why:
    'A ring signals only when it stops being empty: a signal that is lost there is never sent again, and whatever ' +
    'was to follow does not happen. The NIC stalls, or the boot hangs, until something else arrives.',
  covers: ['INV-Q1'],
  source: 'Linux 9448ccd85336, 6b81b193b83e; drivers/hv/ring_buffer.c, hv_need_to_signal()',
  races: ['D-26', 'D-27'],
  start: (findings: Findings): Monitor => ({
    on: {
      'ring.unread': (event) => {
        findings.violated(event.dev, `its ring holds something that the ${event.reader} was not told of`, event);
      },
    },
  }),
};
