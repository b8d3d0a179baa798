/** PCI functions behind their channels: their power, their slots, and that what is shown is there. */
import { Devices, type Findings, type Invariant, type Moment, type Monitor, nicOf } from './invariant.ts';

export const d0Alternates: Invariant = {
  name: 'd0-alternates',
  meaning: 'Within one opening of its channel a guest enters D0 and leaves it by turns, entering first.',
  why:
    'A host that is asked to enter D0 twice refuses the second time: the bus has no devices, and the VF is ' +
    'missing after a crash kernel was started or the driver was loaded anew.',
  covers: ['INV-X6'],
  source: 'Linux c81992e7f4aa; drivers/pci/controller/pci-hyperv.c, hv_pci_enter_d0(), hv_pci_bus_exit()',
  races: ['D-45'],
  start(findings: Findings): Monitor {
    const entered = new Map<string, Moment>();
    return {
      on: {
        'vpci.message': (event) => {
          if (event.from !== 'guest') return;
          const since = entered.get(event.dev);
          switch (event.name) {
            case 'queryProtocolVersion': // what a guest says first on a channel that it has opened
              entered.delete(event.dev);
              break;
            case 'busD0Entry':
              if (since !== undefined) findings.violated(event.dev, 'it enters D0 twice', since);
              entered.set(event.dev, event);
              break;
            case 'busD0Exit':
              if (since === undefined) findings.violated(event.dev, 'it leaves D0 and has not entered it', event);
              entered.delete(event.dev);
              break;
            default:
          }
        },
      },
    };
  },
};

export const noGhostDevice: Invariant = {
  name: 'no-ghost-device',
  meaning: 'In the end every registered VF has a PCI function that is alive.',
  why:
    'A VF that stays when its hardware has gone takes frames and loses them, or hangs whoever touches it. It ' +
    'comes from a removal that overtook the probe, or from a rescind that nobody acted on.',
  covers: ['INV-W3', 'INV-X7'],
  source: 'Linux 067d6ec7ed5b; drivers/pci/controller/pci-hyperv.c, hv_eject_device_work()',
  races: ['D-38', 'D-43', 'D-48'],
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const dead = new Map<string, Moment>();
    return {
      knows: [devices],
      on: {
        'vf.alive': (event) => {
          if (event.alive) dead.delete(event.dev);
          else dead.set(event.dev, event);
        },
      },
      rest() {
        for (const { dev } of devices.registered()) {
          const since = nicOf(dev) === undefined ? undefined : dead.get(dev);
          if (since !== undefined) findings.violated(dev, 'it is registered, and its function is gone', since);
        }
      },
    };
  },
};

export const slotIsSerial: Invariant = {
  name: 'slot-is-serial',
  meaning: "The slot of a VF has the VF's serial number as its name, and nothing behind it.",
  why:
    `hv_netvsc reads the serial number from the slot's name. Two slots of one name make the second "2-1", which ` +
    'is no number: that VF is never joined, and udev names it after something else. A slot that outlives its ' +
    'device does it too.',
  covers: ['INV-S1'],
  source: 'Linux a15f2c08c708, 54be5b8ce33f, 340d45569940, 15becc2b56c6; drivers/pci/slot.c, make_slot_name()',
  races: ['D-08', 'D-17'],
  start: (findings: Findings): Monitor => ({
    on: {
      'pci.slot-taken': (event) => {
        findings.violated(
          event.dev,
          `its slot is called ${event.slot}, for another one is called ${event.wanted}`,
          event,
        );
      },
    },
  }),
};
