/** What a guest owes the protocols of its channels. */
import type { EventOf } from '../../trace/event.ts';
import type { Findings, Invariant, Moment, Monitor } from './invariant.ts';

export const completionsAskedFor: Invariant = {
  name: 'completions-asked-for',
  meaning: "A guest completes each of the host's packets once, and no other.",
  why:
    'A transaction that is completed twice, or was never begun, makes the other side give one buffer to two ' +
    "users. A host of ours refuses it. The guest's own half, an answer that it never asked for, it drops with " +
    '"Invalid transaction ID".',
  covers: ['INV-W1'],
  source: 'Linux e8b7db38449a, 4d18fcc95f50; drivers/net/hyperv/netvsc.c, netvsc_send_recv_completion()',
  races: ['D-36'],
  start: (findings: Findings): Monitor => ({
    on: {
      'host.refused': (event) => {
        if (event.what === 'completion') findings.violated(event.dev, `it completes what it was not sent`, event);
      },
    },
  }),
};

export const messagesWellFormed: Invariant = {
  name: 'messages-well-formed',
  meaning:
    'A guest writes nothing into a channel that the protocol does not have, and no ring index that is out of place.',
  why:
    'A host answers nonsense with a failure at best, and stops to read the channel at worst: then the device is ' +
    'dead until its driver is loaded anew.',
  covers: [],
  source: 'reference F.2 (ring) and C.2; openvmm netvsp',
  races: [],
  start: (findings: Findings): Monitor => ({
    on: {
      'wire.malformed': (event) => {
        if (event.from !== 'guest') return;
        findings.violated(event.dev, `it sends a ${event.protocol} message that is none: ${event.problem}`, event);
      },
    },
  }),
};

/** What the host has said last of a device's channel. */
interface Offered extends Moment {
  rescinded: boolean;
}

export const releasedOnce: Invariant = {
  name: 'released-once',
  meaning: 'A channel that the host takes back is released once, and no driver has its device by then.',
  why:
    'A device that is not released cannot be offered again: the VF never comes back after the first firmware ' +
    "update. One that is released twice, or while a driver has it, is freed under somebody's feet.",
  covers: ['INV-W2', 'INV-W3'],
  source: 'Linux e4d221b42354, e3fa4b747f08; drivers/hv/channel_mgmt.c, vmbus_onoffer_rescind()',
  races: ['D-47', 'D-48'],
  start(findings: Findings): Monitor {
    const offered = new Map<string, Offered>();
    const drivers = new Map<string, Map<string, Moment>>();
    const release = (event: EventOf<'vmbus.message'>): void => {
      const { dev } = event;
      const channel = offered.get(dev);
      offered.delete(dev);
      if (channel?.rescinded !== true) {
        findings.violated(dev, 'a channel is released that the host has not taken back', channel ?? event);
        return;
      }
      for (const [driver, since] of drivers.get(dev) ?? []) {
        findings.violated(dev, `its channel is released while ${driver} has it`, since);
      }
    };
    return {
      on: {
        'driver.bound': (event) => {
          const bound = drivers.get(event.dev) ?? new Map<string, Moment>();
          drivers.set(event.dev, bound);
          if (event.bound) bound.set(event.driver, event);
          else bound.delete(event.driver);
        },
        'vmbus.message': (event) => {
          const { dev, name, time, step } = event;
          if (name === 'offerChannel') offered.set(dev, { rescinded: false, time, step });
          if (name === 'rescindChannelOffer' && offered.has(dev)) offered.set(dev, { rescinded: true, time, step });
          if (name === 'relidReleased') release(event);
          // A guest that makes contact anew, or ends it, has forgotten all channels.
          if (name === 'initiateContact' || name === 'unload') offered.clear();
        },
      },
      rest() {
        for (const [dev, channel] of offered) {
          if (channel.rescinded) findings.violated(dev, 'its channel was taken back and never released', channel);
        }
      },
    };
  },
};
