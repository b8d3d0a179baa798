/** Which VF belongs to which synthetic NIC, and when. */
import {
  Devices,
  type Findings,
  type Invariant,
  Joined,
  Listed,
  type Moment,
  type Monitor,
  nicOf,
} from './invariant.ts';

export const syntheticFirst: Invariant = {
  name: 'synthetic-first',
  meaning: 'A synthetic NIC is registered before a VF that the host has associated with it.',
  why:
    'Whoever registers first gets the lower name. When the VF becomes eth0, everything that is configured for ' +
    'eth0 by name lands on a device that the host may take away at any time.',
  covers: ['INV-V2'],
  source: 'Linux d30fb712e529',
  races: ['D-02'],
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const associated = new Map<string, Moment>();
    return {
      knows: [devices],
      on: {
        'nvsp.message': (event) => {
          if (event.name === 'sendVfAssociation') associated.set(event.nic, event);
        },
        'netdev.state': (event) => {
          if (event.state === 'unregistered') associated.delete(event.dev);
          const nic = nicOf(event.dev);
          const since = nic === undefined ? undefined : associated.get(nic);
          if (event.state !== 'registered' || nic === undefined || since === undefined) return;
          const state = devices.stateOf(nic);
          if (state !== 'registered') findings.violated(event.dev, `it is registered while ${nic} is ${state}`, since);
        },
      },
    };
  },
};

export const joinedEventually: Invariant = {
  name: 'joined-eventually',
  meaning: 'In the end a registered VF is joined to the listed synthetic NIC of its MAC, unless another VF is.',
  why:
    'A VF that nobody joins carries nothing: the guest runs on the slow path for good, or user mode takes the VF ' +
    'for a second NIC of the same MAC. The log says "no netdev found for vf serial", or nothing at all.',
  covers: ['INV-V3'],
  source: 'Linux 365e1ececb29, 9cae43da9867, 85520856466e',
  races: ['D-03', 'D-04', 'D-05', 'D-14', 'D-17', 'D-50'],
  across: true,
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const listed = new Listed();
    const joined = new Joined();
    return {
      knows: [devices, listed, joined],
      on: {},
      rest() {
        for (const event of devices.registered()) {
          const { dev, mac } = event;
          const nic = nicOf(dev) === undefined ? undefined : listed.withMac(mac);
          if (nic === undefined || joined.vfs.has(nic) || devices.stateOf(nic) !== 'registered') continue;
          findings.violated(dev, `it is registered and never joined ${nic}, which has its MAC and no VF`, event);
        }
      },
    };
  },
};

export const pairing: Invariant = {
  name: 'pairing',
  meaning: 'A VF that is joined to a synthetic NIC has its MAC, and is the only one.',
  why:
    "A VF at the wrong NIC connects one network's address with another network: traffic goes where nobody expects " +
    'it. Serial numbers are not compared: Linux joins a VF of the right MAC whatever its serial number is.',
  covers: ['INV-V4'],
  source: 'Linux 64ff412ad41f, 00d7ddba1143; get_netvsc_byslot()',
  races: ['D-06', 'D-07', 'D-08'],
  across: true,
  start(findings: Findings): Monitor {
    const devices = new Devices();
    const listed = new Listed();
    const joined = new Map<string, Map<string, Moment>>();
    return {
      knows: [devices, listed],
      on: {
        'netvsc.vf': (event) => {
          const members = joined.get(event.nic) ?? new Map<string, Moment>();
          joined.set(event.nic, members);
          members.delete(event.dev);
          if (!event.joined) return;
          for (const [other, since] of members)
            findings.violated(event.dev, `${event.nic} has ${other} already`, since);
          members.set(event.dev, event);
          const known = devices.all.get(event.dev);
          const mac = listed.macs.get(event.nic) ?? devices.all.get(event.nic)?.mac;
          if (known === undefined || mac === undefined || known.mac === mac) return;
          findings.violated(event.dev, `its MAC is ${known.mac}, that of ${event.nic} is ${mac}`, known);
        },
      },
    };
  },
};

export const onlyVfsJoin: Invariant = {
  name: 'only-vfs-join',
  meaning: 'Only a VF ever gets a synthetic NIC as its master.',
  why:
    'A driver that matches by MAC alone takes whatever else has that MAC: a VLAN or a bond over the NIC, or ' +
    'another NIC of its own kind. The link is refused with EBUSY at best, and runs in a circle at worst.',
  covers: ['INV-V5'],
  source: 'Linux drivers/net/hyperv/netvsc_drv.c, check_dev_is_matching_vf()',
  races: ['D-07', 'D-09'],
  start: (findings: Findings): Monitor => ({
    on: {
      'netdev.master': (event) => {
        if (event.master === '' || nicOf(event.dev) !== undefined) return;
        findings.violated(event.dev, `it is no VF and gets the master ${event.master}`, event);
      },
    },
  }),
};

/** What ether_setup() gives every Ethernet device (net/ethernet/eth.c, ETH_DATA_LEN). */
const USUAL_MTU = 1500;

export const sameMtu: Invariant = {
  name: 'same-mtu',
  meaning: 'In the end a joined VF has the MTU of its synthetic NIC.',
  why:
    'A frame that is as long as the NIC allows is dropped by a VF that allows less: small packets pass and large ' +
    'ones vanish, but only while the VF carries. The log says "unable to change mtu".',
  covers: ['INV-F4'],
  source: 'Linux drivers/net/hyperv/netvsc_drv.c, __netvsc_vf_setup(), netvsc_change_mtu()',
  races: [],
  start(findings: Findings): Monitor {
    const joined = new Joined();
    const mtus = new Map<string, Moment & { readonly mtu: number }>();
    return {
      knows: [joined],
      on: {
        'netdev.state': (event) => {
          if (event.state === 'post-init') mtus.delete(event.dev);
        },
        'netdev.mtu': (event) => {
          mtus.set(event.dev, event);
        },
      },
      rest() {
        for (const [nic, join] of joined.vfs) {
          const [mine, theirs] = [mtus.get(join.dev), mtus.get(nic)];
          const [vf, master] = [mine?.mtu ?? USUAL_MTU, theirs?.mtu ?? USUAL_MTU];
          if (vf !== master) findings.violated(join.dev, `its MTU is ${vf}, that of ${nic} is ${master}`, mine ?? join);
        }
      },
    };
  },
};
