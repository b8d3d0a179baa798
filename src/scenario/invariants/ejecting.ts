/** What a guest owes a host that takes a PCI function away in good order. */
import { seconds } from '../../base/time.ts';
import type { EventOf } from '../../trace/event.ts';
import { type Findings, type Invariant, type Moment, type Monitor, nicOf } from './invariant.ts';

/** How long a host waits before it takes the function away all the same (Linux Documentation/virt/hyperv/vpci.rst). */
const PATIENCE = seconds(60);

export const ejectCompleteOnce: Invariant = {
  name: 'eject-complete-once',
  meaning: 'Each EJECT is answered by one EJECTION_COMPLETE within 60 s, after the device is unregistered.',
  why:
    'The host waits 60 s for the answer and then takes the function away by force, under a driver that still uses ' +
    'it. An answer that comes before the device is gone has the same effect at once.',
  covers: ['INV-X5'],
  source: 'Linux Documentation/virt/hyperv/vpci.rst; hv_eject_device_work()',
  races: ['D-43', 'D-53'],
  start(findings: Findings): Monitor {
    const states = new Map<string, string>();
    const ejected = new Map<string, Moment>();
    const complete = (event: EventOf<'vpci.message'>): void => {
      const since = ejected.get(event.dev);
      ejected.delete(event.dev);
      if (since === undefined) {
        findings.violated(event.dev, 'an EJECTION_COMPLETE that no EJECT asked for', event);
        return;
      }
      if (event.time - since.time > PATIENCE) findings.late(event.dev, 'it came after more than 60 s', since);
      const state = states.get(vfDev(event.dev)) ?? 'unregistered';
      if (state !== 'unregistered') findings.violated(event.dev, `it came while the device is ${state}`, since);
    };
    return {
      on: {
        'netdev.state': (event) => {
          states.set(event.dev, event.state);
        },
        // The bus driver left the channel: what is left of the device went with it.
        'driver.bound': (event) => {
          if (!event.bound && event.driver === 'hv_pci') ejected.delete(event.dev);
        },
        'vpci.message': (event) => {
          if (event.name === 'eject' && event.from === 'host') ejected.set(event.dev, event);
          if (event.name === 'ejectionComplete' && event.from === 'guest') complete(event);
        },
      },
      rest() {
        for (const [dev, since] of ejected) findings.violated(dev, 'the EJECT was never answered', since);
      },
    };
  },
};

const vfDev = (dev: string): string => (nicOf(dev) === undefined ? `${dev}.vf` : dev);
