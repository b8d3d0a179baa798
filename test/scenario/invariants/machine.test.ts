import { describe, expect, test } from 'vitest';
import type { NotifierBlock } from '../../../src/guest/linux/notifier.ts';
import { linuxOf } from '../../../src/machine/guests.ts';
import type { EventOf } from '../../../src/trace/event.ts';
import { runText } from '../../support/text-scenario.ts';

/** What a whole machine breaks, where the shipped scenarios and the known races do not show it. */
describe('a machine', () => {
  const joined = [
    '+0ms host offer nic1',
    '~5s expect nic1 is present',
    '+0ms guest up nic1',
    '+20ms host plug vf of nic1',
  ];
  const carrying = [...joined, '~10s expect datapath of nic1 is vf'];
  const nameOf = (failure: string): string => failure.split(':')[0] ?? '';

  test('whose VF is referred to by somebody who never lets go: it cannot leave, and the host takes it by force', () => {
    const { failures, events } = runText({ steps: [...carrying, '+1s host revoke vf of nic1'] }, (event, stage) => {
      const vf = event.kind === 'netvsc.vf' && event.joined ? linuxOf(stage.machine).netdevOf('nic1.vf') : undefined;
      vf?.references.perform(vf.references.update((count) => count + 1));
    });
    expect(failures[0]).toMatch(
      /^references-dropped: nic1\.vf: it is still referred to after 10\.\d+ s \(1 reference\)/,
    );
    expect(failures.filter((failure) => failure.startsWith('references-dropped'))).toHaveLength(1);
    const limits = events.filter((event): event is EventOf<'host.timeout'> => event.kind === 'host.timeout');
    expect(limits.map(({ what }) => what)).toEqual(['EJECTION_COMPLETE']);
  });

  test('whose host gives two VFs one serial number: the slot of the second has another name', () => {
    const nics = ['nic1: { mac: "00:0d:3a:12:34:56", vf: mlx5 }', 'nic2: { mac: "00:0d:3a:12:34:57", vf: mlx5 }'];
    const two = ['+0ms host offer nic2', '~5s expect nic2 is present', '+0ms host plug vf of nic2 serial 1'];
    const { failures } = runText({ nics, steps: [...carrying, ...two, '+5s expect nic2.vf is present'] });
    expect(failures.map(nameOf)).toEqual(['slot-is-serial', 'flagged-before-visible', 'joined-eventually']);
    expect(failures[0]).toContain('nic2.vf: its slot is called 1-1, for another one is called 1');
  });

  test('whose NIC has an MTU that its VF cannot have', () => {
    const large = joined.toSpliced(3, 0, '+0ms guest mtu nic1 20000');
    const { failures } = runText({ steps: [...large, '~10s expect datapath of nic1 is vf'] });
    expect(failures).toEqual([expect.stringMatching(/^same-mtu: nic1\.vf: its MTU is 1500, that of nic1 is 20000/)]);
  });

  test('in which somebody stops the chain before hv_netvsc hears that the VF is up', () => {
    const greedy: NotifierBlock = {
      name: 'greedy',
      priority: 10,
      *notify(event, dev) {
        return event === 'NETDEV_UP' && dev.dev === 'nic1.vf' ? 'stop' : 'done';
      },
    };
    const { failures } = runText(
      { steps: [...joined, '+5s host revoke vf of nic1', '+5s guest down nic1'] },
      (event, stage) => {
        if (event.kind === 'netvsc.listed') linuxOf(stage.machine).kernel.net.chain.add(greedy);
      },
    );
    expect(failures).toEqual([
      expect.stringMatching(/^listeners-hear-in-turn: nic1\.vf: hv_netvsc hears NETDEV_GOING_DOWN after NETDEV_DOWN/),
    ]);
  });

  test('that moves a device to where its name is taken, and tells of it by its old one', () => {
    const nics = ['nic1: { mac: "00:0d:3a:12:34:56" }', 'nic2: { mac: "00:0d:3a:12:34:57" }'];
    const steps = [
      ...['+0ms host offer nic1', '~5s expect nic1 is present', '+0ms guest move nic1 to namespace blue'],
      ...['+0ms host offer nic2', '~5s expect nic2 is present', '+0ms guest delete namespace blue'],
    ];
    expect(runText({ nics, steps }).failures).toEqual([]);
    expect(runText({ nics, steps, header: ['guest: linux-5.15'] }).failures).toEqual([
      expect.stringMatching(/^uevent-names-device: nic1: uevent add calls it eth0; it is dev2/),
    ]);
  });
});
